/** Attention: what steps of one sequence take from those of another. */

import type { Tensor } from "../../../tensor/tensor.js";
import type { Value } from "../../ir.js";
import { maskedSoftmax } from "../activations.js";
import { type GraphBuilder, int } from "../builder.js";
import type { LayerCall } from "../layer-call.js";
import type { KerasTensor } from "../tensor.js";

/** The tensors of a call, which may be keywords. */
function operandsOf(call: LayerCall): [query: KerasTensor, value: KerasTensor, key: KerasTensor] {
  const of = (at: number, name: string) => call.inputs[at] ?? call.keyword(name);
  const query = of(0, "query") ?? call.broken("its query is missing");
  const value = of(1, "value") ?? call.broken("its value is missing");
  const key = of(2, "key") ?? value;
  for (const operand of [query, value, key]) call.maskOf(call.ranked(operand, 3));
  if (query.time || value.time || key.time) call.notStreamable("it attends to other steps of time");
  return [query, value, key];
}

/** [1, T, S]: truth where a step is not after the one that asks. */
function causalMask(builder: GraphBuilder, query: Value, value: Value): Value {
  const [zero, one] = [0, 1].map((number) => builder.scalar(number, "int64"));
  const places = (of: Value, axis: number) => {
    const size = builder.squeeze(builder.shapeOf(of, 1, 2), 0);
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

type Scores = (call: LayerCall, query: Value, key: Value) => Value;

function scoresOf(call: LayerCall, query: Value, key: Value): Value {
  const { builder } = call;
  const scale = call.flag("use_scale") ? builder.weight(call.shaped("scale", [])) : undefined;
  if (call.word("score_mode", ["dot", "concat"], "dot") === "dot") {
    const scores = builder.matmul(query, builder.transpose(key, [0, 2, 1]));
    return scale === undefined ? scores : builder.mul(scores, scale);
  }
  const sums = sumsOf(builder, query, key);
  const curves = builder.one("Tanh", [scale === undefined ? sums : builder.mul(sums, scale)]);
  const weight = call.shaped("concat_score_weight", [], scale === undefined ? 0 : 1);
  return builder.mul(lastSum(builder, curves), builder.weight(weight));
}

function additiveScores(call: LayerCall, query: Value, key: Value): Value {
  const { builder } = call;
  const curves = builder.one("Tanh", [sumsOf(builder, query, key)]);
  if (!call.flag("use_scale", true)) return lastSum(builder, curves);
  return lastSum(builder, builder.mul(curves, builder.weight(call.shaped("scale", [-1]))));
}

/** [N, T, S, D]: every query with every key. */
const sumsOf = (builder: GraphBuilder, query: Value, key: Value): Value =>
  builder.add(builder.unsqueeze(query, 2), builder.unsqueeze(key, 1));

const lastSum = (builder: GraphBuilder, x: Value): Value =>
  builder.one("ReduceSum", [x, builder.ints([-1])], { keepdims: int(0) });

function attend(call: LayerCall, scores: Scores): readonly KerasTensor[] {
  const { builder } = call;
  const [query, value, key] = operandsOf(call);
  const [q, v, k] = [query, value, key].map((operand) => builder.floats(operand)) as [Value, Value, Value];
  const isCausal = call.kwargs.get("use_causal_mask") === true || call.flag("causal");
  const mask = joinAll(builder, [
    value.mask && builder.unsqueeze(value.mask, 1),
    isCausal ? causalMask(builder, q, k) : undefined,
  ]);
  const weights = maskedSoftmax(builder, scores(call, q, k), mask);
  let made = builder.matmul(weights, v);
  if (query.mask !== undefined) {
    made = builder.mul(made, builder.unsqueeze(builder.cast(query.mask, "bool", "float32"), 2));
  }
  const [batch, steps] = query.shape as [number | null, number | null];
  const output = call.tensor(made, [batch, steps, value.shape[2]!], { mask: query.mask, time: query.time });
  if (call.kwargs.get("return_attention_scores") !== true) return [output];
  return [output, call.tensor(weights, [batch, steps, key.shape[1]!])];
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

export function multiHeadAttention(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const [query, value, key] = operandsOf(call);
  const axes = call.field("attention_axes");
  if (axes !== undefined && JSON.stringify(axes) !== "[1]" && axes !== 1) {
    call.refuse(`attention_axes: ${JSON.stringify(axes)} is not supported`);
  }
  for (const option of ["use_gate", "sliding_window"]) {
    if ((call.field(option) ?? false) !== false) call.refuse(`${option} is not supported`);
  }
  const heads = call.integer("num_heads", undefined, 1);
  const size = call.integer("key_dim", undefined, 1);
  const valueSize = call.integer("value_dim", size, 1);
  /** [N, H, T, K]. */
  const split = (x: KerasTensor, name: "query" | "key" | "value", width: number): Value => {
    const units = call.size(x, 2);
    const { kernel, bias } = projection(call, name, [units, heads, width], 2);
    let made = builder.matmul(builder.floats(x), builder.weight(kernel, [units, heads * width]));
    if (bias !== undefined) made = builder.add(made, builder.weight(bias, [heads * width]));
    return builder.transpose(builder.reshape(made, [0, 0, heads, width]), [0, 2, 1, 3]);
  };
  const scale = builder.scalar(1 / Math.sqrt(size));
  const q = builder.mul(split(query, "query", size), scale);
  const k = builder.transpose(split(key, "key", size), [0, 1, 3, 2]);
  const weights = maskedSoftmax(builder, builder.matmul(q, k), headMask(call, query, value, key));
  const joined = builder.transpose(builder.matmul(weights, split(value, "value", valueSize)), [0, 2, 1, 3]);
  const { kernel, bias } = projection(call, "output", [heads, valueSize, -1], 1);
  const width = heads * valueSize;
  const units = kernel.shape[2]!;
  let made = builder.matmul(builder.reshape(joined, [0, 0, width]), builder.weight(kernel, [width, units]));
  if (bias !== undefined) made = builder.add(made, builder.weight(bias));
  const [batch, steps] = query.shape as [number | null, number | null];
  const output = call.tensor(made, [batch, steps, units], { mask: query.mask, time: query.time });
  if (call.kwargs.get("return_attention_scores") !== true) return [output];
  return [output, call.tensor(weights, [batch, heads, steps, key.shape[1]!])];
}

/** [N or 1, 1, T or 1, S]: which scores count. */
function headMask(
  call: LayerCall,
  query: KerasTensor,
  value: KerasTensor,
  key: KerasTensor,
): Value | undefined {
  const { builder } = call;
  const maskOf = (tensor: KerasTensor, name: string): Value | undefined =>
    call.keyword(name)?.value ?? tensor.mask;
  const [ofQuery, ofValue] = [maskOf(query, "query_mask"), maskOf(value, "value_mask")];
  const ofKey = key === value ? undefined : maskOf(key, "key_mask");
  const given = call.keyword("attention_mask");
  const all = joinAll(builder, [
    ofQuery && builder.unsqueeze(ofQuery, 2),
    ofValue && builder.unsqueeze(ofValue, 1),
    ofKey && builder.unsqueeze(ofKey, 1),
    call.kwargs.get("use_causal_mask") === true ? causalMask(builder, query.value, value.value) : undefined,
    given && builder.cast(call.ranked(given, 3).value, given.dtype, "bool"),
  ]);
  return all && builder.unsqueeze(all, 1);
}
