/** Masks, in every form and place, beside calls that need none. */
import { describe, expect, it } from "vitest";
import { type ForwardOptions, GRU, LSTM, quantizeModule, RNN, Tensor } from "../../../src/index.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
/** [row][step]: left padding, holes, right padding, all, none. */
const ROWS = [
  [0, 0, 1, 1, 1, 1],
  [1, 0, 1, 0, 0, 1],
  [1, 1, 1, 0, 0, 0],
  [1, 1, 1, 1, 1, 1],
  [0, 0, 0, 0, 0, 0],
];
const [BATCH, STEPS] = [ROWS.length, 6];
const turn = <T>(rows: readonly (readonly T[])[]) => rows[0]!.map((_, at) => rows.map((row) => row[at]!));

type Recurrent = LSTM | GRU | RNN;
interface Result {
  output: Tensor;
  states: Tensor[];
}

function forward(module: Recurrent, input: Tensor, options?: ForwardOptions): Result {
  const [output, state] =
    module instanceof LSTM
      ? module.forward(input, undefined, options)
      : module.forward(input, undefined, options);
  return { output, states: Array.isArray(state) ? state : [state as Tensor] };
}

/** Rows of a tensor whose last axis is a row. */
function rowsOf({ data, shape }: Tensor): number[][] {
  const size = shape.at(-1)!;
  return Array.from({ length: data.length / size }, (_, at) =>
    Array.from(data.subarray(at * size, (at + 1) * size)),
  );
}

const tensorOf = (rows: number[][]) =>
  new Tensor(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);

const MODULES = {
  LSTM: (batchFirst: boolean): Recurrent => new LSTM({ ...SIZES, numLayers: 2, batchFirst }),
  "projected LSTM": (batchFirst: boolean): Recurrent => new LSTM({ ...SIZES, projSize: 2, batchFirst }),
  GRU: (batchFirst: boolean): Recurrent => new GRU({ ...SIZES, batchFirst }),
  "GRU with its reset before": (batchFirst: boolean): Recurrent =>
    new GRU({ ...SIZES, resetAfter: false, batchFirst }),
  RNN: (batchFirst: boolean): Recurrent => new RNN({ ...SIZES, nonlinearity: "relu6", batchFirst }),
};

describe.each(Object.entries(MODULES))("a mask of %s", (_, make) => {
  it.each([true, false])("runs each row over its steps alone, batchFirst %s", (batchFirst) => {
    using module = make(batchFirst);
    const input = Tensor.randn(batchFirst ? [BATCH, STEPS, 3] : [STEPS, BATCH, 3], 1);
    const mask = batchFirst ? ROWS : turn(ROWS);
    const place = (row: number, step: number) => (batchFirst ? row * STEPS + step : step * BATCH + row);
    const inputs = rowsOf(input);
    for (const maskedOutput of ["repeat", "zeros"] as const) {
      const { output, states } = forward(module, input, { mask, maskedOutput });
      const outputs = rowsOf(output);
      const zeros = outputs[0]!.map(() => 0);
      for (const [row, flags] of ROWS.entries()) {
        const kept = flags.flatMap((flag, step) => (flag ? [inputs[place(row, step)]!] : []));
        const alone = kept.length > 0 ? forward(module, tensorOf(kept)) : undefined;
        const expected = alone ? rowsOf(alone.output) : [];
        let [next, last] = [0, zeros];
        for (const [step, flag] of flags.entries()) {
          if (flag) last = expected[next++]!;
          const masked = maskedOutput === "repeat" ? last : zeros;
          expect(outputs[place(row, step)], `row ${row}, step ${step}`).toEqual(flag ? last : masked);
        }
        for (const [which, state] of states.entries()) {
          const layers = state.shape[0]!;
          const ends = rowsOf(state);
          const own = Array.from({ length: layers }, (_, layer) => ends[layer * BATCH + row]!);
          const zero = own.map((values) => values.map(() => 0));
          const truth = alone ? rowsOf(alone.states[which]!) : zero;
          expect(own, `state ${which} of row ${row}`).toEqual(truth);
        }
      }
    }
  });
});

it("takes booleans, numbers, nested or in a row, and tensors, as one mask", () => {
  using module = new GRU({ ...SIZES, batchFirst: true });
  const input = Tensor.randn([BATCH, STEPS, 3], 2);
  const flat = ROWS.flat();
  const forms: ForwardOptions["mask"][] = [
    flat,
    flat.map((flag) => flag !== 0),
    // NaN is not 0.
    flat.map((flag) => flag * Number.NaN || 0).map((_, at) => (flat[at] ? Number.NaN : -0)),
    flat.map(BigInt),
    ROWS.map((row) => row.map(Boolean)),
    ROWS.map((row) => Uint8Array.from(row)),
    Uint8Array.from(flat),
    BigInt64Array.from(flat.map(BigInt)),
    new Tensor(Float32Array.from(flat), [BATCH, STEPS]),
    { data: Int32Array.from(flat), shape: [BATCH, STEPS] },
  ];
  const [first, ...others] = forms.map((mask) => forward(module, input, { mask }));
  for (const other of others) expect(other).toEqual(first);
});

it("takes a mask of a sequence without a batch", () => {
  using module = new LSTM(SIZES);
  const input = Tensor.randn([4, 3], 3);
  const { output, states } = forward(module, input, { mask: [0, 1, 0, 1], maskedOutput: "zeros" });
  const rows = rowsOf(input);
  const alone = forward(module, tensorOf([rows[1]!, rows[3]!]));
  const [first, second] = rowsOf(alone.output);
  expect(rowsOf(output)).toEqual([Array(5).fill(0), first, Array(5).fill(0), second]);
  expect(states).toEqual(alone.states);
});

/** Long ones are run in several chunks, of at most 128 rows. */
it.each([
  ["few steps", 5, 3],
  ["several chunks", 150, 3],
  ["chunks of one row", 300, 1],
])("gives what lengths give where rows are masked at their ends: %s", (_, steps, batch) => {
  const lengths = Array.from({ length: batch }, (_, row) => Math.ceil((steps * (row + 1)) / (batch + 1)));
  const mask = lengths.map((length) => Array.from({ length: steps }, (_, step) => step < length));
  const input = Tensor.randn([batch, steps, 3], 4);
  const sizes = { ...SIZES, batchFirst: true };
  for (const module of [
    new LSTM({ ...sizes, numLayers: 2, bidirectional: true }),
    new LSTM({ ...sizes, reverse: true }),
    new GRU({ ...sizes, numLayers: 2, precision: "int8" }),
    new RNN({ ...sizes, bidirectional: true, clip: 0.7 }),
  ]) {
    using _module = module;
    const masked = forward(module, input, { mask, maskedOutput: "zeros" });
    expect(masked).toEqual(forward(module, input, { lengths }));
    const repeated = forward(module, input, { mask });
    expect(repeated.states).toEqual(masked.states);
  }
});

it("repeats rows over the ends of chunks", () => {
  const steps = 400;
  using module = new GRU({ ...SIZES, batchFirst: true });
  const input = Tensor.randn([2, steps, 3], 5);
  const mask = [0, 1].map((row) => Array.from({ length: steps }, (_, step) => step === 10 + row));
  const outputs = rowsOf(forward(module, input, { mask }).output);
  for (const row of [0, 1]) {
    const own = outputs.slice(row * steps, (row + 1) * steps);
    const at = 10 + row;
    for (const [step, values] of own.entries()) {
      expect(values, `row ${row}, step ${step}`).toEqual(step < at ? Array(5).fill(0) : own[at]);
    }
    expect(own[at]).not.toEqual(Array(5).fill(0));
  }
});

it("begins masked rows at the state that is given", () => {
  using module = new LSTM(SIZES);
  const [h, c] = [Tensor.randn([1, 2, 5], 6), Tensor.randn([1, 2, 5], 7)];
  const mask = [
    [0, 0],
    [0, 1],
  ];
  const [, states] = module.forward(Tensor.randn([2, 2, 3], 8), [h, c], { mask });
  for (const [which, state] of [h, c].entries()) {
    expect(rowsOf(states[which]!)[0]).toEqual(rowsOf(state)[0]);
    expect(rowsOf(states[which]!)[1]).not.toEqual(rowsOf(state)[1]);
  }
});

it("traces zeros at masked steps, and what a call without them has at the others", () => {
  using module = new LSTM({ ...SIZES, batchFirst: true });
  const input = Tensor.randn([1, 4, 3], 9);
  const masked = module.trace(input, undefined, { mask: [[0, 1, 0, 1]] });
  const rows = rowsOf(input);
  const alone = module.trace(new Tensor(Float32Array.from([...rows[1]!, ...rows[3]!]), [1, 2, 3]));
  expect(masked.output).toEqual(forward(module, input, { mask: [[0, 1, 0, 1]] }).output);
  for (const name of ["i", "f", "g", "o", "c", "h"] as const) {
    const [first, second] = rowsOf(alone.layers[0]![name]);
    const zeros = first!.map(() => 0);
    expect(rowsOf(masked.layers[0]![name]), name).toEqual([zeros, first, zeros, second]);
  }
});

it("quantizes for the rows that count, as if there were no others", () => {
  using module = new GRU({ inputSize: 12, hiddenSize: 16, batchFirst: true });
  const flags = Array.from({ length: 40 }, (_, step) => step % 3 > 0);
  const rows = rowsOf(Tensor.randn([40, 12], 10));
  // What is masked has inputs that go together as those of no other row.
  const padded = rows.map((row, step) => (flags[step] ? row : row.map((_, at) => 50 + at)));
  const input = tensorOf(padded);
  const compact = tensorOf(rows.filter((_, step) => flags[step]));
  expect(quantizeModule(module, input, { mask: flags })).toEqual(quantizeModule(module, compact));
  expect(quantizeModule(module, input)).not.toEqual(quantizeModule(module, compact));
});

it("is no option of a stream or of its steps", () => {
  using module = new GRU(SIZES);
  const options = { mask: [1] } as object;
  expect(() => module.stream(options)).toThrow("options.mask: unknown option; known are batchSize");
});
