/** Where each chunk lies: the indexes that the format has. */

import { unsupported } from "../bytes.js";
import { readRecords } from "./btree2.js";
import { extensibleArray, fixedArray } from "./chunk-arrays.js";
import type { Cursor } from "./cursor.js";
import type { Hdf5File } from "./file.js";
import { visitTree } from "./links.js";

/** A chunk as it is stored. */
export interface Chunk {
  readonly address: number;
  readonly bytes: number;
  /** A bit for each filter that was left out. */
  readonly mask: number;
}

/** How a data set is cut. */
export interface Grid {
  /** The sizes of a chunk, and how many bytes it takes without filters. */
  readonly sizes: readonly number[];
  readonly bytes: number;
  /** How many chunks lie along each axis, and how many may; undefined without a limit. */
  readonly counts: readonly number[];
  readonly most: readonly (number | undefined)[];
  readonly elementBytes: number;
  readonly isFiltered: boolean;
}

/** Kinds of indexes. */
const SINGLE = 1;
const IMPLICIT = 2;
/** The next kind, 4, is an array that grows. */
const FIXED_ARRAY = 3;
const TREE = 5;
/** Kinds of records. */
const CHUNKS = 10;
const FILTERED_CHUNKS = 11;
/** The flag of a single chunk that has filters. */
const SINGLE_FILTERED = 2;

/** The chunks in the order of the grid, those that are missing undefined. */
export type Chunks = (Chunk | undefined)[];

/** The first version of B-trees, whose keys hold sizes, masks and where chunks begin. */
export function readTree(file: Hdf5File, address: number | undefined, grid: Grid): Chunks {
  const chunks: Chunks = [];
  if (address === undefined) return chunks;
  const keyBytes = 8 + 8 * (grid.sizes.length + 1);
  visitTree(file, address, { kind: 1, keyBytes }, (child, key) => {
    const bytes = key.uint(4);
    const mask = key.uint(4);
    const at = grid.sizes.map((size) => key.uint(8) / size);
    put(chunks, grid, at, child === undefined ? undefined : { address: child, bytes, mask }, key);
  });
  return chunks;
}

/** The indexes of newer layouts. `layout` is the layout message behind the sizes of a chunk. */
export function readIndex(file: Hdf5File, layout: Cursor, grid: Grid, flags: number): Chunks {
  const kind = layout.uint(1);
  const { bytes } = grid;
  if (kind === SINGLE) {
    const stored =
      flags & SINGLE_FILTERED ? { bytes: layout.length(), mask: layout.uint(4) } : { bytes, mask: 0 };
    const address = layout.address();
    return address === undefined ? [] : [{ address, ...stored }];
  }
  if (kind === IMPLICIT) {
    const address = layout.address();
    if (address === undefined) return [];
    return inOrder(grid, layout, (index) => ({ address: address + index * bytes, bytes, mask: 0 }));
  }
  const parameters = [1, 5, 6][kind - FIXED_ARRAY];
  if (parameters === undefined) throw unsupported(`${layout.what}: chunk index ${kind} is not supported`);
  layout.skip(parameters);
  const address = layout.address();
  if (address === undefined) return [];
  if (kind === TREE) return readNewTree(file, address, grid);
  const elementAt = kind === FIXED_ARRAY ? fixedArray(file, address) : extensibleArray(file, address);
  return inOrder(grid, layout, (index) => {
    const element = elementAt(index);
    return element && readElement(element, grid, 0);
  });
}

/** The second version of B-trees, whose records hold what an array's elements do, then where chunks begin. */
function readNewTree(file: Hdf5File, address: number, grid: Grid): Chunks {
  const chunks: Chunks = [];
  const { records } = readRecords(file, address, [grid.isFiltered ? FILTERED_CHUNKS : CHUNKS]);
  for (const record of records) {
    const cursor = file.cursor(record, "chunk record");
    const chunk = readElement(cursor, grid, 8 * grid.sizes.length);
    put(
      chunks,
      grid,
      grid.sizes.map(() => cursor.uint(8)),
      chunk,
      cursor,
    );
  }
  return chunks;
}

/** @param rest the bytes that follow in the record */
function readElement(cursor: Cursor, grid: Grid, rest: number): Chunk | undefined {
  const address = cursor.address();
  if (address === undefined) return undefined;
  if (!grid.isFiltered) return { address, bytes: grid.bytes, mask: 0 };
  const sizeBytes = cursor.left - rest - 4;
  if (sizeBytes < 1 || sizeBytes > 8) throw cursor.bad();
  return { address, bytes: cursor.uint(sizeBytes), mask: cursor.uint(4) };
}

/**
 * Chunks that are numbered in the grid that the data set may grow to. Without a limit along one axis, this one counts
 * slowest.
 */
function inOrder(grid: Grid, layout: Cursor, chunkAt: (index: number) => Chunk | undefined): Chunks {
  const { counts, most } = grid;
  const axes = [...counts.keys()].sort(
    (a, b) => Number(most[a] !== undefined) - Number(most[b] !== undefined),
  );
  if (axes.slice(1).some((axis) => most[axis] === undefined)) throw layout.bad("may grow along several axes");
  const all = counts.reduce((product, count) => product * count, 1);
  const chunks: Chunks = [];
  // The first that is missing ends it: without it, the data set is refused.
  for (let index = 0; index < all; index++) {
    const at = unravel(index, counts);
    const chunk = chunkAt(axes.reduce((number, axis) => number * (most[axis] ?? 1) + at[axis]!, 0));
    if (chunk === undefined) break;
    chunks.push(chunk);
  }
  return chunks;
}

/** The coordinates of an index, the last axis fastest. */
export function unravel(index: number, counts: readonly number[]): number[] {
  const coordinates = counts.map(() => 0);
  let rest = index;
  for (let axis = counts.length - 1; axis >= 0; axis--) {
    coordinates[axis] = rest % counts[axis]!;
    rest = Math.floor(rest / counts[axis]!);
  }
  return coordinates;
}

function put(
  chunks: Chunks,
  { counts }: Grid,
  at: readonly number[],
  chunk: Chunk | undefined,
  place: Cursor,
): void {
  const isInside = at.every((number, axis) => Number.isInteger(number) && number < counts[axis]!);
  const index = at.reduce((number, coordinate, axis) => number * counts[axis]! + coordinate, 0);
  if (!isInside || chunks[index] !== undefined) throw place.bad();
  chunks[index] = chunk;
}
