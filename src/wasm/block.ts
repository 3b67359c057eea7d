/** A piece of linear memory that one owner has, and no view of it: Runtime writes and reads it. */
import { coded } from "../tensor/errors.js";

export class Block {
  /** Where it begins, aligned to 4 bytes; a block of the allocator to 16. */
  declare readonly pointer: number;
  declare readonly bytes: number;

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

/** The next multiple of 16, the alignment of every buffer. */
export function align(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
