/** A block of memory that grows to what the largest call so far needed, so that later calls allocate nothing. */
import { align, type Block } from "./block.js";
import type { Region } from "./region.js";

/**
 * Caches fetch lines of 64 bytes in pairs, and two threads that write into a line take it from one another: sequence-128 on
 * two threads is 1.018x with parts that begin at lines.
 */
const LINES = 128;

export class Scratch {
  readonly #region: Region;
  #block: Block | undefined;

  constructor(region: Region) {
    this.#region = region;
  }

  /**
   * One block cut into parts of so many bytes, each aligned to 16, on several threads to LINES. @throws RangeError when there
   * is no room.
   */
  parts<const Sizes extends readonly number[]>(sizes: Sizes): { [Part in keyof Sizes]: Block } {
    const unit = this.#region.runtime.threads > 1 ? LINES : 16;
    const block = this.fit(sizes.reduce((sum, bytes) => sum + align(bytes, unit), unit));
    let next = align(block.pointer, unit) - block.pointer;
    const cut = sizes.map((bytes) => {
      const part = block.part(next, bytes);
      next += align(bytes, unit);
      return part;
    });
    return cut as { [Part in keyof Sizes]: Block };
  }

  /** At least `bytes`, aligned to 16; what it held may be gone. @throws RangeError when there is no room. */
  fit(bytes: number): Block {
    if (this.#block !== undefined && bytes <= this.#block.bytes) return this.#block;
    if (this.#block !== undefined) this.#region.free(this.#block);
    this.#block = undefined;
    this.#block = this.#region.allocate(bytes);
    return this.#block;
  }
}
