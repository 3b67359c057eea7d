/** `reverse` and `goBackwards` beside the same module, forwards, on an input that is turned. */
import { describe, expect, it } from "vitest";
import { type ForwardOptions, GRU, LSTM, RNN, Tensor } from "../../../src/index.js";

const [STEPS, BATCH, INPUT, HIDDEN] = [5, 3, 4, 6];

const KINDS = { LSTM, GRU, RNN };
/** Of all kinds, and of one. */
const MODULES: readonly (readonly [kind: keyof typeof KINDS, name: string, options: object])[] = [
  ["LSTM", "in two layers", { numLayers: 2 }],
  ["LSTM", "in three layers, projected", { numLayers: 3, projSize: 2 }],
  ["LSTM", "with peepholes, in int8", { peepholes: true, precision: "int8" }],
  ["GRU", "in one layer", {}],
  ["GRU", "with its reset before, in two layers", { resetAfter: false, numLayers: 2 }],
  ["RNN", "of relu6, in two layers", { nonlinearity: "relu6", numLayers: 2 }],
];

/** Rows of steps in the opposite order; row `row` turned within its own length where it has one. */
function turned({ data, shape }: Tensor, batchFirst: boolean, lengths?: readonly number[]): Tensor {
  const [first, second, size] = shape as [number, number, number];
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  const result = new Float32Array(data.length);
  const place = (step: number, row: number) => (batchFirst ? row * steps + step : step * batch + row) * size;
  for (let row = 0; row < batch; row++) {
    const length = lengths?.[row] ?? steps;
    for (let step = 0; step < steps; step++) {
      const from = step < length ? length - 1 - step : step;
      result.set(data.subarray(place(from, row), place(from, row) + size), place(step, row));
    }
  }
  return new Tensor(result, shape);
}

type Module = LSTM | GRU | RNN;

function forward(module: Module, input: Tensor, options?: ForwardOptions): [Tensor, unknown] {
  return module instanceof LSTM
    ? module.forward(input, undefined, options)
    : module.forward(input, undefined, options);
}

/** The module that turns, and the one that runs forwards, of the same weights. */
function pair(kind: keyof typeof KINDS, options: object, turn: object): [Module, Module] {
  const sizes = { inputSize: INPUT, hiddenSize: HIDDEN };
  const backward = new KINDS[kind]({ ...sizes, ...options, ...turn });
  const plain = new KINDS[kind]({ ...sizes, ...options });
  plain.loadStateDict(new Map(backward.stateDict())); // without metadata, which tells of other options
  return [backward, plain];
}

describe.each(MODULES)("%s %s", (kind, _, options) => {
  it.each([false, true])(
    "runs from the end and answers in the order of time, batchFirst %s",
    (batchFirst) => {
      // A layer takes what the one before it gives, at the same steps: each could be turned by itself.
      const [backward, plain] = pair(kind, { ...options, batchFirst }, { reverse: true });
      using _backward = backward;
      using _plain = plain;
      const shape = batchFirst ? [BATCH, STEPS, INPUT] : [STEPS, BATCH, INPUT];
      const input = Tensor.randn(shape, 1);
      const [output, states] = forward(backward, input);
      const [expected, ends] = forward(plain, turned(input, batchFirst));
      expect(output).toEqual(turned(expected, batchFirst));
      expect(states).toEqual(ends);
    },
  );

  it("turns each row within its own length", () => {
    const [backward, plain] = pair(kind, { ...options, batchFirst: true }, { reverse: true });
    using _backward = backward;
    using _plain = plain;
    const input = Tensor.randn([BATCH, STEPS, INPUT], 2);
    const lengths = [2, 5, 3];
    const [output, states] = forward(backward, input, { lengths });
    const [expected, ends] = forward(plain, turned(input, true, lengths), { lengths });
    expect(output).toEqual(turned(expected, true, lengths));
    expect(states).toEqual(ends);
  });

  it("turns a mask with the input", () => {
    const [backward, plain] = pair(kind, { ...options, batchFirst: true }, { reverse: true });
    using _backward = backward;
    using _plain = plain;
    const input = Tensor.randn([2, STEPS, INPUT], 3);
    const mask = [
      [0, 1, 1, 0, 1],
      [1, 1, 0, 0, 0],
    ];
    const other = mask.map((row) => [...row].reverse());
    for (const maskedOutput of ["repeat", "zeros"] as const) {
      const [output, states] = forward(backward, input, { mask, maskedOutput });
      const [expected, ends] = forward(plain, turned(input, true), { mask: other, maskedOutput });
      expect(output).toEqual(turned(expected, true));
      expect(states).toEqual(ends);
    }
  });

  it("runs long sequences chunk by chunk", () => {
    const [backward, plain] = pair(kind, options, { reverse: true });
    using _backward = backward;
    using _plain = plain;
    const input = Tensor.randn([200, BATCH, INPUT], 4);
    const [output, states] = forward(backward, input);
    const [expected, ends] = forward(plain, turned(input, false));
    expect(output).toEqual(turned(expected, false));
    expect(states).toEqual(ends);
  });
});

describe.each([
  ["LSTM", { projSize: 2 }],
  ["GRU", {}],
  ["RNN", { nonlinearity: "softsign" }],
] as const)("goBackwards of %s", (kind, options) => {
  it.each([STEPS, 200])("answers in the order of computing, over %s steps", (steps) => {
    for (const batchFirst of [false, true]) {
      const [backward, plain] = pair(kind, { ...options, batchFirst }, { goBackwards: true });
      using _backward = backward;
      using _plain = plain;
      const input = Tensor.randn(batchFirst ? [BATCH, steps, INPUT] : [steps, BATCH, INPUT], 5);
      expect(forward(backward, input)).toEqual(forward(plain, turned(input, batchFirst)));
    }
  });

  it("is a stack whose layers each turn what they are given, as Keras'", () => {
    const [stack] = pair(kind, { ...options, numLayers: 3 }, { goBackwards: true });
    using _stack = stack;
    const input = Tensor.randn([STEPS, BATCH, INPUT], 6);
    let rows = input;
    const dict = new Map(stack.stateDict());
    for (let layer = 0; layer < 3; layer++) {
      const sizes = { ...options, inputSize: rows.shape.at(-1)!, hiddenSize: HIDDEN, goBackwards: true };
      using one = new KINDS[kind](sizes);
      const own = [...dict].filter(([name]) => name.endsWith(`_l${layer}`));
      one.loadStateDict(new Map(own.map(([name, value]) => [name.replace(/_l\d$/, "_l0"), value])));
      rows = forward(one, rows)[0];
    }
    expect(forward(stack, input)[0]).toEqual(rows);
  });
});
