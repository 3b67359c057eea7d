/**
 * The golden vectors themselves, with no kernel. This side draws the numbers that make.py drew. A plain float64 LSTM,
 * written from PyTorch's equations, finds the truth. expectClose refuses what it should.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/tensor/tensor.js";
import {
  expectClose,
  type Golden,
  type GoldenCase,
  type GoldenModule,
  goldenCases,
  goldenChecksums,
} from "../support/golden.js";

const MODULES: GoldenModule[] = [
  "LSTM",
  "GRU",
  "RNN",
  "LSTMCell",
  "GRUCell",
  "RNNCell",
  "Linear",
  "Embedding",
  "Conv1d",
  "ReLU",
  "Sigmoid",
  "Tanh",
  "Softmax",
  "LogSoftmax",
  "LeakyReLU",
  "ELU",
  "MaxPool1d",
  "LayerNorm",
  "GroupNorm",
  "Sequential",
];

/** make.py's digest: parameters, input, h0, c0, with NaN as 0. */
function checksum(golden: GoldenCase): string {
  const state = "state" in golden && golden.state !== undefined ? [golden.state].flat() : [];
  const hash = createHash("sha256");
  for (const { data } of [...golden.stateDict.values(), golden.input, ...state]) {
    hash.update(data.map((number) => (Number.isNaN(number) ? 0 : number)) as typeof data);
  }
  return hash.digest("hex").slice(0, 16);
}

type LSTMCase = Extract<GoldenCase, { module: "LSTM" }>;
interface Result {
  data: Float64Array;
  shape: readonly number[];
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** matrix (rows, width) times vector, plus bias. */
function affine(matrix: Tensor, vector: Float64Array, bias?: Tensor): Float64Array {
  const [rows, width] = matrix.shape as [number, number];
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = bias ? bias.data[row]! : 0;
    for (let at = 0; at < width; at++) sum += matrix.data[row * width + at]! * vector[at]!;
    return sum;
  });
}

/** One batch row at a time, each only as long as it is: nothing here knows of padding, tiles or chunks. */
function naiveLSTM({
  options,
  stateDict,
  input,
  state,
  lengths,
  expected,
}: LSTMCase): Record<string, Result> {
  const { hiddenSize, numLayers = 1, batchFirst = false, bidirectional = false } = options;
  const directions = bidirectional ? ["", "_reverse"] : [""];
  const isBatched = input.shape.length === 3;
  const [steps, batch] = !isBatched
    ? [input.shape[0]!, 1]
    : [input.shape[batchFirst ? 1 : 0]!, input.shape[batchFirst ? 0 : 1]!];
  const zeros = ({ shape }: Golden) => ({ data: new Float64Array(shape.reduce((a, b) => a * b, 1)), shape });
  const output = zeros(expected.output);
  const hN = zeros(expected.hN);
  const cN = zeros(expected.cN);
  // A vector's place in a (time, batch, width) tensor, or (batch, time, width).
  const at = (step: number, row: number, width: number) =>
    (isBatched && batchFirst ? row * steps + step : step * batch + row) * width;

  for (let row = 0; row < batch; row++) {
    const length = lengths ? lengths[row]! : steps;
    let sequence = Array.from({ length }, (_, step) => {
      const start = at(step, row, options.inputSize);
      return Float64Array.from(input.data.subarray(start, start + options.inputSize));
    });
    for (let layer = 0; layer < numLayers; layer++) {
      const outputs = directions.map((suffix, direction) => {
        const parameter = (name: string) => stateDict.get(`${name}_l${layer}${suffix}`);
        const projection = parameter("weight_hr");
        const start = (layer * directions.length + direction) * batch + row;
        const slice = (tensor: Tensor | undefined, width: number) =>
          Float64Array.from({ length: width }, (_, j) => tensor?.data[start * width + j] ?? 0);
        let h: Float64Array = slice(state?.[0], hN.shape.at(-1)!);
        const c = slice(state?.[1], hiddenSize);
        const order = [...sequence.keys()];
        if (direction === 1) order.reverse();
        const results: Float64Array[] = [];
        for (const step of order) {
          const fromInput = affine(parameter("weight_ih")!, sequence[step]!, parameter("bias_ih"));
          const fromState = affine(parameter("weight_hh")!, h, parameter("bias_hh"));
          const gate = (g: number, j: number) =>
            fromInput[g * hiddenSize + j]! + fromState[g * hiddenSize + j]!;
          const hidden = c.map((previous, j) => {
            c[j] = sigmoid(gate(1, j)) * previous + sigmoid(gate(0, j)) * Math.tanh(gate(2, j));
            return sigmoid(gate(3, j)) * Math.tanh(c[j]!);
          });
          h = projection ? affine(projection, hidden) : hidden;
          results[step] = h;
        }
        hN.data.set(h, start * h.length);
        cN.data.set(c, start * hiddenSize);
        return results;
      });
      sequence = sequence.map((_, step) => Float64Array.from(outputs.flatMap((one) => [...one[step]!])));
    }
    sequence.forEach((vector, step) => {
      output.data.set(vector, at(step, row, vector.length));
    });
  }
  return { output, hN, cN };
}

describe("golden vectors", () => {
  it.each(MODULES)("draw %s's parameters and arguments as make.py did", (module) => {
    const cases: GoldenCase[] = goldenCases(module);
    expect(cases.length).toBeGreaterThan(3);
    const committed = goldenChecksums();
    for (const golden of cases)
      expect([golden.name, checksum(golden)]).toEqual([golden.name, committed.get(golden.name)]);
  });

  it("have a name of their own", () => {
    const names = MODULES.flatMap((module) => goldenCases(module).map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });

  it("hold what a plain float64 LSTM computes", () => {
    for (const golden of goldenCases("LSTM")) {
      const results = naiveLSTM(golden);
      for (const [key, result] of Object.entries(golden.expected)) {
        // What rounding in float64 explains: 1e-12 of values of up to 1, in proportion for larger ones.
        const largest = result.truth.reduce(
          (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
          1,
        );
        expectClose(`${golden.name}: ${key}`, results[key]!, result, 1e-12 * largest);
      }
    }
  });
});

describe("expectClose", () => {
  const golden: Golden = {
    shape: [2, 2],
    float32Error: 1e-3,
    nonFinite: 2,
    indices: Int32Array.of(0, 1, 3),
    truth: Float64Array.of(1, Number.NaN, Number.NEGATIVE_INFINITY),
  };
  const compare = (numbers: number[], shape = [2, 2]) =>
    expectClose("case", new Tensor(Float32Array.from(numbers), shape), golden);

  it("takes what is within twice PyTorch's error, and NaN for NaN", () => {
    expect(() => compare([1.0019, Number.NaN, 5, Number.NEGATIVE_INFINITY])).not.toThrow();
  });

  it.each([
    [[1.0021, Number.NaN, 5, -Infinity], "case[0,0] (flat 0): expected 1, got 1.002"],
    [[Number.NaN, Number.NaN, 5, -Infinity], "case[0,0] (flat 0): expected 1, got NaN"],
    [[1, 0, 5, -Infinity], "case[0,1] (flat 1): expected NaN, got 0"],
    [[1, Number.NaN, 5, Infinity], "case[1,1] (flat 3): expected -Infinity, got Infinity"],
    [[1, Number.NaN, Number.NaN, -Infinity], "case: expected 2 NaN or infinite elements, got 3"],
  ])("refuses %j", (numbers, message) => {
    expect(() => compare(numbers)).toThrow(message);
  });

  it("refuses another shape", () => {
    expect(() => compare([1, Number.NaN, 5, -Infinity], [4])).toThrow("case: expected shape [2,2], got [4]");
  });

  it("allows 2e-6 where PyTorch's own error is smaller", () => {
    const exact = {
      ...golden,
      shape: [1],
      float32Error: 0,
      nonFinite: 0,
      indices: Int32Array.of(0),
      truth: Float64Array.of(0),
    };
    expect(() => expectClose("case", Tensor.from([1.9e-6]), exact)).not.toThrow();
    expect(() => expectClose("case", Tensor.from([2.1e-6]), exact)).toThrow("tolerance 0.000002");
  });
});
