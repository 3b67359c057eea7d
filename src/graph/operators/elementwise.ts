/** One number after the other: `y[i] = f(x[i])`. */

import type { Dtype } from "../ir.js";
import { type Call, FLOATS, NUMBERS, type PlainOperator } from "../operator.js";
import { roundEven } from "../rounding.js";

/** An operator of one input, whose function is made once for each call. */
export function unary(
  name: string,
  dtypes: readonly Dtype[],
  make: (call: Call) => (x: number) => number,
  attributes: PlainOperator["attributes"] = {},
): PlainOperator {
  return {
    name,
    // Until opset 6 many had it, for memory that is not used here.
    attributes: { consumed_inputs: "ints", ...attributes },
    shape: (call) => [{ dtype: call.expect(0, dtypes).dtype, shape: call.input(0).shape }],
    run: (call, [output]) => {
      const apply = make(call);
      const { data } = call.data(0);
      for (let at = 0; at < data.length; at++) output!.data[at] = apply(data[at]!);
    },
  };
}

const simple = (name: string, apply: (x: number) => number, dtypes = FLOATS): PlainOperator =>
  unary(name, dtypes, () => apply);

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

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const elementwise: readonly PlainOperator[] = [
  simple("Abs", Math.abs, NUMBERS),
  simple("Neg", (x) => -x, NUMBERS),
  simple("Relu", (x) => (x < 0 ? 0 : x), NUMBERS),
  simple("Sigmoid", sigmoid),
  simple("Tanh", Math.tanh),
  simple("Exp", Math.exp),
  simple("Log", Math.log),
  simple("Sqrt", Math.sqrt),
  simple("Erf", erf, NUMBERS),
  simple("Reciprocal", (x) => 1 / x),
  simple("Floor", Math.floor),
  simple("Ceil", Math.ceil),
  simple("Round", roundEven),
  unary(
    "LeakyRelu",
    FLOATS,
    (call) => {
      const alpha = call.float("alpha", 0.01);
      return (x) => (x < 0 ? alpha * x : x);
    },
    { alpha: "float" },
  ),
  unary(
    "Gelu",
    FLOATS,
    (call) => {
      const approximate = call.text("approximate", "none");
      if (approximate === "none") return (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));
      if (approximate !== "tanh")
        throw call.refused(`attribute approximate: ${approximate} is not supported`);
      return (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    },
    { approximate: "string" },
  ),
  unary(
    "Clip",
    NUMBERS,
    (call) => {
      const min = call.has(1) ? call.scalar(1) : call.float("min", -Infinity);
      const max = call.has(2) ? call.scalar(2) : call.float("max", Infinity);
      return (x) => Math.min(Math.max(x, min), max);
    },
    { min: "float", max: "float" },
  ),
];
