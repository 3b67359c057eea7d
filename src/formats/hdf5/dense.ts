/** Links and attributes of objects that have many: records of a B-tree lead to messages in a fractal heap. */

import { unsupported } from "../bytes.js";
import { readRecords } from "./btree2.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";
import { fractalHeap } from "./fractal-heap.js";

const LINKS_BY_NAME = 5;
const ATTRIBUTES_BY_NAME = 8;
/** The bytes of a heap's IDs in a record. */
const LINK_ID_BYTES = 7;
const ATTRIBUTE_ID_BYTES = 8;

/** The messages that the rest of a link info or attribute info leads to. */
export function readDense(file: Hdf5File, info: Cursor): Cursor[] {
  const address = info.address();
  if (address === undefined) return [];
  const objectOf = fractalHeap(file, address);
  const { kind, records } = readRecords(file, info.address(), [LINKS_BY_NAME, ATTRIBUTES_BY_NAME]);
  return records.map((record) => {
    const cursor = file.cursor(record, "record of a B-tree");
    // A link's hash comes before its ID.
    if (kind === LINKS_BY_NAME) cursor.skip(4);
    const id = cursor.take(kind === LINKS_BY_NAME ? LINK_ID_BYTES : ATTRIBUTE_ID_BYTES);
    const isShared = kind === ATTRIBUTES_BY_NAME && (cursor.uint(1) & 2) !== 0;
    if (isShared) throw unsupported(`${file.label}: shared attributes are not supported`);
    return file.cursor(objectOf(file.cursor(id, "heap ID")), "message in a fractal heap");
  });
}
