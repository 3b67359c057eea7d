/** What the library weighs: the table SIZES of bench/targets.js, which says what may be added. Needs `npm run build`. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildSync } from "esbuild";
import { expect, it } from "vitest";

const root = new URL("../..", import.meta.url);
const { SIZES } = (await import(new URL("bench/targets.js", root).href)) as {
  SIZES: {
    bundles: Record<string, number>;
    modelBundles: Record<"loadOnnx" | "loadOnnxWith" | "loadKeras" | "*", number>;
    sileroOperators: string;
    threads: { bundle: number; worker: number };
    binary: number;
    models: number;
    sharing: number;
    shared: number;
  };
};

/** Fails with both numbers, so that a message tells how much is too much. */
function expectAtMost(allowed: number, measured: number, what: string): void {
  const excess = measured > allowed ? `; ${measured - allowed} too many` : "";
  const told = `${what}: ${measured} bytes of ${allowed} allowed`;
  expect(`${told}${excess}`).toBe(told);
}

function bundle(contents: string) {
  const { outputFiles, warnings } = buildSync({
    stdin: { contents, resolveDir: fileURLToPath(root) },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    logLevel: "silent",
  });
  return { bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, warnings };
}

const bundleSize = (names: string): number =>
  bundle(`export ${names === "*" ? "*" : `{ ${names} }`} from "./dist/index.js";`).bytes;

it.each(Object.entries(SIZES.bundles))("a bundle of %s from lstm-wasm, gzipped", (names, allowed) => {
  expectAtMost(allowed, bundleSize(names), `export ${names === "*" ? "*" : `{ ${names} }`}`);
});

it.each(["loadOnnx", "loadKeras", "*"] as const)("a bundle of %s of models, gzipped", (name) => {
  const { bytes } = bundle(`export ${name === "*" ? name : `{ ${name} }`} from "./dist/models/index.js";`);
  expectAtMost(SIZES.modelBundles[name], bytes, name);
});

it("a bundle of loadOnnxWith with Silero's operators, gzipped", () => {
  const names = SIZES.sileroOperators;
  const { bytes } = bundle(`
    import { loadOnnxWith, ${names} } from "./dist/models/index.js";
    export const load = (bytes, options) => loadOnnxWith(bytes, [${names}], options);`);
  expectAtMost(SIZES.modelBundles.loadOnnxWith, bytes, "loadOnnxWith");
});

it("what lstm-wasm/threads adds to a bundle of LSTM, gzipped", () => {
  const { bytes } = bundle(`
    export { LSTM } from "./dist/index.js";
    export * from "./dist/threads/index.js";`);
  expectAtMost(SIZES.threads.bundle, bytes - bundleSize("LSTM"), "threads");
});

it("a worker's script, gzipped", () => {
  const script = readFileSync(new URL("dist/threads/worker.js", root));
  expectAtMost(SIZES.threads.worker, gzipSync(script, { level: 9 }).length, "threads/worker.js");
});

it("no entry makes a bundler warn, wherever its files lie", () => {
  for (const entry of ["index", "formats/index", "models/index", "threads/index"]) {
    expect(bundle(`export * from "./dist/${entry}.js";`).warnings).toEqual([]);
  }
});

it("the README's download, to a twentieth", () => {
  const [, kilobytes] = /\| Download, gzip \| (\d+) KB \|/.exec(
    readFileSync(new URL("README.md", root), "utf8"),
  )!;
  const measured = bundleSize("LSTM") / 1000;
  const apart = Math.abs(Number(kilobytes) / measured - 1);
  expect(apart, `the README has ${kilobytes} KB, this build ${measured} KB`).toBeLessThan(0.05);
});

it.each(["simd", "relaxed-simd"])("the binary %s.wasm", (name) => {
  expectAtMost(SIZES.binary, readFileSync(new URL(`dist/${name}.wasm`, root)).length, `${name}.wasm`);
});

it.each(["models", "models-relaxed"])("the binary %s.wasm", (name) => {
  expectAtMost(SIZES.models, readFileSync(new URL(`dist/${name}.wasm`, root)).length, `${name}.wasm`);
});

it.each(["lstm-shared", "lstm-shared-relaxed"])("the binary %s.wasm", (name) => {
  expectAtMost(SIZES.shared, readFileSync(new URL(`dist/${name}.wasm`, root)).length, `${name}.wasm`);
});

it("the binary threads.wasm, which is in the script alone", () => {
  expectAtMost(SIZES.sharing, readFileSync(new URL("build/threads.wasm", root)).length, "threads.wasm");
});

it("tells what it measured and what is allowed", () => {
  expect(() => expectAtMost(10, 13, "x")).toThrow("x: 13 bytes of 10 allowed; 3 too many");
});
