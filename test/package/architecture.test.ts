/** What docs/architecture.md promises of the sources: arrows that go down, no cycle, files that fit in a head. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (file: string) => readFileSync(join(root, file), "utf8");
/** Installed packages are not entered: bench/ and test/runtimes/ may have 100,000 files of theirs. */
const filesBelow = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(path, ending);
      return ending.test(path) ? [path] : [];
    })
    .sort();

const assembly = filesBelow("assembly", /\.ts$/);
const host = filesBelow("src", /\.ts$/);

/** The rooms of each side, from the lowest: a file imports from its own room and from rooms before it. */
const ROOMS = {
  assembly: [
    "records",
    "debug",
    "build",
    "instance",
    "memory",
    "activation",
    "shaped",
    "softmax",
    "max-pool",
    "normalize",
    "matmul",
    "conv1d",
    "cells",
    "narrow",
    "layer",
    "index",
    "core",
    "models",
    "threads",
    "unpack",
  ],
  src: ["tensor", "int8", "bundle", "wasm", "threads", "nn", "index", "formats", "graph", "models", "cli"],
};

/** The first folder or file name below assembly/ or src/. */
const roomOf = (file: string) => file.split("/")[1]!.replace(/\.ts$/, "");

/** The files that one imports, of both kinds of specifiers: `./x.js` in src/, `./x` in assembly/. */
function importsOf(file: string, files: readonly string[]): string[] {
  const specifiers = Array.from(
    read(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g),
    (match) => match[1]!,
  );
  return specifiers.flatMap((specifier) => {
    const path = join(dirname(file), specifier).replace(/\.js$/, "");
    return files.filter((candidate) =>
      [`${path}.ts`, `${path}/index.ts`, `${path}.d.ts`].includes(candidate),
    );
  });
}

describe.each([
  ["assembly", assembly],
  ["src", host],
] as const)("%s/", (side, files) => {
  it("has an arrow only to its own room and to rooms below", () => {
    const order: readonly string[] = ROOMS[side];
    const wrong = files.flatMap((file) =>
      importsOf(file, files)
        .filter((target) => order.indexOf(roomOf(target)) > order.indexOf(roomOf(file)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(files.filter((file) => !order.includes(roomOf(file)))).toEqual([]);
    expect(wrong).toEqual([]);
  });

  it("has no cycle", () => {
    const finished = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error([...path.slice(path.indexOf(file)), file].join(" -> "));
      if (finished.has(file)) return;
      for (const target of importsOf(file, files)) visit(target, [...path, file]);
      finished.add(file);
    };
    for (const file of files) visit(file, []);
    expect(finished.size).toBe(files.length);
    expect(files.flatMap((file) => importsOf(file, files)).length).toBeGreaterThan(files.length);
  });

  it("has no file of more than 300 lines", () => {
    const linesOf = (file: string) => read(file).split("\n").length - 1;
    expect(files.filter((file) => linesOf(file) > 300).map((file) => `${file}: ${linesOf(file)}`)).toEqual(
      [],
    );
  });
});

it("every room is in the tables of docs/architecture.md and test/README.md", () => {
  const roomsOf = (folder: string) =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  for (const [folder, page, end] of [
    ["assembly", "docs/architecture.md", "/"],
    ["src", "docs/architecture.md", "/"],
    ["test", "test/README.md", ""],
  ] as const) {
    const rows = read(page);
    expect(
      roomsOf(folder).filter((room) => !rows.includes(`\n| \`${room}${end}\` |`)),
      page,
    ).toEqual([]);
  }
});

it("test/, bench/ and examples/ have no file of more than 500 lines whose first line does not say why", () => {
  const files = ["test", "bench", "examples"].flatMap((folder) => filesBelow(folder, /\.(ts|js|mjs|py)$/));
  const long = files.filter((file) => read(file).split("\n").length > 501);
  expect(
    long.filter((file) => !/lines?\b.*\bbecause\b|\bbecause\b.*lines?\b/.test(read(file).split("\n")[0]!)),
  ).toEqual([]);
});

it("linear memory is seen in one room, by views that begin and end somewhere", () => {
  const views = host.flatMap((file) =>
    Array.from(read(file).matchAll(/\bmemory\b[!?]?\.buffer\b( as ArrayBuffer)?([^;]*);/g), (match) => ({
      file,
      isPart: match[2]!.split(",").length > 2,
    })),
  );
  expect(views.filter(({ isPart }) => isPart).map(({ file }) => file)).toEqual([
    // The text of a worker, which has nothing but itself.
    "src/threads/worker.ts",
    "src/wasm/block.ts",
    "src/wasm/numbers-at.ts",
    "src/wasm/read-weights.ts",
    "src/wasm/runtime.ts",
  ]);
  // What unpacks the binaries has a memory of its own.
  expect(views.filter(({ isPart }) => !isPart).map(({ file }) => file)).toEqual(["src/bundle/unpack.ts"]);
});

/** The names of classes of record files, below assembly/. */
const recordsOf = (files: readonly string[]) =>
  files.flatMap((file) =>
    Array.from(read(`assembly/${file}.ts`).matchAll(/^export class (\w+)/gm), (match) => match[1]!),
  );

/** The record of a job is the caller's kernel's to write, and each thread's own copy that thread's. */
const OF_KERNELS = recordsOf(["threads/records"]);

it("every field of a job is written by the kernels of threads", () => {
  const sources = filesBelow("assembly/threads", /\.ts$/).map(read).join("\n");
  expect(OF_KERNELS).toEqual(["Place", "Lane"]);
  const classes = read("assembly/threads/records.ts").matchAll(/class \w+ \{(.*?)^\}/gms);
  const fields = Array.from(classes, ([, body]) =>
    Array.from(body!.matchAll(/^ {2}(\w+): (?:i32|usize|f32);/gm), (match) => match[1]!),
  ).flat();
  expect(fields.length).toBeGreaterThan(25);
  expect(fields.filter((field) => !new RegExp(`\\.${field} \\+?= `).test(sources))).toEqual([]);
});

it("every field of another record is written by the host", () => {
  const sources = host.map(read).join("\n");
  const layouts = filesBelow("build/records", /\.d\.ts$/);
  const records = recordsOf(["records", "models/records", "models/window-records"]);
  expect(records.length).toBeGreaterThan(6);
  const layoutOf = (name: string) => `build/records/${name.toLowerCase()}.d.ts`;
  expect(layouts).toEqual([...records, ...OF_KERNELS].map(layoutOf).sort());
  for (const layout of records.map(layoutOf)) {
    const name = layout.slice("build/records/".length, -".d.ts".length);
    const fields = Array.from(read(layout).matchAll(/const (\w+):/g), (match) => match[1]!);
    const alias = new RegExp(`import \\* as (\\w+) from "[./]*build/records/${name}\\.js"`).exec(
      sources,
    )?.[1];
    expect(fields.length, name).toBeGreaterThan(2);
    expect(
      // `words[Run.batch] =`, or a pair of the field and what is written there.
      fields.filter(
        (field) => ![`${alias}.${field}] =`, `[${alias}.${field}, `].some((text) => sources.includes(text)),
      ),
      name,
    ).toEqual([]);
  }
});
