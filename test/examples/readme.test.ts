/**
 * Every TypeScript snippet of README.md and docs/ runs as it stands, in a .mjs file, against the built package. Its folder
 * holds what the Python snippets wrote (test/examples/readme/make.py, which .ci/run runs too), a checkpoint, an ONNX
 * model with its weights beside it, and one with the inputs of a speech detector. Figures and the int8 table are those of the last measurement.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lengthDelimited, model, node, tensor } from "../support/onnx-writer.js";
import { PAGES, readPage, root, SNIPPETS } from "../support/pages.js";

// Inside the package, so that "lstm-wasm" resolves to its own dist/; one folder for each build that is tested.
const folder = new URL(`build/readme-${process.env.WASM_BUILD}/`, root);

/** Keras' files, by their names in the snippets. */
const KERAS = {
  "stack-k3.keras": "model.keras",
  "masked-k3.keras": "masked.keras",
  "bi-k3.h5": "bidirectional.h5",
  "stack-k2-from-h5/model.json": "model.json",
  "stack-k2-from-h5/group1-shard1of1.bin": "group1-shard1of1.bin",
  "lambda-k3.keras": "lambda.keras",
  "../keras-models/stateful-k3.keras": "stateful.keras",
};

/** What a snippet's comment after console.log says that it prints. */
function promised(snippet: string): string[] {
  return [...snippet.matchAll(/console\.log\(.*?\); \/\/ (.*)/g)].map((match) => match[1]!);
}

/** An LSTM 6 -> 3 whose weights are in the file model.onnx.data. */
function writeOnnx(): void {
  const external = (name: string, columns: number) =>
    tensor(name, {
      dims: [1, 12, columns],
      more: [
        ...lengthDelimited(13, [...lengthDelimited(1, "location"), ...lengthDelimited(2, "model.onnx.data")]),
        ...lengthDelimited(13, [
          ...lengthDelimited(1, "length"),
          ...lengthDelimited(2, String(12 * columns * 4)),
        ]),
      ],
    });
  const bytes = model(
    {
      nodes: [node("LSTM", ["x", "w", "r"], ["y"], { attributes: { hidden_size: 3 } })],
      initializers: [external("w", 6), external("r", 3)],
      inputs: ["x"],
      outputs: ["y"],
    },
    [],
    17,
  );
  writeFileSync(new URL("model.onnx", folder), bytes);
  writeFileSync(new URL("model.onnx.data", folder), new Uint8Array(12 * 6 * 4));
}

/** A stand-in with the inputs and outputs of silero_vad_v5.onnx: the sigmoid of the samples' mean. */
function writeVad(): void {
  const state = (name: string) => ({ name, shape: [2, "batch", 128] });
  const bytes = model(
    {
      nodes: [
        node("ReduceMean", ["input"], ["mean"]),
        node("Sigmoid", ["mean"], ["output"]),
        node("Add", ["state", "mean"], ["stateN"]),
      ],
      inputs: [{ name: "input", shape: ["batch", ""] }, state("state"), { name: "sr", type: 7, shape: [] }],
      outputs: [{ name: "output", shape: ["batch", 1] }, state("stateN")],
    },
    [],
    17,
  );
  writeFileSync(new URL("silero_vad_v5.onnx", folder), bytes);
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeVad();
  copyFileSync(new URL("test/formats/files/torch/nested.pt", root), new URL("checkpoint.pt", folder));
  writeOnnx();
  for (const shard of [
    ".safetensors.index.json",
    "-00001-of-00002.safetensors",
    "-00002-of-00002.safetensors",
  ]) {
    copyFileSync(new URL(`test/formats/files/torch-2/model${shard}`, root), new URL(`model${shard}`, folder));
  }
  copyFileSync(new URL("test/examples/readme/model.pt", root), new URL("model.pt", folder));
  for (const [from, to] of Object.entries(KERAS)) {
    copyFileSync(new URL(`test/formats/files/keras/${from}`, root), new URL(to, folder));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("README and docs", () => {
  it("have snippets, and tell what the first one prints", () => {
    expect(SNIPPETS.length).toBeGreaterThan(2);
    expect(promised(SNIPPETS[0]!.code)).toEqual(["-0.5304", "lstm 3"]);
    const languages = PAGES.flatMap((page) => readPage(page).match(/(?<=^```)\w+/gm) ?? []);
    expect([...new Set(languages)].sort()).toEqual(["html", "js", "python", "sh", "ts"]);
  });

  it("have the figures that bench/ measured", async () => {
    const { withComparison, withFigures } = (await import(new URL("bench/figures.js", root).href)) as {
      withFigures(page: string, measured: Record<"results" | "models" | "places", unknown>): string;
      withComparison(page: string, results: unknown): string;
    };
    const [results, models, places] = ["results", "models/results", "places"].map((name) =>
      JSON.parse(readPage(`bench/${name}.json`)),
    );
    const readme = readPage("README.md");
    expect(withFigures(readme, { results, models, places })).toBe(readme);
    const page = readPage("docs/performance.md");
    expect(withComparison(page, results)).toBe(page);
  });

  it("have the int8 table that bench/int8 measured, as that folder's README has", async () => {
    const folder = new URL("bench/int8/", root);
    const { report, withSummary } = (await import(new URL("report.js", folder).href)) as {
      report(results: unknown): string;
      withSummary(page: string, results: unknown): string;
    };
    const results = JSON.parse(readFileSync(new URL("results.json", folder), "utf8"));
    expect(readFileSync(new URL("README.md", folder), "utf8")).toBe(report(results));
    const page = readPage("docs/int8.md");
    expect(withSummary(page, results)).toBe(page);
  });

  it.each(["index.js", "formats/index.js"])("name in a table all that dist/%s exports", async (file) => {
    const names = Object.keys((await import(new URL(`dist/${file}`, root).href)) as object);
    const tables = PAGES.flatMap((page) => readPage(page).match(/^\|.*\|$/gm) ?? []).join("\n");
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``).test(tables))).toEqual([]);
  });

  it("reads each kind of file by a function that exists", async () => {
    const formats = (await import(new URL("dist/formats/index.js", root).href)) as object;
    const readme = readPage("README.md");
    const table = readme.slice(readme.indexOf("| You have |"), readme.indexOf("Nothing in a file is run"));
    const called = [...table.matchAll(/`(\w+)\(/g)].map((match) => match[1]!);
    expect(called.length).toBeGreaterThan(7);
    expect(called.filter((name) => !(name in formats))).toEqual([]);
  });

  it("name the present version in the CDN's address", () => {
    const { version } = JSON.parse(readPage("package.json"));
    const addresses = PAGES.flatMap((page) => readPage(page).match(/https:\/\/cdn[^"]*/g) ?? []);
    const expected = `https://cdn.jsdelivr.net/npm/lstm-wasm@${version}/dist/index.js`;
    expect([...new Set(addresses)]).toEqual([expected]);
  });

  it("have a stream in an AudioWorklet that plays what PyTorch computed", () => {
    const readme = readPage("README.md");
    const [processor, page, ...more] = [...readme.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1]!);
    expect(more).toEqual([]);
    writeFileSync(new URL("processor.js", folder), processor!);
    writeFileSync(new URL("page.js", folder), page!);
    const [, bundle] = /`npx esbuild (processor\.js page\.js .*?)`/.exec(readme)!;
    execFileSync(fileURLToPath(new URL("node_modules/.bin/esbuild", root)), bundle!.split(" "), {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const script = fileURLToPath(new URL("test/examples/readme/worklet.js", root));
    const amp = fileURLToPath(new URL("examples/amp/", root));
    const [sound, expected] = ["riff.wav", "expected.json"].map((name) => `${amp}${name}`);
    copyFileSync(`${amp}amp.nam`, new URL("amp.nam", folder));
    const args = [script, fileURLToPath(folder), sound!, expected!];
    expect(execFileSync(process.execPath, args, { encoding: "utf8" })).toMatch(/^\d+ samples agree\n$/);
  });

  it.each(SNIPPETS.map((snippet, index) => ({ ...snippet, index })))(
    "$title runs and prints what it says",
    ({ code, index }) => {
      const file = new URL(`snippet-${index}.mjs`, folder);
      writeFileSync(file, code);
      const printed = execFileSync(process.execPath, [file.pathname], { cwd: folder, encoding: "utf8" });
      const plain = printed.replace(/\[\s+/g, "[").replace(/\s+\]/g, "]");
      for (const line of promised(code)) expect(plain).toContain(line);
      expect(printed).not.toBe("");
    },
  );
});
