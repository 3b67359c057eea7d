/**
 * The wasm instance and its memory. Nothing holds a view of the whole memory, blocks have their own: `write` puts
 * numbers into a block and throws where they do not fit, `read` and `copyOut` take them out. Only this folder knows
 * of the binaries.
 */

import { ABI, INITIAL_PAGES, type Kernels, SCRATCH_BYTES } from "../../build/abi.js";
import type { ModelKernels } from "../../build/models-abi.js";
import type { ThreadKernels } from "../../build/threads-abi.js";
import { type Build, instantiate } from "../bundle/binaries.js";
import type { Binary } from "../bundle/compile.js";
import { coded, room } from "../tensor/errors.js";
import { copyFloats } from "../tensor/like.js";
import { classOf, isFloat32Array, lengthOf, partOf } from "../tensor/typed-array.js";
import { Block } from "./block.js";

/** TLSF's largest block: 2^30 bytes less its header. */
const LARGEST_BLOCK_BYTES = 2 ** 30 - 16;

/** A ballast costs a system call, far less than clearing so much memory. */
const BALLAST_BYTES = 2 ** 22;

/** So many numbers are copied by a loop, which is faster than a call. */
const FEW = 16;

/** The library of ES2022 has no options. */
type Resizable = new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;

/** What linear memory is written from and read into. */
export type Numbers = Float32Array | Float64Array | Int32Array | Int8Array | Uint8Array;

/** Runs two directions of a layer at once: addresses of each one's Layer and Run. */
export type Pair = ThreadKernels["runPair"];

/** The same of the kernels of whole models, made of this binary: it gives those that threads share in the place of their own. */
export type ShareModels = (kernels: ModelKernels, binary: Binary) => ModelKernels;

/** Says that a whole model runs (1), or no more (0). */
export type Hold = ThreadKernels["hold"];

/** What makes the kernels of a runtime those of several threads (src/threads/). */
export interface Team {
  /** How many they may be; the caller is one. */
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  /** A binary for that memory, of one for a memory of its own. */
  readonly adapt: (binary: Binary) => Binary;
  /** Those kernels of the core that threads share take the place of its own. */
  share(
    kernels: Kernels,
    allocate: (bytes: number) => number,
  ): { kernels: Kernels; pair: Pair; shareModels: ShareModels; hold: Hold };
}

/** One instance of a binary with its memory. A module keeps the runtime in which its weights are. */
export class Runtime {
  declare readonly kernels: Kernels;
  declare readonly memory: WebAssembly.Memory;
  /** Which binary it runs. */
  declare readonly build: Build;
  /** The user's module of the kernels of models (models.ts). */
  declare readonly models: WebAssembly.Module | undefined;
  /** What buffers of calls have to be ready for. */
  declare readonly threads: number;
  /** These are undefined on one thread. */
  declare readonly pair: Pair | undefined;
  declare readonly shareModels: ShareModels | undefined;
  declare readonly hold: Hold | undefined;
  /** A binary for its memory. */
  declare readonly adapt: (binary: Binary) => Binary;
  #liveBytes = 0;
  /**
   * What the engine counts in place of blocks, which it does not see and so does not collect for: 600 forgotten modules
   * of 2 MiB, one each turn of the event loop, came to 1120 MB, with ballast to 140. Resizable buffers are mapped
   * afresh, so that their pages, which nobody touches, take no memory. Others may be cleared parts of the heap.
   */
  readonly #ballast: ArrayBuffer[] = [];
  readonly #scratch: number;

  /** @throws TypeError for a module with other records than this build's. */
  constructor(
    { build, module }: { build: Build; module: WebAssembly.Module },
    models?: WebAssembly.Module,
    team?: Team,
  ) {
    this.build = build;
    this.models = models;
    this.memory =
      team?.memory ??
      room(
        () => new WebAssembly.Memory({ initial: INITIAL_PAGES }),
        () => noRoom(INITIAL_PAGES * 65536),
      );
    const kernels = instantiate<Kernels>(module, this.memory, ABI);
    this.kernels = kernels;
    this.#scratch = this.#place(SCRATCH_BYTES);
    this.configure(kernels.dotIsOneInstruction());
    this.threads = team?.threads ?? 1;
    this.adapt = team?.adapt ?? ((binary) => binary);
    if (team !== undefined)
      Object.assign(
        this,
        team.share(kernels, (bytes) => this.#place(bytes)),
      );
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
   * its end when left out. A part is copied from a view.
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
    if (numbers <= FEW) copyFew(floats, begin, source, from, numbers);
    else if (numbers < length) floats.set(partOf(source, from, numbers), begin);
    else setAll(floats, source, begin);
  }

  /**
   * Copies a source of as many numbers as `block` has. A call of its own, since `write` is too large for V8 to inline
   * where a stream steps: 15 ns of 720.
   * @throws RangeError where they are more by now
   */
  fill(block: Block, source: Float32Array): void {
    const floats = block.floats(this.memory);
    if (floats.length <= FEW) copyFew(floats, 0, source, 0, floats.length);
    else setAll(floats, source, 0);
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

function copyFew(
  target: Float32Array,
  begin: number,
  source: Float32Array,
  from: number,
  count: number,
): void {
  for (let index = 0; index < count; index++) target[begin + index] = source[from + index]!;
}

function setAll(target: Float32Array, source: Float32Array, begin: number): void {
  try {
    target.set(source, begin);
  } catch {
    // Another thread has made a shared buffer longer.
    throw shortened(target.length - begin, lengthOf(source));
  }
}

function shortened(expected: number, got: number): RangeError {
  const message = `memory: expected ${expected} numbers, got ${got}`;
  return coded("RANGE", new RangeError(message));
}

/** The regions of complete modules and streams, each with the number of modules it is. */
export const living = new Map<{ readonly bytes: number; readonly runtime: Runtime }, 0 | 1>();

/** What they are together. */
export function held(): { modules: number; bytes: number } {
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
