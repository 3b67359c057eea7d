/** Data sets in chunks: boxes of one size that cover the shape, those at the ends in part. */

import { type Chunk, type Grid, readIndex, readTree, unravel } from "./chunk-index.js";
import type { Cursor } from "./cursor.js";
import type { Dataspace, Datatype } from "./datatype.js";
import type { Hdf5File } from "./file.js";
import { unfilter } from "./filters.js";

export interface ChunkedSet {
  /** Of the layout message. */
  readonly version: number;
  readonly filters: readonly number[];
  readonly type: Datatype;
  readonly space: Dataspace;
  /** Begins messages. */
  readonly path: string;
}

/** Chunks at the ends are stored without filters. */
const PLAIN_ENDS = 1;

/** The raw elements of a data set. `layout` is its layout message behind version and kind. */
export function readChunks(file: Hdf5File, layout: Cursor, set: ChunkedSet): Uint8Array {
  const { filters, type, space, version, path } = set;
  const { shape } = space;
  const isNew = version > 3;
  const flags = isNew ? layout.uint(1) : 0;
  const rank = layout.uint(1);
  if (rank !== shape.length + 1) throw layout.bad(`has chunks of rank ${rank - 1}, but the shape [${shape}]`);
  const tree = isNew ? undefined : layout.address();
  const width = isNew ? layout.uint(1) : 4;
  const sizes = shape.map(() => layout.uint(width));
  const elementBytes = layout.uint(width);
  const bytes = sizes.reduce((product, size) => product * size, elementBytes);
  const along = (size: number, axis: number) => Math.ceil(size / sizes[axis]!);
  const counts = shape.map(along);
  const all = counts.reduce((product, count) => product * count, 1);
  if (!(bytes > 0) || elementBytes !== type.bytes || all > file.bytes.length) {
    throw layout.bad(`has ${all} chunks of [${sizes}] elements of ${elementBytes} bytes`);
  }
  file.allow(all * bytes, layout.what);
  const most = space.most.map((size, axis) => (size === undefined ? undefined : along(size, axis)));
  const grid: Grid = { sizes, bytes, counts, most, elementBytes, isFiltered: filters.length > 0 };
  const chunks = isNew ? readIndex(file, layout, grid, flags) : readTree(file, tree, grid);
  checkApart(chunks, layout);
  const raw = new Uint8Array(space.elements * elementBytes);
  for (let index = 0; index < all; index++) {
    const what = `${path}: chunk ${index}`;
    const chunk = chunks[index];
    if (chunk === undefined) throw layout.bad(`has no data: chunk ${index} of ${all} was never written`);
    const start = unravel(index, counts).map((at, axis) => at * sizes[axis]!);
    const isEnd = start.some((from, axis) => from + sizes[axis]! > shape[axis]!);
    const used = isEnd && flags & PLAIN_ENDS ? [] : filters;
    const stored = file.view(chunk.address, chunk.bytes, what);
    const content = unfilter(stored, used, chunk.mask, grid, `${file.label}: ${what}`);
    place(content, raw, grid, { start, shape });
  }
  return raw;
}

/** Each chunk has bytes of its own: else a small file would become a large one. */
function checkApart(chunks: readonly (Chunk | undefined)[], layout: Cursor): void {
  let covered = 0;
  for (const chunk of chunks.filter((one) => one !== undefined).sort((a, b) => a.address - b.address)) {
    if (chunk.address < covered) throw layout.bad(`has chunks that overlap at ${chunk.address}`);
    covered = chunk.address + chunk.bytes;
  }
}

/** Up to this many bytes are copied one by one, since a view takes longer to make. */
const FEW_BYTES = 32;

/** Copies the part of a chunk that lies in the shape, row by row. */
function place(
  chunk: Uint8Array,
  raw: Uint8Array,
  { sizes, elementBytes }: Grid,
  { start, shape }: { readonly start: readonly number[]; readonly shape: readonly number[] },
): void {
  const last = shape.length - 1;
  const copy = (axis: number, from: number, to: number) => {
    const within = Math.min(sizes[axis]!, shape[axis]! - start[axis]!);
    if (axis === last) {
      const first = from * elementBytes;
      const bytes = within * elementBytes;
      const at = (to + start[axis]!) * elementBytes;
      if (bytes > FEW_BYTES) raw.set(chunk.subarray(first, first + bytes), at);
      else for (let byte = 0; byte < bytes; byte++) raw[at + byte] = chunk[first + byte]!;
      return;
    }
    for (let row = 0; row < within; row++) {
      copy(axis + 1, (from + row) * sizes[axis + 1]!, (to + start[axis]! + row) * shape[axis + 1]!);
    }
  };
  copy(0, 0, 0);
}
