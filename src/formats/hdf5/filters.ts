/** What was done to a chunk before it was stored, undone: deflate, shuffle and a checksum. */

import { FormatError, unsupported, viewOf } from "../bytes.js";
import { inflateExactly } from "../inflate.js";
import { adler32, fletcher32 } from "./checksum.js";
import type { Cursor } from "./cursor.js";

const DEFLATE = 1;
/** Between them, 2 is shuffle. */
const FLETCHER32 = 3;

const OTHER_NAMES: Readonly<Record<number, string>> = {
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  307: "bzip2",
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bitshuffle",
  32013: "zfp",
  32015: "zstd",
  32026: "blosc2",
};

/** The numbers of a data set's filters, in the order in which they were applied. */
export function readFilters(cursor: Cursor): readonly number[] {
  const version = cursor.uint(1);
  const count = cursor.uint(1);
  if ((version !== 1 && version !== 2) || count > 32)
    throw cursor.bad(`has ${count} filters of version ${version}`);
  if (version === 1) cursor.skip(6);
  return Array.from({ length: count }, () => {
    const id = cursor.uint(2);
    const nameBytes = version === 1 || id >= 256 ? cursor.uint(2) : 0;
    cursor.skip(2);
    const values = cursor.uint(2);
    cursor.take(version === 1 ? (nameBytes + 7) & ~7 : nameBytes);
    cursor.take(4 * values + (version === 1 && values % 2 === 1 ? 4 : 0));
    if (id < DEFLATE || id > FLETCHER32) {
      throw unsupported(
        `${cursor.what}: filter ${OTHER_NAMES[id] ?? id} is not supported; repack the file with h5repack -f GZIP=4`,
      );
    }
    return id;
  });
}

/**
 * A chunk as it was before its filters.
 * @param mask a bit for each filter that was left out
 * @param sizes the bytes of the chunk, which it must have in the end, and of an element
 */
export function unfilter(
  stored: Uint8Array,
  filters: readonly number[],
  mask: number,
  sizes: { readonly bytes: number; readonly elementBytes: number },
  what: string,
): Uint8Array {
  const used = filters.filter((_, index) => ((mask >>> index) & 1) === 0);
  let bytes = sizes.bytes;
  // What each filter was given. What deflate made of it is not known.
  const given = used.map((id) => {
    const before = bytes;
    bytes = id === DEFLATE ? Number.NaN : id === FLETCHER32 ? bytes + 4 : bytes;
    return before;
  });
  let content = stored;
  for (let at = used.length; at-- > 0; ) {
    const id = used[at];
    if (id === DEFLATE) content = inflateZlib(content, given[at]!, what);
    else if (id === FLETCHER32) content = checkSum(content, what);
    else content = unshuffle(content, sizes.elementBytes);
  }
  if (content.length !== sizes.bytes) {
    throw new FormatError(`${what} has ${content.length} bytes, expected ${sizes.bytes}`);
  }
  return content;
}

/** zlib's format: two bytes, deflate data, and Adler's sum of what it inflates to. */
function inflateZlib(stored: Uint8Array, bytes: number, what: string): Uint8Array {
  if (Number.isNaN(bytes)) throw unsupported(`${what}: deflate upon deflate is not supported`);
  const end = stored.length - 4;
  if (end < 2) throw new FormatError(`${what} is too short to be deflated`);
  const head = stored[0]! * 256 + stored[1]!;
  if ((head & 0x0f20) !== 0x0800 || head % 31 !== 0) throw new FormatError(`${what} is not in zlib's format`);
  const content = inflateExactly(stored.subarray(2, end), bytes, what);
  if (viewOf(stored).getUint32(end) !== adler32(content)) {
    throw new FormatError(`${what} has a wrong checksum`);
  }
  return content;
}

function checkSum(stored: Uint8Array, what: string): Uint8Array {
  const end = stored.length - 4;
  if (end < 0) throw new FormatError(`${what} is too short for its checksum`);
  const content = stored.subarray(0, end);
  const stated = viewOf(stored);
  const [low, high] = [stated.getUint16(end, true), stated.getUint16(end + 2, true)];
  // A sum of 0 may also be written as 65535.
  if (fletcher32(content) !== (high % 65535) * 65536 + (low % 65535)) {
    throw new FormatError(`${what} has a wrong checksum`);
  }
  return content;
}

/** First bytes of all elements, then second bytes, and so on: back to elements. A rest stays at the end. */
function unshuffle(stored: Uint8Array, width: number): Uint8Array {
  const elements = Math.floor(stored.length / width);
  const content = stored.slice();
  for (let byte = 0, from = 0; byte < width; byte++) {
    for (let to = byte; from < (byte + 1) * elements; to += width) content[to] = stored[from++]!;
  }
  return content;
}
