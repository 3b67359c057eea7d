/** One number after the other: `y[i] = f(x[i])`. */

import type { Dtype, HostTensor, Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS, NUMBERS } from "../operator.js";
import { roundEven } from "../rounding.js";
import { elementsIn } from "../shapes.js";

/** Until opset 6 many had it, for memory that is not used here. */
const PLAIN: FillingOperator["attributes"] = { consumed_inputs: "ints" };

/** The type of the first input, which is one of these. */
export function sameType(call: Call, dtypes: readonly Dtype[]): readonly Type[] {
  const { dtype, shape } = call.expect(0, dtypes);
  return [{ dtype, shape }];
}

export const floatsAsTheyAre = (call: Call): readonly Type[] => sameType(call, FLOATS);
export const numbersAsTheyAre = (call: Call): readonly Type[] => sameType(call, NUMBERS);

/** Fills the output with what `apply` makes of each number of the input. */
function each(call: Call, [output]: readonly HostTensor[], apply: (x: number) => number): void {
  const { data } = call.data(0);
  const { data: out } = output!;
  for (let at = 0; at < data.length; at++) out[at] = apply(data[at]!);
}

/** Within 1e-16 of the error function: a series near 0, a continued fraction elsewhere. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (!(size < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (size < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  const rest = Math.exp(-x * x) / (Math.sqrt(Math.PI) * (size + fraction));
  return Math.sign(x) * (1 - rest);
}

/** One takes as long as this many products. */
const ERF_PRODUCTS = 128;
const erfWork = (call: Call): number => ERF_PRODUCTS * elementsIn(call.input(0).shape);

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const Abs: FillingOperator = {
  name: "Abs",
  attributes: PLAIN,
  shape: numbersAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.abs),
};

export const Neg: FillingOperator = {
  name: "Neg",
  attributes: PLAIN,
  shape: numbersAsTheyAre,
  run: (call, outputs) => each(call, outputs, (x) => -x),
};

export const Relu: FillingOperator = {
  name: "Relu",
  attributes: PLAIN,
  shape: numbersAsTheyAre,
  run: (call, outputs) => each(call, outputs, (x) => (x < 0 ? 0 : x)),
};

export const Sigmoid: FillingOperator = {
  name: "Sigmoid",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, sigmoid),
};

export const Tanh: FillingOperator = {
  name: "Tanh",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.tanh),
};

export const Exp: FillingOperator = {
  name: "Exp",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.exp),
};

export const Log: FillingOperator = {
  name: "Log",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.log),
};

export const Sqrt: FillingOperator = {
  name: "Sqrt",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.sqrt),
};

export const Erf: FillingOperator = {
  name: "Erf",
  attributes: PLAIN,
  shape: numbersAsTheyAre,
  work: erfWork,
  run: (call, outputs) => each(call, outputs, erf),
};

export const Reciprocal: FillingOperator = {
  name: "Reciprocal",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, (x) => 1 / x),
};

export const Floor: FillingOperator = {
  name: "Floor",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.floor),
};

export const Ceil: FillingOperator = {
  name: "Ceil",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, Math.ceil),
};

export const Round: FillingOperator = {
  name: "Round",
  attributes: PLAIN,
  shape: floatsAsTheyAre,
  run: (call, outputs) => each(call, outputs, roundEven),
};

export const LeakyRelu: FillingOperator = {
  name: "LeakyRelu",
  attributes: { consumed_inputs: "ints", alpha: "float" },
  shape: floatsAsTheyAre,
  run: (call, outputs) => {
    const alpha = call.float("alpha", 0.01);
    each(call, outputs, (x) => (x < 0 ? alpha * x : x));
  },
};

export const Gelu: FillingOperator = {
  name: "Gelu",
  attributes: { approximate: "string" },
  shape: floatsAsTheyAre,
  work: erfWork,
  run: (call, outputs) => {
    const approximate = call.text("approximate", "none");
    if (approximate === "none") {
      each(call, outputs, (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)));
      return;
    }
    if (approximate !== "tanh") throw call.refused(`attribute approximate: ${approximate} is not supported`);
    each(call, outputs, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))));
  },
};

export const Clip: FillingOperator = {
  name: "Clip",
  attributes: { consumed_inputs: "ints", min: "float", max: "float" },
  shape: numbersAsTheyAre,
  run: (call, outputs) => {
    const min = call.has(1) ? call.scalar(1) : call.float("min", -Infinity);
    const max = call.has(2) ? call.scalar(2) : call.float("max", Infinity);
    each(call, outputs, (x) => Math.min(Math.max(x, min), max));
  },
};
