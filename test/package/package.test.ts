/** What `npm pack` would publish: its files, its entry points, and what the bundles must not contain. Needs `npm run build`. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { type BuildOptions, type BuildResult, buildSync, transformSync } from "esbuild";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const manifest = JSON.parse(read("package.json"));

const { ENTRIES, edgePathOf, specifierOf } = (await import(join(root, "src/build/entries.js"))) as {
  ENTRIES: Record<string, string>;
  edgePathOf(path: string): string;
  specifierOf(path: string): string;
};
type Bundles = Record<"default" | "edge", BuildResult<{ metafile: true }>>;
const { bundleEntries } = (await import(join(root, "src/build/bundle.js"))) as {
  bundleEntries(entries: Record<string, string>, outdir: string, overrides?: BuildOptions): Promise<Bundles>;
};

const [pack] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }),
);
const files: string[] = pack.files.map((file: { path: string }) => file.path);
/** All but the command line, which is for Node only. */
const scripts = files.filter((file) => file.endsWith(".js") && file !== "dist/cli.js");

/** A bundle's code without comments and strings, so that a word in a message is not taken for a use of it. */
const code = (file: string): string =>
  read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`/gm, '""');

describe("the packed files", () => {
  it("are what a user needs and nothing else", () => {
    const expected = [
      /^(package\.json|README\.md|LICENSE)$/,
      /^dist\/((formats\/|models\/|threads\/)?(index|edge)|chunk-[A-Z0-9]{8})\.js(\.map)?$/,
      /^dist\/(cli|threads\/worker|chunk-((models|threads)-)?binaries)\.js$/,
      /^dist\/NOTICES\.md$/,
      /^dist\/((relaxed-)?simd|(models|lstm-shared)(-relaxed)?)\.wasm$/,
      /^dist\/((formats\/|models\/|threads\/)?index|compiled|threads\/worker)\.d\.ts$/,
    ];
    expect(files.filter((file) => !expected.some((pattern) => pattern.test(file)))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(["package.json", "LICENSE", "dist/index.js"]));
  });

  it("hold every entry point and its types", () => {
    const targets = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry as Record<string, string>),
    );
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !files.includes(target.slice(2)))).toEqual([]);
  });

  it("are reached as src/build/entries.js says", () => {
    const expected = Object.keys(ENTRIES).map((path) => [
      specifierOf(path).replace("lstm-wasm", "."),
      {
        types: `./dist/${path}.d.ts`,
        workerd: `./dist/${edgePathOf(path)}.js`,
        "edge-light": `./dist/${edgePathOf(path)}.js`,
        default: `./dist/${path}.js`,
      },
    ]);
    const entries = Object.entries(manifest.exports).filter(([path]) => !/\.(wasm|json|js)$/.test(path));
    expect(entries).toEqual(expected);
  });

  it("have a source map with its sources for each bundle", () => {
    // The texts of binaries have no source to show, and a worker's script is the text that its source has.
    for (const script of scripts.filter((file) => !/(binaries|\/worker)\.js$/.test(file))) {
      const map = JSON.parse(read(`${script}.map`));
      expect(map.sourcesContent.length, script).toBe(map.sources.length);
      expect(read(script)).toMatch(/\/\/# sourceMappingURL=\S+\.js\.map\n$/);
    }
  });

  it("install nothing else", () => {
    expect(manifest.dependencies).toBeUndefined();
    expect(manifest.peerDependencies).toBeUndefined();
  });
});

describe("the bundles", () => {
  /** All that an entry's file loads, itself too: scripts of dist/, and binaries as they are imported. */
  const loadedBy = (entry: string): string[] => {
    const loaded = new Set([`dist/${entry}`]);
    for (const script of loaded) {
      if (!script.endsWith(".js")) continue;
      const specifiers = read(script).matchAll(/(?<!["'])\b(?:import|from)\s*["']([^"']+)["']/g);
      for (const [, specifier] of specifiers) loaded.add(join(dirname(script), specifier!));
    }
    return [...loaded].sort();
  };
  const scriptsOf = (entry: string) => loadedBy(entry).filter((file) => file.endsWith(".js"));
  const binariesOf = (entry: string) => loadedBy(entry).filter((file) => !file.endsWith(".js"));

  it.each(["index", "edge"])(
    "of an entry load what they share with the others, and nothing else: %s",
    (name) => {
      const entries = ["", "formats/", "models/", "threads/"].map((folder) => `${folder}${name}.js`);
      for (const entry of entries) {
        const others = scriptsOf(entry).filter((script) => script !== `dist/${entry}`);
        expect(others.length, entry).toBeGreaterThan(0);
        expect(
          others.filter(
            (script) => !/^dist\/chunk-([A-Z0-9]{8}|((models|threads)-)?binaries)\.js$/.test(script),
          ),
        ).toEqual([]);
      }
      for (const script of scriptsOf(`formats/${name}.js`)) {
        expect(code(script), script).not.toContain("WebAssembly");
      }
    },
  );

  it("have binaries where their kernels are called: the core's, and others with the entry that is theirs alone", () => {
    const core = ["dist/relaxed-simd.wasm?module", "dist/simd.wasm?module"];
    const models = ["dist/models-relaxed.wasm?module", "dist/models.wasm?module"];
    expect(binariesOf("formats/edge.js")).toEqual([]);
    expect(binariesOf("edge.js")).toEqual(core);
    expect(binariesOf("models/edge.js")).toEqual([...models, ...core]);
    expect(binariesOf("threads/edge.js")).toEqual(core);
    const texts = (entry: string) =>
      scriptsOf(entry).flatMap((script) =>
        Array.from(read(script).matchAll(/^var (LSTM_WASM_\w+)=/gm), ([, text]) => text!),
      );
    expect(texts("formats/index.js")).toEqual([]);
    expect(texts("index.js").sort()).toEqual(["LSTM_WASM_CORE", "LSTM_WASM_UNPACK"]);
    expect(texts("models/index.js").sort()).toEqual([
      "LSTM_WASM_CORE",
      "LSTM_WASM_MODELS",
      "LSTM_WASM_UNPACK",
    ]);
    expect(texts("threads/index.js").sort()).toEqual([
      "LSTM_WASM_CORE",
      "LSTM_WASM_THREADS",
      "LSTM_WASM_UNPACK",
    ]);
  });

  it.each(scripts)("%s has no eval, fetch, dynamic import, Node global or top-level await", (script) => {
    expect(code(script)).not.toMatch(
      /\beval\(|\bnew Function\b|\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/,
    );
    expect(code(script)).not.toMatch(/\bfetch\(|\batob\(/);
    // The format of CommonJS has no top-level await, and esbuild says so.
    expect(() => transformSync(read(script), { format: "cjs", logLevel: "silent" })).not.toThrow();
  });

  it("are ASCII, which nearly every encoding of a page leaves as it is", () => {
    for (const script of scripts) expect(read(script), script).toMatch(/^[\0-\x7f]*$/);
  });

  it("stay ASCII where a bundler writes letters as they are", () => {
    for (const script of scripts) {
      const { code } = transformSync(read(script), { charset: "utf8" });
      expect(code.match(/.{0,20}[^\0-\x7f].{0,20}/)?.[0], script).toBe(undefined);
    }
  });

  it("have short lines, since Node shows the whole line that threw", () => {
    for (const script of scripts) {
      const longest = Math.max(
        ...read(script)
          .split("\n")
          .slice(0, -2)
          .map((line) => line.length),
      );
      expect(longest, script).toBeLessThan(2000);
    }
  });

  it("keep the names of classes, which is what a console shows of a tensor", () => {
    const program = `
      const library = await import(${JSON.stringify(join(root, "dist/index.js"))});
      const classes = Object.entries(library).filter(([name]) => /^[A-Z]/.test(name));
      console.log(classes.length, classes.every(([name, value]) => value.name === name));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(output).toBe("14 true\n");
  });

  it.each([
    ["index", "LSTM", "Conv1d"],
    ["index", "Tensor", "WebAssembly"],
    ["formats/index", "readSafetensors", "WebAssembly|PytorchStreamReader|0x1950a86a|linear_before_reset"],
    ["formats/edge", "readSafetensors", "WebAssembly|PytorchStreamReader|0x1950a86a|linear_before_reset"],
  ])("%s gives a bundler %s alone", async (entry, name, others) => {
    const bundle = (names: string): string => {
      const { outputFiles } = buildSync({
        stdin: { contents: `export { ${names} } from "./dist/${entry}.js";`, resolveDir: root },
        bundle: true,
        minify: true,
        format: "esm",
        write: false,
      });
      return outputFiles[0]!.text;
    };
    const all = Object.keys(await import(join(root, `dist/${entry}.js`))).join();
    const [whole, alone] = [bundle(all), bundle(name)];
    expect(whole).toMatch(new RegExp(others));
    expect(alone).not.toMatch(new RegExp(others));
    expect(alone.length).toBeLessThan(0.9 * whole.length);
  });

  it("give the same bits from the first call on, whichever of an engine's compilers made the code", () => {
    const program = `
      const { GRU, Linear, LSTM, Tensor } = await import(${JSON.stringify(join(root, "dist/index.js"))});
      const input = Tensor.randn([3, 2, 6], 1);
      let same = true;
      for (const precision of ["int8", "float32"]) {
        const modules = [
          new Linear({ inFeatures: 6, outFeatures: 5, precision }),
          new LSTM({ inputSize: 6, hiddenSize: 5, precision }),
          new GRU({ inputSize: 6, hiddenSize: 5, precision }),
        ];
        for (const module of modules) {
          const results = new Set();
          for (let call = 0; call < 3000; call++) results.add([module.forward(input)].flat()[0].data.join());
          same &&= results.size === 1;
        }
      }
      console.log(same);`;
    // Node 20 has relaxed SIMD behind a flag only; later ones have no such flag.
    const flags = Number.parseInt(process.versions.node, 10) < 21 ? ["--experimental-wasm-relaxed-simd"] : [];
    const output = execFileSync(process.execPath, [...flags, "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(output).toBe("true\n");
  });

  it("are disposed of by a lowered using where the engine has no Symbol.dispose", () => {
    const contents = `
      import { LSTM } from "./dist/index.js";
      const seen = [];
      {
        using lstm = new LSTM({ inputSize: 1, hiddenSize: 1 });
        using stream = lstm.stream();
        seen.push(lstm, () => stream.step(new Float32Array(1)));
      }
      export const [module, step] = seen;
      export const missing = Symbol.dispose === undefined;`;
    const { outputFiles } = buildSync({
      ...{ stdin: { contents, resolveDir: root }, bundle: true, write: false, logLevel: "error" },
      ...{ format: "iife", globalName: "result", target: "safari16.4" },
    });
    const older = Object.assign((name: string) => Symbol(name), {
      for: Symbol.for,
      iterator: Symbol.iterator,
      toStringTag: Symbol.toStringTag,
    });
    const result = runInNewContext(`${outputFiles[0]!.text}; result`, { Symbol: older });
    expect(result.missing).toBe(true);
    expect(() => result.module.stateDict()).toThrow("LSTM: used after dispose()");
    expect(result.step).toThrow("stream: used after dispose()");
  });

  it("work beside a second copy of themselves, as a page with two libraries that bring one may have it", () => {
    const folder = mkdtempSync(join(root, "build/copy-"));
    cpSync(join(root, "dist"), folder, { recursive: true });
    const program = `
      const first = await import(${JSON.stringify(join(root, "dist/index.js"))});
      const second = await import(${JSON.stringify(join(folder, "index.js"))});
      const lstm = new first.LSTM({ inputSize: 2, hiddenSize: 3 });
      const copy = second.LSTM.fromStateDict(lstm.stateDict());
      const input = first.Tensor.randn([4, 2], 1);
      first.init({ deterministic: true });
      const outputs = [lstm.forward(input)[0], copy.forward(input)[0]].map(({ data }) => data.join());
      const same = first.LSTM === second.LSTM || first.Tensor === second.Tensor;
      console.log(same, outputs[0] === outputs[1]);`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    expect(output).toBe("false true\n");
  });

  it("computes in a scope without TextDecoder, fetch, URL, performance and timers, as an AudioWorklet's", () => {
    const program = `
      const names = ["TextDecoder", "TextEncoder", "atob", "fetch", "URL", "performance", "setTimeout", "Blob"];
      for (const name of names) delete globalThis[name];
      const { LSTM, Tensor } = await import(${JSON.stringify(join(root, "dist/index.js"))});
      const [output] = new LSTM({ inputSize: 2, hiddenSize: 3 }).forward(Tensor.zeros([4, 2]));
      console.log(typeof TextDecoder, output.shape.join());`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(output).toBe("undefined 4,3\n");
  });
});

/** What stands in several of a build's files: sources, and so their classes and texts, and the imports of wasm files. */
function copies({ metafile }: BuildResult<{ metafile: true }>): string[] {
  const outputs = Object.entries(metafile.outputs).filter(([path]) => path.endsWith(".js"));
  const places = new Map<string, string[]>();
  for (const [path, { inputs, imports }] of outputs) {
    const sources = Object.keys(inputs).filter((source) => inputs[source]!.bytesInOutput > 0);
    const binaries = imports.map((file) => file.path).filter((file) => file.includes(".wasm"));
    for (const part of [...sources, ...binaries]) places.set(part, [...(places.get(part) ?? []), path]);
  }
  return [...places].flatMap(([part, paths]) => (paths.length > 1 ? [`${part}: ${paths.join(", ")}`] : []));
}

describe("what two entries share", () => {
  const conditions = ["default", "edge"] as const;

  it.each(conditions)("stands once in the bundles of the condition %s", async (condition) => {
    const bundle = (await bundleEntries(ENTRIES, "dist", { write: false }))[condition];
    for (const { path, text } of bundle.outputFiles!.filter((file) => file.path.endsWith(".js"))) {
      expect(text, path).toBe(readFileSync(path, "utf8"));
    }
    const sources = Object.keys(bundle.metafile.inputs);
    const binary = condition === "edge" ? /^build\/[-\w]+\.wasm/ : /^build\/[-\w]+\.txt$/;
    // Both builds of the core and of models; in texts, each with both of its builds, beside what unpacks them and what
    // threads share by.
    expect(sources.filter((source) => binary.test(source)).length).toBe(4);
    expect(sources).toContain("src/tensor/tensor.ts");
    expect(copies(bundle)).toEqual([]);
  });

  it.each(conditions)("would be found in a build of %s that copies it", async (condition) => {
    const overrides = { write: false, splitting: false };
    const found = copies((await bundleEntries(ENTRIES, "dist", overrides))[condition]);
    expect(found.some((part) => part.startsWith("src/tensor/tensor.ts: "))).toBe(true);
    // Two entries that both bring the binaries.
    const twice = { index: ENTRIES.index!, "again/index": ENTRIES.index! };
    const binaries = copies((await bundleEntries(twice, "dist", overrides))[condition]);
    expect(binaries.filter((part) => /core\.txt|simd\.wasm/.test(part)).length).toBeGreaterThan(0);
  });

  it("has one class Tensor and one text of each binary where a program imports all entries", () => {
    const program = `
      export * from "lstm-wasm";
      export * as formats from "lstm-wasm/formats";
      export * as models from "lstm-wasm/models";
      export * as threads from "lstm-wasm/threads";`;
    const { outputFiles } = buildSync({
      ...{ stdin: { contents: program, resolveDir: root }, bundle: true, minify: true, write: false },
      ...{ format: "esm", charset: "utf8" },
    });
    const count = (part: string): number => outputFiles[0]!.text.split(part).length - 1;
    expect(count('static name="Tensor"')).toBe(1);
    // All texts of binaries begin with the same characters: the core's, those of models and what threads share by.
    const [begin] = /}\|Tas=/.exec(readFileSync(join(root, "build/core.txt"), "utf8"))!;
    expect(count(begin)).toBe(3);
  });

  it("is one class Tensor in Node.js", async () => {
    const { Tensor } = await import(join(root, "dist/index.js"));
    const { readSafetensors, writeSafetensors } = await import(join(root, "dist/formats/index.js"));
    const tensor = readSafetensors(writeSafetensors({ x: Tensor.zeros([2]) })).get("x");
    expect(tensor.constructor).toBe(Tensor);
  });

  it("is shared with a new entry too, by a line in the table", async () => {
    const folder = mkdtempSync(join(root, "build/entry-"));
    try {
      const source = join(folder, "new.ts");
      const modules = ["index.ts", "formats/index.ts", "wasm/current.ts"];
      const lines = modules.map((path) => `export * from ${JSON.stringify(join(root, "src", path))};`);
      writeFileSync(source, lines.join("\n"));
      const bundles = await bundleEntries({ ...ENTRIES, "new/index": source }, join(folder, "dist"));
      for (const condition of conditions) expect(copies(bundles[condition])).toEqual([]);

      const program = `
        const [library, formats, added] = await Promise.all(
          ["index", "formats/index", "new/index"].map((path) => import(\`${folder}/dist/\${path}.js\`)),
        );
        const runtime = added.currentRuntime();
        library.init({ deterministic: true });
        const names = ["LSTM", "Tensor", "init"].map((name) => added[name] === library[name]);
        console.log(names.join(), added.readNam === formats.readNam, added.currentRuntime() === runtime);`;
      const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
        encoding: "utf8",
      });
      expect(output).toBe("true,true,true true false\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
