/** What operators take of input 0, where that lies at regular distances. Undefined for a node whose does not. */

import type { Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { cuts, permutation, repeats } from "../../graph/operators/move.js";
import { around, broadcastStrides, elementsIn, stridesOf } from "../../graph/shapes.js";
import { type Strided, stepsOf } from "./strided.js";

/** One for each output. */
export type Reading = (call: Call, types: readonly Type[]) => readonly Strided[] | undefined;

/** All of it, as it lies. */
export const readAll: Reading = (call) => {
  const size = elementsIn(call.input(0).shape);
  return [{ start: 0, shape: [size], steps: [1] }];
};

export const readTransposed: Reading = (call, [type]) => {
  const strides = stridesOf(call.input(0).shape);
  return [{ start: 0, shape: type!.shape, steps: permutation(call).map((axis) => strides[axis]!) }];
};

export const readSlice: Reading = (call, [type]) => {
  const strides = stridesOf(call.input(0).shape);
  const parts = cuts(call);
  const start = parts.reduce((sum, part, axis) => sum + part.start * strides[axis]!, 0);
  return [{ start, shape: type!.shape, steps: parts.map(({ step }, axis) => step * strides[axis]!) }];
};

export const readSplit: Reading = (call, types) => {
  const { shape } = call.input(0);
  const steps = stridesOf(shape);
  const axis = call.axis(call.int("axis", 0), shape.length);
  let start = 0;
  return types.map((type) => {
    const part = { start, shape: type.shape, steps };
    start += type.shape[axis]! * steps[axis]!;
    return part;
  });
};

export const readExpanded: Reading = (call, [type]) => {
  const { shape } = type!;
  return [{ start: 0, shape, steps: broadcastStrides(call.input(0).shape, shape) }];
};

export const readTiled: Reading = (call) => {
  const { shape } = call.input(0);
  const strides = stridesOf(shape);
  // As if each axis were two: repeats, then sizes.
  return [
    {
      start: 0,
      shape: repeats(call).flatMap((count, axis) => [count, shape[axis]!]),
      steps: strides.flatMap((stride) => [0, stride]),
    },
  ];
};

/** Of a Gather, by constant indices that go by a step along each axis of their list, as those of a window do. */
export const readGathered: Reading = (call) => {
  const { shape } = call.input(0);
  const axis = call.axis(call.int("axis", 0), shape.length);
  const { outer, size, inner } = around(shape, axis);
  const { data: stated, shape: list } = call.input(1);
  // What is wrong with an index is said by the host.
  if (stated === undefined || !stated.every((index) => index >= -size && index < size)) return undefined;
  const indices = stated.map((index) => (index < 0 ? index + size : index));
  const steps = stepsOf(indices, list);
  if (steps === undefined) return undefined;
  return [
    {
      start: (indices[0] ?? 0) * inner,
      shape: [outer, ...list, inner],
      steps: [size * inner, ...steps.map((step) => step * inner), 1],
    },
  ];
};
