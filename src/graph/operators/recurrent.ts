/** LSTM, GRU and RNN nodes as ONNX defines them: every activation, clip, peepholes, sequence lengths. */

import type { HostTensor, Type } from "../ir.js";
import { type Call, type FillingOperator, FLOATS } from "../operator.js";
import { activationsOf } from "./activations.js";
import { type Cell, type Direction, GRU_CELL, LSTM_CELL, RNN_CELL } from "./cells.js";

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly directions: number;
  /** Whether the batch is the first axis. */
  readonly batchFirst: boolean;
}

function sizesOf(call: Call, { gates }: Cell): Sizes {
  const { shape } = call.input(0);
  const recurrence = call.input(2).shape;
  if (shape.length !== 3 || recurrence.length !== 3) throw call.broken("inputs that are not of three axes");
  const batchFirst = call.flag("layout", false);
  const [steps, batch] = batchFirst ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const inputs = shape[2]!;
  const [directions, rows, hidden] = recurrence as [number, number, number];
  const stated = call.text("direction", "forward");
  if (!["forward", "reverse", "bidirectional"].includes(stated)) {
    throw call.refused(`attribute direction: ${stated} is not supported`);
  }
  const weights = call.input(1).shape;
  const isRight =
    directions === (stated === "bidirectional" ? 2 : 1) &&
    rows === gates * hidden &&
    call.int("hidden_size", hidden) === hidden &&
    weights.join() === [directions, rows, inputs].join();
  if (!isRight) {
    throw call.broken(`weights of [${weights.join(", ")}] and [${recurrence.join(", ")}] do not fit`);
  }
  const expect = (at: number, expected: readonly number[]) => {
    if (call.has(at) && call.input(at).shape.join() !== expected.join()) {
      throw call.broken(`input ${at}: expected shape [${expected.join(", ")}]`);
    }
  };
  expect(3, [directions, 2 * rows]);
  expect(4, [batch]);
  for (const at of [5, 6]) expect(at, batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]);
  expect(7, [directions, 3 * hidden]);
  return { steps, batch, inputs, hidden, directions, batchFirst };
}

/** The types of what it gives: every step's output, then the last state or the last two. */
function types(call: Call, cell: Cell, states: 1 | 2): readonly Type[] {
  const { dtype } = call.expect(0, FLOATS);
  const { steps, batch, hidden, directions, batchFirst } = sizesOf(call, cell);
  const whole = batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  const last: Type = {
    dtype,
    shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
  };
  return states === 2 ? [{ dtype, shape: whole }, last, last] : [{ dtype, shape: whole }, last];
}

function recurrentWork(call: Call, cell: Cell): number {
  const { steps, batch, inputs, hidden, directions } = sizesOf(call, cell);
  // A step makes a few arrays, however small it is.
  return steps * batch * directions * (2 * cell.gates * hidden * (inputs + hidden + 16) + 2048);
}

function run(call: Call, cell: Cell, outputs: readonly HostTensor[]): void {
  const [whole, last, lastCell] = outputs.map(({ data }) => data);
  const sizes = sizesOf(call, cell);
  const { steps, batch, inputs, hidden, directions, batchFirst } = sizes;
  const rows = cell.gates * hidden;
  const activations = activationsOf(call, cell.activations, directions);
  const input = call.data(0).data;
  const part = (at: number, direction: number, count: number) =>
    call.has(at) ? call.data(at).data.subarray(direction * count, (direction + 1) * count) : undefined;
  for (let direction = 0; direction < directions; direction++) {
    const isReverse = direction === 1 || call.text("direction", "forward") === "reverse";
    const parameters: Direction = {
      inputs,
      hidden,
      weights: part(1, direction, rows * inputs)!,
      recurrence: part(2, direction, rows * hidden)!,
      bias: part(3, direction, 2 * rows),
      peepholes: part(7, direction, 3 * hidden),
      activations: activations[direction]!,
      // 0 is what onnxruntime takes for none.
      clip: call.float("clip", 0) || Infinity,
      cellClip: Infinity,
      inputForget: call.flag("input_forget", false),
      resetAfter: call.flag("linear_before_reset", false),
    };
    for (let item = 0; item < batch; item++) {
      const length = call.has(4) ? Math.min(Math.max(call.data(4).data[item]!, 0), steps) : steps;
      const state = (batchFirst ? item * directions + direction : direction * batch + item) * hidden;
      const h = new Float64Array(hidden);
      const c = new Float64Array(hidden);
      if (call.has(5)) h.set(call.data(5).data.subarray(state, state + hidden));
      if (call.has(6)) c.set(call.data(6).data.subarray(state, state + hidden));
      for (let step = 0; step < length; step++) {
        const t = isReverse ? length - 1 - step : step;
        const from = (batchFirst ? item * steps + t : t * batch + item) * inputs;
        cell.step(parameters, input.subarray(from, from + inputs), h, c);
        const to = batchFirst
          ? ((item * steps + t) * directions + direction) * hidden
          : ((t * directions + direction) * batch + item) * hidden;
        for (let unit = 0; unit < hidden; unit++) whole![to + unit] = h[unit]!;
      }
      for (let unit = 0; unit < hidden; unit++) {
        last![state + unit] = h[unit]!;
        if (lastCell !== undefined) lastCell[state + unit] = c[unit]!;
      }
    }
  }
}

// Each list is written out: a spread is kept by bundlers, with all that it names, in bundles of other operators (0.6 KB).
export const LSTM_ATTRIBUTES: FillingOperator["attributes"] = {
  activation_alpha: "floats",
  activation_beta: "floats",
  activations: "strings",
  clip: "float",
  direction: "string",
  hidden_size: "int",
  layout: "int",
  // Until opset 6.
  output_sequence: "int",
  input_forget: "int",
};

export const LSTM: FillingOperator = {
  name: "LSTM",
  attributes: LSTM_ATTRIBUTES,
  shape: (call) => types(call, LSTM_CELL, 2),
  work: (call) => recurrentWork(call, LSTM_CELL),
  run: (call, outputs) => run(call, LSTM_CELL, outputs),
};

export const GRU: FillingOperator = {
  name: "GRU",
  attributes: {
    activation_alpha: "floats",
    activation_beta: "floats",
    activations: "strings",
    clip: "float",
    direction: "string",
    hidden_size: "int",
    layout: "int",
    // Until opset 6.
    output_sequence: "int",
    linear_before_reset: "int",
  },
  shape: (call) => types(call, GRU_CELL, 1),
  work: (call) => recurrentWork(call, GRU_CELL),
  run: (call, outputs) => run(call, GRU_CELL, outputs),
};

export const RNN: FillingOperator = {
  name: "RNN",
  attributes: {
    activation_alpha: "floats",
    activation_beta: "floats",
    activations: "strings",
    clip: "float",
    direction: "string",
    hidden_size: "int",
    layout: "int",
    // Until opset 6.
    output_sequence: "int",
  },
  shape: (call) => types(call, RNN_CELL, 1),
  work: (call) => recurrentWork(call, RNN_CELL),
  run: (call, outputs) => run(call, RNN_CELL, outputs),
};
