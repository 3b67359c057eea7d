/** The same numbers in another shape: what costs nothing at run time. */

import type { HostTensor, Type } from "../ir.js";
import { type Call, type GivingOperator, int64s } from "../operator.js";
import { elementsIn } from "../shapes.js";

const PLAIN: GivingOperator["attributes"] = { consumed_inputs: "ints" };

/** The first input's type, in another shape. */
const shaped = (call: Call, shape: readonly number[]): readonly Type[] => [
  { dtype: call.input(0).dtype, shape },
];

/** The first input's numbers, in the shape that was found. */
const given = (call: Call, [type]: readonly Type[]): readonly HostTensor[] => [
  { ...type!, data: call.data(0).data },
];

function reshaped(call: Call, input: readonly number[]): readonly number[] {
  const allowZero = call.flag("allowzero", false);
  const stated = call.intsOf("shape", 1);
  if (stated === undefined) throw call.broken("no shape is given");
  const shape = stated.map((size, axis) => {
    if (size !== 0 || allowZero) return size;
    const copied = input[axis];
    if (copied === undefined) throw call.broken(`the new shape copies axis ${axis}, which the input has not`);
    return copied;
  });
  const free = shape.indexOf(-1);
  const wrong = () => call.broken(`shape [${input.join(", ")}] does not become [${stated.join(", ")}]`);
  if (free >= 0) {
    const others = elementsIn(shape.filter((_, axis) => axis !== free));
    const size = others === 0 ? Number.NaN : elementsIn(input) / others;
    if (!Number.isInteger(size)) throw wrong();
    shape[free] = size;
  }
  if (elementsIn(call.checkShape(shape)) !== elementsIn(input)) throw wrong();
  return shape;
}

function squeezed(call: Call, input: readonly number[]): readonly number[] {
  const stated = call.intsOf("axes", 1);
  if (stated === undefined) return input.filter((size) => size !== 1);
  const axes = call.axes(stated, input.length);
  for (const axis of axes) {
    if (input[axis] !== 1) throw call.broken(`axis ${axis} of shape [${input.join(", ")}] is not of size 1`);
  }
  return input.filter((_, axis) => !axes.includes(axis));
}

function unsqueezed(call: Call, input: readonly number[]): readonly number[] {
  const stated = call.intsOf("axes", 1);
  if (stated === undefined) throw call.broken("no axes are given");
  const shape = input.slice();
  for (const axis of call.axes(stated, input.length + stated.length)) shape.splice(axis, 0, 1);
  return shape;
}

function flattened(call: Call, input: readonly number[]): readonly number[] {
  const rank = input.length;
  const stated = call.int("axis", 1);
  const axis = stated === rank ? rank : call.axis(stated, rank);
  return [elementsIn(input.slice(0, axis)), elementsIn(input.slice(axis))];
}

/** The identity of inference. */
function dropout(call: Call, input: readonly number[]): readonly number[] {
  if (call.node.outputs[1] !== undefined) throw call.refused("output mask is not supported");
  if (call.has(2) && call.scalar(2) !== 0) throw call.refused("training mode is not supported");
  return input;
}

/** The part of a shape that Shape asks for. */
function partOfShape(call: Call): readonly number[] {
  const { shape } = call.input(0);
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  return shape.slice(clamp(call.int("start", 0)), clamp(call.int("end", shape.length)));
}

export const Identity: GivingOperator = {
  name: "Identity",
  attributes: PLAIN,
  shape: (call) => shaped(call, call.input(0).shape),
  give: given,
};

export const Reshape: GivingOperator = {
  name: "Reshape",
  attributes: { shape: "ints", allowzero: "int", consumed_inputs: "ints" },
  shape: (call) => shaped(call, reshaped(call, call.input(0).shape)),
  give: given,
};

export const Squeeze: GivingOperator = {
  name: "Squeeze",
  attributes: { axes: "ints", consumed_inputs: "ints" },
  shape: (call) => shaped(call, squeezed(call, call.input(0).shape)),
  give: given,
};

export const Unsqueeze: GivingOperator = {
  name: "Unsqueeze",
  attributes: { axes: "ints", consumed_inputs: "ints" },
  shape: (call) => shaped(call, unsqueezed(call, call.input(0).shape)),
  give: given,
};

export const Flatten: GivingOperator = {
  name: "Flatten",
  attributes: { axis: "int", consumed_inputs: "ints" },
  shape: (call) => shaped(call, flattened(call, call.input(0).shape)),
  give: given,
};

export const Dropout: GivingOperator = {
  name: "Dropout",
  attributes: { ratio: "float", is_test: "int", seed: "int", consumed_inputs: "ints" },
  shape: (call) => shaped(call, dropout(call, call.input(0).shape)),
  give: given,
};

export const Shape: GivingOperator = {
  name: "Shape",
  attributes: { start: "int", end: "int" },
  shape: (call) => [{ dtype: "int64", shape: [partOfShape(call).length] }],
  give: (call) => [int64s(partOfShape(call))],
};

export const Size: GivingOperator = {
  name: "Size",
  attributes: {},
  shape: (call) => [{ dtype: "int64", shape: call.input(0).shape.slice(0, 0) }],
  give: (call) => [int64s([elementsIn(call.input(0).shape)], [])],
};
