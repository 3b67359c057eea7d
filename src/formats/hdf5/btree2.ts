/** B-trees of the second version, whose nodes hold records of one size. */

import type { Hdf5File } from "./file.js";

const MOST_DEPTH = 16;

/** The bytes that a number up to `most` is written in. */
export function widthOf(most: number): number {
  return Math.floor(Math.log2(most) / 8) + 1;
}

/**
 * The records of a tree, in its order.
 * @param kinds the kinds of records that the caller reads
 */
export function readRecords(
  file: Hdf5File,
  address: number | undefined,
  kinds: readonly number[],
): { readonly kind: number; readonly records: Uint8Array[] } {
  const head = file.checked(address, 22 + file.widths.address + file.widths.length, "B-tree");
  head.expect("BTHD", 0);
  const kind = head.uint(1);
  const nodeBytes = head.uint(4);
  const recordBytes = head.uint(2);
  const depth = head.uint(2);
  head.skip(2);
  if (!kinds.includes(kind) || recordBytes === 0 || nodeBytes < 10 + recordBytes || depth > MOST_DEPTH) {
    throw head.bad();
  }
  // At each level: how many records a node holds, and all below it; then the bytes of a pointer to such a node.
  const mostInLeaf = Math.floor((nodeBytes - 10) / recordBytes);
  const countBytes = widthOf(mostInLeaf);
  const pointerBytes = [file.widths.address + countBytes];
  let total = mostInLeaf;
  for (let level = 1; level < depth; level++) {
    const pointer = pointerBytes[level - 1]!;
    const most = Math.floor((nodeBytes - 10 - pointer) / (recordBytes + pointer));
    total = (most + 1) * total + most;
    pointerBytes.push(file.widths.address + countBytes + widthOf(total));
  }

  const records: Uint8Array[] = [];
  const visit = (at: number | undefined, count: number, level: number) => {
    const pointer = level > 0 ? pointerBytes[level - 1]! : 0;
    const bytes = 6 + count * recordBytes + (level > 0 ? (count + 1) * pointer : 0);
    head.check(bytes + 4 <= nodeBytes);
    const node = file.checked(at, bytes + 4, "B-tree node");
    node.expect(level > 0 ? "BTIN" : "BTLF", 0);
    node.check(node.uint(1) === kind);
    const own = Array.from({ length: count }, () => node.take(recordBytes));
    if (level === 0) for (const record of own) records.push(record);
    else {
      for (let child = 0; child <= count; child++) {
        const to = node.address();
        const below = node.uint(countBytes);
        node.skip(pointer - file.widths.address - countBytes);
        visit(to, below, level - 1);
        if (child < count) records.push(own[child]!);
      }
    }
  };
  const root = head.address();
  const inRoot = head.uint(2);
  const all = head.length();
  if (inRoot > 0) visit(root, inRoot, depth);
  head.check(records.length === all);
  return { kind, records };
}
