/**
 * The wasm instance and its memory. Nothing outside this folder imports the binaries, @assemblyscript/loader, or holds a
 * view of linear memory without asking `floats`, `integers` or `bytes` for it again: growth detaches every view.
 */

import { type Build, compileBuild, instantiate } from "../bundle/binaries.js";
import { checkBoolean, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import type { Kernels } from "./kernels.js";

/** TLSF's largest block: 2^30 bytes less its header. */
const LARGEST_BLOCK_BYTES = 2 ** 30 - 16;

/** Options of `init`. */
export interface InitOptions {
  /** A compiled lstm-wasm binary, for engines or policies that do not allow compiling from bytes. */
  module?: WebAssembly.Module | undefined;
  /** Take the baseline build, so that results are the same bits on every engine and CPU. */
  deterministic?: boolean | undefined;
}

/** One instance of a binary with its memory. A module keeps the runtime in which its weights are. */
export class Runtime {
  readonly kernels: Kernels;
  /** Which binary it runs. */
  readonly build: Build;
  /** Bytes that are allocated now, as asked for. */
  liveBytes = 0;
  #floats: Float32Array;
  #integers: Int32Array;
  #bytes: Int8Array;
  readonly #sizes = new Map<number, number>();

  constructor({ build, module }: { build: Build; module: WebAssembly.Module }) {
    this.build = build;
    this.kernels = instantiate(module);
    this.#floats = new Float32Array(this.kernels.memory.buffer);
    this.#integers = new Int32Array(this.kernels.memory.buffer);
    this.#bytes = new Int8Array(this.kernels.memory.buffer);
  }

  /** All of linear memory as float32. */
  get floats(): Float32Array {
    if (this.#floats.length === 0) this.#floats = new Float32Array(this.kernels.memory.buffer);
    return this.#floats;
  }

  /** All of linear memory as int32. */
  get integers(): Int32Array {
    if (this.#integers.length === 0) this.#integers = new Int32Array(this.kernels.memory.buffer);
    return this.#integers;
  }

  /** All of linear memory as int8. */
  get bytes(): Int8Array {
    if (this.#bytes.length === 0) this.#bytes = new Int8Array(this.kernels.memory.buffer);
    return this.#bytes;
  }

  /** A block of cleared memory, aligned to 16 bytes. @throws RangeError when there is no room for it. */
  allocate(bytes: number): number {
    if (!(bytes <= LARGEST_BLOCK_BYTES)) {
      throw new RangeError(`memory: expected a buffer of at most ${LARGEST_BLOCK_BYTES} bytes, got ${bytes}`);
    }
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    let block: number;
    try {
      block = this.kernels.allocate(size) >>> 0;
    } catch (cause) {
      throw new RangeError(`memory: no room for a buffer of ${bytes} bytes in WebAssembly memory`, { cause });
    }
    this.kernels.clearFloats(block, size / 4);
    this.#sizes.set(block, size);
    this.liveBytes += size;
    return block;
  }

  free(block: number): void {
    const size = this.#sizes.get(block);
    if (size === undefined) return;
    this.#sizes.delete(block);
    this.liveBytes -= size;
    this.kernels.free(block);
  }
}

let current: Runtime | undefined;

/** The runtime that new modules are made in; compiled at first use. */
export function currentRuntime(): Runtime {
  current ??= new Runtime(compileBuild(false));
  return current;
}

/**
 * Optional: chooses the wasm that modules made from now on use. Modules that exist keep theirs.
 * @throws TypeError for an unknown option, or a module that is not lstm-wasm's; RangeError for both options together.
 */
export function init(options: InitOptions = {}): void {
  const { module, deterministic = false } = checkOptions("options", options, ["module", "deterministic"]);
  checkBoolean("options.deterministic", deterministic);
  if (module === undefined) {
    current = new Runtime(compileBuild(deterministic));
    return;
  }
  if (!(module instanceof WebAssembly.Module))
    throw wrongType("options.module", "a WebAssembly.Module", module);
  if (deterministic) throw wrongValue("options", "either module or deterministic", "both");
  const names = new Set(WebAssembly.Module.exports(module).map((entry) => entry.name));
  const missing = ["memory", "lstmForward"].filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw wrongType("options.module", `lstm-wasm's binary (it exports ${missing.join(" and ")})`, module);
  }
  current = new Runtime({ build: "given", module });
}
