/** Attention: what steps of one sequence take from those of another. */

import type { Tensor } from "../../../tensor/tensor.js";
import type { Value } from "../../ir.js";
import { maskedSoftmax } from "../activations.js";
import { type GraphBuilder, int } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";
import { axisOf } from "./axes.js";

/** The tensors of a call, which may be keywords. */
function operandsOf(call: LayerCall): [query: KerasTensor, value: KerasTensor, key: KerasTensor] {
  const of = (at: number, name: string) => call.inputs[at] ?? call.keyword(name);
  const query = of(0, "query") ?? call.broken("its query is missing");
  const value = of(1, "value") ?? call.broken("its value is missing");
  const key = of(2, "key") ?? value;
  const rank = query.shape.length;
  if (rank < 3) call.broken(`expected an input of 3 axes or more, got ${rank}`);
  for (const operand of [query, value, key]) call.maskOf(call.ranked(operand, rank));
  if (query.time || value.time || key.time) call.notStreamable("it attends to other steps of time");
  return [query, value, key];
}

/** [1, T, S]: truth where a step is not after the one that asks. @param at the axis of steps */
function causalMask(builder: GraphBuilder, query: Value, value: Value, at: number): Value {
  const [zero, one] = [0, 1].map((number) => builder.scalar(number, "int64"));
  const places = (of: Value, axis: number) => {
    const size = builder.squeeze(builder.shapeOf(of, at, at + 1), 0);
    return builder.unsqueeze(builder.one("Range", [zero, size, one]), axis);
  };
  return builder.unsqueeze(builder.one("GreaterOrEqual", [places(query, 1), places(value, 0)]), 0);
}

function joinAll(builder: GraphBuilder, masks: readonly (Value | undefined)[]): Value | undefined {
  const given = masks.filter((mask) => mask !== undefined);
  return given.length === 0 ? undefined : given.reduce((all, mask) => builder.one("And", [all, mask]));
}

export const attention = (call: LayerCall) => attend(call, scoresOf);
export const additiveAttention = (call: LayerCall) => attend(call, additiveScores);

/** @param rank of both */
type Scores = (call: LayerCall, query: Value, key: Value, rank: number) => Value;

/** The value with its last two axes in the other order. */
function swapped(builder: GraphBuilder, value: Value, rank: number): Value {
  return builder.transpose(value, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

function scoresOf(call: LayerCall, query: Value, key: Value, rank: number): Value {
  const { builder } = call;
  const scale = call.flag("use_scale") ? builder.weight(call.shaped("scale", [])) : undefined;
  if (call.word("score_mode", ["dot", "concat"], "dot") === "dot") {
    const scores = builder.matmul(query, swapped(builder, key, rank));
    return scale === undefined ? scores : builder.mul(scores, scale);
  }
  const sums = sumsOf(builder, query, key, rank);
  const curves = builder.one("Tanh", [scale === undefined ? sums : builder.mul(sums, scale)]);
  const weight = call.shaped("concat_score_weight", [], scale === undefined ? 0 : 1);
  return builder.mul(lastSum(builder, curves), builder.weight(weight));
}

function additiveScores(call: LayerCall, query: Value, key: Value, rank: number): Value {
  const { builder } = call;
  const curves = builder.one("Tanh", [sumsOf(builder, query, key, rank)]);
  if (!call.flag("use_scale", true)) return lastSum(builder, curves);
  return lastSum(builder, builder.mul(curves, builder.weight(call.shaped("scale", [-1]))));
}

/** [N, ..., T, S, D]: every query with every key. */
const sumsOf = (builder: GraphBuilder, query: Value, key: Value, rank: number): Value =>
  builder.add(builder.unsqueeze(query, rank - 1), builder.unsqueeze(key, rank - 2));

const lastSum = (builder: GraphBuilder, x: Value): Value =>
  builder.one("ReduceSum", [x, builder.ints([-1])], { keepdims: int(0) });

function attend(call: LayerCall, scores: Scores): readonly KerasTensor[] {
  const { builder } = call;
  const [query, value, key] = operandsOf(call);
  const [q, v, k] = [query, value, key].map((operand) => builder.floats(operand)) as [Value, Value, Value];
  const rank = query.shape.length;
  if (rank > 3 && (query.mask ?? value.mask) !== undefined)
    call.refuse(`masks of inputs of ${rank} axes are not supported`);
  const isCausal = call.kwargs.get("use_causal_mask") === true || call.flag("causal");
  const mask = joinAll(builder, [
    value.mask && builder.unsqueeze(value.mask, 1),
    isCausal ? causalMask(builder, q, k, rank - 2) : undefined,
  ]);
  const weights = maskedSoftmax(builder, scores(call, q, k, rank), mask);
  let made = builder.matmul(weights, v);
  if (query.mask !== undefined) {
    made = builder.mul(made, builder.unsqueeze(builder.cast(query.mask, "bool", "float32"), 2));
  }
  const steps = query.shape.slice(0, -1);
  const output = call.tensor(made, [...steps, value.shape.at(-1)!], { mask: query.mask, time: query.time });
  if (call.kwargs.get("return_attention_scores") !== true) return [output];
  return [output, call.tensor(weights, [...steps, key.shape.at(-2)!])];
}

/**
 * The matrix and the bias of a projection: named in .h5, numbered in .keras.
 * @param shape of the matrix
 * @param axes of it that the bias has: the last ones
 */
function projection(
  call: LayerCall,
  name: "query" | "key" | "value" | "output",
  shape: readonly number[],
  axes: 1 | 2,
) {
  const folder = name === "output" ? "attention_output" : name;
  const find = (weight: "kernel" | "bias", at: number): Tensor | undefined =>
    [`${folder}/${weight}`, `_${name}_dense/${at}`, `${name}_dense/${at}`]
      .map((path) => call.optional(path))
      .find((tensor) => tensor !== undefined);
  const path = `${folder}/kernel`;
  const kernel = call.checked(path, find("kernel", 0) ?? call.weight(path), shape);
  const bias = find("bias", 1);
  return { kernel, bias: bias && call.checked(`${folder}/bias`, bias, kernel.shape.slice(-axes)) };
}

/** The axes between batch and units that it attends over, and those that only stand beside them. */
function attentionAxes(call: LayerCall, rank: number): { over: readonly number[]; rest: readonly number[] } {
  const all = Array.from({ length: rank - 2 }, (_, at) => at + 1);
  const stated = [call.field("attention_axes") ?? all].flat();
  const over = stated.map((axis) => axisOf(call, axis, rank, "attention_axes"));
  if (new Set(over).size < over.length || over.length === 0 || over.includes(rank - 1)) {
    call.refuse(`attention_axes: [${over.join(", ")}] of ${rank} axes is not supported`);
  }
  return { over, rest: all.filter((axis) => !over.includes(axis)) };
}

export function multiHeadAttention(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const [query, value, key] = operandsOf(call);
  const rank = query.shape.length;
  const { over, rest } = attentionAxes(call, rank);
  for (const option of ["use_gate", "sliding_window"]) {
    if ((call.field(option) ?? false) !== false) call.refuse(`${option} is not supported`);
  }
  const heads = call.integer("num_heads", undefined, 1);
  const size = call.integer("key_dim", undefined, 1);
  const valueSize = call.integer("value_dim", size, 1);
  // Batch, what stands beside, heads, what is attended over, and units.
  const order = [0, ...rest, rank - 1, ...over, rank];
  const lead = new Array<number>(rest.length + 2).fill(0);
  const kept = new Array<number>(rank - 1).fill(0);
  const sizes = ({ shape }: KerasTensor) => over.map((axis) => shape[axis]!);
  /** [N, ..., H, T, K], where T is all axes that are attended over. */
  const split = (x: KerasTensor, name: "query" | "key" | "value", width: number): Value => {
    const units = call.size(x, -1);
    const { kernel, bias } = projection(call, name, [units, heads, width], 2);
    let made = builder.matmul(builder.floats(x), builder.weight(kernel, [units, heads * width]));
    if (bias !== undefined) made = builder.add(made, builder.weight(bias, [heads * width]));
    const turned = builder.transpose(builder.reshape(made, [...kept, heads, width]), order);
    return over.length === 1 ? turned : builder.reshape(turned, [...lead, -1, width]);
  };
  const scale = builder.scalar(1 / Math.sqrt(size));
  const q = builder.mul(split(query, "query", size), scale);
  const k = swapped(builder, split(key, "key", size), lead.length + 2);
  const mask = headMask(call, [query, value, key], over);
  const weights = maskedSoftmax(builder, builder.matmul(q, k), mask);
  const attended = builder.matmul(weights, split(value, "value", valueSize));
  const parted =
    over.length === 1
      ? attended
      : builder.reshape(attended, [...lead, ...call.reshaped(sizes(query)), valueSize]);
  const joined = builder.transpose(
    parted,
    order.map((_, axis) => order.indexOf(axis)),
  );
  const { kernel, bias } = projection(call, "output", [heads, valueSize, -1], 1);
  const width = heads * valueSize;
  const units = kernel.shape[2]!;
  let made = builder.matmul(
    builder.reshape(joined, [...kept, width]),
    builder.weight(kernel, [width, units]),
  );
  if (bias !== undefined) made = builder.add(made, builder.weight(bias));
  const output = call.tensor(made, [...query.shape.slice(0, -1), units], {
    mask: query.mask,
    time: query.time,
  });
  if (call.kwargs.get("return_attention_scores") !== true) return [output];
  const scores = [...sizes(query), ...sizes(key)];
  return [
    output,
    call.tensor(over.length === 1 ? weights : builder.reshape(weights, [...lead, ...call.reshaped(scores)]), [
      query.shape[0]!,
      ...rest.map((axis) => query.shape[axis]!),
      heads,
      ...scores,
    ]),
  ];
}

/** [N or 1, ..., 1, T or 1, S]: which scores count, of as many axes as these. */
function headMask(
  call: LayerCall,
  [query, value, key]: readonly [query: KerasTensor, value: KerasTensor, key: KerasTensor],
  over: readonly number[],
): Value | undefined {
  const { builder } = call;
  const maskOf = (tensor: KerasTensor, name: string): Value | undefined =>
    call.keyword(name)?.value ?? tensor.mask;
  const [ofQuery, ofValue] = [maskOf(query, "query_mask"), maskOf(value, "value_mask")];
  const ofKey = key === value ? undefined : maskOf(key, "key_mask");
  const own = joinAll(builder, [
    ofQuery && builder.unsqueeze(ofQuery, 2),
    ofValue && builder.unsqueeze(ofValue, 1),
    ofKey && builder.unsqueeze(ofKey, 1),
    call.kwargs.get("use_causal_mask") === true
      ? causalMask(builder, query.value, value.value, 1)
      : undefined,
  ]);
  // They are of the first axis after the batch.
  if (own !== undefined && over.join() !== "1")
    call.refuse("masks of other axes than attention_axes are not supported");
  const given = call.keyword("attention_mask");
  let axes = given?.shape.length ?? 3;
  const isOther = own !== undefined && axes !== 3;
  if (given !== undefined && (isOther || axes < 2 * over.length || axes > query.shape.length + over.length)) {
    call.refuse(`an attention_mask of ${axes} axes is not supported`);
  }
  let all = joinAll(builder, [own, given && builder.cast(given.value, given.dtype, "bool")]);
  if (all === undefined) return undefined;
  if (over.length > 1) {
    // The axes that are attended over are one here.
    const count = axes - 2 * over.length;
    const sizeOf = ({ shape }: KerasTensor) =>
      over.reduce<number | null>((product, axis) => product && shape[axis]! && product * shape[axis]!, 1);
    all = builder.reshape(all, [
      ...new Array<number>(count).fill(0),
      ...call.reshaped([sizeOf(query), sizeOf(key)]),
    ]);
    axes = count + 2;
  }
  const scores = query.shape.length - over.length + 2;
  for (; axes < scores; axes++) all = builder.unsqueeze(all, axes - 2);
  return all;
}
