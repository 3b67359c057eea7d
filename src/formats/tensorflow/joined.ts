/** Shards of bytes as one run. Only a part that crosses a shard's end is copied. */

import { FormatError } from "../bytes.js";

export class Joined {
  readonly #shards: readonly Uint8Array[];
  /** The next byte: its shard, and its place there. */
  #shard = 0;
  #at = 0;
  readonly length: number;
  /** Bytes that are not taken. */
  left: number;

  constructor(shards: readonly Uint8Array[]) {
    this.#shards = shards;
    this.length = shards.reduce((sum, shard) => sum + shard.length, 0);
    this.left = this.length;
  }

  /**
   * The next bytes, which may be a view of a shard.
   * @param label what they are of, for messages
   * @throws FormatError where fewer are left
   */
  take(count: number, label: string): Uint8Array {
    if (count > this.left) {
      const start = this.length - this.left;
      throw new FormatError(
        `${label}: expected ${count} bytes at ${start}, got ${this.left}; a shard is missing or cut off`,
      );
    }
    this.left -= count;
    this.#passEnds();
    const first = this.#shards[this.#shard];
    if (first !== undefined && this.#at + count <= first.length) {
      this.#at += count;
      return first.subarray(this.#at - count, this.#at);
    }
    const bytes = new Uint8Array(count);
    for (let filled = 0; filled < count; ) {
      this.#passEnds();
      const part = this.#shards[this.#shard]!.subarray(this.#at, this.#at + count - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return bytes;
  }

  /** Goes on to the next shard that has a byte left. */
  #passEnds(): void {
    while (this.#shard < this.#shards.length && this.#at === this.#shards[this.#shard]!.length) {
      this.#shard++;
      this.#at = 0;
    }
  }
}
