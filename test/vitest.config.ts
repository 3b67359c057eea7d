/**
 * One suite over both wasm builds: the project `simd` runs it with the baseline binary, `relaxed-simd` with the fused
 * one. Node 20 refuses relaxed SIMD without a flag, later ones have no such flag, so the flag is added where the
 * smallest relaxed module does not validate. Its baseline compiler gets the relaxed dot product wrong (assembly/simd.ts),
 * so that it is left out there. `setup.ts` then checks that each project got the build it is named after.
 */
import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const RELAXED_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32,
  1, 32, 2, 253, 133, 2, 11,
]);
const relaxedFlags = WebAssembly.validate(RELAXED_MODULE)
  ? []
  : ["--experimental-wasm-relaxed-simd", "--no-liftoff"];

/** Imports of *.txt give their text, as esbuild's `text` loader does in the bundle. */
const textImports = {
  name: "text-imports",
  enforce: "pre" as const,
  load(id: string) {
    return id.endsWith(".txt") ? `export default ${JSON.stringify(readFileSync(id, "utf8"))};` : null;
  },
};

/** The rooms whose tests reach no kernel: they run once. */
const WITHOUT_WASM = ["formats", "golden", "int8", "package"].map((room) => `test/${room}/**/*.test.ts`);

const project = (name: string, execArgv: string[]) => ({
  plugins: [textImports],
  test: {
    name,
    include: ["test/**/*.test.ts"],
    exclude: [...WITHOUT_WASM, "**/node_modules/**"],
    setupFiles: ["test/support/setup.ts"],
    env: { WASM_BUILD: name },
    execArgv,
    testTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      project("simd", []),
      project("relaxed-simd", relaxedFlags),
      { test: { name: "without wasm", include: WITHOUT_WASM, testTimeout: 60_000 } },
    ],
  },
});
