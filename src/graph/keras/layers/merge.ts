/** Layers that make one tensor of several. */

import { isObject } from "../../../formats/json.js";
import { mergesMasks } from "../../../formats/keras/version.js";
import { show } from "../../../tensor/checks.js";
import type { Value } from "../../ir.js";
import type { KerasOperator } from "../emitted.js";
import type { LayerCall, LayerFunction } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";
import { axisOf } from "./axes.js";
import { unitNorm } from "./normalise.js";

type Join = (call: LayerCall, a: Value, b: Value) => Value;

const by =
  (operator: KerasOperator): Join =>
  (call, a, b) =>
    call.builder.one(operator, [a, b]);

export const add: LayerFunction = (call) => joined(call, by("Add"));
export const multiply: LayerFunction = (call) => joined(call, by("Mul"), product);
export const maximum: LayerFunction = (call) => joined(call, by("Max"), extreme);
export const minimum: LayerFunction = (call) => joined(call, by("Min"), extreme);

export function subtract(call: LayerCall): readonly KerasTensor[] {
  if (call.inputs.length !== 2) call.broken(`expected 2 inputs, got ${call.inputs.length}`);
  return joined(call, by("Sub"));
}

export function average(call: LayerCall): readonly KerasTensor[] {
  const [sum] = joined(call, by("Add")) as [KerasTensor];
  const { builder } = call;
  const value = builder.mul(builder.floats(sum), builder.scalar(1 / call.inputs.length));
  return [{ ...sum, value, dtype: "float32" }];
}

/** The size of an axis of tensors that are broadcast; where one is open the other may be 1. */
function broadcast(call: LayerCall, a: number | null, b: number | null): number | null {
  if (a === 1 || a === b) return b;
  if (b === 1) return a;
  if (a === null || b === null) return a ?? b;
  return call.broken(`its inputs have axes of ${a} and ${b}`);
}

/** Inputs of one type and as many axes: those of fewer get axes after the batch. */
function alike(call: LayerCall): readonly KerasTensor[] {
  const { builder, inputs } = call;
  if (inputs.length === 0) call.broken("expected inputs, got none");
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const isOne = inputs.every(({ dtype }) => dtype === inputs[0]!.dtype && dtype !== "bool");
  return inputs.map((input) => {
    let value = isOne ? input.value : builder.floats(input);
    let { shape } = input;
    if (input.time && shape.length < rank) call.notStreamable("it joins tensors of different axes");
    while (shape.length < rank) {
      value = builder.unsqueeze(value, 1);
      shape = [shape[0]!, 1, ...shape.slice(1)];
    }
    return { ...input, value, shape, dtype: isOne ? input.dtype : "float32" };
  });
}

/** What Keras 3 makes of inputs of which some have masks. @param masks of as many axes as the inputs */
type MaskedJoin = (
  call: LayerCall,
  inputs: readonly KerasTensor[],
  masks: readonly (Value | undefined)[],
  join: Join,
) => Value;

function joined(call: LayerCall, join: Join, masked?: MaskedJoin): readonly KerasTensor[] {
  const inputs = alike(call);
  const time = inputs.some((input) => input.time);
  const shape = inputs
    .map((input) => input.shape)
    .reduce((all, other) => all.map((size, axis) => broadcast(call, size, other[axis]!)));
  const mask = jointMask(call);
  const masks = masked === undefined ? undefined : wideMasks(call, shape.length);
  const value =
    masks === undefined
      ? inputs.map((input) => input.value).reduce((all, other) => join(call, all, other))
      : masked!(call, inputs, masks, join);
  return [call.tensor(value, shape, { dtype: inputs[0]!.dtype, time, mask })];
}

/** The masks of the inputs [N, T, 1], where Keras computes with them; undefined where none has one. */
function wideMasks(call: LayerCall, rank: number): readonly (Value | undefined)[] | undefined {
  const { builder, inputs, version } = call;
  const isPlain = version.major < 3 || !mergesMasks(version);
  if (isPlain || inputs.every(({ mask }) => mask === undefined)) return undefined;
  if (rank !== 3) call.refuse(`masks of inputs of ${rank} axes are not supported`);
  return inputs.map(({ mask }) => mask && builder.unsqueeze(mask, 2));
}

/** A step that does not count is one of ones, and one that counts in none of zeros. */
const product: MaskedJoin = (call, inputs, masks, join) => {
  const { builder } = call;
  const number = (of: number) => builder.scalar(of, inputs[0]!.dtype);
  const value = inputs
    .map((input, at) =>
      masks[at] === undefined ? input.value : builder.one("Where", [masks[at], input.value, number(1)]),
    )
    .reduce((all, other) => join(call, all, other));
  const given = masks.filter((mask) => mask !== undefined);
  if (given.length < masks.length) return value;
  return builder.one("Where", [joinMasks(builder, given, "Or"), value, number(0)]);
};

/** At a step that does not count in one of two the number of the other stands. */
const extreme: MaskedJoin = (call, inputs, masks, join) => {
  const { builder } = call;
  const pick = (mask: Value | undefined, x: Value, other: Value) =>
    mask === undefined ? x : builder.one("Where", [mask, x, other]);
  let { value } = inputs[0]!;
  let all = masks[0];
  for (const [at, input] of inputs.entries()) {
    if (at === 0) continue;
    const mask = masks[at];
    const other = pick(mask, input.value, value);
    value = join(call, pick(all, value, other), other);
    all = all && mask && joinMasks(builder, [all, mask], "Or");
  }
  return value;
};

/**
 * Which steps count of tensors that are joined: in Keras 3 those that count in any, where each has a mask; before those
 * that count in all that have one.
 */
function jointMask(call: LayerCall): Value | undefined {
  const { builder, inputs, version } = call;
  const masks = inputs.map((input) => call.maskOf(input));
  const given = masks.filter((mask) => mask !== undefined);
  if (!mergesMasks(version)) return undefined;
  if (given.length === 0 || (version.major === 3 && given.length < masks.length)) return undefined;
  return joinMasks(builder, given, version.major === 3 ? "Or" : "And");
}

const joinMasks = (builder: LayerCall["builder"], masks: readonly Value[], operator: "Or" | "And") =>
  masks.reduce((all, mask) => (mask === all ? all : builder.one(operator, [all, mask])));

export function concatenate(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const inputs = alike(call);
  const rank = inputs[0]!.shape.length;
  if (call.inputs.some(({ shape }) => shape.length !== rank)) {
    call.broken(`its inputs have ${call.inputs.map(({ shape }) => shape.length).join(", ")} axes`);
  }
  const stated = call.field("concat_axis") ?? call.field("axis") ?? -1;
  const axis = axisOf(call, stated, rank);
  const time = inputs.some((input) => input.time);
  if (time && axis === 1) call.notStreamable("it joins tensors along time");
  const shape = inputs[0]!.shape.map((_, at) =>
    inputs
      .map((input): number | null => input.shape[at]!)
      .reduce(at === axis ? sumOf : (a, b) => sameSize(call, a, b)),
  );
  const value = builder.concat(
    inputs.map((input) => input.value),
    axis,
  );
  return [call.tensor(value, shape, { dtype: inputs[0]!.dtype, time, mask: maskAlong(call, inputs, axis) })];
}

/** Keras 1 has one class for them. */
export function merge(call: LayerCall): readonly KerasTensor[] {
  const modes = { sum: add, mul: multiply, ave: average, max: maximum, concat: concatenate };
  const names = Object.keys(modes) as (keyof typeof modes)[];
  return modes[call.word("mode", names, "sum")](call);
}

const sumOf = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a + b;

function sameSize(call: LayerCall, a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return a === b ? a : call.broken(`its inputs have axes of ${a} and ${b}`);
}

function maskAlong(call: LayerCall, inputs: readonly KerasTensor[], axis: number): Value | undefined {
  const { builder, version } = call;
  const masks = inputs.map((input) => call.maskOf(input));
  const given = masks.filter((mask) => mask !== undefined);
  if (given.length === 0 || !mergesMasks(version)) return undefined;
  const rank = inputs[0]!.shape.length;
  if (axis === 1 && rank > 2) {
    const all = inputs.map(({ value, mask }) => mask ?? everyStep(builder, value));
    return builder.concat(all, 1);
  }
  if (axis !== rank - 1) return call.refuse("masks that are joined along another axis than the last");
  if (version.major < 3) return joinMasks(builder, given, "And");
  return given.length < masks.length ? undefined : joinMasks(builder, given, "Or");
}

/** Truth for every step of a tensor. */
function everyStep(builder: LayerCall["builder"], value: Value): Value {
  return builder.one("ConstantOfShape", [builder.shapeOf(value, 0, 2)], {
    value: { kind: "tensor", value: () => ({ dtype: "bool", shape: [1], data: Uint8Array.of(1) }) },
  });
}

/** Sums of products over an axis of each. */
export function dot(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  if (call.inputs.length !== 2) call.broken(`expected 2 inputs, got ${call.inputs.length}`);
  const [x, y] = call.inputs as [KerasTensor, KerasTensor];
  for (const { shape } of [x, y]) {
    if (shape.length < 2) call.broken(`expected an input of 2 axes or more, got ${shape.length}`);
  }
  if (x.time || y.time) call.notStreamable("it sums over axes of several steps");
  const stated = call.field("axes");
  const both = Array.isArray(stated) ? stated : [stated, stated];
  if (both.length !== 2 || isObject(stated)) call.broken(`axes: expected two axes, got ${show(stated)}`);
  const normalize = call.flag("normalize");
  const side = (tensor: KerasTensor, which: 0 | 1) => {
    const axis = axisOf(call, both[which], tensor.shape.length, "axes");
    const plain = builder.floats(tensor);
    const value = normalize ? unitNorm(builder, plain, [axis]) : plain;
    const rest = tensor.shape.flatMap((_, at) => (at === 0 || at === axis ? [] : [at]));
    // The axis that is summed over stands last, or in the second one first.
    const turned = builder.transpose(value, which === 0 ? [0, ...rest, axis] : [0, axis, ...rest]);
    let matrix = turned;
    if (rest.length === 0) matrix = builder.unsqueeze(turned, which === 0 ? 1 : 2);
    else if (rest.length > 1) {
      matrix = builder.reshape(turned, which === 0 ? [0, -1, call.size(tensor, axis)] : [0, 0, -1]);
    }
    return { matrix, size: tensor.shape[axis]!, rest: rest.map((at) => tensor.shape[at]!) };
  };
  const [a, b] = [side(x, 0), side(y, 1)];
  sameSize(call, a.size, b.size);
  const product = builder.matmul(a.matrix, b.matrix);
  const sizes = [...a.rest, ...b.rest];
  if (sizes.length === 0) sizes.push(1);
  const isMatrix = a.rest.length === 1 && b.rest.length === 1;
  const value = isMatrix ? product : builder.reshape(product, [0, ...call.reshaped(sizes)]);
  return [call.tensor(value, [x.shape[0]!, ...sizes])];
}
