/** Where outputs are parts of input 0, or inputs parts of output 0, so that no number has to be moved. */

import { ARRAYS, type Dtype, type Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { joined } from "../../graph/operators/move.js";
import { roundingOf } from "../../graph/rounding.js";
import { elementsIn } from "../../graph/shapes.js";
import type { View } from "../operator.js";
import {
  type Reading,
  readExpanded,
  readGathered,
  readSlice,
  readSplit,
  readTiled,
  readTransposed,
} from "./readings.js";
import { offsetOf } from "./strided.js";

const WHOLE: View = { outputs: [0] };

function viewOf(call: Call, types: readonly Type[], reading: Reading): View | undefined {
  const outputs = reading(call, types)?.map(offsetOf);
  return outputs?.every((offset) => offset !== undefined) ? { outputs } : undefined;
}

/** Of Identity, Reshape, Squeeze, Unsqueeze, Flatten and Dropout. */
export const viewWhole = (): View => WHOLE;

export const viewTransposed = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readTransposed);

export const viewSlice = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readSlice);

export const viewSplit = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readSplit);

export const viewExpanded = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readExpanded);

export const viewTiled = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readTiled);

/** Of a Gather of one row, or of rows that follow one another. */
export const viewGathered = (call: Call, types: readonly Type[]): View | undefined =>
  viewOf(call, types, readGathered);

/** Inputs that follow one another are made in the output. */
export function viewJoined(call: Call): View | undefined {
  if (call.inputs.length === 1) return WHOLE;
  const { axis, shape } = joined(call);
  if (elementsIn(shape.slice(0, axis)) !== 1) return undefined;
  const inputs: number[] = [];
  let offset = 0;
  for (let at = 0; at < call.inputs.length; at++) {
    inputs.push(offset);
    offset += elementsIn(call.input(at).shape);
  }
  return { inputs };
}

/** Whether a number of one type and the same number of another one are the same bytes. */
function isSame(from: Dtype, to: Dtype): boolean {
  if (from === to) return true;
  if (to === "bool" || roundingOf(to) !== undefined) return false;
  // What an int8 does not hold wraps, which leaves its byte as it is.
  return (
    ARRAYS[from] === ARRAYS[to] ||
    (ARRAYS[from].BYTES_PER_ELEMENT === 1 && ARRAYS[to].BYTES_PER_ELEMENT === 1)
  );
}

/** Of Cast and CastLike. */
export const viewCast = (call: Call, [type]: readonly Type[]): View | undefined =>
  isSame(call.input(0).dtype, type!.dtype) ? WHOLE : undefined;
