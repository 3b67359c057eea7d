/** What `npm pack` would publish: its files, its entry points, and what the bundles must not contain. Needs `npm run build`. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const manifest = JSON.parse(read("package.json"));

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
  read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gm, '""');

describe("the packed files", () => {
  it("are what a user needs and nothing else", () => {
    const expected = [
      /^(package\.json|README\.md|LICENSE)$/,
      /^dist\/(index|edge|formats\/(index|edge)|chunk-[A-Z0-9]{8})\.js(\.map)?$/,
      /^dist\/cli\.js$/,
      /^dist\/(relaxed-)?simd\.wasm$/,
      /^dist\/([a-z0-9-]+\/)*[a-z0-9-]+\.d\.ts$/,
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

  it("have a source map with its sources for each bundle", () => {
    for (const script of scripts) {
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
  it("are one file for the library, and on edge platforms what both need is another", () => {
    const chunk = scripts.find((script) => script.includes("/chunk-"))!.replace("dist/", "");
    const importsOf = (script: string) =>
      Array.from(read(script).matchAll(/\b(?:import|from)\s*["']([^"']+)["']/g), (match) => match[1]).sort();
    expect(importsOf("dist/index.js")).toEqual([]);
    expect(importsOf("dist/formats/index.js")).toEqual(["../index.js"]);
    expect(read("dist/formats/index.js")).toMatch(/\bimport\{Tensor as [\w$]+\}from"\.\.\/index\.js"/);
    expect(importsOf(`dist/${chunk}`)).toEqual([]);
    expect(importsOf("dist/formats/edge.js")).toEqual([`../${chunk}`]);
    expect(importsOf("dist/edge.js")).toEqual([
      `./${chunk}`,
      "./relaxed-simd.wasm?module",
      "./simd.wasm?module",
    ]);
  });

  it("have one class Tensor", async () => {
    const { Tensor } = await import(join(root, "dist/index.js"));
    const { readSafetensors, writeSafetensors } = await import(join(root, "dist/formats/index.js"));
    const dict = readSafetensors(writeSafetensors({ x: Tensor.zeros([2]) }));
    expect(dict.get("x")).toBeInstanceOf(Tensor);
  });

  it.each(scripts)("%s has no eval, fetch, dynamic import, Node global or top-level await", (script) => {
    expect(code(script)).not.toMatch(
      /\beval\(|\bnew Function\b|\bimport\(|\brequire\(|\bprocess\.|\bBuffer\b/,
    );
    expect(code(script)).not.toMatch(/\bfetch\(|\batob\(|^await\b|^\S.*\bawait\b/m);
  });

  it("are ASCII, which nearly every encoding of a page leaves as it is", () => {
    for (const script of scripts) expect(read(script), script).toMatch(/^[\0-\x7f]*$/);
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
    expect(output).toBe("10 true\n");
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
    const bundle = JSON.stringify(join(root, "dist/index.js"));
    const program = `
      const first = await import(${bundle});
      const second = await import(${bundle} + "?second");
      const lstm = new first.LSTM({ inputSize: 2, hiddenSize: 3 });
      const copy = second.LSTM.fromStateDict(lstm.stateDict());
      const input = first.Tensor.randn([4, 2], 1);
      first.init({ deterministic: true });
      const outputs = [lstm.forward(input)[0], copy.forward(input)[0]].map(({ data }) => data.join());
      console.log(first.LSTM === second.LSTM, outputs[0] === outputs[1]);`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
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
