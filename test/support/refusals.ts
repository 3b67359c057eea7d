/**
 * What the tests of refusals share: modules and streams that no refused call may change, and `refuses`, which holds
 * each error against its type and whole message: what is refused, what was expected, what came. After each, the modules'
 * weights, the streams' states and the linear memory in use are what they were before.
 *
 * The hooks below become those of the test file that imports this one.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Embedding, GRU, GRUCell, Linear, LSTM, LSTMCell, RNN, RNNCell, Tensor } from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { checksum } from "./deterministic-cases.js";

type Refusal = readonly [what: string, call: () => unknown, type: ErrorConstructor, message: string];

/** Passes what the types forbid. */
// biome-ignore lint/suspicious/noExplicitAny: the refusals are of what TypeScript would not let through
export const any = (value: unknown): any => value;

/** The names of activations, as messages list them. */
export const ACTIVATIONS =
  "tanh, sigmoid, relu, linear, hardSigmoid, softsign, softplus, elu, selu, celu, exponential, gelu, silu, mish, leakyRelu, relu6, hardSilu, logSigmoid, squareplus, hardTanh, tanhShrink, softShrink, hardShrink, thresholdedRelu, scaledTanh, affine";

export const SIZES = { inputSize: 6, hiddenSize: 4 };
export const zeros = (...shape: number[]) => Tensor.zeros(shape);

/** Modules that no refusal may change. */
export const lstm = new LSTM({ ...SIZES, numLayers: 2 });
export const projected = new LSTM({ ...SIZES, projSize: 2 });
export const batchFirst = new LSTM({ ...SIZES, batchFirst: true });
export const bidirectional = new LSTM({ ...SIZES, bidirectional: true });
export const gru = new GRU(SIZES);
export const rnn = new RNN(SIZES);
export const lstmCell = new LSTMCell(SIZES);
export const gruCell = new GRUCell(SIZES);
export const rnnCell = new RNNCell(SIZES);
export const linear = new Linear({ inFeatures: 6, outFeatures: 4 });
export const embedding = new Embedding({ numEmbeddings: 5, embeddingDim: 3 });
const modules = [
  ...[lstm, projected, batchFirst, bidirectional, gru, rnn],
  ...[lstmCell, gruCell, rnnCell, linear, embedding],
];
export const stream = lstm.stream();
export const pair = gru.stream({ batchSize: 2 });

/** Everything that a refused call could have changed. */
function snapshot() {
  return {
    weights: checksum(modules.flatMap((module) => [...module.stateDict().values()])),
    states: checksum([...stream.state, pair.state]),
    liveBytes: currentRuntime().liveBytes,
  };
}

beforeAll(() => {
  stream.step(Tensor.randn([6], 1));
  pair.step(Tensor.randn([2, 6], 1));
  // Every workspace is there before the memory in use is looked at.
  for (const module of [lstm, projected, bidirectional, gru, rnn]) module.forward(zeros(5, 2, 6));
  batchFirst.forward(zeros(2, 5, 6));
  for (const cell of [lstmCell, gruCell, rnnCell]) cell.forward(zeros(2, 6));
  linear.forward(zeros(2, 6));
});

afterAll(() => {
  stream.dispose();
  pair.dispose();
  for (const module of modules) module.dispose();
});

export function refuses(title: string, refusals: readonly Refusal[]): void {
  describe(title, () => {
    it.each(refusals)("refuses %s", (_, call, type, message) => {
      const before = snapshot();
      let thrown: unknown;
      try {
        call();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Error);
      expect((thrown as Error).message).toBe(message);
      expect((thrown as Error).constructor).toBe(type);
      expect(snapshot()).toEqual(before);
    });
  });
}

/** A tensor whose data were replaced after it was made, which only TypeScript forbids. */
const replaced = (data: unknown) => Object.assign(zeros(2, 6), { data });

/** A tensor whose buffer went to a worker, as by postMessage with a transfer list. */
function transferred(): Tensor {
  const tensor = zeros(2, 6);
  structuredClone(tensor.data, { transfer: [tensor.data.buffer] });
  return tensor;
}

/** What every function that takes an input refuses. */
export function inputRefusals(forward: (input: unknown) => unknown): Refusal[] {
  const given = (input: unknown) => () => forward(input);
  return [
    ["no input", given(undefined), TypeError, "input: expected a Tensor or { data, shape }, got undefined"],
    ["null", given(null), TypeError, "input: expected a Tensor or { data, shape }, got null"],
    ["a string", given("abc"), TypeError, 'input: expected a Tensor or { data, shape }, got "abc"'],
    ["a number", given(3), TypeError, "input: expected a Tensor or { data, shape }, got 3"],
    [
      "nested arrays",
      given([[1, 2]]),
      TypeError,
      "input: expected a Tensor, such as Tensor.from(nested), or { data, shape }, got an array of length 1",
    ],
    [
      "a shape that is a string",
      given({ data: [1], shape: "1" }),
      TypeError,
      'input.shape: expected an array of sizes, got "1"',
    ],
    [
      "a shape of strings",
      given({ data: [1], shape: ["1"] }),
      TypeError,
      'input.shape[0]: expected a number, got "1"',
    ],
    [
      "a negative size",
      given({ data: [], shape: [-1, 6] }),
      RangeError,
      "input.shape[0]: expected an integer of at least 0, got -1",
    ],
    [
      "data that is not of the shape's length",
      given({ data: new Float32Array(11), shape: [2, 1, 6] }),
      RangeError,
      "input.data.length: expected 12 for shape [2, 1, 6], got 11",
    ],
    [
      "dims that do not match either",
      given({ data: new Float32Array(11), dims: [2, 6] }),
      RangeError,
      "input.data.length: expected 12 for shape [2, 6], got 11",
    ],
    [
      "a tensor whose data were replaced by more",
      given(replaced(new Float32Array(5000))),
      RangeError,
      "input.data.length: expected 12 for shape [2, 6], got 5000",
    ],
    [
      "a tensor whose data were replaced by something else",
      given(replaced("data")),
      TypeError,
      'input.data: expected a Float32Array, got "data"',
    ],
    [
      "a tensor whose shape was replaced",
      given(Object.assign(zeros(2, 6), { shape: [2, 12] })),
      RangeError,
      "input.data.length: expected 24 for shape [2, 12], got 12",
    ],
    [
      "a tensor whose buffer was transferred",
      given(transferred()),
      RangeError,
      "input.data.length: expected 12 for shape [2, 6], got 0",
    ],
    ["no data", given({ shape: [2, 6] }), TypeError, "input.data: expected a Float32Array, got undefined"],
    [
      "a BigInt64Array",
      given({ data: new BigInt64Array(12), shape: [2, 6] }),
      TypeError,
      "input.data: expected a Float32Array, got a BigInt64Array",
    ],
    [
      "a Tensor of BigUint64Array",
      given(new Tensor(new BigUint64Array(12), [2, 6])),
      TypeError,
      "input.data: expected a Float32Array, got a BigUint64Array",
    ],
    [
      "a DataView",
      given({ data: new DataView(new ArrayBuffer(48)), shape: [2, 6] }),
      TypeError,
      "input.data: expected a Float32Array, got a DataView",
    ],
    [
      "an ArrayBuffer",
      given({ data: new ArrayBuffer(48), shape: [2, 6] }),
      TypeError,
      "input.data: expected a Float32Array, got an ArrayBuffer",
    ],
    [
      "strings as data",
      given({ data: ["1", "2"], shape: [2] }),
      TypeError,
      'input.data[0]: expected a number, got "1"',
    ],
    [
      "a hole in the data",
      given({ data: [0, null], shape: [2] }),
      TypeError,
      "input.data[1]: expected a number, got null",
    ],
  ];
}
