/** The raw elements of a data set: in one piece, in its header, or in chunks. */

import { unsupported } from "../bytes.js";
import { readChunks } from "./chunks.js";
import { type Dataspace, type Datatype, readDataspace, readDatatype } from "./datatype.js";
import type { Hdf5File } from "./file.js";
import { readFilters } from "./filters.js";
import {
  DATASPACE,
  DATATYPE,
  EXTERNAL_FILES,
  FILTERS,
  findMessage,
  LAYOUT,
  type Message,
} from "./object-header.js";

const COMPACT = 0;
const CONTIGUOUS = 1;
const CHUNKED = 2;

/** What an object's header tells of its data. */
export interface DataSet {
  readonly type: Datatype;
  readonly space: Dataspace;
  readonly layout: Uint8Array;
  readonly filters: Uint8Array | undefined;
  readonly isOutside: boolean;
}

/** Undefined for an object that is no data set. */
export function readDataSet(file: Hdf5File, messages: readonly Message[], path: string): DataSet | undefined {
  const [type, space, layout, filters] = [DATATYPE, DATASPACE, LAYOUT, FILTERS].map((kind) =>
    findMessage(file, messages, kind),
  );
  if (!type || !space || !layout) return undefined;
  return {
    type: readDatatype(file.cursor(type, path)),
    space: readDataspace(file.cursor(space, path)),
    layout,
    filters,
    isOutside: messages.some((message) => message.type === EXTERNAL_FILES),
  };
}

/** A data set's raw elements, row-major. They are a view of the file where they lie in one piece. */
export function readRaw(file: Hdf5File, set: DataSet, what: string): Uint8Array {
  const bytes = set.space.elements * set.type.bytes;
  if (bytes === 0) return new Uint8Array();
  const layout = file.cursor(set.layout, what);
  const version = layout.uint(1);
  const kind = layout.uint(1);
  const not =
    (set.isOutside && "data in other files") ||
    (kind === 3 && "virtual data sets") ||
    ((version < 3 || version > 5 || kind > CHUNKED) && `layouts ${kind} of version ${version}`);
  if (not) throw unsupported(`${layout.what}: ${not} are not supported`);
  if (kind === CHUNKED) {
    const filters = set.filters === undefined ? [] : readFilters(file.cursor(set.filters, what));
    return readChunks(file, layout, { ...set, version, filters, path: what });
  }
  const address = kind === CONTIGUOUS ? layout.address() : 0;
  const stored = kind === COMPACT ? layout.uint(2) : layout.length();
  layout.check(stored === bytes, `takes ${bytes} bytes, but ${stored} are stored`);
  layout.check(address !== undefined, "has no data: it was never written");
  return kind === COMPACT ? layout.take(bytes) : file.view(address, bytes, what);
}
