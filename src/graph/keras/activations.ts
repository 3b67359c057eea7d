/** Activations of Keras as nodes. */

import { isObject } from "../../formats/json.js";
import { activationOf } from "../../formats/keras/activation.js";
import type { KerasConfig } from "../../formats/keras/config.js";
import { field } from "../../formats/keras/config.js";
import type { LayerActivation, LayerActivationName } from "../../formats/layer-options.js";
import type { Value } from "../ir.js";
import { float, type GraphBuilder, int } from "./builder.js";
import type { LayerCall } from "./layer-call.js";

type Emit = (b: GraphBuilder, x: Value, alpha: number, beta: number) => Value;

const clip = (b: GraphBuilder, x: Value, least: number, most: number): Value =>
  b.one("Clip", [x, b.scalar(least), b.scalar(most)]);

const affine: Emit = (b, x, alpha, beta) => b.add(b.mul(x, b.scalar(alpha)), b.scalar(beta));

const hardSigmoid: Emit = (b, x, alpha, beta) => clip(b, affine(b, x, alpha, beta), 0, 1);

/** log(1 + exp(x)) of any x. */
const softplus = (b: GraphBuilder, x: Value): Value => {
  const power = b.one("Exp", [b.one("Neg", [b.one("Abs", [x])])]);
  return b.add(b.one("Relu", [x]), b.one("Log", [b.add(power, b.scalar(1))]));
};

/** `alpha` (exp(x / beta) - 1) below 0, x above. */
const elu = (b: GraphBuilder, x: Value, alpha: number, beta: number): Value => {
  const below = b.one("Min", [x, b.scalar(0)]);
  const power = b.one("Exp", [beta === 1 ? below : b.div(below, b.scalar(beta))]);
  return b.add(b.one("Relu", [x]), b.mul(b.sub(power, b.scalar(1)), b.scalar(alpha)));
};

const SELU = { scale: 1.0507009873554805, alpha: 1.6732632423543772 };

const where = (b: GraphBuilder, condition: Value, x: Value): Value =>
  b.one("Where", [condition, x, b.scalar(0)]);

/** The alpha and the beta of those that have one, where a config states none. */
const USUAL: Readonly<Partial<Record<LayerActivationName, readonly [alpha: number, beta: number]>>> = {
  hardSigmoid: [0.2, 0.5],
  hardSilu: [1 / 6, 0.5],
  elu: [1, 0],
  celu: [1, 0],
  leakyRelu: [0.01, 0],
  thresholdedRelu: [1, 0],
  scaledTanh: [1, 1],
  affine: [1, 0],
  hardTanh: [-1, 1],
  softShrink: [0.5, 0],
  hardShrink: [0.5, 0],
};

const EMIT: Readonly<Record<LayerActivationName, Emit>> = {
  linear: (_, x) => x,
  tanh: (b, x) => b.one("Tanh", [x]),
  sigmoid: (b, x) => b.one("Sigmoid", [x]),
  relu: (b, x) => b.one("Relu", [x]),
  exponential: (b, x) => b.one("Exp", [x]),
  gelu: (b, x) => b.one("Gelu", [x]),
  hardSigmoid,
  affine,
  softplus,
  softsign: (b, x) => b.div(x, b.add(b.one("Abs", [x]), b.scalar(1))),
  elu: (b, x, alpha) => elu(b, x, alpha, 1),
  celu: (b, x, alpha) => elu(b, x, alpha, alpha),
  selu: (b, x) => b.mul(elu(b, x, SELU.alpha, 1), b.scalar(SELU.scale)),
  leakyRelu: (b, x, alpha) => b.one("LeakyRelu", [x], { alpha: float(alpha) }),
  thresholdedRelu: (b, x, alpha) => where(b, b.one("Greater", [x, b.scalar(alpha)]), x),
  scaledTanh: (b, x, alpha, beta) => b.mul(b.one("Tanh", [b.mul(x, b.scalar(beta))]), b.scalar(alpha)),
  silu: (b, x) => b.mul(x, b.one("Sigmoid", [x])),
  mish: (b, x) => b.mul(x, b.one("Tanh", [softplus(b, x)])),
  relu6: (b, x) => clip(b, x, 0, 6),
  hardSilu: (b, x, alpha, beta) => b.mul(x, hardSigmoid(b, x, alpha, beta)),
  logSigmoid: (b, x) => b.one("Neg", [softplus(b, b.one("Neg", [x]))]),
  squareplus: (b, x) => b.mul(b.add(x, b.one("Sqrt", [b.add(b.mul(x, x), b.scalar(4))])), b.scalar(0.5)),
  hardTanh: (b, x, alpha, beta) => clip(b, x, alpha, beta),
  tanhShrink: (b, x) => b.sub(x, b.one("Tanh", [x])),
  softShrink: (b, x, alpha) => b.sub(x, clip(b, x, -alpha, alpha)),
  hardShrink: (b, x, alpha) => where(b, b.one("Greater", [b.one("Abs", [x]), b.scalar(alpha)]), x),
};

/** Applies an activation as the modules' options have it. */
export function activate(builder: GraphBuilder, x: Value, activation: LayerActivation): Value {
  const { name, alpha, beta } =
    typeof activation === "string" ? { name: activation, alpha: undefined, beta: undefined } : activation;
  const [usualAlpha, usualBeta] = USUAL[name] ?? [0, 0];
  return EMIT[name](builder, x, alpha ?? usualAlpha, beta ?? usualBeta);
}

/** Softmax, or its logarithm, over an axis. */
export function softmax(b: GraphBuilder, x: Value, operator: "Softmax" | "LogSoftmax", axis = -1): Value {
  return b.one(operator, [x], { axis: int(axis) });
}

/** What a number is that a mask leaves out of a softmax. Keras has it too. */
const LEAST = -1e9;

/** Softmax over an axis, of the numbers that a mask says count. */
export function maskedSoftmax(b: GraphBuilder, x: Value, mask: Value | undefined, axis = -1): Value {
  const kept = mask === undefined ? x : b.one("Where", [mask, x, b.scalar(LEAST)]);
  return softmax(b, kept, "Softmax", axis);
}

/** (x + 1)^2 / 4 between -1 and 1. */
function sparsePlus(b: GraphBuilder, x: Value): Value {
  const curve = b.add(clip(b, x, -1, 1), b.scalar(1));
  const above = b.one("Relu", [b.sub(x, b.scalar(1))]);
  return b.add(b.mul(b.mul(curve, curve), b.scalar(0.25)), above);
}

/** How a config names an activation of its own; an object that is one is looked into. */
function plainName(value: unknown): unknown {
  if (!isObject(value)) return value;
  const className = field(value as KerasConfig, "class_name");
  const config = field(value as KerasConfig, "config");
  if (className === "function") return config;
  if (className === "Activation" && isObject(config)) return plainName(field(config, "activation"));
  return value;
}

/** Applies what a config states as an activation: a name, an object, or null for none. */
export function activateAs(call: LayerCall, x: Value, stated: unknown, key = "activation"): Value {
  const name = plainName(stated);
  const snake =
    typeof name === "string" ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name;
  if (snake === "softmax") return softmax(call.builder, x, "Softmax");
  if (snake === "log_softmax") return softmax(call.builder, x, "LogSoftmax");
  if (snake === "sparse_plus") return sparsePlus(call.builder, x);
  if (snake === "gelu_new")
    return call.builder.one("Gelu", [x], { approximate: { kind: "string", value: "tanh" } });
  if (isObject(name) && field(name, "class_name") === "Softmax") {
    const config = field(name, "config");
    const axis = (isObject(config) ? field(config, "axis") : undefined) ?? -1;
    if (axis !== -1) call.refuse(`${key}: a Softmax over axis ${JSON.stringify(axis)} is not supported`);
    return softmax(call.builder, x, "Softmax");
  }
  const found = activationOf(stated, call.version);
  if ("problem" in found) call.refuse(`${key}: ${found.problem}`);
  return activate(call.builder, x, found.activation);
}
