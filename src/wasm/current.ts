/** The runtimes that new modules are made in, and how `init` chooses them. */

import { compileBuild } from "../bundle/binaries.js";
import { compile } from "../bundle/compile.js";
import { checkBoolean, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import { held, living, Runtime } from "./runtime.js";

/** Options of `init`. */
export interface InitOptions {
  /** A compiled lstm-wasm binary, for engines or policies that do not allow compiling from bytes. */
  module?: WebAssembly.Module | undefined;
  /** The compiled kernels of `lstm-wasm/models`, beside `module` and of the same build. */
  models?: WebAssembly.Module | undefined;
  /** Take the baseline build, so that results are the same bits on every engine and CPU. */
  deterministic?: boolean | undefined;
}

/** What `memoryUsage` tells; all bytes are of WebAssembly memory. */
export interface MemoryUsage {
  /** Modules that were neither disposed of nor collected. */
  modules: number;
  /** Bytes that these and their streams hold: weights, states, and buffers of calls. */
  bytes: number;
  /** Bytes of the memories that they are in, and of the one that new modules are made in. A memory never shrinks. */
  memory: number;
}

/** The fewest units whose steps two threads share: assembly/threads/job.ts has the times. */
const SPLIT_UNITS = 64;
/** The fewest weights of a Linear whose products they share: 1 MB, 25 us by the bandwidth of an L2. */
export const SPLIT_WEIGHTS = 2 ** 18;

/** Whether steps of so many units are work for several threads, with any number of rows. */
export const isSplit = (units: number) => units >= SPLIT_UNITS;

let current: Runtime | undefined;
/** On several threads, where there are some. */
let threaded: Runtime | undefined;
/** Makes the next such runtime. */
let makeThreaded: ((deterministic: boolean) => Runtime) | undefined;
/** Whether init was asked for the baseline build. */
let deterministicAsked = false;

/**
 * The runtime that new modules are made in; compiled at first use.
 * @param isLarge whether a module has work for several threads. What has not is faster in a memory that is not shared:
 *   copies into a shared one take 2 to 7 times as long in Node
 */
export function currentRuntime(isLarge = false): Runtime {
  if (isLarge && threaded !== undefined) return threaded;
  current ??= new Runtime(compileBuild(false));
  return current;
}

/** Where whole models are made: what is work for several threads, and what is not (`currentRuntime`). */
export type ModelRuntimes = readonly [large: Runtime, small: Runtime];

/** One where there are no threads. A core that the user gave to threads has no kernels of models beside it. */
export function modelRuntimes(): ModelRuntimes {
  const large = currentRuntime(threaded?.build !== "given");
  const small = currentRuntime();
  // All of a model has the bits of one build.
  return [large, small.build === large.build ? small : large];
}

/** Whether `init` was asked for the baseline build, last. */
export function isDeterministic(): boolean {
  return deterministicAsked;
}

/** Large modules made from now on are in runtimes that `make` makes, or as all others without it. */
export function setThreaded(make?: (deterministic: boolean) => Runtime): void {
  threaded = make?.(deterministicAsked);
  makeThreaded = make;
}

/**
 * Optional: chooses the wasm that modules made from now on use. Modules that exist keep theirs.
 * @throws TypeError for an unknown option, or a module that is not this release's binary; RangeError for both
 *   options together.
 */
export function init(options: InitOptions = {}): void {
  const {
    module,
    models,
    deterministic = false,
  } = checkOptions("options", options, ["module", "models", "deterministic"]);
  checkBoolean("options.deterministic", deterministic);
  const given = models === undefined ? undefined : compiled("options.models", models, ["abi", "unary"]);
  if (module === undefined) {
    if (given) throw wrongValue("options", "module beside models", "models alone");
    const chosen = new Runtime(compileBuild(deterministic));
    threaded = makeThreaded?.(deterministic);
    current = chosen;
    deterministicAsked = deterministic;
    return;
  }
  if (deterministic) throw wrongValue("options", "either module or deterministic", "both");
  const core = compiled("options.module", module, ["abi", "runLayer"]);
  current = new Runtime({ build: "given", module: core }, given);
}

/** A user's module that has our exports. @throws TypeError for what has not */
export function compiled(option: string, module: WebAssembly.Module, expected: string[]): WebAssembly.Module {
  let names: Set<string>;
  try {
    // Tells a module of any realm from a proxy, which instanceof does not.
    names = new Set(WebAssembly.Module.exports(module).map((entry) => entry.name));
  } catch {
    throw wrongType(option, "a WebAssembly.Module", module);
  }
  const missing = expected.filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw wrongType(option, `lstm-wasm's binary (it exports ${missing.join(" and ")})`, module);
  }
  return compile(module);
}

/**
 * How many modules are alive, and the WebAssembly memory that they hold, which the engine's own figures leave out. An
 * Embedding's table is JavaScript memory: it counts as a module of 0 bytes.
 */
export function memoryUsage(): MemoryUsage {
  const memories = new Set([current?.memory, threaded?.memory]);
  for (const { runtime } of living.keys()) memories.add(runtime.memory);
  let memory = 0;
  for (const each of memories) memory += each?.buffer.byteLength ?? 0;
  return { ...held(), memory };
}
