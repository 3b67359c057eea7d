/** One step of each recurrent operator, for one sequence. */

import type { Data } from "../ir.js";
import type { Activation } from "./activations.js";

/** The parameters of one direction. */
export interface Direction {
  readonly inputs: number;
  readonly hidden: number;
  readonly weights: Data;
  readonly recurrence: Data;
  /** Of the input's part, then of the recurrence's. */
  readonly bias: Data | undefined;
  readonly peepholes: Data | undefined;
  readonly activations: readonly Activation[];
  /** Bound of what activations are taken of. */
  readonly clip: number;
  /** Bound of c'. */
  readonly cellClip: number;
  /** LSTM: whether the forget gate is 1 less the input gate. */
  readonly inputForget: boolean;
  /** GRU: whether the reset gate comes after the recurrence's product. */
  readonly resetAfter: boolean;
}

export interface Cell {
  readonly gates: number;
  readonly activations: readonly string[];
  /** Writes the next hidden state into `h`, and the next cell state into `c`. */
  readonly step: (parameters: Direction, x: Data, h: Float64Array, c: Float64Array) => void;
}

/** `weight @ x + bias` of some rows. */
function rowsOf(
  weight: Data,
  x: ArrayLike<number>,
  bias: Data | undefined,
  { first, count, biasFirst }: { first: number; count: number; biasFirst: number },
): Float64Array {
  const width = x.length;
  const sums = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let sum = bias?.[biasFirst + row] ?? 0;
    for (let at = 0; at < width; at++) sum += weight[(first + row) * width + at]! * x[at]!;
    sums[row] = sum;
  }
  return sums;
}

const clipped = (x: number, clip: number): number => Math.min(Math.max(x, -clip), clip);

/** What the input and the state give of all gates together. */
function gatesOf({ weights, recurrence, bias, hidden }: Direction, gates: number, x: Data, h: Float64Array) {
  const count = gates * hidden;
  const sums = rowsOf(weights, x, bias, { first: 0, count, biasFirst: 0 });
  const others = rowsOf(recurrence, h, bias, { first: 0, count, biasFirst: count });
  return sums.map((sum, row) => sum + others[row]!);
}

export const LSTM_CELL: Cell = {
  gates: 4,
  activations: ["Sigmoid", "Tanh", "Tanh"],
  step: (parameters, x, h, c) => {
    const { hidden, peepholes, activations, clip, cellClip, inputForget } = parameters;
    const [f, g, hActivation] = activations as [Activation, Activation, Activation];
    const sums = gatesOf(parameters, 4, x, h);
    for (let unit = 0; unit < hidden; unit++) {
      // Gates stand in the order of input, output, forget, cell; peepholes of input, output, forget.
      const gate = (at: number) => sums[at * hidden + unit]!;
      const peep = (at: number) => peepholes?.[at * hidden + unit] ?? 0;
      const input = f(clipped(gate(0) + peep(0) * c[unit]!, clip));
      const forget = inputForget ? 1 - input : f(clipped(gate(2) + peep(2) * c[unit]!, clip));
      const next = clipped(forget * c[unit]! + input * g(clipped(gate(3), clip)), cellClip);
      const output = f(clipped(gate(1) + peep(1) * next, clip));
      c[unit] = next;
      h[unit] = output * hActivation(next);
    }
  },
};

export const GRU_CELL: Cell = {
  gates: 3,
  activations: ["Sigmoid", "Tanh"],
  step: (parameters, x, h) => {
    const { weights, recurrence, bias, hidden, activations, clip, resetAfter } = parameters;
    const [f, g] = activations as [Activation, Activation];
    const sums = gatesOf(parameters, 2, x, h);
    if (bias !== undefined) {
      // The recurrence's biases begin after three gates, not two.
      for (let row = 0; row < 2 * hidden; row++)
        sums[row]! += bias[3 * hidden + row]! - bias[2 * hidden + row]!;
    }
    const update = sums.subarray(0, hidden).map((sum) => f(clipped(sum, clip)));
    const reset = sums.subarray(hidden).map((sum) => f(clipped(sum, clip)));
    const place = { first: 2 * hidden, count: hidden };
    const input = rowsOf(weights, x, bias, { ...place, biasFirst: 2 * hidden });
    const state = resetAfter ? h : h.map((number, unit) => number * reset[unit]!);
    const recurrent = rowsOf(recurrence, state, bias, { ...place, biasFirst: 5 * hidden });
    for (let unit = 0; unit < hidden; unit++) {
      const other = resetAfter ? reset[unit]! * recurrent[unit]! : recurrent[unit]!;
      const made = g(clipped(input[unit]! + other, clip));
      h[unit] = (1 - update[unit]!) * made + update[unit]! * h[unit]!;
    }
  },
};

export const RNN_CELL: Cell = {
  gates: 1,
  activations: ["Tanh"],
  step: (parameters, x, h) => {
    const f = parameters.activations[0]!;
    h.set(gatesOf(parameters, 1, x, h).map((sum) => f(clipped(sum, parameters.clip))));
  },
};
