/** Fractal heaps: objects of any size, found by an offset in a table of blocks that double. */

import { unsupported } from "../bytes.js";
import { getOrMake } from "../get-or-make.js";
import { readRecords, widthOf } from "./btree2.js";
import { checksum } from "./checksum.js";
import type { Cursor } from "./cursor.js";
import { type Hdf5File, WRONG_CHECKSUM } from "./file.js";

/** Kinds of IDs: in the table, by a tree, or the object itself. */
const MANAGED = 0;
const HUGE = 1;
const TINY = 2;
/** Records of the tree of huge objects. */
const HUGE_OBJECTS = 1;

/** A function that gives the object which an ID stands for. */
export function fractalHeap(file: Hdf5File, owner: number): (id: Cursor) => Uint8Array {
  const { widths } = file;
  const head = file.checked(owner, 26 + 12 * widths.length + 3 * widths.address, "fractal heap");
  head.expect("FRHP", 0);
  head.skip(2);
  if (head.uint(2) > 0) throw unsupported(`${head.what}: filters of heaps are not supported`);
  const checksumBytes = head.uint(1) & 2 ? 4 : 0;
  const mostManaged = head.uint(4);
  head.skip(widths.length);
  const tree = head.address();
  head.skip(9 * widths.length + widths.address);
  const width = head.uint(2);
  const first = head.length();
  const mostDirect = head.length();
  const offsetBytes = Math.ceil(head.uint(2) / 8);
  head.skip(2);
  const root = head.address();
  const rootRows = head.uint(2);
  const lengthBytes = Math.min(widthOf(mostDirect), widthOf(mostManaged));
  const arePowers = [width, first, mostDirect].every((size) => Number.isInteger(Math.log2(size)));
  head.check(arePowers && mostDirect >= first && offsetBytes <= 6 && mostManaged > 0);

  const blocks = new Map<string, Cursor>();
  let huge: Map<number, Uint8Array> | undefined;

  /**
   * A block of the heap behind its head. It is checked once.
   * @param bytes all bytes of a direct block, those of the addresses of an indirect one
   */
  const blockAt = (address: number | undefined, isDirect: boolean, start: number, bytes: number) => {
    const before = 5 + widths.address + offsetBytes;
    const what = "block of a fractal heap";
    const block = getOrMake(blocks, `${isDirect} ${start} ${address}`, () => {
      const piece = isDirect
        ? file.piece(address, bytes, what)
        : file.checked(address, before + bytes + 4, what);
      piece.expect(isDirect ? "FHDB" : "FHIB", 0);
      piece.check(piece.address() === owner && piece.uint(offsetBytes) === start);
      // The checksum was computed with 0 in its own place.
      const blank = isDirect && checksumBytes > 0 && piece.bytes.slice().fill(0, before, before + 4);
      piece.check(!blank || checksum(blank) === piece.uint(4), WRONG_CHECKSUM);
      return piece;
    });
    block.at = before + (isDirect ? checksumBytes : 0);
    return block;
  };

  /** The direct block that holds an offset, and its own offset. */
  const find = (offset: number, id: Cursor) => {
    let address = root;
    let rows = rootRows;
    let start = 0;
    let bytes = first;
    while (rows > 0) {
      const entries = blockAt(address, false, start, rows * width * widths.address);
      let row = 0;
      // Blocks are twice as large from row to row, but for the first two.
      for (bytes = first; offset >= start + bytes * width; row++) {
        start += bytes * width;
        if (row > 0) bytes *= 2;
      }
      const column = Math.floor((offset - start) / bytes);
      id.check(row < rows);
      entries.skip((row * width + column) * widths.address);
      address = entries.address();
      start += column * bytes;
      rows = bytes > mostDirect ? Math.log2(bytes / first / width) + 1 : 0;
    }
    id.check(bytes <= mostDirect);
    return { block: blockAt(address, true, start, bytes), start };
  };

  return (id) => {
    const kind = id.uint(1) >> 4;
    if (kind === TINY) return id.take((id.bytes[0]! & 15) + 1);
    if (kind === HUGE) {
      huge ??= new Map(
        readRecords(file, tree, [HUGE_OBJECTS]).records.map((record) => {
          const cursor = file.cursor(record, "huge object");
          const { bytes } = file.piece(cursor.address(), cursor.length(), "huge object");
          return [cursor.length(), bytes];
        }),
      );
      const object = huge.get(id.uint(Math.min(id.left, widths.length)));
      if (object === undefined) throw id.bad();
      return object;
    }
    id.check(kind === MANAGED);
    const offset = id.uint(offsetBytes);
    const bytes = id.uint(lengthBytes);
    const { block, start } = find(offset, id);
    const at = offset - start;
    id.check(at >= block.at && bytes > 0 && at + bytes <= block.bytes.length);
    file.spend(bytes);
    return block.bytes.subarray(at, at + bytes);
  };
}
