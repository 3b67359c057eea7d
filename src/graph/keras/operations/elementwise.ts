/** Keras 3's operations that go number by number. */

import type { LayerActivation } from "../../../formats/layer-options.js";
import { ARRAYS, type Dtype, type Value } from "../../ir.js";
import { activate, softmax } from "../activations.js";
import { text } from "../builder.js";
import type { KerasOperator } from "../emitted.js";
import type { LayerCall } from "../layer-call.js";
import { unitNorm } from "../layers/normalise.js";
import type { KerasTensor } from "../tensor.js";
import {
  argument,
  axesFrom,
  axisFrom,
  broadcastAll,
  commonType,
  numbersOf,
  operandsOf,
  tensorAt,
} from "./operands.js";

/** A tensor of the same shape. */
const like = (x: KerasTensor, value: Value, dtype: Dtype = "float32"): readonly KerasTensor[] => [
  { value, dtype, shape: x.shape, time: x.time },
];

/** An operator of one input, of floats. */
export function unary(call: LayerCall, operator: KerasOperator): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  return like(x, call.builder.one(operator, [call.builder.floats(x)]));
}

/** The same of any type. */
export function unaryOfAny(call: LayerCall, operator: KerasOperator): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  return like(x, call.builder.one(operator, [x.value]), x.dtype);
}

/** An activation, whose alpha is a field of the config. */
export function activated(
  call: LayerCall,
  name: (LayerActivation & object)["name"],
  key?: string,
): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const alpha = key === undefined ? undefined : call.field(key);
  const activation: LayerActivation = typeof alpha === "number" ? { name, alpha } : name;
  return like(x, activate(call.builder, call.builder.floats(x), activation));
}

export function hardSigmoid(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const activation: LayerActivation = { name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 };
  return like(x, activate(call.builder, call.builder.floats(x), activation));
}

export function gelu(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const approximate = text(call.flag("approximate", true) ? "tanh" : "none");
  return like(x, call.builder.one("Gelu", [call.builder.floats(x)], { approximate }));
}

export function square(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  return like(x, call.builder.mul(x.value, x.value), x.dtype);
}

export function softmaxOf(call: LayerCall, operator: "Softmax" | "LogSoftmax"): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const axis = axisFrom(call, call.field("axis") ?? -1, x.shape.length);
  if (x.time && axis === 1) call.notStreamable("it goes over all steps of time");
  return like(x, softmax(call.builder, call.builder.floats(x), operator, axis));
}

export function normalize(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  if (call.number("order", 2) !== 2) call.refuse("order: only 2 is supported");
  const axes =
    call.field("axis") === undefined ? [x.shape.length - 1] : axesFrom(call, "axis", x.shape.length);
  if (x.time && axes.includes(1)) call.notStreamable("it goes over all steps of time");
  return like(x, unitNorm(call.builder, call.builder.floats(x), axes));
}

export function cast(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const to = { float16: "float32", float64: "float32" }[String(call.field("dtype"))] ?? call.field("dtype");
  const known: readonly Dtype[] = ["float32", "int32", "int64", "int8", "uint8", "bool"];
  const dtype = known.find((one) => one === to) ?? call.refuse(`dtype: ${String(to)} is not supported`);
  return like(x, call.builder.cast(x.value, x.dtype, dtype), dtype);
}

/** A tensor of one number, as large as another. */
export function filledLike(call: LayerCall, number: number): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  const stated = call.field("dtype") ?? argument(call, 1, "dtype") ?? x.dtype;
  const dtype = (["float32", "int32", "int64", "bool"] as const).find((one) => one === stated);
  if (dtype === undefined) call.refuse(`dtype: ${String(stated)} is not supported`);
  const data = ARRAYS[dtype].of(number);
  const value = call.builder.one("ConstantOfShape", [call.builder.shapeOf(x.value)], {
    value: { kind: "tensor", value: () => ({ dtype, shape: [1], data }) },
  });
  return like(x, value, dtype);
}

export function identity(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x", "variable");
  return like(x, x.value, x.dtype);
}

/** An operator of two inputs, in the type of both. */
export function binary(call: LayerCall, operator: KerasOperator, as?: Dtype): readonly KerasTensor[] {
  const operands = operandsOf(call);
  const common = commonType(operands);
  const dtype = as ?? (common === "bool" ? "int32" : common);
  const [a, b] = operands.map((operand) => numbersOf(call, operand, dtype)) as [Value, Value];
  return [{ ...broadcastAll(call, operands), dtype, value: call.builder.one(operator, [a, b]) }];
}

/** One whose result is true or false. */
export function comparison(
  call: LayerCall,
  operator: KerasOperator,
  isNegated = false,
): readonly KerasTensor[] {
  const operands = operandsOf(call);
  const dtype = commonType(operands);
  const [a, b] = operands.map((operand) => numbersOf(call, operand, dtype)) as [Value, Value];
  const made = call.builder.one(operator, [a, b]);
  const value = isNegated ? call.builder.one("Not", [made]) : made;
  return [{ ...broadcastAll(call, operands), dtype: "bool", value }];
}

export function logical(call: LayerCall, operator: KerasOperator): readonly KerasTensor[] {
  const operands = operandsOf(call);
  const [a, b] = operands.map((operand) => numbersOf(call, operand, "bool")) as [Value, Value];
  return [{ ...broadcastAll(call, operands), dtype: "bool", value: call.builder.one(operator, [a, b]) }];
}

export function not(call: LayerCall): readonly KerasTensor[] {
  const x = tensorAt(call, 0, "x");
  return like(x, call.builder.one("Not", [call.builder.cast(x.value, x.dtype, "bool")]), "bool");
}

export function where(call: LayerCall): readonly KerasTensor[] {
  const operands = operandsOf(call, ["condition", "x1", "x2"]);
  const dtype = commonType(operands.slice(1));
  const [a, b] = operands.slice(1).map((operand) => numbersOf(call, operand, dtype)) as [Value, Value];
  const value = call.builder.one("Where", [numbersOf(call, operands[0]!, "bool"), a, b]);
  return [{ ...broadcastAll(call, operands), dtype, value }];
}

export function clip(call: LayerCall): readonly KerasTensor[] {
  const { builder } = call;
  const x = tensorAt(call, 0, "x");
  const bound = (key: string) => {
    const value = call.field(key) ?? argument(call, key === "x_min" ? 1 : 2, key);
    return typeof value === "number" ? value : call.refuse(`${key}: expected a number`);
  };
  const bounds = [bound("x_min"), bound("x_max")].map((one) => builder.scalar(one));
  return like(x, builder.one("Clip", [builder.floats(x), ...bounds]));
}
