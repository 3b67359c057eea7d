/** Initial states in state dicts; int8, streams, traces and cells of modules with options beside what they equal. */
import { describe, expect, it } from "vitest";
import { quantizeStateDict } from "../../../src/formats/index.js";
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell, Tensor } from "../../../src/index.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
const HARD = { name: "hardSigmoid", alpha: 0.2, beta: 0.5 } as const;

type Module = LSTM | GRU | RNN;
type Options = Record<string, unknown>;

const LSTM_OPTIONS: Record<string, Options> = {
  activation: { activation: "softsign" },
  recurrentActivation: { recurrentActivation: HARD },
  cellActivation: { cellActivation: "relu6" },
  inputForget: { inputForget: true },
  cellClip: { cellClip: 0.2 },
  peepholes: { peepholes: true },
  clip: { clip: 0.3 },
};
const GRU_OPTIONS: Record<string, Options> = {
  activation: { activation: "elu" },
  recurrentActivation: { recurrentActivation: HARD },
  resetAfter: { resetAfter: false },
  clip: { clip: 0.3 },
};
const RNN_OPTIONS: Record<string, Options> = {
  nonlinearity: { nonlinearity: { name: "scaledTanh", alpha: 0.9, beta: 1.1 } },
  clip: { clip: 0.3 },
};
const all = (options: Record<string, Options>) => Object.assign({}, ...Object.values(options)) as Options;
const KINDS = { LSTM, GRU, RNN };
const CELLS = { LSTM: LSTMCell, GRU: GRUCell, RNN: RNNCell };
const CASES = (
  [
    ["LSTM", LSTM_OPTIONS],
    ["GRU", GRU_OPTIONS],
    ["RNN", RNN_OPTIONS],
  ] as const
).flatMap(([kind, options]) =>
  [...Object.entries(options), ["all of them", all(options)] as const].map(
    ([name, given]) => [kind, name, given] as const,
  ),
);

interface Result {
  output: Tensor;
  states: Tensor[];
}

function forward(module: Module, input: Tensor, states?: readonly Tensor[]): Result {
  const [output, state] =
    module instanceof LSTM
      ? module.forward(input, states as [Tensor, Tensor] | undefined)
      : module.forward(input, states?.[0]);
  return { output, states: Array.isArray(state) ? state : [state as Tensor] };
}

function expectNear(actual: Tensor, expected: Tensor, error: number) {
  expect(actual.shape).toEqual(expected.shape);
  for (const [at, value] of expected.data.entries()) {
    expect(Math.abs(actual.data[at]! - value), `${at}`).toBeLessThanOrEqual(error);
  }
}

describe.each(CASES)("%s with %s", (kind, _, options) => {
  const make = (more: object = {}): Module => new KINDS[kind]({ ...SIZES, ...options, ...more });

  it("differs from PyTorch's, and steps as it runs", () => {
    using module = make({ numLayers: 2 });
    const input = Tensor.randn([4, 3], 1);
    const { output } = forward(module, input);
    using plain = new KINDS[kind]({ ...SIZES, numLayers: 2 }) as Module;
    plain.loadStateDict(new Map([...module.stateDict()].filter(([name]) => !name.startsWith("weight_c"))));
    expect(output).not.toEqual(forward(plain, input).output);
    using stream = module.stream();
    for (let step = 0; step < 4; step++) {
      const row = stream.step(input.data.subarray(step * 3, (step + 1) * 3));
      expect(Array.from(row.data)).toEqual(Array.from(output.data.subarray(step * 5, (step + 1) * 5)));
    }
  });

  it("is in int8 what its integers and scales are in float32", () => {
    using module = make({ numLayers: 2 });
    const quantized = quantizeStateDict(module.stateDict());
    using int8 = make({ numLayers: 2, precision: "int8" });
    int8.loadStateDict(quantized);
    const floats = new Map(
      [...module.stateDict()].map(([name, tensor]) => {
        const values = quantized.get(name)!;
        const scale = quantized.get(`${name}_scale`);
        if (scale === undefined) return [name, tensor] as const;
        const columns = tensor.shape[1]!;
        const product = Float32Array.from(
          values.data as Int8Array,
          (value, at) => value * (scale.data as Float32Array)[Math.floor(at / columns)]!,
        );
        return [name, new Tensor(product, tensor.shape)] as const;
      }),
    );
    expect([...quantized.keys()].filter((name) => name.endsWith("_scale"))).toHaveLength(4);
    module.loadStateDict(floats);
    const input = Tensor.randn([6, 2, 3], 2);
    const [rounded, exact] = [forward(int8, input), forward(module, input)];
    // Inputs of int8 products are rounded to 1/127 of the largest of a row.
    expectNear(rounded.output, exact.output, 0.02);
  });

  it("begins at its own initial states where none are given", () => {
    using plain = make();
    using module = make({ initialState: true });
    const names = kind === "LSTM" ? ["h0", "c0"] : ["h0"];
    const initial = names.map((_, at) => Tensor.randn([1, 5], 3 + at));
    const dict = new Map(plain.stateDict());
    for (const [at, name] of names.entries()) dict.set(name, initial[at]!);
    module.loadStateDict(dict);
    // They come back as they were.
    for (const [at, name] of names.entries()) expect(module.stateDict().get(name)).toEqual(initial[at]);
    const input = Tensor.randn([3, 2, 3], 5);
    const both = initial.map(({ data }) => new Tensor(Float32Array.of(...data, ...data), [1, 2, 5]));
    const begun = forward(module, input);
    expect(begun).toEqual(forward(plain, input, both));
    expect(begun).not.toEqual(forward(plain, input));
    const zeros = both.map(({ shape }) => Tensor.zeros(shape));
    expect(forward(module, input, zeros)).toEqual(forward(plain, input));
    using stream = module.stream({ batchSize: 2 });
    for (let step = 0; step < 3; step++) {
      const row = stream.step(input.data.subarray(step * 6, (step + 1) * 6));
      expect(Array.from(row.data)).toEqual(
        Array.from(begun.output.data.subarray(step * 10, (step + 1) * 10)),
      );
    }
  });

  it("is a cell's step", () => {
    using module = make();
    using cell = new CELLS[kind]({ ...SIZES, ...options });
    cell.loadStateDict(
      new Map([...module.stateDict()].map(([name, value]) => [name.replace("_l0", ""), value])),
    );
    const input = Tensor.randn([1, 2, 3], 6);
    const states = (kind === "LSTM" ? [7, 8] : [7]).map((seed) => Tensor.randn([1, 2, 5], seed));
    const rows = states.map(({ data }) => new Tensor(data, [2, 5]));
    const row = new Tensor(input.data, [2, 3]);
    const next =
      cell instanceof LSTMCell ? cell.forward(row, rows as [Tensor, Tensor]) : [cell.forward(row, rows[0])];
    const expected = forward(module, input, states);
    for (const [which, state] of next.entries()) expect(state.data).toEqual(expected.states[which]!.data);
  });
});

it("traces what the options make of the gates", () => {
  using module = new LSTM({ ...SIZES, inputForget: true, cellClip: 0.1, activation: "relu6", clip: 0.5 });
  const input = Tensor.randn([6, 2, 3], 9);
  const { output, layers } = module.trace(input);
  expect(output).toEqual(forward(module, input).output);
  const { i, f, g, o, c, h } = layers[0]!;
  for (const [at, value] of i.data.entries()) {
    expect(f.data[at]).toBe(Math.fround(1 - value));
    expect(Math.abs(c.data[at]!)).toBeLessThanOrEqual(Math.fround(0.1));
    expect(g.data[at]).toBeGreaterThanOrEqual(0);
    expect(g.data[at]).toBeLessThanOrEqual(0.5);
    expect(h.data[at]).toBe(Math.fround(o.data[at]! * Math.max(c.data[at]!, 0)));
  }
});

it("has the initial states of each layer and direction in their own rows", () => {
  const options = { ...SIZES, numLayers: 2, bidirectional: true, projSize: 2 };
  using module = new LSTM({ ...options, initialState: true });
  using plain = new LSTM(options);
  const [h0, c0] = [Tensor.randn([4, 2], 1), Tensor.randn([4, 5], 2)];
  module.loadStateDict(new Map([...plain.stateDict(), ["h0", h0], ["c0", c0]]));
  const input = Tensor.randn([3, 3], 3);
  expect(module.forward(input)).toEqual(plain.forward(input, [h0, c0]));
  using again = LSTM.fromStateDict(module.stateDict());
  expect(again.initialState).toBe(true);
  expect(again.forward(input)).toEqual(module.forward(input));
});
