/** The same numbers in another shape: what costs nothing at run time. */

import type { HostTensor } from "../ir.js";
import { type Call, int64s, type PlainOperator } from "../operator.js";
import { elementsIn } from "../shapes.js";

/** An operator that gives its first input's numbers in the shape that `shape` says. */
function view(
  name: string,
  attributes: PlainOperator["attributes"],
  shape: (call: Call, input: readonly number[]) => readonly number[],
): PlainOperator {
  return {
    name,
    attributes: { consumed_inputs: "ints", ...attributes },
    shape: (call) => [{ dtype: call.input(0).dtype, shape: shape(call, call.input(0).shape) }],
    give: (call, [type]) => [{ ...type!, data: call.data(0).data }],
  };
}

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

/** Operators of shapes alone: what they give is known before the numbers are. */
const ofShape = (
  name: string,
  attributes: PlainOperator["attributes"],
  give: (call: Call) => HostTensor,
): PlainOperator => ({
  name,
  attributes,
  shape: (call) => {
    const { dtype, shape } = give(call);
    return [{ dtype, shape }];
  },
  give: (call) => [give(call)],
});

export const reshapeOperators: readonly PlainOperator[] = [
  view("Identity", {}, (_, input) => input),
  view("Reshape", { shape: "ints", allowzero: "int" }, reshaped),
  view("Squeeze", { axes: "ints" }, squeezed),
  view("Unsqueeze", { axes: "ints" }, unsqueezed),
  view("Flatten", { axis: "int" }, flattened),
  view("Dropout", { ratio: "float", is_test: "int", seed: "int" }, dropout),
  ofShape("Shape", { start: "int", end: "int" }, (call) => int64s(partOfShape(call))),
  ofShape("Size", {}, (call) => int64s([elementsIn(call.input(0).shape)], [])),
];
