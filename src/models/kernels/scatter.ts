/** ScatterND: rows put into a copy of input 0, which may lie in input 0's own room. */

import { ROWS_ADD, ROWS_MAX, ROWS_MIN, ROWS_MUL, ROWS_SET } from "../../../build/models-abi.js";
import { ARRAYS, type Dtype } from "../../graph/ir.js";
import { elementsIn, stridesOf } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import { copying, nothing, type Transfer } from "./copy.js";
import { type Axis, locating, placesOf, rowRecord, tableBytes } from "./rows.js";
import { stepsOf } from "./strided.js";

/** The kernel's reduction; undefined for one that it has not. */
function reductionOf(name: string, dtype: Dtype): number | undefined {
  if (name === "none") return ROWS_SET;
  // The host rounds narrower floats each time, and integers leave their range.
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  if (name === "add") return ROWS_ADD;
  if (name === "mul") return ROWS_MUL;
  if (name === "max") return ROWS_MAX;
  return name === "min" ? ROWS_MIN : undefined;
}

/** The steps between places along each axis of their list, if they are regular and go up, so that none comes twice. */
function risingSteps(places: Int32Array, shape: readonly number[]): number[] | undefined {
  const isRising = places.every((at, index) => index === 0 || places[index - 1]! < at);
  return isRising ? stepsOf(places, shape) : undefined;
}

export function compileScattered({ call, runtime }: Compiling): Compiled | undefined {
  const { dtype, shape } = call.input(0);
  const bytes = ARRAYS[dtype].BYTES_PER_ELEMENT;
  const indices = call.input(1);
  const depth = indices.shape.at(-1)!;
  const reduction = reductionOf(call.text("reduction", "none"), dtype);
  if (reduction === undefined || depth === 0) return undefined;
  const list = indices.shape.slice(0, -1);
  const count = elementsIn(list);
  const rowSize = elementsIn(shape.slice(depth));
  const axes: Axis[] = stridesOf(shape)
    .slice(0, depth)
    .map((stride, axis) => ({ size: shape[axis]!, step: stride * bytes }));
  const places = indices.data && placesOf(indices.data, axes);
  if (indices.data !== undefined && places === undefined) return undefined;
  const isEmpty = count * rowSize === 0;
  // An index may be wrong where there is nothing to put.
  if (isEmpty && places === undefined) return undefined;
  const steps = places && !isEmpty && reduction === ROWS_SET ? risingSteps(places, list) : undefined;

  const wholeCopy = (place: Place): Transfer[] => {
    const [source, target] = [place.input(0), place.output(0)];
    if (source === target) return [];
    const size = elementsIn(shape);
    return [{ shape: [size], source, sourceSteps: [bytes], target, targetSteps: [bytes], size: bytes }];
  };
  const regular = (place: Place): Transfer[] =>
    steps === undefined
      ? []
      : [
          {
            shape: [...list, rowSize],
            source: place.input(2),
            sourceSteps: stridesOf([...list, rowSize]).map((step) => step * bytes),
            target: place.output(0) + places![0]!,
            targetSteps: [...steps, bytes],
            size: bytes,
          },
        ];
  return {
    inPlace: 0,
    scratchBytes: places === undefined ? tableBytes(count) : 0,
    bind: (place) => {
      const copy = copying(runtime, place, [...wholeCopy(place), ...regular(place)]) ?? nothing;
      if (isEmpty || steps !== undefined) return copy;
      const table = places === undefined ? place.scratch : place.record(places);
      const record = rowRecord(place, {
        source: place.input(2),
        target: place.output(0),
        table,
        count,
        width: rowSize * bytes,
        reduction,
      });
      const { putRows } = modelKernels(runtime);
      const locateAll =
        places === undefined ? locating(runtime, call, place, { at: 1, count, axes, table }) : nothing;
      return () => {
        locateAll();
        copy();
        putRows(record);
      };
    },
  };
}
