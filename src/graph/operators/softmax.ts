/** Softmax and its logarithm. */

import type { Dtype, HostTensor } from "../ir.js";
import type { Call, FillingOperator } from "../operator.js";
import { roundingOf } from "../rounding.js";
import { around, elementsIn } from "../shapes.js";
import { floatsAsTheyAre } from "./elementwise.js";

/** Until opset 12 all axes from the stated one on were one. */
function rowsOf(call: Call, shape: readonly number[]): { outer: number; size: number; inner: number } {
  if (call.opset >= 13) return around(shape, call.axis(call.int("axis", -1), shape.length));
  const { outer, size, inner } = around(shape, call.axis(call.int("axis", 1), shape.length));
  return { outer, size: size * inner, inner: 1 };
}

/** Exponentials of a type of 16 bits are rounded to it before they are summed, as their definition has it. */
const expOf = (dtype: Dtype): ((x: number) => number) => {
  const round = roundingOf(dtype);
  return round === undefined ? Math.exp : (x) => round(Math.exp(round(x)));
};

/** Each exponential is made twice, and takes as long as some products. */
const exponentials = (call: Call): number => 64 * elementsIn(call.input(0).shape);

/** @param end what a number becomes, by how much it is below the largest, its power and the sum of powers */
function softmax(
  call: Call,
  [output]: readonly HostTensor[],
  end: (less: number, power: number, total: number) => number,
): void {
  const { data, shape, dtype } = call.data(0);
  const { outer, size, inner } = rowsOf(call, shape);
  const exp = expOf(dtype);
  const round = roundingOf(dtype) ?? ((x: number) => x);
  // Those of bfloat16 are summed in it, those of float16 in float32.
  const sum = (total: number, x: number) => (dtype === "bfloat16" ? round(total + x) : total + x);
  for (let row = 0; row < outer; row++) {
    for (let column = 0; column < inner; column++) {
      const place = (at: number) => (row * size + at) * inner + column;
      let most = -Infinity;
      for (let at = 0; at < size; at++) most = Math.max(most, data[place(at)]!);
      let total = 0;
      for (let at = 0; at < size; at++) total = sum(total, exp(data[place(at)]! - most));
      total = round(total);
      for (let at = 0; at < size; at++) {
        const less = data[place(at)]! - most;
        output!.data[place(at)] = end(less, exp(less), total);
      }
    }
  }
}

export const Softmax: FillingOperator = {
  name: "Softmax",
  attributes: { axis: "int" },
  shape: floatsAsTheyAre,
  work: exponentials,
  run: (call, outputs) => softmax(call, outputs, (_, power, total) => power / total),
};

export const LogSoftmax: FillingOperator = {
  name: "LogSoftmax",
  attributes: { axis: "int" },
  shape: floatsAsTheyAre,
  work: exponentials,
  run: (call, outputs) => softmax(call, outputs, (less, _, total) => less - Math.log(total)),
};
