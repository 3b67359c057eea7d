/** The record of the kernel `binary`: how two or three tensors are walked that are broadcast to one. */

import { BROADCAST_AXIS_BYTES, BROADCAST_BYTES } from "../../../build/models-abi.js";
import * as fields from "../../../build/records/broadcast.js";
import * as axisFields from "../../../build/records/broadcastaxis.js";
import type { Type } from "../../graph/ir.js";
import { broadcastStrides, elementsIn } from "../../graph/shapes.js";

/** An operand: its address, its shape, and the bytes of its numbers. */
export interface Operand {
  readonly address: number;
  readonly shape: Type["shape"];
  readonly bytes: number;
}

interface Axis {
  size: number;
  /** Elements from one to the next, for each operand. */
  readonly strides: number[];
}

/** The axes of a walk; those along which every operand goes on as it does along the next one are one. */
function mergedAxes(shape: readonly number[], operands: readonly Operand[]): Axis[] {
  const strides = operands.map((operand) => broadcastStrides(operand.shape, shape));
  const axes: Axis[] = [];
  for (const [at, size] of shape.entries()) {
    if (size === 1) continue;
    const own = strides.map((each) => each[at]!);
    const outer = axes.at(-1);
    if (outer?.strides.every((stride, operand) => stride === own[operand]! * size)) {
      outer.size *= size;
      for (const [operand, stride] of own.entries()) outer.strides[operand] = stride;
    } else axes.push({ size, strides: own });
  }
  return axes;
}

/** The words of the record, for an output of `shape`, which has a number at least. */
export function broadcastRecord(
  kind: number,
  output: { readonly address: number; readonly shape: readonly number[] },
  operands: readonly Operand[],
): Int32Array {
  const axes = mergedAxes(output.shape, operands);
  const row = axes.pop() ?? { size: 1, strides: operands.map(() => 1) };
  const axisWords = BROADCAST_AXIS_BYTES / 4;
  const words = new Int32Array(BROADCAST_BYTES / 4 + axes.length * axisWords);
  words[fields.kind] = kind;
  words[fields.axes] = axes.length;
  words[fields.count] = row.size;
  words[fields.rows] = elementsIn(axes.map(({ size }) => size));
  words[fields.output] = output.address;
  const places = [
    [fields.a, fields.aRuns, axisFields.aStride],
    [fields.b, fields.bRuns, axisFields.bStride],
    [fields.c, fields.cRuns, axisFields.cStride],
  ] as const;
  for (const [operand, { address, bytes }] of operands.entries()) {
    const [addressField, runsField, strideField] = places[operand]!;
    words[addressField] = address;
    words[runsField] = row.strides[operand]!;
    for (const [at, { size, strides }] of axes.entries()) {
      const from = BROADCAST_BYTES / 4 + at * axisWords;
      words[from + axisFields.size] = size;
      words[from + strideField] = strides[operand]! * bytes;
    }
  }
  return words;
}
