/** Fractal heaps: objects of any size, found by an offset in a table of blocks that double. */

import { unsupported } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import { readRecords, widthOf } from "./btree2.js";
import { checksum } from "./checksum.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";

const MANAGED = 0;
const HUGE = 1;
const TINY = 2;

export class FractalHeap {
  readonly #file: Hdf5File;
  readonly #address: number | undefined;
  readonly #blocks = new Map<string, Cursor>();
  /** The bytes of an offset, and of the length of an object in the table. */
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #hugeTree: number | undefined;
  readonly #width: number;
  readonly #first: number;
  readonly #mostDirect: number;
  readonly #root: number | undefined;
  readonly #rows: number;
  readonly #hasChecksums: boolean;
  #huge: Map<number, Uint8Array> | undefined;

  constructor(file: Hdf5File, address: number | undefined) {
    this.#file = file;
    this.#address = address;
    const head = file.checked(
      address,
      26 + 12 * file.widths.length + 3 * file.widths.address,
      "fractal heap",
    );
    head.expect("FRHP", 0);
    head.skip(2);
    if (head.uint(2) > 0) throw unsupported(`${head.what}: filters of heaps are not supported`);
    this.#hasChecksums = (head.uint(1) & 2) !== 0;
    const mostManaged = head.uint(4);
    head.length();
    this.#hugeTree = head.address();
    head.length();
    head.address();
    for (let count = 0; count < 8; count++) head.length();
    this.#width = head.uint(2);
    this.#first = head.length();
    this.#mostDirect = head.length();
    const bits = head.uint(2);
    head.skip(2);
    this.#root = head.address();
    this.#rows = head.uint(2);
    this.#offsetBytes = Math.ceil(bits / 8);
    this.#lengthBytes = Math.min(widthOf(this.#mostDirect), widthOf(mostManaged));
    const powers = [this.#width, this.#first, this.#mostDirect].every((size) =>
      Number.isInteger(Math.log2(size)),
    );
    if (!powers || this.#mostDirect < this.#first || bits > 48 || mostManaged === 0) {
      throw head.bad(`has blocks of ${this.#first} to ${this.#mostDirect} bytes, ${this.#width} in a row`);
    }
  }

  /** The object that an ID stands for. */
  read(id: Cursor): Uint8Array {
    const head = id.uint(1);
    const kind = (head >> 4) & 3;
    if (head >> 6 === 0 && kind === TINY) return id.take((head & 15) + 1);
    if (head >> 6 === 0 && kind === HUGE)
      return this.#readHuge(id.uint(Math.min(id.left, this.#file.widths.length)), id);
    if (head >> 6 !== 0 || kind !== MANAGED) throw id.bad(`has kind ${head}`);
    const offset = id.uint(this.#offsetBytes);
    const bytes = id.uint(this.#lengthBytes);
    const { block, start } = this.#find(offset, id);
    const at = offset - start;
    if (at < block.at || bytes === 0 || at + bytes > block.bytes.length) {
      throw id.bad(`leads out of the heap: ${bytes} bytes at ${offset}`);
    }
    this.#file.spend(bytes);
    return block.bytes.subarray(at, at + bytes);
  }

  #readHuge(key: number, id: Cursor): Uint8Array {
    const file = this.#file;
    if (this.#huge === undefined) {
      this.#huge = new Map();
      for (const record of readRecords(file, this.#hugeTree, [1]).records) {
        const cursor = file.cursor(record, "huge object");
        const view = file.piece(cursor.address(), cursor.length(), "huge object").bytes;
        this.#huge.set(cursor.length(), view);
      }
    }
    const object = this.#huge.get(key);
    if (object === undefined) throw id.bad(`leads to no huge object ${key}`);
    return object;
  }

  /** The direct block that holds an offset, and its own offset. */
  #find(offset: number, id: Cursor): { block: Cursor; start: number } {
    const pointer = this.#file.widths.address;
    let address = this.#root;
    let rows = this.#rows;
    let start = 0;
    let bytes = this.#first;
    while (rows > 0) {
      const entries = this.#block(address, "FHIB", start, rows * this.#width * pointer);
      let row = 0;
      // Blocks are twice as large from row to row, but for the first two.
      for (bytes = this.#first; offset >= start + bytes * this.#width; row++) {
        start += bytes * this.#width;
        if (row > 0) bytes *= 2;
      }
      const column = Math.floor((offset - start) / bytes);
      if (row >= rows) throw id.bad(`leads out of the heap: to offset ${offset}`);
      entries.skip((row * this.#width + column) * pointer);
      address = entries.address();
      start += column * bytes;
      rows = bytes > this.#mostDirect ? Math.log2(bytes / this.#first / this.#width) + 1 : 0;
    }
    if (bytes > this.#mostDirect) throw id.bad(`leads to a block of ${bytes} bytes`);
    return { block: this.#block(address, "FHDB", start, bytes), start };
  }

  /**
   * A block of the heap behind its head. It is checked once.
   * @param bytes all bytes of a direct block, those of the addresses of an indirect one
   */
  #block(address: number | undefined, signature: "FHDB" | "FHIB", start: number, bytes: number): Cursor {
    const isDirect = signature === "FHDB";
    const head = 5 + this.#file.widths.address + this.#offsetBytes;
    const block = getOrMake(this.#blocks, `${signature} ${start} ${address}`, () => {
      const what = "block of a fractal heap";
      const piece = isDirect
        ? this.#file.piece(address, bytes, what)
        : this.#file.checked(address, head + bytes + 4, what);
      piece.expect(signature, 0);
      if (piece.address() !== this.#address || piece.uint(this.#offsetBytes) !== start) {
        throw piece.bad("is of another place");
      }
      if (isDirect && this.#hasChecksums) {
        const stated = piece.uint(4);
        // It was computed with 0 in its own place.
        if (checksum(piece.bytes.slice().fill(0, head, head + 4)) !== stated)
          throw piece.bad("has a wrong checksum");
      }
      return piece;
    });
    block.at = head + (isDirect && this.#hasChecksums ? 4 : 0);
    return block;
  }
}
