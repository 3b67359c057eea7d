/** Arrays that hold an element for each chunk: fixed ones, and those that grow at their end. */

import { getOrMake } from "../get-or-make.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";

/** A cursor at the element of an index; undefined where the array has none, or none was written. */
export type ElementAt = (index: number) => Cursor | undefined;

/** What elements are like, and how many a page has, which has a checksum of its own. */
interface Elements {
  readonly file: Hdf5File;
  readonly bytes: number;
  readonly perPage: number;
}

function readHead(file: Hdf5File, address: number, signature: string, rest: number): Cursor {
  const head = file.checked(address, 11 + rest, "chunk array");
  head.expect(signature, 0);
  head.skip(1);
  return head;
}

export function fixedArray(file: Hdf5File, address: number): ElementAt {
  const head = readHead(file, address, "FAHD", 1 + file.widths.length + file.widths.address);
  const bytes = head.uint(1);
  const perPage = 2 ** head.uint(1);
  const count = head.length();
  const block = dataBlock({ file, bytes, perPage }, head.address(), {
    signature: "FADB",
    count,
    owner: address,
    offsetBytes: 0,
    // The block itself tells which of its pages were written.
    bitmapBytes: count > perPage ? Math.ceil(Math.ceil(count / perPage) / 8) : 0,
  });
  return (index) => (index < count ? block(index) : undefined);
}

interface Block {
  readonly signature: string;
  readonly count: number;
  /** The address of the array's head, which the block repeats. */
  readonly owner: number;
  readonly offsetBytes: number;
  readonly bitmapBytes: number;
  /** Whether a page was written, where another block tells. */
  readonly isWritten?: (page: number) => boolean;
}

/** A block of elements, or of pages of them, which are read when they are asked for. */
function dataBlock({ file, bytes, perPage }: Elements, address: number | undefined, block: Block): ElementAt {
  const { count, bitmapBytes } = block;
  if (address === undefined) return () => undefined;
  const isPaged = count > perPage;
  const before = 6 + file.widths.address + block.offsetBytes + bitmapBytes;
  const what = "block of a chunk array";
  const head = file.checked(address, before + (isPaged ? 0 : count * bytes) + 4, what);
  checkOwner(head, block.signature, block.owner);
  const pages = new Map<number, Cursor>();
  return (index) => {
    const page = isPaged ? Math.floor(index / perPage) : 0;
    if (bitmapBytes > 0 && !isSet(head.bytes, before - bitmapBytes, page)) return undefined;
    if (isPaged && block.isWritten?.(page) === false) return undefined;
    const inPage = Math.min(perPage, count - page * perPage);
    const elements = isPaged
      ? getOrMake(pages, page, () =>
          file.checked(
            address + head.bytes.length + 4 + page * (perPage * bytes + 4),
            inPage * bytes + 4,
            what,
          ),
        )
      : head;
    elements.at = (isPaged ? 0 : before) + (index - page * perPage) * bytes;
    return file.cursor(elements.take(bytes), "chunk element");
  };
}

function checkOwner(cursor: Cursor, signature: string, owner: number): void {
  cursor.expect(signature, 0);
  cursor.skip(1);
  cursor.check(cursor.address() === owner);
}

/** The most pairs of data block sizes that an array grows by: each doubles what it holds. */
const MOST_BITS = 50;

export function extensibleArray(file: Hdf5File, address: number): ElementAt {
  const { widths } = file;
  const head = readHead(file, address, "EAHD", 5 + 6 * widths.length + widths.address);
  const bytes = head.uint(1);
  const bits = head.uint(1);
  const inIndex = head.uint(1);
  const least = head.uint(1);
  const leastPointers = head.uint(1);
  const perPage = 2 ** head.uint(1);
  head.skip(4 * widths.length);
  const written = head.length();
  head.skip(widths.length);
  const [leastBits, pointerBits] = [Math.log2(least), Math.log2(leastPointers)];
  if (
    !Number.isInteger(leastBits) ||
    !Number.isInteger(pointerBits) ||
    bits > MOST_BITS ||
    bits < leastBits
  ) {
    throw head.bad();
  }
  const offsetBytes = Math.ceil(bits / 8);
  // The data blocks of the first rows hang on the index itself, those of others on secondary blocks.
  const firstRows = 2 * pointerBits;
  const pointers = 2 * (leastPointers - 1) + Math.max(0, 1 + bits - leastBits - firstRows);
  const indexAddress = head.address();
  const before = 6 + widths.address;
  const index = file.checked(
    indexAddress,
    before + inIndex * bytes + pointers * widths.address + 4,
    "index of a chunk array",
  );
  checkOwner(index, "EAIB", address);
  const blocks = new Map<string, ElementAt>();
  const secondary = new Map<number, Cursor>();

  const pointerAt = (cursor: Cursor, start: number, number: number) => {
    cursor.at = start + number * widths.address;
    return cursor.address();
  };
  return (number) => {
    if (number >= written) return undefined;
    index.at = before + number * bytes;
    if (number < inIndex) return file.cursor(index.take(bytes), "chunk element");
    let row = 0;
    let inRow = 1;
    let blockElements = least;
    let firstBlock = 0;
    let at = number - inIndex;
    // Every second row has twice as many blocks, and those between them blocks of twice as many elements.
    while (at >= inRow * blockElements) {
      at -= inRow * blockElements;
      firstBlock += inRow;
      if (row++ % 2 === 0) blockElements *= 2;
      else inRow *= 2;
    }
    const block = Math.floor(at / blockElements);
    const pages = blockElements / perPage;
    const ownStart = before + inIndex * bytes;
    let pointer: number | undefined;
    let isWritten = (_page: number) => true;
    if (row < firstRows) pointer = pointerAt(index, ownStart, firstBlock + block);
    else {
      const to = pointerAt(index, ownStart, 2 * (leastPointers - 1) + row - firstRows);
      if (to === undefined) return undefined;
      const bitmapBytes = pages > 1 ? inRow * Math.ceil(pages / 8) : 0;
      const start = before + offsetBytes;
      const rowBlock = getOrMake(secondary, row, () => {
        const piece = file.checked(
          to,
          start + bitmapBytes + inRow * widths.address + 4,
          "block of a chunk array",
        );
        checkOwner(piece, "EASB", address);
        return piece;
      });
      pointer = pointerAt(rowBlock, start + bitmapBytes, block);
      isWritten = (page) => bitmapBytes === 0 || isSet(rowBlock.bytes, start, block * pages + page);
    }
    const elements = getOrMake(blocks, `${row} ${block}`, () =>
      dataBlock({ file, bytes, perPage }, pointer, {
        signature: "EADB",
        count: blockElements,
        owner: address,
        offsetBytes,
        bitmapBytes: 0,
        isWritten,
      }),
    );
    return elements(at - block * blockElements);
  };
}

/** Whether a bit of a bitmap is set, the first in the highest place. */
function isSet(bytes: Uint8Array, start: number, bit: number): boolean {
  return (bytes[start + (bit >> 3)]! & (0x80 >> (bit & 7))) !== 0;
}
