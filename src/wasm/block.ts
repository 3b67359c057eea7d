/** A piece of linear memory that one owner has. Runtime writes and reads it, by a view that the block keeps. */
import { coded } from "../tensor/errors.js";

export class Block {
  /** Where it begins, aligned to 4 bytes; a block of the allocator to 16. */
  declare readonly pointer: number;
  declare readonly bytes: number;
  #floats: Float32Array | undefined;

  constructor(pointer: number, bytes: number) {
    this.pointer = pointer;
    this.bytes = bytes;
    Object.freeze(this);
  }

  /** @throws RangeError for a part that is not wholly inside. */
  part(offset: number, bytes: number): Block {
    this.check(offset, bytes);
    return new Block(this.pointer + offset, bytes);
  }

  /**
   * Its numbers in `memory`, for Runtime. What is set here cannot go past the block, however long it turns out to be.
   * The view is kept for the next call, since to make one takes 40 ns, and made anew when growth has detached it.
   */
  floats(memory: WebAssembly.Memory): Float32Array {
    const last = this.#floats;
    if (last !== undefined && last.length > 0) return last;
    this.#floats = new Float32Array(memory.buffer, this.pointer, this.bytes >>> 2);
    return this.#floats;
  }

  /** @throws RangeError unless `bytes` from `offset` on are wholly inside. */
  check(offset: number, bytes: number): void {
    if (!(offset >= 0 && offset + bytes <= this.bytes)) {
      throw coded(
        "RANGE",
        new RangeError(`memory: ${bytes} bytes at ${offset} do not fit in a block of ${this.bytes}`),
      );
    }
  }
}

/** The next multiple of 16, the alignment of every buffer, or of `unit`. */
export function align(bytes: number, unit = 16): number {
  return Math.ceil(bytes / unit) * unit;
}
