/**
 * The wasm instance and its memory. Nothing holds a view of the whole memory, blocks have their own: `write` puts
 * numbers into a block and throws where they do not fit, `read` and `copyOut` take them out. Only this folder knows
 * of the binaries.
 */

import { ABI, INITIAL_PAGES, type Kernels, SCRATCH_BYTES } from "../../build/abi.js";
import { type Build, compileBuild, instantiate } from "../bundle/binaries.js";
import { compile } from "../bundle/compile.js";
import { checkBoolean, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import { coded, room } from "../tensor/errors.js";
import { copyFloats } from "../tensor/like.js";
import { classOf, isFloat32Array, lengthOf, partOf } from "../tensor/typed-array.js";
import { Block } from "./block.js";

/** TLSF's largest block: 2^30 bytes less its header. */
const LARGEST_BLOCK_BYTES = 2 ** 30 - 16;

/** A ballast costs a system call, far less than clearing so much memory. */
const BALLAST_BYTES = 2 ** 22;

/** The library of ES2022 has no options. */
type Resizable = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;

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

/** What linear memory is written from and read into. */
export type Numbers = Float32Array | Float64Array | Int32Array | Int8Array | Uint8Array;

/** One instance of a binary with its memory. A module keeps the runtime in which its weights are. */
export class Runtime {
  declare readonly kernels: Kernels;
  declare readonly memory: WebAssembly.Memory;
  /** Which binary it runs. */
  declare readonly build: Build;
  /** The user's module of the kernels of models (models.ts). */
  declare readonly models: WebAssembly.Module | undefined;
  #liveBytes = 0;
  /**
   * What the engine counts in place of blocks, which it does not see and so does not collect for: 600 forgotten modules
   * of 2 MiB, one each turn of the event loop, came to 1120 MB, with ballast to 140. Resizable buffers are mapped
   * afresh, so that their pages, which nobody touches, take no memory. Others may be cleared parts of the heap.
   */
  readonly #ballast: ArrayBuffer[] = [];
  readonly #scratch: number;

  /** @throws TypeError for a module with other records than this build's. */
  constructor({ build, module }: { build: Build; module: WebAssembly.Module }, models?: WebAssembly.Module) {
    this.build = build;
    this.models = models;
    this.memory = room(
      () => new WebAssembly.Memory({ initial: INITIAL_PAGES }),
      () => noRoom(INITIAL_PAGES * 65536),
    );
    const kernels = instantiate<Kernels>(module, this.memory, ABI);
    this.kernels = kernels;
    this.#scratch = this.#place(SCRATCH_BYTES);
    this.configure(kernels.dotIsOneInstruction());
    Object.freeze(this);
  }

  /** Bytes that are allocated now, as asked for. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /**
   * Tells the instance what differs from others over one memory: its scratch, and the form of int8 groups, planes
   * (1) or numbers (0). Int8 weights that were packed in another form are of no use any more.
   */
  configure(groupsArePlanes: number): void {
    this.kernels.configure(this.#scratch, groupsArePlanes);
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
    const pointer = this.#place(size);
    this.kernels.clearFloats(pointer, size / 4);
    const block = new Block(pointer, size);
    this.#count(size);
    return block;
  }

  /** Adds to the bytes that are allocated; the ballast is then as many whole pieces, or one more. */
  #count(bytes: number): void {
    this.#liveBytes += bytes;
    const pieces = Math.floor(this.#liveBytes / BALLAST_BYTES);
    const ballast = this.#ballast;
    try {
      while (ballast.length < pieces) {
        ballast.push(new (ArrayBuffer as Resizable)(BALLAST_BYTES, { maxByteLength: BALLAST_BYTES }));
      }
    } catch {
      // No room for what only makes collections come sooner.
    }
    if (ballast.length > pieces + 1) ballast.length = pieces;
  }

  /** Where `bytes` are free. @throws RangeError when there is no room for them. */
  #place(bytes: number): number {
    return room(
      () => this.kernels.allocate(bytes) >>> 0,
      () => noRoom(bytes),
    );
  }

  /** Gives a block of `allocate` back, once. */
  free(block: Block): void {
    this.#count(-block.bytes);
    this.kernels.free(block.pointer);
  }

  /**
   * Copies `count` numbers of `source`, from index `from` on, into `block`, `offset` bytes from its beginning: all to
   * its end when left out. Up to 16 are copied by a loop, which is faster than a call; a part is copied from a view.
   * @throws RangeError where they do not fit, or are no longer there
   */
  write(block: Block, offset: number, source: Numbers, from = 0, count?: number): void {
    const length = lengthOf(source);
    const numbers = count ?? length - from;
    if (!(from + numbers <= length)) throw shortened(from + numbers, length);
    if (!isFloat32Array(source)) {
      block.check(offset, numbers * source.BYTES_PER_ELEMENT);
      const view = new (classOf(source))(this.memory.buffer, block.pointer + offset, numbers);
      view.set(source.subarray(from, from + numbers));
      return;
    }
    block.check(offset, numbers * 4);
    const floats = block.floats(this.memory);
    const begin = offset / 4;
    if (numbers <= 16) {
      for (let index = 0; index < numbers; index++) floats[begin + index] = source[from + index]!;
    } else if (numbers < length) floats.set(partOf(source, from, numbers), begin);
    else {
      try {
        floats.set(source, begin);
      } catch {
        throw shortened(numbers, lengthOf(source)); // Another thread has made a shared buffer longer.
      }
    }
  }

  /** A copy of `count` numbers of `block`, from byte `offset` on. Where it has no room, the message has `name`. */
  read(block: Block, offset: number, count: number, name: string): Float32Array {
    block.check(offset, count * 4);
    return copyFloats(block.floats(this.memory), offset / 4, count, name);
  }

  /** Copies `count` numbers of `block`, from byte `offset` on, to `target[start]` and after. */
  copyOut(block: Block, offset: number, count: number, target: Float32Array, start: number): void {
    block.check(offset, count * 4);
    const begin = offset / 4;
    target.set(block.floats(this.memory).subarray(begin, begin + count), start);
  }

  /** A view of a block, of no use any more when memory has grown: to be asked for again at each use. */
  view(block: Block): Float32Array {
    return block.floats(this.memory);
  }
}

function shortened(expected: number, got: number): RangeError {
  const message = `memory: expected ${expected} numbers, got ${got}`;
  return coded("RANGE", new RangeError(message));
}

/** The regions of complete modules and streams, each with the number of modules it is. */
export const living = new Map<{ readonly bytes: number; readonly runtime: Runtime }, 0 | 1>();

function held(): Pick<MemoryUsage, "modules" | "bytes"> {
  let modules = 0;
  let bytes = 0;
  for (const [region, count] of living) {
    modules += count;
    bytes += region.bytes;
  }
  return { modules, bytes };
}

function noRoom(bytes: number): string {
  const { modules, bytes: all } = held();
  const advice = `${modules} live modules hold ${all} bytes; free some with dispose() or using`;
  return `memory: no room for a buffer of ${bytes} bytes: ${advice}`;
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
  const {
    module,
    models,
    deterministic = false,
  } = checkOptions("options", options, ["module", "models", "deterministic"]);
  checkBoolean("options.deterministic", deterministic);
  const given = models === undefined ? undefined : compiled("options.models", models, ["abi", "unary"]);
  if (module === undefined) {
    if (given) throw wrongValue("options", "module beside models", "models alone");
    current = new Runtime(compileBuild(deterministic));
    return;
  }
  if (deterministic) throw wrongValue("options", "either module or deterministic", "both");
  const core = compiled("options.module", module, ["abi", "runLayer"]);
  current = new Runtime({ build: "given", module: core }, given);
}

/** A user's module that has our exports. */
function compiled(option: string, module: WebAssembly.Module, expected: string[]): WebAssembly.Module {
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
  const memories = new Set([current?.memory]);
  for (const { runtime } of living.keys()) memories.add(runtime.memory);
  let memory = 0;
  for (const each of memories) memory += each?.buffer.byteLength ?? 0;
  return { ...held(), memory };
}
