/** quantizeModule: that each matrix is rounded for what it is multiplied with, what that gains, and what is refused. */
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/formats/index.js";
import { GRU, Linear, LSTM, LSTMCell, quantizeModule, RNN, Tensor } from "../../src/index.js";
import { productsOfSample } from "../../src/int8/expected-inputs.js";
import { quantizeMatrix } from "../../src/int8/round-weights.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { seeded } from "../support/deterministic-cases.js";

type Sampled = LSTM | GRU | RNN | Linear;
type Quantized = ReturnType<typeof quantizeModule>;

const [STEPS, BATCH] = [40, 3];
const SIZES = { inputSize: 6, hiddenSize: 9 };

/** Rows that have much in common: a mean, and two directions that most of them lie in. */
function related(rows: number, width: number, seed: number): Float32Array {
  const noise = Tensor.randn([rows, width], seed).data;
  const along = Tensor.randn([rows, 2], seed + 1).data;
  const [mean, first, second] = [901, 902, 903].map((number) => Tensor.randn([width], number).data);
  return noise.map((x, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    const [a, b] = [along[2 * row]!, along[2 * row + 1]!];
    return 0.1 * x + 0.7 * mean![column]! + a * first![column]! + b * second![column]!;
  });
}

const sampleOf = (width: number, seed = 1) =>
  new Tensor(related(STEPS * BATCH, width, seed), [STEPS, BATCH, width]);

/** Columns `from` to `to` of each row. */
function columnsOf({ data, shape }: Tensor, from: number, to: number): Float32Array {
  const width = shape.at(-1)!;
  return data.filter((_, at) => at % width >= from && at % width < to);
}

/** Rows (steps, batch, width) with the last step first, in which the reverse direction has them. */
function reversed(data: Float32Array): Float32Array {
  const step = data.length / STEPS;
  return data.map((_, at) => data[(STEPS - 1 - Math.floor(at / step)) * step + (at % step)]!);
}

const integersOf = (quantized: Quantized) =>
  [...quantized].filter(([, { data }]) => data instanceof Int8Array).map(([name]) => name);

function expectRoundedFor(module: Sampled, quantized: Quantized, name: string, inputs: Float32Array): void {
  const { data, shape } = module.stateDict().get(name)!;
  const { values, scales } = quantizeMatrix(data, shape[0]!, productsOfSample(inputs, shape[1]!));
  expect(quantized.get(name)).toMatchObject({ data: values, shape });
  expect(quantized.get(`${name}_scale`)).toMatchObject({ data: scales, shape: [shape[0]] });
}

describe("each matrix is rounded for what it is multiplied with", () => {
  it.each([
    ["LSTM", new LSTM({ ...SIZES, numLayers: 2, bidirectional: true, projSize: 4 })],
    ["LSTM without a projection", new LSTM({ ...SIZES, numLayers: 3 })],
    ["GRU", new GRU({ ...SIZES, numLayers: 2, bidirectional: true, bias: false })],
    ["RNN", new RNN({ ...SIZES, numLayers: 2, nonlinearity: "relu" })],
  ])("%s", (_, module) => {
    const sample = sampleOf(6);
    const quantized = quantizeModule(module, sample);
    expect(integersOf(quantized)).toHaveLength(
      module.stack.layers.length * (module instanceof LSTM && module.projSize > 0 ? 3 : 2),
    );
    const dict = module.stateDict();
    let input = sample;
    for (let layer = 0; layer < module.numLayers; layer++) {
      // The layer as a module of its own.
      const own = [...dict].filter(([name]) => name.includes(`_l${layer}`));
      const renamed = new Map(own.map(([name, tensor]) => [name.replace(`_l${layer}`, "_l0"), tensor]));
      const alone =
        module instanceof RNN
          ? RNN.fromStateDict(renamed, { nonlinearity: module.nonlinearity })
          : module instanceof GRU
            ? GRU.fromStateDict(renamed)
            : LSTM.fromStateDict(renamed);
      const output = alone.forward(input)[0];
      const directions = module.bidirectional ? ["", "_reverse"] : [""];
      const size = output.shape[2]! / directions.length;
      for (const [direction, reverse] of directions.entries()) {
        const turn = direction === 0 ? (data: Float32Array) => data : reversed;
        const suffix = `_l${layer}${reverse}`;
        const h = turn(columnsOf(output, direction * size, (direction + 1) * size));
        expectRoundedFor(module, quantized, `weight_ih${suffix}`, turn(input.data));
        expectRoundedFor(module, quantized, `weight_hh${suffix}`, h);
        if (!(alone instanceof LSTM) || alone.projSize === 0) continue;
        const { o, c } = alone.trace(input).layers[direction]!;
        const hidden = o.data.map((gate, at) => gate * Math.tanh(c.data[at]!));
        expectRoundedFor(module, quantized, `weight_hr${suffix}`, turn(hidden));
      }
      input = output;
    }
  });

  it("Linear", () => {
    const module = new Linear({ inFeatures: 6, outFeatures: 20 });
    const sample = sampleOf(6);
    expectRoundedFor(module, quantizeModule(module, sample), "weight", sample.data);
  });

  it("in batchFirst's layout, and for one sequence", () => {
    const module = new LSTM({ ...SIZES, batchFirst: true });
    const one = new Tensor(related(STEPS, 6, 1), [STEPS, 6]);
    const rows = new Tensor(one.data, [1, STEPS, 6]);
    expect(quantizeModule(module, one)).toEqual(quantizeModule(module, rows));
    expectRoundedFor(module, quantizeModule(module, one), "weight_ih_l0", one.data);
  });
});

it("makes the error of trained-like inputs less", () => {
  const error = (module: Sampled, quantized: Sampled, seed: number) => {
    const input = new Tensor(related(100, 64, seed), [100, 1, 64]);
    const outputOf = (one: Sampled): Tensor => {
      const result = one.forward(input);
      return Array.isArray(result) ? result[0] : result;
    };
    const got = outputOf(quantized).data;
    return outputOf(module).data.reduce((sum, value, at) => sum + Math.abs(value - got[at]!), 0);
  };
  const sample = new Tensor(related(500, 64, 5), [500, 1, 64]);
  for (const module of [
    new LSTM({ inputSize: 64, hiddenSize: 64 }),
    new GRU({ inputSize: 64, hiddenSize: 64 }),
    new Linear({ inFeatures: 64, outFeatures: 64 }),
  ]) {
    seeded({ Tensor }, module, 51);
    const from = module.constructor as typeof LSTM;
    const plain = from.fromStateDict(module.stateDict(), { precision: "int8" });
    const rounded = from.fromStateDict(quantizeModule(module, sample));
    expect(rounded.precision).toBe("int8");
    const [before, after] = [plain, rounded].map((one) => error(module, one, 7));
    expect(after, module.constructor.name).toBeLessThan(0.7 * before!);
  }
});

it("leaves inputs that the sample says nothing of to the nearest integers", () => {
  const module = new Linear({ inFeatures: 30, outFeatures: 30 });
  const { data } = module.stateDict().get("weight")!;
  const quantized = quantizeModule(module, Tensor.zeros([10, 30]));
  const scales = quantized.get("weight_scale")!.data;
  expect(Array.from(quantized.get("weight")!.data)).toEqual(
    Array.from(data, (weight, at) => {
      const nearest = Math.round(weight / scales[Math.floor(at / 30)]!) + 0;
      return Math.max(-127, Math.min(127, nearest));
    }),
  );
});

it("is kept by safetensors, and leaves the module and the sample as they were", () => {
  const module = new LSTM({ ...SIZES, numLayers: 2, projSize: 5 });
  const before = module.stateDict();
  const sample = sampleOf(6);
  const quantized = quantizeModule(module, sample);
  expect(module.stateDict()).toEqual(before);
  expect(sample).toEqual(sampleOf(6));
  const read = LSTM.fromStateDict(readSafetensors(writeSafetensors(quantized)));
  expect(read.stateDict<Float32Array | Int8Array>()).toEqual(quantized);
});

it("takes every row up to 16384", () => {
  const module = new Linear({ inFeatures: 2, outFeatures: 50 });
  const rows = related(16384, 2, 11);
  expectRoundedFor(module, quantizeModule(module, new Tensor(rows, [16384, 2])), "weight", rows);
});

it.each([16386, 24576, 32768, 49152])("of %d rows in turns of two kinds takes both kinds", (rows) => {
  const width = 32;
  const module = seeded({ Tensor }, new Linear({ inFeatures: width, outFeatures: 64 }), 51);
  const kinds = [21, 31].map((seed) =>
    related(rows / 2, width, seed).map((x, at) => x * (seed === 21 ? 1 : at % 2)),
  );
  const sample = new Float32Array(rows * width);
  kinds.forEach((kind, which) => {
    for (let row = 0; row < rows / 2; row++) {
      sample.set(kind.subarray(row * width, (row + 1) * width), (2 * row + which) * width);
    }
  });
  const dicts = [module.stateDict(), quantizeModule(module, new Tensor(sample, [rows, width]))];
  const [plain, rounded] = dicts.map((dict) => Linear.fromStateDict(dict, { precision: "int8" }));
  for (const kind of kinds) {
    const input = new Tensor(kind.subarray(0, 500 * width), [500, width]);
    const truth = module.forward(input).data;
    const [before, after] = [plain!, rounded!].map((one) =>
      one.forward(input).data.reduce((sum, value, at) => sum + Math.abs(value - truth[at]!), 0),
    );
    expect(after).toBeLessThan(0.8 * before!);
  }
});

it("needs no more memory for a long sample than forward does", () => {
  const module = new GRU({ inputSize: 1, hiddenSize: 64, bidirectional: true });
  const sample = Tensor.zeros([1000, 1, 1]);
  module.forward(sample);
  const before = currentRuntime().memory.buffer.byteLength;
  quantizeModule(module, sample);
  module.forward(sample);
  // A workspace of its own: outputs of both directions and gates; traces would be 2.5 MB more.
  expect(currentRuntime().memory.buffer.byteLength - before).toBeLessThan(2.2 * 2 ** 20);
});

it("passes over what lies behind a row's length", () => {
  const lengths = [STEPS, 7, 1];
  const clean = sampleOf(6);
  const dirty = new Tensor(
    clean.data.map((x, at) => {
      const [step, row] = [Math.floor(at / (6 * BATCH)), Math.floor(at / 6) % BATCH];
      return step < lengths[row]! ? x : Number.NaN;
    }),
    clean.shape,
  );
  for (const module of [new LSTM({ ...SIZES, projSize: 4 }), new GRU({ ...SIZES, bidirectional: true })]) {
    seeded({ Tensor }, module, 51);
    const quantized = quantizeModule(module, dirty, { lengths });
    expect(quantized).toEqual(quantizeModule(module, clean, { lengths }));
    expect(quantized).not.toEqual(quantizeModule(module, clean));
  }
});

it("gives all memory back, also when it throws", () => {
  const module = new LSTM(SIZES);
  quantizeModule(module, sampleOf(6));
  const live = currentRuntime().liveBytes;
  quantizeModule(module, sampleOf(6, 3));
  expect(() => quantizeModule(module, new Tensor(new Float32Array(6).fill(Number.NaN), [1, 6]))).toThrow();
  expect(() => quantizeModule(module, Tensor.zeros([1, 7]))).toThrow();
  expect(currentRuntime().liveBytes).toBe(live);
});

describe("refuses", () => {
  const lstm = new LSTM(SIZES);
  const linear = new Linear({ inFeatures: 6, outFeatures: 2 });
  const disposed = new LSTM(SIZES);
  disposed.dispose();
  const infinite = new LSTM(SIZES).loadStateDict(
    { weight_hh_l0: new Tensor(new Float32Array(36 * 9).fill(Number.POSITIVE_INFINITY), [36, 9]) },
    { strict: false },
  );
  const growing = new RNN({ inputSize: 1, hiddenSize: 1, bias: false, nonlinearity: "relu" });
  growing.loadStateDict({ weight_ih_l0: Tensor.from([[1]]), weight_hh_l0: Tensor.from([[1e30]]) });
  const ok = sampleOf(6);
  it.each<[string, unknown, unknown, unknown, string]>([
    ["what is no module", {}, ok, undefined, "module: expected an LSTM, GRU, RNN or Linear, got an Object"],
    [
      "a cell",
      new LSTMCell({ inputSize: 6, hiddenSize: 2 }),
      ok,
      undefined,
      "module: expected an LSTM, GRU, RNN or Linear, got an Object",
    ],
    [
      "int8 weights",
      new LSTM({ ...SIZES, precision: "int8" }),
      ok,
      undefined,
      'module.precision: expected "float32", got int8',
    ],
    ["no sample", lstm, undefined, undefined, "sample: expected "],
    ["a width", lstm, Tensor.zeros([2, 7]), undefined, "sample.shape[1]: expected inputSize 6, got 7"],
    ["no steps", lstm, Tensor.zeros([0, 6]), undefined, "sample.shape[0]: expected a sequence length"],
    ["no rows", lstm, Tensor.zeros([2, 0, 6]), undefined, "sample: expected at least one row, got none"],
    ["no rows", linear, Tensor.zeros([0, 6]), undefined, "sample: expected at least one row, got none"],
    ["a width", linear, Tensor.zeros([2, 7]), undefined, "sample.shape[1]: expected inFeatures 6, got 7"],
    [
      "lengths of a Linear",
      linear,
      ok,
      { lengths: [1] },
      "options: expected none for a Linear, got an Object",
    ],
    ["a length", lstm, ok, { lengths: [1, 2] }, "lengths.length: expected batch 3, got 2"],
    [
      "NaN",
      lstm,
      Tensor.from([[Number.NaN, 0, 0, 0, 0, 0]]),
      undefined,
      "sample: expected numbers that stay finite, got others before weight_ih_l0",
    ],
    [
      "a sample that overflows",
      growing,
      new Tensor(new Float32Array(5).fill(1), [5, 1]),
      undefined,
      "sample: expected numbers that stay finite, got others before weight_hh_l0",
    ],
    [
      "infinite weights",
      infinite,
      ok,
      undefined,
      "module: weight_hh_l0[0][0]: expected a finite number to quantise, got Infinity",
    ],
    ["a disposed module", disposed, ok, undefined, "LSTM: used after dispose()"],
  ])("%s", (_, module, sample, options, message) => {
    expect(() => quantizeModule(module as LSTM, sample as Tensor, options as undefined)).toThrow(message);
  });
});
