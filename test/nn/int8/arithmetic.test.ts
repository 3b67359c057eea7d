/** int8 modules against a float64 model of their arithmetic. */
import { describe, expect, it } from "vitest";
import { GRU, Linear, LSTM, RNN, Tensor, type TensorData } from "../../../src/index.js";
import {
  gruModel,
  type Int8Matrix,
  integerSums,
  lstmModel,
  matrixOf,
  product,
  quantizeRow,
  rnnModel,
  type StepModel,
} from "../../support/int8-model.js";
import {
  drawn,
  expectNear,
  FORMS,
  float32Of,
  rowsOf,
  selectGroups,
  TOLERANCE,
} from "../../support/int8-modules.js";

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
      selectGroups(form);
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
      selectGroups(form);
      using gru = drawn(new GRU({ ...sizes, bias, precision: "int8" }), bound);
      const [output, hN] = gru.forward(input, h0);
      expect(hN.data).toEqual(output.data.slice(-batch * hiddenSize));
      for (let row = 0; row < batch; row++) {
        const model = gruModel(gru.stateDict());
        checkSteps(`row ${row}`, rowsOf(input, row), rowsOf(h0, row)[0]!, rowsOf(output, row), model);
      }
    });

    it.each(["tanh", "relu"] as const)(`RNN ${label}, %s`, (nonlinearity) => {
      selectGroups(form);
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
    selectGroups(form);
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
    selectGroups(form);
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
    selectGroups(form);
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
    selectGroups(form);
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
