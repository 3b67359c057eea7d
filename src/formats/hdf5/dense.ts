/** Links and attributes of objects that have many: records of a B-tree lead to messages in a fractal heap. */

import { unsupported } from "../bytes.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";

/** The messages that the rest of a link info or attribute info leads to. */
export function readDense(file: Hdf5File, info: Cursor, _kind: number): Uint8Array[] {
  if (info.address() === undefined) return [];
  throw unsupported(`${file.label}: dense storage is not supported`);
}
