/** The raw elements of a data set: in one piece, in its header, or in chunks. */

import { unsupported } from "../bytes.js";
import { readChunks } from "./chunks.js";
import type { Dataspace, Datatype } from "./datatype.js";
import type { Hdf5File } from "./file.js";
import { readFilters } from "./filters.js";
import { EXTERNAL_FILES, FILTERS, findMessage, LAYOUT, type Message } from "./object-header.js";

const COMPACT = 0;
const CONTIGUOUS = 1;
const CHUNKED = 2;

/** A data set's raw elements, row-major. They are a view of the file where they lie in one piece. */
export function readRaw(
  file: Hdf5File,
  messages: readonly Message[],
  { type, space }: { readonly type: Datatype; readonly space: Dataspace },
  what: string,
): Uint8Array {
  const bytes = space.elements * type.bytes;
  if (bytes === 0) return new Uint8Array();
  if (messages.some((message) => message.type === EXTERNAL_FILES)) {
    throw unsupported(`${file.label}: ${what}: data in other files are not supported`);
  }
  const layout = file.cursor(findMessage(file, messages, LAYOUT)!, what);
  const version = layout.uint(1);
  const kind = layout.uint(1);
  if (version < 3 || version > 5 || kind > CHUNKED) {
    const name = kind === 3 ? "virtual data sets" : `layouts ${kind} of version ${version}`;
    throw unsupported(`${file.label}: ${what}: ${name} are not supported`);
  }
  const check = (stored: number) => {
    if (stored !== bytes) throw layout.bad(`takes ${bytes} bytes, but ${stored} are stored`);
  };
  if (kind === COMPACT) {
    const stored = layout.uint(2);
    check(stored);
    return layout.take(stored);
  }
  if (kind === CONTIGUOUS) {
    const address = layout.address();
    check(layout.length());
    if (address === undefined) throw layout.bad("has no data: it was never written");
    return file.view(address, bytes, what);
  }
  const pipeline = findMessage(file, messages, FILTERS);
  const filters = pipeline === undefined ? [] : readFilters(file.cursor(pipeline, what));
  return readChunks(file, layout, { version, filters, type, space });
}
