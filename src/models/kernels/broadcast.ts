/** The record of the kernel `binary`: how two or three tensors are walked that are broadcast to one. */

import { BROADCAST_AXIS_BYTES, BROADCAST_BYTES } from "../../../build/models-abi.js";
import * as fields from "../../../build/records/broadcast.js";
import * as axisFields from "../../../build/records/broadcastaxis.js";
import type { Type } from "../../graph/ir.js";
import { broadcastStrides, elementsIn } from "../../graph/shapes.js";
import type { Place } from "../operator.js";

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

/**
 * The record of a walk over two or three operands; the output has a number at least.
 * @param types  where they are no float32, bytes and words: those of numbers (assembly/models/records.ts)
 */
export function broadcastRecord(
  place: Place,
  kind: number,
  output: { readonly address: number; readonly shape: readonly number[] },
  operands: readonly [Operand, Operand, (Operand | undefined)?],
  types = 0,
): number {
  const [a, b, c = { address: 0, shape: [], bytes: 0 }] = operands;
  const all = [a, b, c];
  const axes = mergedAxes(output.shape, all);
  const row = axes.pop() ?? { size: 1, strides: all.map(() => 1) };
  const words = new Int32Array((BROADCAST_BYTES + axes.length * BROADCAST_AXIS_BYTES) / 4);
  words[fields.kind] = kind;
  words[fields.types] = types;
  words[fields.axes] = axes.length;
  words[fields.count] = row.size;
  words[fields.rows] = elementsIn(axes.map(({ size }) => size));
  words[fields.output] = output.address;
  words[fields.rooms] = place.record(new Int32Array(12));
  words[fields.a] = a.address;
  words[fields.b] = b.address;
  words[fields.c] = c.address;
  words[fields.aRuns] = row.strides[0]!;
  words[fields.bRuns] = row.strides[1]!;
  words[fields.cRuns] = row.strides[2]!;
  for (const [at, { size, strides }] of axes.entries()) {
    const axis = words.subarray((BROADCAST_BYTES + at * BROADCAST_AXIS_BYTES) / 4);
    axis[axisFields.size] = size;
    axis[axisFields.at] = 0;
    axis[axisFields.aStride] = strides[0]! * a.bytes;
    axis[axisFields.bStride] = strides[1]! * b.bytes;
    axis[axisFields.cStride] = strides[2]! * c.bytes;
  }
  return place.record(words);
}
