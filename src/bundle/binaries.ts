/**
 * Which binary an engine runs, and how it is compiled. `#binaries` is embedded.ts in the default bundle. In
 * the bundle for edge platforms, which compile wasm files themselves, it is imported.ts (the condition
 * workerd in package.json).
 */

import { instantiateSync } from "@assemblyscript/loader";
import { relaxedSimd, simd } from "#binaries";
import { wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { type Binary, compile, refused } from "./compile.js";

/**
 * `relaxed-simd` fuses multiply-adds where the CPU can. `simd` gives the same bits everywhere. `given` is the
 * user's.
 */
export type Build = "relaxed-simd" | "simd" | "given";

/** What `init` expects of a user's module. */
const OURS = "the binary of this release of lstm-wasm";

/** The first releases with 128-bit SIMD in WebAssembly and with Object.hasOwn. */
const MINIMUM_VERSIONS = "Chrome 93, Firefox 92, Safari 16.4, Node.js 16.9, Deno 1.13 or Bun 0.1";

/**
 * Compiles the relaxed build where the engine accepts it, else the baseline.
 *
 * A build is compiled without asking WebAssembly.validate first, which takes 0.1 ms of a start in Node. Only
 * when compiling failed, validate tells an engine without the instructions from a policy that forbids
 * compiling.
 *
 * @param deterministic take the baseline, whose bits are the same on every CPU
 * @param adapt  makes a binary fit for another memory
 * @throws Error when the engine has no WebAssembly SIMD, and as `compile` does
 */
export function compileBuild(
  deterministic: boolean,
  adapt: (binary: Binary) => Binary = (binary) => binary,
): { build: Build; module: WebAssembly.Module } {
  const hasWasm = typeof WebAssembly === "object";
  if (hasWasm) {
    const candidates = deterministic ? (["simd"] as const) : (["relaxed-simd", "simd"] as const);
    for (const build of candidates) {
      const binary = adapt(build === "simd" ? simd() : relaxedSimd());
      try {
        return { build, module: compile(binary) };
      } catch (refusal) {
        if (!(binary instanceof Uint8Array) || WebAssembly.validate(binary)) throw refusal;
      }
    }
  }
  const missing = hasWasm ? "no SIMD in WebAssembly" : "no WebAssembly";
  throw coded(
    "UNSUPPORTED",
    new Error(`lstm-wasm: this engine has ${missing}; expected at least ${MINIMUM_VERSIONS}`),
  );
}

/**
 * A new instance over `memory`. Its number of records is compared with `abi` (build/abi.js).
 * @param option whose module it is, for messages
 * @param imports what it imports besides: the core's exports
 * @throws Error that says what to do where a policy refuses WebAssembly; WebKit refuses here, other engines
 *   in `compile`; TypeError for a module with other imports or records; RangeError where there is no room
 */
export function instantiate<K>(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  abi: number,
  option = "options.module",
  imports?: object,
): K {
  try {
    // The raw exports: a call through the loader's wrappers costs twice as much (13 ns against 6).
    const { exports } = instantiateSync(module, {
      env: { memory },
      ...imports,
    } as WebAssembly.Imports).instance;
    if ((exports.abi as WebAssembly.Global).value === abi) return exports as K;
  } catch (cause) {
    if (cause instanceof WebAssembly.CompileError) throw refused(cause);
    if (cause instanceof RangeError) {
      throw coded("MEMORY", new RangeError("memory: no room for an instance of WebAssembly", { cause }));
    }
  }
  throw wrongType(option, OURS, module);
}
