/**
 * One suite over both wasm builds: the project `simd` runs it with the baseline binary, `relaxed-simd` with the fused
 * one. Node 20 refuses relaxed SIMD without a flag, later ones have no such flag. So the flag is added where the
 * smallest relaxed module does not validate. Node 20's baseline compiler gets the relaxed dot product wrong
 * (assembly/matmul/dot.ts), so that it is left out there. support/setup.ts checks that each project got its own
 * binary.
 *
 * `LSTM_WASM=debug` puts the debug builds in the place of all binaries: build/debug.wasm, build/models-debug.wasm.
 */
import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { OwnProcessesFirst, sharedProcesses } from "./support/shared-processes.js";

// (module (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd))
const RELAXED_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32,
  1, 32, 2, 253, 133, 2, 11,
]);
const relaxedFlags = WebAssembly.validate(RELAXED_MODULE)
  ? []
  : ["--experimental-wasm-relaxed-simd", "--no-liftoff"];

/** The binary in build/ that the project `simd` runs. */
const baseline = process.env.LSTM_WASM ?? "simd";

const { packedText } = (await import(new URL("../src/build/pack.js", import.meta.url).href)) as {
  packedText(binaries: readonly Uint8Array[]): string;
};

/** The text that src/build/wasm.js has made of a file's binaries, or one with another baseline. */
function textOf(file: string): string {
  if (baseline === "simd" || file.endsWith("unpack.txt")) return readFileSync(file, "utf8");
  // In both places: a text of two builds that differ as much is longer than the unpacker has room for.
  const build = file.endsWith("models.txt") ? `models-${baseline}` : baseline;
  const binary = readFileSync(new URL(`../build/${build}.wasm`, import.meta.url));
  return packedText([binary, binary]);
}

/** Imports of *.txt give a function of their text, as src/build/bundle.js has it. */
const textImports = {
  name: "text-imports",
  enforce: "pre" as const,
  load: (id: string) => (id.endsWith(".txt") ? `export default () => ${JSON.stringify(textOf(id))};` : null),
};

/** The rooms whose tests reach no kernel: they run once. */
const WITHOUT_WASM = ["formats", "golden", "graph", "int8", "package"].map(
  (room) => `test/${room}/**/*.test.ts`,
);

/**
 * Tests that a second build would change nothing of: of the package as built, in processes of their own, of sources
 * compiled anew, and of refusals.
 */
const ONCE = [
  ...["cli", "examples"].map((room) => `test/${room}/**/*.test.ts`),
  "test/models/hostile.test.ts",
  "test/models/keras/{costly,fields,fuzz,hostile-cost}.test.ts",
  "test/threads/{exit,refusals}.test.ts",
  "test/wasm/sources.test.ts",
];

/**
 * Left out of `npm run coverage`: what runs in processes of its own, and attacks that execute nothing but what other
 * tests do. They take two thirds of the time.
 */
const NOT_COVERED = process.argv.includes("--coverage")
  ? [
      "cli/**",
      "examples/**",
      "package/**",
      "threads/exit",
      "**/*complexity",
      "formats/*cost",
      "formats/fuzz",
      "models/keras/hostile-cost",
      "wasm/sources",
      "wasm/memory",
    ]
  : [];
const EXCLUDED = ["**/node_modules/**", ...NOT_COVERED.map((tests) => `test/${tests}.test.ts`)];

/** Stops what hangs. On a busy machine tests take ten times as long; a hook may build build/debug.wasm. */
const TIMEOUT = 300_000;

const FRESH_MODULES = "test/support/fresh-modules.ts";

const project = (name: string, execArgv: string[], without: readonly string[] = []) => ({
  plugins: [textImports],
  test: {
    ...sharedProcesses,
    name,
    include: ["test/**/*.test.ts"],
    exclude: [...WITHOUT_WASM, ...EXCLUDED, ...without],
    setupFiles: [FRESH_MODULES, "test/support/setup.ts"],
    env: { WASM_BUILD: name, WASM_FILE: name === "simd" ? baseline : name },
    execArgv,
    testTimeout: TIMEOUT,
    hookTimeout: TIMEOUT,
  },
});

export default defineConfig({
  test: {
    // Left to itself vitest keeps a core free: of two it uses one.
    maxWorkers: "100%",
    sequence: { sequencer: OwnProcessesFirst },
    // `npm run coverage`. Of the host alone: what wasm runs of the kernels is not counted, and the command runs in
    // processes of its own. docs/reliability.md states what was measured.
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/build/**", "src/cli/**", "**/*.d.ts"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "build/coverage",
    },
    projects: [
      project("simd", []),
      project("relaxed-simd", relaxedFlags, ONCE),
      {
        test: {
          ...sharedProcesses,
          name: "without wasm",
          include: WITHOUT_WASM,
          exclude: EXCLUDED,
          setupFiles: [FRESH_MODULES],
          testTimeout: TIMEOUT,
        },
      },
    ],
  },
});
