/** Every golden case (test/golden/README.md) through the public API: PyTorch's shapes and numbers. */
import { describe, expect, it } from "vitest";
import {
  Conv1d,
  Dropout,
  Embedding,
  elu,
  GRU,
  GRUCell,
  GroupNorm,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  leakyRelu,
  maxPool1d,
  RNN,
  RNNCell,
  Sequential,
  type SequentialMember,
  sigmoid,
  type Tensor,
  tanh,
} from "../../src/index.js";
import { expectClose, type GoldenCase, type GoldenModule, goldenCases } from "../support/golden.js";

/** Output past a row's length is exactly zero. */
function expectZeroPadding(golden: GoldenCase, output: Tensor): void {
  if (!("lengths" in golden) || golden.lengths === undefined) return;
  const batchFirst = "batchFirst" in golden.options && golden.options.batchFirst;
  const [first, second, size] = output.shape as [number, number, number];
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const [step, row] = batchFirst ? [b, a] : [a, b];
      if (step < golden.lengths[row]!) continue;
      const padding = output.data.subarray((a * second + b) * size, (a * second + b + 1) * size);
      expect(padding.every((value) => value === 0)).toBe(true);
    }
  }
}

const lengthsOf = (golden: { lengths?: readonly number[] }) =>
  golden.lengths === undefined ? {} : { lengths: golden.lengths };

const SEQUENCES = { GRU, RNN } as const;
const CELLS = { GRUCell, RNNCell } as const;

function cases<M extends GoldenModule>(
  module: M,
  run: (golden: Extract<GoldenCase, { module: M }>) => void,
): void {
  describe(module, () => {
    for (const golden of goldenCases(module)) it(golden.name, () => run(golden));
  });
}

cases("LSTM", (golden) => {
  using module = new LSTM(golden.options).loadStateDict(golden.stateDict);
  const before = golden.input.data.slice();
  const [output, [hN, cN]] = module.forward(golden.input, golden.state, lengthsOf(golden));
  expectClose(`${golden.name} output`, output, golden.expected.output);
  expectClose(`${golden.name} hN`, hN, golden.expected.hN);
  expectClose(`${golden.name} cN`, cN, golden.expected.cN);
  expectZeroPadding(golden, output);
  expect(golden.input.data).toEqual(before);
});

for (const name of ["GRU", "RNN"] as const) {
  cases(name, (golden) => {
    using module = new SEQUENCES[name](golden.options).loadStateDict(golden.stateDict);
    const [output, hN] = module.forward(golden.input, golden.state, lengthsOf(golden));
    expectClose(`${golden.name} output`, output, golden.expected.output);
    expectClose(`${golden.name} hN`, hN, golden.expected.hN);
    expectZeroPadding(golden, output);
  });
}

cases("LSTMCell", (golden) => {
  using module = new LSTMCell(golden.options).loadStateDict(golden.stateDict);
  const [h, c] = module.forward(golden.input, golden.state);
  expectClose(`${golden.name} h`, h, golden.expected.hN);
  expectClose(`${golden.name} c`, c, golden.expected.cN);
});

for (const name of ["GRUCell", "RNNCell"] as const) {
  cases(name, (golden) => {
    using module = new CELLS[name](golden.options).loadStateDict(golden.stateDict);
    expectClose(`${golden.name} h`, module.forward(golden.input, golden.state), golden.expected.hN);
  });
}

cases("Linear", (golden) => {
  using module = new Linear(golden.options).loadStateDict(golden.stateDict);
  expectClose(golden.name, module.forward(golden.input), golden.expected.output);
});

cases("Embedding", (golden) => {
  using module = new Embedding(golden.options).loadStateDict(golden.stateDict);
  expectClose(golden.name, module.forward(golden.input), golden.expected.output);
});

cases("LayerNorm", (golden) => {
  using module = new LayerNorm(golden.options).loadStateDict(golden.stateDict);
  expectClose(golden.name, module.forward(golden.input), golden.expected.output);
});

cases("GroupNorm", (golden) => {
  using module = new GroupNorm(golden.options).loadStateDict(golden.stateDict);
  expectClose(golden.name, module.forward(golden.input), golden.expected.output);
});

/** Members by PyTorch's name. */
const MEMBERS: Record<string, (options: never) => SequentialMember> = {
  Conv1d: (options) => new Conv1d(options),
  Dropout: (options) => new Dropout(options),
  ELU: () => elu,
  Embedding: (options) => new Embedding(options),
  GRU: (options) => new GRU(options),
  GroupNorm: (options) => new GroupNorm(options),
  LSTM: (options) => new LSTM(options),
  LayerNorm: (options) => new LayerNorm(options),
  LeakyReLU: () => leakyRelu,
  Linear: (options) => new Linear(options),
  MaxPool1d: (options) => (input) => maxPool1d(input, options),
  RNN: (options) => new RNN(options),
  Sigmoid: () => sigmoid,
  Tanh: () => tanh,
  Transpose: () => (input) => input.transpose(-1, -2),
};

cases("Sequential", (golden) => {
  const members = golden.options.members.map(([name, options]) => MEMBERS[name]!(options as never));
  using module = new Sequential(...members).loadStateDict(golden.stateDict);
  expectClose(golden.name, module.forward(golden.input), golden.expected.output);
  expect([...module.stateDict().keys()]).toEqual([...golden.stateDict.keys()]);
});
