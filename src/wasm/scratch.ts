/** A block of memory that grows to what the largest call so far needed, so that later calls allocate nothing. */
import type { Region } from "./region.js";

/** The next multiple of 16, the alignment of every buffer. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

export class Scratch {
  readonly #region: Region;
  #block = 0;
  #bytes = 0;

  constructor(region: Region) {
    this.#region = region;
  }

  /** At least `bytes`, aligned to 16; what it held may be gone. @throws RangeError when there is no room. */
  fit(bytes: number): number {
    if (bytes > this.#bytes || this.#block === 0) {
      this.clear();
      this.#block = this.#region.allocate(bytes);
      this.#bytes = bytes;
    }
    return this.#block;
  }

  /** Gives the memory back. */
  clear(): void {
    if (this.#block !== 0) this.#region.free(this.#block);
    this.#block = 0;
    this.#bytes = 0;
  }
}
