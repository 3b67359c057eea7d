/** int8 modules against a float64 model of their arithmetic, and against themselves bit for bit. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readSafetensors, writeSafetensors } from "../../src/formats/index.js";
import { GRU, Linear, LSTM, RNN, type StateDict, Tensor, type TensorData } from "../../src/index.js";
import { quantizeMatrix } from "../../src/int8/round-weights.js";
import { currentRuntime } from "../../src/wasm/runtime.js";
import {
  dequantize,
  gruModel,
  type Int8Matrix,
  integerSums,
  lstmModel,
  matrixOf,
  product,
  quantizeRow,
  rnnModel,
  type StepModel,
} from "../support/int8-model.js";

const { kernels } = currentRuntime();
const usual = kernels.selectGroups(0);
kernels.selectGroups(usual);
afterEach(() => {
  kernels.selectGroups(usual);
});

/** How activations reach the dot products: the baseline build has one form, the relaxed one two. */
const FORMS = currentRuntime().build === "simd" ? [0] : [0, 1];

type AnyModule = LSTM | GRU | RNN;

const float32Of = (shape: number[], seed: number, scale = 1) => {
  const tensor = Tensor.randn(shape, seed);
  return new Tensor(
    tensor.data.map((x) => x * scale),
    shape,
  );
};

/** The same numbers in each run: integers over all of int8, scales for weights in +-bound, biases in +-bound. */
function drawn<M extends AnyModule | Linear>(module: M, bound = 0.3): M {
  const dict = module.stateDict<Float32Array | Int8Array>();
  let seed = 100;
  for (const [name, { data, shape }] of dict) {
    const { data: random } = Tensor.randn([...shape], seed++);
    for (let at = 0; at < data.length; at++) {
      const x = random[at]! % 1;
      if (data instanceof Int8Array) data[at] = Math.round(127 * x);
      else data[at] = name.endsWith("_scale") ? (bound * (1 + x / 2)) / 127 : bound * x;
    }
  }
  module.loadStateDict(dict);
  return module;
}

const TOLERANCE = 2e-6;

function expectNear(name: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length, name).toBe(expected.length);
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs(got[at]! - expected[at]!);
    if (!(error <= TOLERANCE * Math.max(1, Math.abs(expected[at]!)))) {
      throw new Error(`${name}[${at}]: expected ${expected[at]}, got ${got[at]}, off by ${error}`);
    }
  }
}

const bitsOf = ({ data }: { data: Float32Array }) =>
  new Int32Array(data.buffer, data.byteOffset, data.length);

function expectSameBits(name: string, got: Tensor, expected: Tensor): void {
  expect(got.shape, name).toEqual(expected.shape);
  expect(bitsOf(got), name).toEqual(bitsOf(expected));
}

/** The rows of one batch row of a (steps, batch, size) tensor. */
function rowsOf({ data, shape }: Tensor, row: number): Float32Array[] {
  const [steps, batch, size] = shape as [number, number, number];
  return Array.from({ length: steps }, (_, step) =>
    data.slice((step * batch + row) * size, (step * batch + row + 1) * size),
  );
}

function checkSteps(name: string, x: Float32Array[], h0: Float32Array, h: Float32Array[], model: StepModel) {
  x.forEach((input, step) => {
    expectNear(`${name} step ${step}`, h[step]!, model(input, step === 0 ? h0 : h[step - 1]!));
  });
}

/** Around the groups of 4, the vectors of 16 numbers, the blocks of 16 outputs, and the chunks of 2048 inputs. */
const SIZES = [
  { inputSize: 1, hiddenSize: 1 },
  { inputSize: 3, hiddenSize: 5 },
  { inputSize: 4, hiddenSize: 4 },
  { inputSize: 15, hiddenSize: 17 },
  { inputSize: 16, hiddenSize: 16 },
  { inputSize: 17, hiddenSize: 31 },
  { inputSize: 70, hiddenSize: 64 },
  { inputSize: 2049, hiddenSize: 6 },
];

describe.each(FORMS)("form %i of the activations", (form) => {
  for (const sizes of SIZES) {
    const { inputSize, hiddenSize } = sizes;
    const steps = 6;
    const batch = 3;
    // Sums of about 1: a float32 of 50 alone is off by more than what is allowed.
    const bound = 1 / Math.sqrt(hiddenSize);
    const input = float32Of([steps, batch, inputSize], 1, Math.min(2, 3 / (bound * Math.sqrt(inputSize))));
    const h0 = float32Of([1, batch, hiddenSize], 2, 0.7);
    const label = `${inputSize} -> ${hiddenSize}`;

    it.each([true, false])(`LSTM ${label}, bias %s`, (bias) => {
      kernels.selectGroups(form);
      using lstm = drawn(new LSTM({ ...sizes, bias, precision: "int8" }), bound);
      const c0 = float32Of([1, batch, hiddenSize], 3, 3);
      const [output, [hN, cN]] = lstm.forward(input, [h0, c0]);
      expect(hN.data).toEqual(output.data.slice(-batch * hiddenSize));
      for (let row = 0; row < batch; row++) {
        const c = Float64Array.from(rowsOf(c0, row)[0]!);
        const model = lstmModel(lstm.stateDict(), c);
        checkSteps(`row ${row}`, rowsOf(input, row), rowsOf(h0, row)[0]!, rowsOf(output, row), model);
        expectNear(`c of row ${row}`, rowsOf(cN, row)[0]!, c);
      }
    });

    it.each([true, false])(`GRU ${label}, bias %s`, (bias) => {
      kernels.selectGroups(form);
      using gru = drawn(new GRU({ ...sizes, bias, precision: "int8" }), bound);
      const [output, hN] = gru.forward(input, h0);
      expect(hN.data).toEqual(output.data.slice(-batch * hiddenSize));
      for (let row = 0; row < batch; row++) {
        const model = gruModel(gru.stateDict());
        checkSteps(`row ${row}`, rowsOf(input, row), rowsOf(h0, row)[0]!, rowsOf(output, row), model);
      }
    });

    it.each(["tanh", "relu"] as const)(`RNN ${label}, %s`, (nonlinearity) => {
      kernels.selectGroups(form);
      using rnn = drawn(new RNN({ ...sizes, nonlinearity, precision: "int8" }), bound);
      const [output, hN] = rnn.forward(input, h0);
      expect(hN.data).toEqual(output.data.slice(-batch * hiddenSize));
      for (let row = 0; row < batch; row++) {
        const model = rnnModel(rnn.stateDict(), nonlinearity);
        checkSteps(`row ${row}`, rowsOf(input, row), rowsOf(h0, row)[0]!, rowsOf(output, row), model);
      }
    });
  }

  // Sums of h, and of the row that is projected, longer than 2048: more than one sum of 32 bits.
  it.each([
    ["LSTM", 4],
    ["GRU", 3],
    ["RNN", 1],
  ] as const)("%s with 2052 units", (name, gates) => {
    kernels.selectGroups(form);
    const [inputSize, hiddenSize] = [3, 2052];
    const dict = new Map<string, Tensor<TensorData>>();
    for (const [part, columns] of [
      ["ih", inputSize],
      ["hh", hiddenSize],
    ] as const) {
      const shape = [gates * hiddenSize, columns];
      const { data } = Tensor.randn(shape, columns);
      dict.set(
        `weight_${part}_l0`,
        new Tensor(
          Int8Array.from(data, (x) => 40 * x),
          shape,
        ),
      );
      const scales = Float32Array.from({ length: shape[0]! }, (_, row) => (1 + (row % 7)) * 1e-4);
      dict.set(`weight_${part}_l0_scale`, new Tensor(scales, [shape[0]!]));
      dict.set(`bias_${part}_l0`, float32Of([shape[0]!], 11, 0.1));
    }
    const x = rowsOf(float32Of([2, 1, inputSize], 12, 2), 0);
    const h0 = float32Of([1, 1, hiddenSize], 13, 0.7);
    const input = new Tensor(Float32Array.from(x.flatMap((row) => [...row])), [2, 1, inputSize]);
    const models = {
      LSTM: () => lstmModel(dict, new Float64Array(hiddenSize)),
      GRU: () => gruModel(dict),
      RNN: () => rnnModel(dict, "tanh"),
    };
    using module = { LSTM, GRU, RNN }[name].fromStateDict(dict);
    const [output] =
      module instanceof LSTM
        ? module.forward(input, [h0, Tensor.zeros([1, 1, hiddenSize])])
        : module.forward(input, h0);
    checkSteps(name, x, h0.data, rowsOf(output, 0), models[name]());
  });

  it("LSTM with a projection: the projected row is W_hr times the quantised o tanh(c)", () => {
    kernels.selectGroups(form);
    const [steps, batch, hiddenSize, projSize] = [5, 3, 37, 19];
    using lstm = drawn(new LSTM({ inputSize: 6, hiddenSize, projSize, precision: "int8" }), 0.2);
    const input = float32Of([steps, batch, 6], 4, 2);
    const { output, layers } = lstm.trace(input);
    const dict = lstm.stateDict();
    const reduction = matrixOf(dict, "weight_hr_l0");
    const { i, f, g, o, c } = layers[0]!;
    for (let row = 0; row < batch; row++) {
      const [os, cs, hs] = [rowsOf(o, row), rowsOf(c, row), rowsOf(output, row)];
      // The gates follow from x and the projected h, as without a projection.
      const state = new Float64Array(hiddenSize);
      const model = lstmModel(dict, state);
      rowsOf(input, row).forEach((x, step) => {
        model(x, step === 0 ? new Float32Array(projSize) : hs[step - 1]!);
        expectNear(`c, row ${row}, step ${step}`, cs[step]!, state);
        const cell = Float32Array.from(os[step]!, (gate, unit) => gate * Math.tanh(cs[step]![unit]!));
        // The kernel's o tanh(c) differs from this one in the last bits, which may round another way: one unit of it.
        const { scale } = quantizeRow(cell);
        const expected = product(reduction, cell);
        expected.forEach((value, at) => {
          const nearTies = cell.reduce((slack, x, column) => {
            const fraction = Math.abs(((x / scale) % 1) + 1) % 1;
            const weight = reduction.values[at * hiddenSize + column]! * reduction.scales[at]!;
            return Math.abs(fraction - 0.5) < 0.01 ? slack + Math.abs(weight) * scale : slack;
          }, 0);
          expect(Math.abs(hs[step]![at]! - value)).toBeLessThanOrEqual(TOLERANCE + nearTies);
        });
      });
      expect(
        rowsOf(i, row)
          .concat(rowsOf(f, row), rowsOf(g, row))
          .flatMap((gate) => [...gate])
          .every(Number.isFinite),
      ).toBe(true);
    }
  });

  // Every operation of a Linear is in the model, so its bits are the same in all builds and on all engines.
  it.each([
    [1, 1],
    [3, 2],
    [16, 16],
    [21, 17],
    [100, 40],
    [2047, 5],
    [2048, 5],
    [2049, 5],
    [4096, 3],
    [5000, 33],
  ])("Linear %i -> %i has the model's bits", (inFeatures, outFeatures) => {
    kernels.selectGroups(form);
    using linear = drawn(new Linear({ inFeatures, outFeatures, precision: "int8" }));
    const input = float32Of([7, inFeatures], 5, 3);
    const output = linear.forward(input);
    const dict = linear.stateDict();
    const bias = dict.get("bias")!.data as Float32Array;
    for (let row = 0; row < 7; row++) {
      const x = input.data.slice(row * inFeatures, (row + 1) * inFeatures);
      const expected = linearBits(matrixOf(dict, "weight"), bias, x);
      expect(output.data.slice(row * outFeatures, (row + 1) * outFeatures)).toEqual(expected);
    }
  });

  it.each([2048, 2049, 16384, 16383])("sums of %i extreme products are exact", (inFeatures) => {
    kernels.selectGroups(form);
    const patterns: ((column: number) => [number, number])[] = [
      () => [127, 8191],
      () => [-127, 8191],
      () => [127, -8191],
      () => [-128, 8191],
      () => [-128, -8191],
      (column) => (column % 2 === 0 ? [127, 8191] : [-127, 8191]),
      (column) => (column < inFeatures / 2 ? [-128, -8191] : [127, -8191]),
    ];
    for (const pattern of patterns) {
      const weight = new Tensor(
        Int8Array.from({ length: inFeatures }, (_, column) => pattern(column)[0]),
        [1, inFeatures],
      );
      // The largest |x| is 8191, so that the row's scale is 1 and q = x.
      const x = Float32Array.from({ length: inFeatures }, (_, column) => pattern(column)[1]);
      const weight_scale = new Tensor(new Float32Array([1]), [1]);
      using linear = Linear.fromStateDict({ weight, weight_scale });
      const matrix: Int8Matrix = {
        values: weight.data,
        scales: weight_scale.data,
        rows: 1,
        columns: inFeatures,
      };
      const { data } = linear.forward(new Tensor(x, [1, inFeatures]));
      expect(data).toEqual(linearBits(matrix, new Float32Array(1), x));
      const exact = integerSums(matrix, Int32Array.from(x))[0]!;
      expect(Math.abs(data[0]! - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -22);
    }
  });
});

/** A Linear's output in the order of its float32 operations, after exact sums of up to 2048 inputs each. */
function linearBits(matrix: Int8Matrix, bias: Float32Array, x: Float32Array): Float32Array {
  const { q, scale } = quantizeRow(x);
  const total = new Float32Array(matrix.rows);
  for (let start = 0; start < matrix.columns; start += 2048) {
    const end = Math.min(matrix.columns, start + 2048);
    integerSums(matrix, q, start, end).forEach((sum, row) => {
      expect(sum).toBe(sum | 0);
      total[row] = total[row]! + Math.fround(sum);
    });
  }
  return total.map((sum, row) => {
    const scaled = Math.fround(Math.fround(sum * matrix.scales[row]!) * scale);
    return Math.fround(bias[row]! + scaled);
  });
}

interface ModuleClass {
  new (options: { inputSize: number; hiddenSize: number; precision: "int8" }): AnyModule;
  fromStateDict(dict: ReadonlyMap<string, Tensor<TensorData>>): AnyModule;
}

const MODULES: [name: string, Module: ModuleClass, options: object][] = [
  ["LSTM", LSTM, {}],
  ["LSTM with a projection", LSTM, { projSize: 18 }],
  ["GRU", GRU, {}],
  ["RNN", RNN, {}],
];

const runAny = (module: AnyModule, input: Tensor, lengths?: number[]): [Tensor, unknown] =>
  module instanceof LSTM
    ? module.forward(input, undefined, lengths && { lengths })
    : module.forward(input, undefined, lengths && { lengths });

describe.each(MODULES)("%s bit for bit", (_, Module, extra) => {
  const make = (options: object) =>
    drawn(new Module({ inputSize: 9, hiddenSize: 21, ...extra, ...options, precision: "int8" }));
  const input = float32Of([40, 5, 9], 6, 2);
  const part = (row: number, length = 40) =>
    new Tensor(
      Float32Array.from(
        rowsOf(input, row)
          .slice(0, length)
          .flatMap((x) => [...x]),
      ),
      [length, 1, 9],
    );

  it("a row of a batch is that row alone", () => {
    using module = make({ numLayers: 2 });
    const [output] = runAny(module, input);
    for (let row = 0; row < 5; row++) {
      const [alone] = runAny(module, part(row));
      expect(alone.data).toEqual(Float32Array.from(rowsOf(output, row).flatMap((x) => [...x])));
    }
  });

  it("a stream is forward", () => {
    using module = make({ numLayers: 2 });
    const [output] = runAny(module, part(0));
    using stream = module.stream();
    rowsOf(part(0), 0).forEach((x, step) => {
      expect(stream.step(x).data).toEqual(rowsOf(output, 0)[step]);
    });
    const [batchOutput] = runAny(module, input);
    using batchStream = module.stream({ batchSize: 5 });
    for (let step = 0; step < 40; step++) {
      const x = new Tensor(input.data.slice(step * 45, (step + 1) * 45), [5, 9]);
      const size = batchOutput.data.length / 40;
      expect(batchStream.step(x).data).toEqual(batchOutput.data.slice(step * size, (step + 1) * size));
    }
  });

  it("lengths cut rows", () => {
    using module = make({ bidirectional: true });
    const lengths = [7, 40, 1, 39, 20];
    const [output] = runAny(module, input, lengths);
    lengths.forEach((length, row) => {
      const [alone] = runAny(module, part(row, length));
      const rows = rowsOf(output, row);
      expect(alone.data).toEqual(Float32Array.from(rows.slice(0, length).flatMap((x) => [...x])));
      expect(rows.slice(length).every((x) => x.every((value) => value === 0))).toBe(true);
    });
  });

  it("two directions are two modules, two layers are two modules", () => {
    using module = make({ bidirectional: true, numLayers: 2 });
    const dict = module.stateDict();
    const single = (layer: number, reverse: boolean) => {
      const suffix = `_l${layer}${reverse ? "_reverse" : ""}`;
      const found = [...dict].filter(([name]) => name.replace(/_scale$/, "").endsWith(suffix));
      return Module.fromStateDict(
        new Map(found.map(([name, tensor]) => [name.replace(suffix, "_l0"), tensor])),
      );
    };
    const reversed = ({ data, shape }: Tensor) => {
      const size = data.length / shape[0]!;
      const turned = new Float32Array(data.length);
      for (let step = 0; step < shape[0]!; step++) {
        turned.set(data.subarray(step * size, (step + 1) * size), data.length - (step + 1) * size);
      }
      return new Tensor(turned, shape);
    };
    let source = input;
    for (const layer of [0, 1]) {
      using ahead = single(layer, false);
      using back = single(layer, true);
      const a = runAny(ahead, source)[0];
      const b = reversed(runAny(back, reversed(source))[0]);
      const width = a.shape[2]!;
      const joined = new Float32Array(2 * a.data.length);
      for (let at = 0; at < a.data.length / width; at++) {
        joined.set(a.data.subarray(at * width, (at + 1) * width), 2 * at * width);
        joined.set(b.data.subarray(at * width, (at + 1) * width), (2 * at + 1) * width);
      }
      source = new Tensor(joined, [40, 5, 2 * width]);
    }
    expectSameBits("output", runAny(module, input)[0], source);
  });

  it("batchFirst is a transposition", () => {
    using module = make({});
    using first = make({ batchFirst: true }).loadStateDict(module.stateDict());
    const [output] = runAny(module, input);
    const turned = new Tensor(
      Float32Array.from([0, 1, 2, 3, 4].flatMap((row) => rowsOf(input, row).flatMap((x) => [...x]))),
      [5, 40, 9],
    );
    const [result] = runAny(first, turned);
    const expected = [0, 1, 2, 3, 4].flatMap((row) => rowsOf(output, row).flatMap((x) => [...x]));
    expect(result.data).toEqual(Float32Array.from(expected));
  });

  // The baseline build has one form only.
  if (FORMS.length > 1) {
    it("both forms of the activations give the same bits", () => {
      using given = make({ numLayers: 2, bidirectional: true });
      const dict = given.stateDict();
      const results = FORMS.map((form) => {
        kernels.selectGroups(form);
        using module = make({ numLayers: 2, bidirectional: true }).loadStateDict(dict);
        return runAny(module, input)[0];
      });
      expectSameBits("output", results[1]!, results[0]!);
    });
  }

  it("its state dict makes the same module again", () => {
    using module = make({ numLayers: 2 });
    using again = Module.fromStateDict(module.stateDict());
    expect(again.precision).toBe("int8");
    expect(again.stateDict()).toEqual(module.stateDict());
    expectSameBits("output", runAny(again, input)[0], runAny(module, input)[0]);
  });
});

describe("quantisation at load", () => {
  it("is that of quantizeMatrix, under PyTorch's names", () => {
    using float = new LSTM({ inputSize: 7, hiddenSize: 10, projSize: 4 });
    const dict = float.stateDict();
    using int8 = LSTM.fromStateDict(dict, { precision: "int8" });
    const read = int8.stateDict();
    for (const name of ["weight_ih_l0", "weight_hh_l0", "weight_hr_l0"]) {
      const { data, shape } = dict.get(name)!;
      const rows = shape[0]!;
      const { values, scales } = quantizeMatrix(data, rows);
      expect(read.get(name)).toEqual(new Tensor(values, shape));
      expect(read.get(`${name}_scale`)).toEqual(new Tensor(scales, [rows]));
    }
    for (const name of ["bias_ih_l0", "bias_hh_l0"]) expect(read.get(name)).toEqual(dict.get(name));
    expect([...read.keys()].slice(0, 3)).toEqual(["weight_ih_l0", "weight_ih_l0_scale", "weight_hh_l0"]);
  });

  it("keeps rows of zeros, of one value, of subnormal and of huge numbers", () => {
    const rows = [0, 0, 0, 3, 3, 3, -2, 1, 0.5, 1e-44, -3e-45, 0, 3e38, -3e38, 1e38];
    const weight = new Tensor(Float32Array.from(rows), [5, 3]);
    using linear = Linear.fromStateDict({ weight }, { precision: "int8" });
    const dict = linear.stateDict();
    const scales = dict.get("weight_scale")!.data as Float32Array;
    expect(scales[0]).toBe(1);
    using again = Linear.fromStateDict(dict);
    expect(again.stateDict()).toEqual(dict);
    dequantize(dict)
      .get("weight")!
      .data.forEach((value, at) => {
        expect(Math.abs(value - weight.data[at]!)).toBeLessThanOrEqual(scales[Math.floor(at / 3)]!);
      });
  });

  it("makes no float32 copy of int8 weights on the way from a file", () => {
    const [inFeatures, outFeatures] = [1000, 500];
    using linear = new Linear({ inFeatures, outFeatures, precision: "int8" });
    const file = writeSafetensors(linear.stateDict());
    let longest = 0;
    // Views of existing buffers are no copies.
    const construct = (Floats: Float32ArrayConstructor, args: unknown[], newTarget: never) => {
      const array = Reflect.construct(Floats, args, newTarget) as Float32Array;
      if (!(args[0] instanceof ArrayBuffer)) longest = Math.max(longest, array.length);
      return array;
    };
    const before = currentRuntime().liveBytes;
    vi.stubGlobal("Float32Array", new Proxy(Float32Array, { construct }));
    try {
      using counted = new Linear({ inFeatures, outFeatures });
      expect(longest).toBeGreaterThanOrEqual(inFeatures * outFeatures);
      counted.dispose();
      longest = 0;
      using loaded = Linear.fromStateDict(readSafetensors(file));
      expect(loaded.stateDict()).toEqual(linear.stateDict());
      expect(currentRuntime().liveBytes - before).toBeLessThan(1.1 * inFeatures * outFeatures);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(longest).toBeLessThanOrEqual(outFeatures);
  });

  it("takes a quarter of the memory, and scales", () => {
    const runtime = currentRuntime();
    const bytesOf = (make: () => { dispose(): void }) => {
      const before = runtime.liveBytes;
      const module = make();
      const bytes = runtime.liveBytes - before;
      module.dispose();
      expect(runtime.liveBytes).toBe(before);
      return bytes;
    };
    const [inputSize, hiddenSize] = [64, 128];
    const sizes = { inputSize, hiddenSize };
    const makers = [
      { gates: 4, make: (precision: "int8" | "float32") => new LSTM({ ...sizes, precision }) },
      { gates: 3, make: (precision: "int8" | "float32") => new GRU({ ...sizes, precision }) },
      { gates: 1, make: (precision: "int8" | "float32") => new RNN({ ...sizes, precision }) },
    ];
    for (const { gates, make } of makers) {
      const weights = gates * hiddenSize * (inputSize + hiddenSize);
      const biases = 2 * gates * hiddenSize * 4;
      const records = 2 * 32;
      expect(bytesOf(() => make("float32"))).toBe(weights * 4 + records + biases);
      // Whole lines of 4 or 6 vectors; beside the integers a scale and the sum of the weights for each row.
      const line = 4 * runtime.kernels.groupVectors();
      const rows = Math.ceil((gates * hiddenSize) / line) * line;
      expect(bytesOf(() => make("int8"))).toBe(
        rows * (inputSize + hiddenSize) + 2 * rows * 8 + 2 * rows * 4 + records,
      );
    }
  });
});

describe.each(FORMS)("rows that 14 bits cannot hold, form %i", (form) => {
  beforeEach(() => {
    kernels.selectGroups(form);
  });

  const dictOf = (module: { stateDict(): StateDict }) => module.stateDict();

  it("NaN makes its row NaN, and no other", () => {
    using linear = drawn(new Linear({ inFeatures: 20, outFeatures: 18, precision: "int8" }));
    const input = float32Of([7, 20], 7);
    const clean = linear.forward(input).data;
    input.data[3 * 20 + 19] = Number.NaN;
    input.data[4 * 20 + 1] = Number.NaN;
    input.data[4 * 20 + 2] = Number.POSITIVE_INFINITY;
    const { data } = linear.forward(input);
    data.forEach((value, at) => {
      const row = Math.floor(at / 18);
      if (row === 3 || row === 4) expect(value).toBeNaN();
      else expect(value).toBe(clean[at]);
    });
  });

  it.each([1, 17])("infinity is where float32 has it, %i outputs", (outFeatures) => {
    using linear = drawn(new Linear({ inFeatures: 6, outFeatures, precision: "int8" }));
    using float = new Linear({ inFeatures: 6, outFeatures }).loadStateDict(dequantize(dictOf(linear)));
    const input = float32Of([4, 6], 8);
    input.data[1] = Number.POSITIVE_INFINITY;
    input.data[9] = Number.NEGATIVE_INFINITY;
    input.data[14] = Number.POSITIVE_INFINITY;
    input.data[15] = Number.POSITIVE_INFINITY;
    const expected = float.forward(input).data;
    const { data } = linear.forward(input);
    expect(expected.some((value) => !Number.isFinite(value))).toBe(true);
    data.forEach((value, at) => {
      if (Number.isFinite(expected[at])) expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-3);
      else expect(value).toBe(expected[at]);
    });
  });

  it.each(MODULES)("%s: NaN and infinity go where they go in float32", (_, Module, extra) => {
    const options = { inputSize: 9, hiddenSize: 21, numLayers: 2, precision: "int8", ...extra } as const;
    using module = drawn(new Module(options));
    using float = Module.fromStateDict(dequantize(dictOf(module)));
    expect(float.precision).toBe("float32");
    const input = float32Of([6, 4, 9], 9);
    input.data[(2 * 4 + 1) * 9 + 4] = Number.NaN;
    input.data[(1 * 4 + 2) * 9 + 3] = Number.POSITIVE_INFINITY;
    input.data[(3 * 4 + 3) * 9 + 8] = Number.NEGATIVE_INFINITY;
    const expected = runAny(float, input)[0].data;
    const { data } = runAny(module, input)[0];
    expect(expected.some(Number.isNaN)).toBe(true);
    data.forEach((value, at) => {
      if (Number.isNaN(expected[at])) expect(value).toBeNaN();
      else expect(Math.abs(value - expected[at]!)).toBeLessThan(2e-3);
    });
  });

  it.each([1e30, 1e36, 1e-25, 1e-30, 1e-34, 1e-38, 1e-41])("inputs of magnitude %d", (magnitude) => {
    using linear = drawn(new Linear({ inFeatures: 50, outFeatures: 20, bias: false, precision: "int8" }));
    const { values, scales, columns } = matrixOf(linear.stateDict(), "weight");
    const input = float32Of([3, 50], 10, magnitude);
    const { data } = linear.forward(input);
    data.forEach((value, at) => {
      const row = Math.floor(at / 20);
      const output = at % 20;
      let exact = 0;
      let size = 0;
      for (let column = 0; column < 50; column++) {
        const term = values[output * columns + column]! * scales[output]! * input.data[row * 50 + column]!;
        exact += term;
        size += Math.abs(term);
      }
      // 14 bits of a row, or what the subnormal result itself is rounded to, 50 times.
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(size * 3e-4 + 50 * 2 ** -149);
    });
  });

  it("zeros give the bias; equal numbers are exact", () => {
    using linear = drawn(new Linear({ inFeatures: 33, outFeatures: 5, precision: "int8" }));
    const dict = linear.stateDict();
    const zeros = linear.forward(Tensor.zeros([2, 33]));
    expect(zeros.data.slice(5)).toEqual(dict.get("bias")!.data);
    const { values, scales } = matrixOf(dict, "weight");
    const { data } = linear.forward(new Tensor(new Float32Array(33).fill(-2.5), [33]));
    data.forEach((value, output) => {
      const sum = values.slice(output * 33, (output + 1) * 33).reduce((total, weight) => total + weight, 0);
      const exact = sum * scales[output]! * -2.5 + (dict.get("bias")!.data[output] as number);
      expect(Math.abs(value - exact)).toBeLessThan(1e-6);
    });
  });
});

describe("refusals", () => {
  const options = { inputSize: 3, hiddenSize: 2, precision: "int8" } as const;

  it("an unknown precision", () => {
    const bad = (precision: unknown) => ({ inputSize: 3, hiddenSize: 2, precision }) as never;
    for (const Module of [LSTM, GRU, RNN]) {
      expect(() => new Module(bad("int4"))).toThrow('precision: expected "float32" or "int8", got int4');
      expect(() => new Module(bad(8))).toThrow(TypeError);
      expect(() => Module.fromStateDict(new Map(), bad("int4"))).toThrow(/precision/);
    }
    expect(() => new Linear({ inFeatures: 1, outFeatures: 1, precision: "toString" as never })).toThrow(
      /precision: expected/,
    );
  });

  const spoilt: [string, RegExp, (dict: StateDict) => void][] = [
    ["missing scales", /missing p\.weight_hh_l0_scale/, (dict) => dict.delete("p.weight_hh_l0_scale")],
    [
      "scales of a wrong shape",
      /p\.weight_ih_l0_scale: expected shape \[8\], got \[1\]/,
      (dict) => dict.set("p.weight_ih_l0_scale", Tensor.zeros([1])),
    ],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map((scale): (typeof spoilt)[number] => [
      `a scale of ${scale}`,
      new RegExp(`p\\.weight_ih_l0_scale\\[3\\]: expected a finite number above 0, got ${scale}`),
      (dict) => {
        dict.get("p.weight_ih_l0_scale")!.data[3] = scale as never;
      },
    ]),
    ["missing weights", /missing p\.weight_hh_l0/, (dict) => dict.delete("p.weight_hh_l0")],
    [
      "weights of a wrong shape",
      /p\.weight_hh_l0: expected shape \[8, 2\], got \[8, 3\]/,
      (dict) => dict.set("p.weight_hh_l0", new Tensor(new Int8Array(24), [8, 3])),
    ],
    [
      "scales beside float weights",
      /p\.weight_hh_l0: expected an Int8Array beside p\.weight_hh_l0_scale/,
      (dict) => dict.set("p.weight_hh_l0", Tensor.zeros([8, 2])),
    ],
    [
      "int8 biases",
      /p\.bias_ih_l0: expected float numbers, got int8/,
      (dict) => dict.set("p.bias_ih_l0", new Tensor(new Int8Array(8), [8])),
    ],
    [
      "an unexpected key",
      /unexpected p\.bias_ih_l0_scale/,
      (dict) => dict.set("p.bias_ih_l0_scale", Tensor.zeros([8])),
    ],
  ];
  it.each(spoilt)("%s", (_, message, spoil) => {
    using lstm = new LSTM(options);
    const before = lstm.stateDict();
    using other = new LSTM(options);
    const dict: StateDict = new Map([...other.stateDict()].map(([name, tensor]) => [`p.${name}`, tensor]));
    spoil(dict);
    expect(() => lstm.loadStateDict(dict, { prefix: "p." })).toThrow(message);
    expect(lstm.stateDict()).toEqual(before);
    const live = currentRuntime().liveBytes;
    expect(() => LSTM.fromStateDict(dict, { prefix: "p.", precision: "int8" })).toThrow();
    expect(currentRuntime().liveBytes).toBe(live);
  });

  it("float weights that are not finite", () => {
    using lstm = new LSTM(options);
    const dict = new LSTM({ ...options, precision: "float32" }).stateDict();
    dict.get("weight_hh_l0")!.data[5] = Number.NaN;
    expect(() => lstm.loadStateDict(dict)).toThrow(
      "weight_hh_l0[2][1]: expected a finite number to quantise, got NaN",
    );
  });

  it("int8 weights in a float32 module", () => {
    using int8 = new LSTM(options);
    using float = new LSTM({ ...options, precision: "float32" });
    const before = float.stateDict();
    const message =
      /weight_ih_l0: expected float numbers, got int8, which takes a module of precision "int8"/;
    expect(() => float.loadStateDict(int8.stateDict(), { strict: false })).toThrow(message);
    expect(() => LSTM.fromStateDict(int8.stateDict(), { precision: "float32" })).toThrow(message);
    expect(float.stateDict()).toEqual(before);
  });

  it("with strict: false, scales without their weights, and weights without their scales", () => {
    using linear = new Linear({ inFeatures: 2, outFeatures: 2, precision: "int8" });
    const { weight, weight_scale } = Object.fromEntries(linear.stateDict()) as Record<string, Tensor>;
    const load = (dict: Record<string, Tensor>) => linear.loadStateDict(dict, { strict: false });
    expect(() => load({ weight_scale: weight_scale! })).toThrow(/missing weight, whose scales are given/);
    expect(() => load({ weight: weight! })).toThrow(/missing weight_scale, the scales of int8 weight/);
    expect(load({}).stateDict().get("weight")).toEqual(weight);
  });
});
