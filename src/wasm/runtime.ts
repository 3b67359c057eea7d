/**
 * The wasm instance and its memory. Nothing outside this file holds a view of the whole memory: `write` puts
 * numbers into a block and throws where they do not fit, `read` and `copyOut` take them out. Only this folder knows
 * of the binaries.
 */

import { ABI, INITIAL_PAGES, type Kernels, SCRATCH_BYTES } from "../../build/abi.js";
import { type Build, compileBuild, instantiate } from "../bundle/binaries.js";
import { checkBoolean, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { copyFloats } from "../tensor/like.js";
import { Block } from "./block.js";

/** TLSF's largest block: 2^30 bytes less its header. */
const LARGEST_BLOCK_BYTES = 2 ** 30 - 16;

/** Options of `init`. */
export interface InitOptions {
  /** A compiled lstm-wasm binary, for engines or policies that do not allow compiling from bytes. */
  module?: WebAssembly.Module | undefined;
  /** Take the baseline build, so that results are the same bits on every engine and CPU. */
  deterministic?: boolean | undefined;
}

/** What linear memory is written from and read into. */
export type Numbers = Float32Array | Int32Array | Int8Array;

/** One instance of a binary with its memory. A module keeps the runtime in which its weights are. */
export class Runtime {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** Which binary it runs. */
  readonly build: Build;
  /** Bytes that are allocated now, as asked for. */
  liveBytes = 0;
  /** How often the view was made anew. */
  growths = 0;
  #view!: Float32Array;
  readonly #scratch: number;
  readonly #live = new Set<Block>();

  /** @throws TypeError for a module with other records than this build's. */
  constructor({ build, module }: { build: Build; module: WebAssembly.Module }) {
    this.build = build;
    this.memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
    const { kernels, abi } = instantiate(module, this.memory);
    if (abi !== ABI) {
      throw wrongType("options.module", "the binary of this release of lstm-wasm", module);
    }
    this.kernels = kernels;
    this.#scratch = kernels.allocate(SCRATCH_BYTES);
    this.configure(kernels.dotIsOneInstruction());
    this.#renewView();
  }

  /**
   * Tells the instance what differs from others over one memory: its scratch, and the form of int8 groups, planes
   * (1) or numbers (0). Int8 weights that were packed in another form are of no use any more.
   */
  configure(groupsArePlanes: number): void {
    this.kernels.configure(this.#scratch, groupsArePlanes);
  }

  /** Makes the view anew: growth detaches that of an unshared memory, and leaves that of a shared one too short. */
  #renewView(): void {
    this.#view = new Float32Array(this.memory.buffer);
    this.growths++;
  }

  /** All of linear memory. A binary that shares it may have grown it. */
  get #floats(): Float32Array {
    if (this.#view.length === 0) this.#renewView();
    return this.#view;
  }

  /** A block of cleared memory, aligned to 16 bytes. @throws RangeError when there is no room for it. */
  allocate(bytes: number): Block {
    if (!(bytes <= LARGEST_BLOCK_BYTES)) {
      throw coded(
        "MEMORY",
        new RangeError(`memory: expected a buffer of at most ${LARGEST_BLOCK_BYTES} bytes, got ${bytes}`),
      );
    }
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    let pointer: number;
    try {
      pointer = this.kernels.allocate(size) >>> 0;
    } catch (cause) {
      throw coded(
        "MEMORY",
        new RangeError(`memory: no room for a buffer of ${bytes} bytes in WebAssembly memory`, { cause }),
      );
    }
    if (this.#view.buffer !== this.memory.buffer) this.#renewView();
    this.kernels.clearFloats(pointer, size / 4);
    const block = new Block(pointer, size);
    this.#live.add(block);
    this.liveBytes += size;
    return block;
  }

  /** Gives a block of `allocate` back; a second time does nothing. */
  free(block: Block): void {
    if (!this.#live.delete(block)) return;
    this.liveBytes -= block.bytes;
    this.kernels.free(block.pointer);
  }

  /** Copies `source` into `block`, `offset` bytes from its beginning. @throws RangeError where it does not fit. */
  write(block: Block, offset: number, source: Numbers): void {
    block.check(offset, source.byteLength);
    const begin = block.pointer + offset;
    if (source instanceof Float32Array) this.#floats.set(source, begin / 4);
    else {
      const { buffer, byteOffset, byteLength } = source;
      new Uint8Array(this.memory.buffer, begin, byteLength).set(
        new Uint8Array(buffer, byteOffset, byteLength),
      );
    }
  }

  /** A copy of `count` numbers of `block`, from byte `offset` on. Where it has no room, the message has `name`. */
  read(block: Block, offset: number, count: number, name: string): Float32Array {
    block.check(offset, count * 4);
    return copyFloats(this.#floats, (block.pointer + offset) / 4, count, name);
  }

  /** Copies `count` numbers of `block`, from byte `offset` on, to `target[start]` and after. */
  copyOut(block: Block, offset: number, count: number, target: Float32Array, start: number): void {
    target.set(this.view(block.part(offset, count * 4)), start);
  }

  /** A view of a block, for a reader that comes again: it is of no use any more when `growths` has changed. */
  view(block: Block): Float32Array {
    const begin = block.pointer / 4;
    return this.#floats.subarray(begin, begin + block.bytes / 4);
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
 * @throws TypeError for an unknown option, or a module that is not this release's binary; RangeError for both
 *   options together.
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
  const missing = ["abi", "runLayer"].filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw wrongType("options.module", `lstm-wasm's binary (it exports ${missing.join(" and ")})`, module);
  }
  current = new Runtime({ build: "given", module });
}
