/**
 * Places that indices say: in the plan where these are constant, else by a kernel at each run. What is wrong with an index
 * is said by the host's own check.
 */

import { LOCATE_BYTES, ROWS_BYTES } from "../../../build/models-abi.js";
import * as Locate from "../../../build/records/locate.js";
import * as Rows from "../../../build/records/rows.js";
import type { Data } from "../../graph/ir.js";
import type { Call, Operand } from "../../graph/operator.js";
import { counted } from "../../graph/operators/index-of.js";
import { modelKernels } from "../../wasm/models.js";
import { numbersAt } from "../../wasm/numbers-at.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Place } from "../operator.js";

/** An axis that indices count along. */
export interface Axis {
  readonly size: number;
  /** Bytes from one place to the next. */
  readonly step: number;
}

/** Bytes of a table of so many places. */
export const tableBytes = (count: number): number => count * 4;

/** The places in bytes that constant indices say; undefined if one has none. */
export function placesOf(indices: ArrayLike<number>, axes: readonly Axis[]): Int32Array | undefined {
  const places = new Int32Array(indices.length / axes.length);
  for (let at = 0; at < indices.length; at++) {
    const { size, step } = axes[at % axes.length]!;
    const index = indices[at]!;
    if (!(index >= -size && index < size)) return undefined;
    places[Math.floor(at / axes.length)]! += (index < 0 ? index + size : index) * step;
  }
  return places;
}

/**
 * A call that writes the places of indices that are known at run time to a table.
 * @param at which input of the node they are
 */
export function locating(
  runtime: Runtime,
  call: Call,
  place: Place,
  { at, count, axes, table }: { at: number; count: number; axes: readonly Axis[]; table: number },
): () => void {
  const { dtype } = call.input(at) as Operand;
  const indices = place.input(at);
  const words = new Int32Array(LOCATE_BYTES / 4 + 2 * axes.length);
  words[Locate.indices] = indices;
  words[Locate.wide] = dtype === "int64" ? 1 : 0;
  words[Locate.count] = count;
  words[Locate.depth] = axes.length;
  words[Locate.offsets] = table;
  words.set(
    axes.flatMap(({ size, step }) => [size, step]),
    LOCATE_BYTES / 4,
  );
  const record = place.record(words);
  const { locate } = modelKernels(runtime);
  return () => {
    const wrong = locate(record);
    if (wrong < 0) return;
    const Numbers = dtype === "int64" ? Float64Array : Int32Array;
    const index = numbersAt<Data>(runtime, Numbers, indices, count * axes.length)()[wrong]!;
    counted(call, index, axes[wrong % axes.length]!.size);
  };
}

/** Rows of bytes to be taken from places, or put there. */
export interface RowList {
  readonly source: number;
  readonly target: number;
  /** Address of the table of places. */
  readonly table: number;
  readonly count: number;
  readonly width: number;
  readonly times?: number;
  readonly step?: number;
  readonly reduction?: number;
}

export function rowRecord(
  place: Place,
  { source, target, table, count, width, times = 1, step = 0, reduction = 0 }: RowList,
): number {
  const words = new Int32Array(ROWS_BYTES / 4);
  words[Rows.source] = source;
  words[Rows.target] = target;
  words[Rows.offsets] = table;
  words[Rows.count] = count;
  words[Rows.width] = width;
  words[Rows.times] = times;
  words[Rows.step] = step;
  words[Rows.reduction] = reduction;
  return place.record(words);
}
