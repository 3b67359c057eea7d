/**
 * Every refusal, by its type and its whole message: what is refused, what was expected, what came. After each, the
 * fixtures' weights, the streams' states and the linear memory in use are what they were before.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Embedding,
  GRU,
  GRUCell,
  init,
  Linear,
  LSTM,
  LSTMCell,
  RNN,
  RNNCell,
  type StateDict,
  Tensor,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/runtime.js";
import { checksum } from "../support/deterministic-cases.js";

type Refusal = readonly [what: string, call: () => unknown, type: ErrorConstructor, message: string];

/** Passes what the types forbid. */
// biome-ignore lint/suspicious/noExplicitAny: the refusals are of what TypeScript would not let through
const any = (value: unknown): any => value;

const SIZES = { inputSize: 6, hiddenSize: 4 };
const zeros = (...shape: number[]) => Tensor.zeros(shape);

/** Modules that no refusal may change. */
const lstm = new LSTM({ ...SIZES, numLayers: 2 });
const projected = new LSTM({ ...SIZES, projSize: 2 });
const batchFirst = new LSTM({ ...SIZES, batchFirst: true });
const bidirectional = new LSTM({ ...SIZES, bidirectional: true });
const gru = new GRU(SIZES);
const rnn = new RNN(SIZES);
const lstmCell = new LSTMCell(SIZES);
const gruCell = new GRUCell(SIZES);
const rnnCell = new RNNCell(SIZES);
const linear = new Linear({ inFeatures: 6, outFeatures: 4 });
const embedding = new Embedding({ numEmbeddings: 5, embeddingDim: 3 });
const modules = [
  ...[lstm, projected, batchFirst, bidirectional, gru, rnn],
  ...[lstmCell, gruCell, rnnCell, linear, embedding],
];
const stream = lstm.stream();
const pair = gru.stream({ batchSize: 2 });

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

function refuses(title: string, refusals: readonly Refusal[]): void {
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

const RECURRENT = "inputSize, hiddenSize, numLayers, bias, batchFirst, dropout, bidirectional, precision";

for (const [name, Class] of Object.entries({ LSTM, GRU, RNN })) {
  const make = (options: unknown) => () => new Class(any(options));
  const known = `${RECURRENT}${{ LSTM: ", projSize", GRU: "", RNN: ", nonlinearity" }[name]}`;
  refuses(`new ${name}`, [
    ["no options", make(undefined), TypeError, "inputSize: expected a number, got undefined"],
    ["null options", make(null), TypeError, "options: expected an object of options, got null"],
    [
      "sizes as an array",
      make([6, 4]),
      TypeError,
      "options: expected an object of options, got an array of length 2",
    ],
    ["a number", make(6), TypeError, "options: expected an object of options, got 6"],
    [
      "a misspelt option",
      make({ ...SIZES, numlayers: 2 }),
      TypeError,
      `options.numlayers: unknown option; known are ${known}`,
    ],
    [
      "PyTorch's names",
      make({ input_size: 6 }),
      TypeError,
      `options.input_size: unknown option; known are ${known}`,
    ],
    ["no hiddenSize", make({ inputSize: 6 }), TypeError, "hiddenSize: expected a number, got undefined"],
    [
      "inputSize 0",
      make({ ...SIZES, inputSize: 0 }),
      RangeError,
      "inputSize: expected an integer of at least 1, got 0",
    ],
    [
      "hiddenSize -1",
      make({ ...SIZES, hiddenSize: -1 }),
      RangeError,
      "hiddenSize: expected an integer of at least 1, got -1",
    ],
    [
      "hiddenSize 2.5",
      make({ ...SIZES, hiddenSize: 2.5 }),
      RangeError,
      "hiddenSize: expected an integer of at least 1, got 2.5",
    ],
    [
      "hiddenSize NaN",
      make({ ...SIZES, hiddenSize: Number.NaN }),
      RangeError,
      "hiddenSize: expected an integer of at least 1, got NaN",
    ],
    [
      "inputSize as a string",
      make({ ...SIZES, inputSize: "6" }),
      TypeError,
      'inputSize: expected a number, got "6"',
    ],
    [
      "inputSize as a bigint",
      make({ ...SIZES, inputSize: 6n }),
      TypeError,
      "inputSize: expected a number, got 6n",
    ],
    [
      "numLayers 0",
      make({ ...SIZES, numLayers: 0 }),
      RangeError,
      "numLayers: expected an integer from 1 to 10000, got 0",
    ],
    [
      "numLayers 1e9",
      make({ ...SIZES, numLayers: 1e9 }),
      RangeError,
      "numLayers: expected an integer from 1 to 10000, got 1000000000",
    ],
    [
      "numLayers null",
      make({ ...SIZES, numLayers: null }),
      TypeError,
      "numLayers: expected a number, got null",
    ],
    ["bias 1", make({ ...SIZES, bias: 1 }), TypeError, "bias: expected true or false, got 1"],
    [
      "batchFirst as a string",
      make({ ...SIZES, batchFirst: "yes" }),
      TypeError,
      'batchFirst: expected true or false, got "yes"',
    ],
    [
      "bidirectional null",
      make({ ...SIZES, bidirectional: null }),
      TypeError,
      "bidirectional: expected true or false, got null",
    ],
    [
      "dropout 1.5",
      make({ ...SIZES, dropout: 1.5 }),
      RangeError,
      "dropout: expected a probability from 0 to 1, got 1.5",
    ],
    [
      "dropout -0.1",
      make({ ...SIZES, dropout: -0.1 }),
      RangeError,
      "dropout: expected a probability from 0 to 1, got -0.1",
    ],
    [
      "dropout NaN",
      make({ ...SIZES, dropout: Number.NaN }),
      RangeError,
      "dropout: expected a probability from 0 to 1, got NaN",
    ],
    ["dropout true", make({ ...SIZES, dropout: true }), TypeError, "dropout: expected a number, got true"],
  ]);
}

const lstmWith = (options: object) => () => new LSTM({ ...SIZES, ...options });
const rnnWith = (options: object) => () => new RNN({ ...SIZES, ...options });

refuses("options of one kind only", [
  [
    "projSize for a GRU",
    () => new GRU(any({ ...SIZES, projSize: 2 })),
    TypeError,
    `options.projSize: unknown option; known are ${RECURRENT}`,
  ],
  [
    "projSize for an RNN",
    () => new RNN(any({ ...SIZES, projSize: 2 })),
    TypeError,
    `options.projSize: unknown option; known are ${RECURRENT}, nonlinearity`,
  ],
  [
    "nonlinearity for an LSTM",
    () => new LSTM(any({ ...SIZES, nonlinearity: "relu" })),
    TypeError,
    `options.nonlinearity: unknown option; known are ${RECURRENT}, projSize`,
  ],
  [
    "projSize of hiddenSize",
    lstmWith({ projSize: 4 }),
    RangeError,
    "projSize: expected less than hiddenSize 4, got 4",
  ],
  [
    "projSize -1",
    lstmWith({ projSize: -1 }),
    RangeError,
    "projSize: expected an integer of at least 0, got -1",
  ],
  [
    "projSize 1.5",
    lstmWith({ projSize: 1.5 }),
    RangeError,
    "projSize: expected an integer of at least 0, got 1.5",
  ],
  ["projSize null", lstmWith({ projSize: null }), TypeError, "projSize: expected a number, got null"],
  [
    "an unknown nonlinearity",
    rnnWith({ nonlinearity: "gelu" }),
    RangeError,
    'nonlinearity: expected "tanh" or "relu", got gelu',
  ],
  [
    "a nonlinearity that is null",
    rnnWith({ nonlinearity: null }),
    TypeError,
    'nonlinearity: expected "tanh" or "relu", got null',
  ],
  [
    "a nonlinearity that is a function",
    rnnWith({ nonlinearity: Math.tanh }),
    TypeError,
    'nonlinearity: expected "tanh" or "relu", got a function',
  ],
]);

for (const [name, Class] of Object.entries({ LSTMCell, GRUCell, RNNCell })) {
  const make = (options: unknown) => () => new Class(any(options));
  const known = `inputSize, hiddenSize, bias${name === "RNNCell" ? ", nonlinearity" : ""}`;
  refuses(`new ${name}`, [
    ["no options", make(undefined), TypeError, "inputSize: expected a number, got undefined"],
    ["null options", make(null), TypeError, "options: expected an object of options, got null"],
    [
      "numLayers",
      make({ ...SIZES, numLayers: 2 }),
      TypeError,
      `options.numLayers: unknown option; known are ${known}`,
    ],
    [
      "hiddenSize 0",
      make({ ...SIZES, hiddenSize: 0 }),
      RangeError,
      "hiddenSize: expected an integer of at least 1, got 0",
    ],
    [
      "inputSize 1.5",
      make({ ...SIZES, inputSize: 1.5 }),
      RangeError,
      "inputSize: expected an integer of at least 1, got 1.5",
    ],
    ["bias null", make({ ...SIZES, bias: null }), TypeError, "bias: expected true or false, got null"],
  ]);
}

const linearWith = (options: unknown) => () => new Linear(any(options));
const embeddingWith = (options: unknown) => () => new Embedding(any(options));

refuses("new RNNCell, Linear and Embedding", [
  [
    "RNNCell's unknown nonlinearity",
    () => new RNNCell(any({ ...SIZES, nonlinearity: "sin" })),
    RangeError,
    'nonlinearity: expected "tanh" or "relu", got sin',
  ],
  [
    "Linear's unknown option",
    linearWith({ inFeatures: 1, outFeatures: 1, device: "cpu" }),
    TypeError,
    "options.device: unknown option; known are inFeatures, outFeatures, bias, precision",
  ],
  ["Linear without inFeatures", linearWith({}), TypeError, "inFeatures: expected a number, got undefined"],
  [
    "Linear with outFeatures 0",
    linearWith({ inFeatures: 1, outFeatures: 0 }),
    RangeError,
    "outFeatures: expected an integer of at least 1, got 0",
  ],
  [
    "Linear's bias null",
    linearWith({ inFeatures: 1, outFeatures: 1, bias: null }),
    TypeError,
    "bias: expected true or false, got null",
  ],
  [
    "Embedding's unknown option",
    embeddingWith({ numEmbeddings: 1, embeddingDim: 1, maxNorm: 1 }),
    TypeError,
    "options.maxNorm: unknown option; known are numEmbeddings, embeddingDim, paddingIdx",
  ],
  [
    "Embedding with numEmbeddings 0",
    embeddingWith({ numEmbeddings: 0, embeddingDim: 1 }),
    RangeError,
    "numEmbeddings: expected an integer of at least 1, got 0",
  ],
  [
    "Embedding of 2^40 numbers",
    embeddingWith({ numEmbeddings: 2 ** 20, embeddingDim: 2 ** 20 }),
    RangeError,
    "numEmbeddings * embeddingDim: expected numbers that fit in memory, got 1099511627776",
  ],
  [
    "Embedding with embeddingDim as a string",
    embeddingWith({ numEmbeddings: 1, embeddingDim: "3" }),
    TypeError,
    'embeddingDim: expected a number, got "3"',
  ],
  [
    "Embedding with paddingIdx past the end",
    embeddingWith({ numEmbeddings: 5, embeddingDim: 3, paddingIdx: 5 }),
    RangeError,
    "paddingIdx: expected an integer from -5 to 4, got 5",
  ],
  [
    "Embedding with paddingIdx null",
    embeddingWith({ numEmbeddings: 5, embeddingDim: 3, paddingIdx: null }),
    TypeError,
    "paddingIdx: expected a number, got null",
  ],
]);

/** A tensor whose data were replaced after it was made, which only TypeScript forbids. */
const replaced = (data: unknown) => Object.assign(zeros(2, 6), { data });

/** A tensor whose buffer went to a worker, as by postMessage with a transfer list. */
function transferred(): Tensor {
  const tensor = zeros(2, 6);
  structuredClone(tensor.data, { transfer: [tensor.data.buffer] });
  return tensor;
}

/** What every function that takes an input refuses. */
function inputRefusals(forward: (input: unknown) => unknown): Refusal[] {
  const given = (input: unknown) => () => forward(input);
  return [
    ["no input", given(undefined), TypeError, "input: expected a Tensor or { data, shape }, got undefined"],
    ["null", given(null), TypeError, "input: expected a Tensor or { data, shape }, got null"],
    ["a string", given("abc"), TypeError, 'input: expected a Tensor or { data, shape }, got "abc"'],
    ["a number", given(3), TypeError, "input: expected a Tensor or { data, shape }, got 3"],
    ["nested arrays", given([[1, 2]]), TypeError, "input.shape: expected an array of sizes, got undefined"],
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

const inputs = {
  "LSTM.forward": (input: unknown) => lstm.forward(any(input)),
  "LSTM.trace": (input: unknown) => lstm.trace(any(input)),
  "GRU.forward": (input: unknown) => gru.forward(any(input)),
  "RNN.forward": (input: unknown) => rnn.forward(any(input)),
};

for (const [name, forward] of Object.entries(inputs)) {
  refuses(`${name}'s input`, [
    ...inputRefusals(forward),
    ["1 dimension", () => forward(zeros(6)), RangeError, "input.shape: expected 2 or 3 dimensions, got [6]"],
    [
      "4 dimensions",
      () => forward(zeros(1, 1, 1, 6)),
      RangeError,
      "input.shape: expected 2 or 3 dimensions, got [1, 1, 1, 6]",
    ],
    [
      "a scalar",
      () => forward(Tensor.from(3)),
      RangeError,
      "input.shape: expected 2 or 3 dimensions, got []",
    ],
    [
      "another size",
      () => forward(zeros(5, 2, 7)),
      RangeError,
      "input.shape[2]: expected inputSize 6, got 7",
    ],
    [
      "another size without a batch",
      () => forward(zeros(5, 7)),
      RangeError,
      "input.shape[1]: expected inputSize 6, got 7",
    ],
    [
      "no time step",
      () => forward(zeros(0, 2, 6)),
      RangeError,
      "input.shape[0]: expected a sequence length of at least 1, got 0",
    ],
    [
      "no time step without a batch",
      () => forward(zeros(0, 6)),
      RangeError,
      "input.shape[0]: expected a sequence length of at least 1, got 0",
    ],
  ]);
}

refuses("batchFirst's input", [
  [
    "no time step",
    () => batchFirst.forward(zeros(2, 0, 6)),
    RangeError,
    "input.shape[1]: expected a sequence length of at least 1, got 0",
  ],
  [
    "states that follow batchFirst",
    () => batchFirst.forward(zeros(2, 5, 6), [zeros(2, 1, 4), zeros(2, 1, 4)]),
    RangeError,
    "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [2, 1, 4]",
  ],
]);

const input = zeros(5, 2, 6);
for (const [name, call] of Object.entries({
  "LSTM.forward": (state: unknown, of = input) => lstm.forward(of, any(state)),
  "LSTM.trace": (state: unknown, of = input) => lstm.trace(of, any(state)),
})) {
  const h = zeros(2, 2, 4);
  refuses(`${name}'s state`, [
    ["null", () => call(null), TypeError, "state: expected [h0, c0], got null"],
    ["one state", () => call(h), TypeError, "state: expected [h0, c0], got an Object"],
    [
      "one state in an array",
      () => call([h]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 1",
    ],
    [
      "an extra state",
      () => call([h, h, h]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 3",
    ],
    [
      "an empty array",
      () => call([]),
      TypeError,
      "state: expected [h0, c0], both or none, got an array of length 0",
    ],
    [
      "no c0",
      () => call([h, undefined]),
      TypeError,
      "c0: expected a Tensor or { data, shape }, got undefined",
    ],
    ["h0 null", () => call([null, h]), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
    [
      "options in its place",
      () => call({ lengths: [5, 5] }),
      TypeError,
      "state: expected [h0, c0], got an Object",
    ],
    [
      "another number of layers",
      () => call([zeros(1, 2, 4), h]),
      RangeError,
      "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [1, 2, 4]",
    ],
    [
      "another batch",
      () => call([h, zeros(2, 1, 4)]),
      RangeError,
      "c0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 1, 4]",
    ],
    [
      "another size",
      () => call([h, zeros(2, 2, 5)]),
      RangeError,
      "c0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 2, 5]",
    ],
    [
      "2 dimensions for an input of 3",
      () => call([zeros(2, 4), zeros(2, 4)]),
      RangeError,
      "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [2, 4]",
    ],
    [
      "3 dimensions for an input of 2",
      () => call([zeros(2, 1, 4), zeros(2, 1, 4)], zeros(5, 6)),
      RangeError,
      "h0.shape: expected [2, 4] (layers * directions, size), got [2, 1, 4]",
    ],
    [
      "a BigInt64Array",
      () => call([h, new Tensor(new BigInt64Array(16), [2, 2, 4])]),
      TypeError,
      "c0.data: expected a Float32Array, got a BigInt64Array",
    ],
    [
      "a tensor whose data were replaced",
      () => call([Object.assign(zeros(2, 2, 4), { data: new Float32Array(99) }), h]),
      RangeError,
      "h0.data.length: expected 16 for shape [2, 2, 4], got 99",
    ],
    [
      "data that is not of the shape's length",
      () => call([h, { data: new Float32Array(15), shape: [2, 2, 4] }]),
      RangeError,
      "c0.data.length: expected 16 for shape [2, 2, 4], got 15",
    ],
  ]);
}

refuses("states of projections and directions", [
  [
    "h0 of hiddenSize for a projection",
    () => projected.forward(input, [zeros(1, 2, 4), zeros(1, 2, 4)]),
    RangeError,
    "h0.shape: expected [1, 2, 2] (layers * directions, batch, size), got [1, 2, 4]",
  ],
  [
    "c0 of projSize for a projection",
    () => projected.forward(input, [zeros(1, 2, 2), zeros(1, 2, 2)]),
    RangeError,
    "c0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 2, 2]",
  ],
  [
    "one direction's state for two",
    () => bidirectional.forward(input, [zeros(1, 2, 4), zeros(1, 2, 4)]),
    RangeError,
    "h0.shape: expected [2, 2, 4] (layers * directions, batch, size), got [1, 2, 4]",
  ],
]);

for (const [name, call] of Object.entries({
  "GRU.forward": (h0: unknown) => gru.forward(input, any(h0)),
  "RNN.forward": (h0: unknown) => rnn.forward(input, any(h0)),
})) {
  refuses(`${name}'s state`, [
    ["null", () => call(null), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
    [
      "the LSTM's pair",
      () => call([zeros(1, 2, 4), zeros(1, 2, 4)]),
      TypeError,
      "h0.shape: expected an array of sizes, got undefined",
    ],
    [
      "another shape",
      () => call(zeros(2, 2, 4)),
      RangeError,
      "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [2, 2, 4]",
    ],
    [
      "2 dimensions for an input of 3",
      () => call(zeros(1, 4)),
      RangeError,
      "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 4]",
    ],
  ]);
}

for (const [name, call] of Object.entries({
  "LSTM.forward": (options: unknown) => lstm.forward(input, undefined, any(options)),
  "LSTM.trace": (options: unknown) => lstm.trace(input, undefined, any(options)),
  "GRU.forward": (options: unknown) => gru.forward(input, undefined, any(options)),
  "RNN.forward": (options: unknown) => rnn.forward(input, undefined, any(options)),
})) {
  const lengths = (value: unknown) => () => call({ lengths: value });
  refuses(`${name}'s lengths`, [
    ["null options", () => call(null), TypeError, "options: expected an object of options, got null"],
    [
      "lengths in place of the options",
      () => call([5, 5]),
      TypeError,
      "options: expected an object of options, got an array of length 2",
    ],
    [
      "an unknown option",
      () => call({ length: [5, 5] }),
      TypeError,
      "options.length: unknown option; known are lengths",
    ],
    ["null", lengths(null), TypeError, "lengths: expected an array of one integer per batch row, got null"],
    ["one number", lengths(5), TypeError, "lengths: expected an array of one integer per batch row, got 5"],
    [
      "a string",
      lengths("55"),
      TypeError,
      'lengths: expected an array of one integer per batch row, got "55"',
    ],
    [
      "a Tensor",
      lengths(zeros(2)),
      TypeError,
      "lengths: expected an array of one integer per batch row, got an Object",
    ],
    ["too few", lengths([5]), RangeError, "lengths.length: expected batch 2, got 1"],
    ["too many", lengths(new Int32Array(3)), RangeError, "lengths.length: expected batch 2, got 3"],
    ["0", lengths([5, 0]), RangeError, "lengths[1]: expected an integer from 1 to 5, got 0"],
    [
      "more than the input has",
      lengths([6, 5]),
      RangeError,
      "lengths[0]: expected an integer from 1 to 5, got 6",
    ],
    ["a fraction", lengths([5, 2.5]), RangeError, "lengths[1]: expected an integer from 1 to 5, got 2.5"],
    ["NaN", lengths([Number.NaN, 5]), RangeError, "lengths[0]: expected an integer from 1 to 5, got NaN"],
    ["strings", lengths(["5", 5]), TypeError, 'lengths[0]: expected a number, got "5"'],
    ["a hole", lengths([5, undefined]), TypeError, "lengths[1]: expected a number, got undefined"],
    [
      "a BigInt64Array",
      lengths(BigInt64Array.of(5n, 5n)),
      TypeError,
      "lengths[0]: expected a number, got 5n",
    ],
  ]);
}

const cells = {
  LSTMCell: (cellInput: unknown, state?: unknown) => lstmCell.forward(any(cellInput), any(state)),
  GRUCell: (cellInput: unknown, state?: unknown) => gruCell.forward(any(cellInput), any(state)),
  RNNCell: (cellInput: unknown, state?: unknown) => rnnCell.forward(any(cellInput), any(state)),
};
for (const [name, forward] of Object.entries(cells)) {
  const state = (h: Tensor) => (name === "LSTMCell" ? [h, h] : h);
  refuses(`${name}.forward`, [
    ...inputRefusals((given) => forward(given)),
    [
      "3 dimensions",
      () => forward(zeros(1, 2, 6)),
      RangeError,
      "input.shape: expected 1 or 2 dimensions, got [1, 2, 6]",
    ],
    ["another size", () => forward(zeros(2, 5)), RangeError, "input.shape[1]: expected inputSize 6, got 5"],
    [
      "another size without a batch",
      () => forward(zeros(5)),
      RangeError,
      "input.shape[0]: expected inputSize 6, got 5",
    ],
    [
      "a state of another batch",
      () => forward(zeros(2, 6), state(zeros(3, 4))),
      RangeError,
      "h.shape: expected [2, 4], got [3, 4]",
    ],
    [
      "a state without a batch for an input with one",
      () => forward(zeros(2, 6), state(zeros(4))),
      RangeError,
      "h.shape: expected [2, 4], got [4]",
    ],
    [
      "a state with a batch for an input without",
      () => forward(zeros(6), state(zeros(1, 4))),
      RangeError,
      "h.shape: expected [4], got [1, 4]",
    ],
  ]);
}

refuses("cells' states", [
  [
    "LSTMCell with one state",
    () => lstmCell.forward(zeros(2, 6), any([zeros(2, 4)])),
    TypeError,
    "state: expected [h0, c0], both or none, got an array of length 1",
  ],
  [
    "LSTMCell with a bare state",
    () => lstmCell.forward(zeros(2, 6), any(zeros(2, 4))),
    TypeError,
    "state: expected [h0, c0], got an Object",
  ],
  [
    "LSTMCell with a wrong c",
    () => lstmCell.forward(zeros(2, 6), [zeros(2, 4), zeros(2, 5)]),
    RangeError,
    "c.shape: expected [2, 4], got [2, 5]",
  ],
  [
    "GRUCell with null",
    () => gruCell.forward(zeros(2, 6), any(null)),
    TypeError,
    "h: expected a Tensor or { data, shape }, got null",
  ],
]);

refuses("Linear.forward", [
  ...inputRefusals((given) => linear.forward(any(given))),
  [
    "a scalar",
    () => linear.forward(Tensor.from(1)),
    RangeError,
    "input.shape: expected at least 1 dimension, got []",
  ],
  [
    "another size",
    () => linear.forward(zeros(2, 5)),
    RangeError,
    "input.shape[1]: expected inFeatures 6, got 5",
  ],
]);

const embed = (indices: unknown) => () => embedding.forward(any(indices));
refuses("Embedding.forward", [
  [
    "nothing",
    embed(undefined),
    TypeError,
    "indices: expected a number, an array or { data, shape }, got undefined",
  ],
  ["null", embed(null), TypeError, "indices: expected a number, an array or { data, shape }, got null"],
  ["a string", embed("1"), TypeError, 'indices: expected a number, an array or { data, shape }, got "1"'],
  ["an index past the end", embed(5), RangeError, "indices[0]: expected an integer from 0 to 4, got 5"],
  ["a negative index", embed([0, -1]), RangeError, "indices[1]: expected an integer from 0 to 4, got -1"],
  ["a fraction", embed([0.5]), RangeError, "indices[0]: expected an integer from 0 to 4, got 0.5"],
  ["NaN", embed([[Number.NaN]]), RangeError, "indices[0]: expected an integer from 0 to 4, got NaN"],
  [
    "a large bigint",
    embed(BigInt64Array.of(1n, 9n)),
    RangeError,
    "indices[1]: expected an integer from 0 to 4, got 9n",
  ],
  ["a string among numbers", embed([[0, "1"]]), TypeError, 'indices[0][1]: expected a number, got "1"'],
  ["arrays of unequal lengths", embed([[0, 1], [2]]), RangeError, "indices[1].length: expected 2, got 1"],
  [
    "null as an index",
    embed({ data: [1, null], shape: [2] }),
    TypeError,
    "indices[1]: expected an integer, got null",
  ],
  [
    "a string as an index",
    embed({ data: ["1"], shape: [1] }),
    TypeError,
    'indices[0]: expected an integer, got "1"',
  ],
  ["a boolean", embed({ data: [true], shape: [1] }), TypeError, "indices[0]: expected an integer, got true"],
  ["no shape", embed({ data: [1] }), TypeError, "indices.shape: expected an array of sizes, got undefined"],
  [
    "data that is not of the shape's length",
    embed({ data: [1, 2], shape: [3] }),
    RangeError,
    "indices.data.length: expected 3 for shape [3], got 2",
  ],
  [
    "data that is a string",
    embed({ data: "12", shape: [2] }),
    TypeError,
    'indices.data: expected an array of integers, got "12"',
  ],
  [
    "a DataView",
    embed({ data: new DataView(new ArrayBuffer(8)), shape: [2] }),
    TypeError,
    "indices.data: expected an array of integers, got a DataView",
  ],
  [
    "a bare DataView",
    embed(new DataView(new ArrayBuffer(8))),
    TypeError,
    "indices.shape: expected an array of sizes, got undefined",
  ],
]);

const dictOf = (module: { stateDict(): StateDict }) => module.stateDict();
/** The LSTM's dict with changes; undefined takes a key away. */
function changed(changes: Record<string, unknown>, from: { stateDict(): StateDict } = lstm) {
  const dict = dictOf(from) as Map<string, unknown>;
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) dict.delete(name);
    else dict.set(name, tensor);
  }
  return any(dict);
}
const load = (dict: unknown, options?: unknown) => () => lstm.loadStateDict(any(dict), any(options));

refuses("loadStateDict", [
  ["nothing", load(undefined), TypeError, "dict: expected a Map or a record of tensors, got undefined"],
  ["null", load(null), TypeError, "dict: expected a Map or a record of tensors, got null"],
  ["an array", load([]), TypeError, "dict: expected a Map or a record of tensors, got an array of length 0"],
  ["a string", load("weights"), TypeError, 'dict: expected a Map or a record of tensors, got "weights"'],
  [
    "an unknown option",
    load({}, { assign: true }),
    TypeError,
    "options.assign: unknown option; known are prefix, strict",
  ],
  [
    "strict that is not a boolean",
    load({}, { strict: 1 }),
    TypeError,
    "strict: expected true or false, got 1",
  ],
  ["a prefix that is not a string", load({}, { prefix: 1 }), TypeError, "prefix: expected a string, got 1"],
  [
    "what is missing, unexpected and mis-shaped, all at once",
    () => {
      const random = changed({
        weight_ih_l0: Tensor.randn([16, 6]),
        weight_hh_l0: undefined,
        bias_ih_l0: Tensor.randn([4, 4]),
        bias_hh_l1: undefined,
        weight_hh_l1: Tensor.randn([4, 16]),
        weight_ih_l2: Tensor.randn([16, 4]),
        extra: Tensor.randn([1]),
      });
      lstm.loadStateDict(random);
    },
    RangeError,
    "LSTM.loadStateDict: missing weight_hh_l0; bias_ih_l0: expected shape [16], got [4, 4]; " +
      "weight_hh_l1: expected shape [16, 4], got [4, 16]; missing bias_hh_l1; unexpected weight_ih_l2; unexpected extra",
  ],
  [
    "a record without the prefix's keys",
    () => gru.loadStateDict({ "a.weight_ih_l0": zeros(12, 6) }, { prefix: "b." }),
    RangeError,
    "GRU.loadStateDict: missing b.weight_ih_l0; missing b.weight_hh_l0; missing b.bias_ih_l0; missing b.bias_hh_l0",
  ],
  [
    "unexpected keys below a prefix",
    () => rnnCell.loadStateDict({ "x.weight_ih": zeros(4, 6), "x.bias": zeros(4) }, { prefix: "x." }),
    RangeError,
    "RNNCell.loadStateDict: missing x.weight_hh; missing x.bias_ih; missing x.bias_hh; unexpected x.bias",
  ],
  [
    "mis-shaped keys, not strict too",
    load(changed({ weight_ih_l0: zeros(16, 7), bias_hh_l1: zeros(15), extra: zeros(1) }), { strict: false }),
    RangeError,
    "LSTM.loadStateDict: weight_ih_l0: expected shape [16, 6], got [16, 7]; bias_hh_l1: expected shape [16], got [15]",
  ],
  [
    "null as a tensor",
    load(changed({ bias_hh_l1: null })),
    TypeError,
    "bias_hh_l1: expected a Tensor or { data, shape }, got null",
  ],
  [
    "64-bit integers",
    load(changed({ bias_hh_l1: new Tensor(new BigInt64Array(16), [16]) })),
    TypeError,
    "bias_hh_l1.data: expected a Float32Array, got a BigInt64Array",
  ],
  [
    "data that is not of the shape's length",
    load(changed({ bias_hh_l1: { data: new Float32Array(3), shape: [16] } })),
    RangeError,
    "bias_hh_l1.data.length: expected 16 for shape [16], got 3",
  ],
  [
    "a Linear's weight transposed",
    () => linear.loadStateDict({ weight: zeros(6, 4), bias: zeros(4) }),
    RangeError,
    "Linear.loadStateDict: weight: expected shape [4, 6], got [6, 4]",
  ],
  [
    "an Embedding's other size",
    () => embedding.loadStateDict({ weight: zeros(6, 3) }),
    RangeError,
    "Embedding.loadStateDict: weight: expected shape [5, 3], got [6, 3]",
  ],
]);

describe("loadStateDict that is not strict", () => {
  it("keeps what is missing and passes over what is unexpected", () => {
    using module = new LSTM(SIZES);
    const before = module.stateDict();
    const weight = Tensor.randn([16, 6], 1);
    module.loadStateDict({ weight_ih_l0: weight, other: zeros(3) }, { strict: false });
    const after = module.stateDict();
    expect(after.get("weight_ih_l0")).toEqual(weight);
    for (const name of ["weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]) {
      expect(after.get(name)).toEqual(before.get(name));
    }
  });
});

refuses("fromStateDict", [
  [
    "a dict without the prefix",
    () => LSTM.fromStateDict({ "encoder.weight_ih_l0": zeros(16, 6) }),
    RangeError,
    "dict: expected a key weight_ih_l0; found encoder.weight_ih_l0",
  ],
  [
    "a prefix that no key has",
    () => GRU.fromStateDict({ weight_ih_l0: zeros(12, 6) }, { prefix: "gru." }),
    RangeError,
    'dict: expected a key gru.weight_ih_l0; no key begins with "gru."',
  ],
  [
    "an empty dict",
    () => RNN.fromStateDict({}),
    RangeError,
    'dict: expected a key weight_ih_l0; no key begins with ""',
  ],
  [
    "null",
    () => LSTM.fromStateDict(any(null)),
    TypeError,
    "dict: expected a Map or a record of tensors, got null",
  ],
  [
    "an unknown option",
    () => LSTM.fromStateDict(dictOf(lstm), any({ bidirectional: true })),
    TypeError,
    "options.bidirectional: unknown option; known are prefix, batchFirst, precision",
  ],
  [
    "nonlinearity for a GRU",
    () => GRU.fromStateDict(dictOf(gru), any({ nonlinearity: "relu" })),
    TypeError,
    "options.nonlinearity: unknown option; known are prefix, batchFirst, precision",
  ],
  [
    "an unknown nonlinearity",
    () => RNN.fromStateDict(dictOf(rnn), any({ nonlinearity: "sin" })),
    RangeError,
    'nonlinearity: expected "tanh" or "relu", got sin',
  ],
  [
    "batchFirst that is not a boolean",
    () => LSTM.fromStateDict(dictOf(lstm), any({ batchFirst: 1 })),
    TypeError,
    "batchFirst: expected true or false, got 1",
  ],
  [
    "a number of rows that no hidden size makes",
    () => LSTM.fromStateDict({ weight_ih_l0: zeros(18, 6) }),
    RangeError,
    "weight_ih_l0.shape[0]: expected 4 times the hidden size, got 18",
  ],
  [
    "a weight with a size 0",
    () => LSTM.fromStateDict({ weight_ih_l0: zeros(16, 0) }),
    RangeError,
    "weight_ih_l0.shape: expected sizes of at least 1, got [16, 0]",
  ],
  [
    "a weight of 1 dimension",
    () => LSTM.fromStateDict({ "a.weight_ih_l0": zeros(16) }, { prefix: "a." }),
    RangeError,
    "a.weight_ih_l0.shape: expected 2 dimensions, got [16]",
  ],
  [
    "a GRU's dict for an LSTM",
    () => LSTM.fromStateDict(dictOf(gru)),
    RangeError,
    "LSTM.loadStateDict: weight_hh_l0: expected shape [12, 3], got [12, 4]",
  ],
  [
    "a layer that lacks its bias",
    () => LSTM.fromStateDict(changed({ bias_ih_l1: undefined })),
    RangeError,
    "LSTM.loadStateDict: missing bias_ih_l1",
  ],
  [
    "a layer in between that is missing",
    () =>
      LSTM.fromStateDict(
        changed({ weight_ih_l1: undefined, weight_ih_l2: zeros(16, 4), bias_ih_l1: undefined }),
      ),
    RangeError,
    "LSTM.loadStateDict: unexpected weight_hh_l1; unexpected bias_hh_l1; unexpected weight_ih_l2",
  ],
  [
    "a projection for a GRU",
    () => GRU.fromStateDict(changed({ weight_hr_l0: zeros(2, 4) }, gru)),
    RangeError,
    "GRU.loadStateDict: unexpected weight_hr_l0",
  ],
  [
    "a projection that is not smaller",
    () => LSTM.fromStateDict(changed({ weight_hr_l0: zeros(4, 4) })),
    RangeError,
    "projSize: expected less than hiddenSize 4, got 4",
  ],
  [
    "half of a second direction",
    () => LSTM.fromStateDict(changed({ weight_hh_l0_reverse: undefined }, bidirectional)),
    RangeError,
    "LSTM.loadStateDict: missing weight_hh_l0_reverse",
  ],
  [
    "a module's dict for a cell",
    () => LSTMCell.fromStateDict(dictOf(projected)),
    RangeError,
    "dict: expected a key weight_ih; found weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0",
  ],
  [
    "a cell's unknown option",
    () => GRUCell.fromStateDict(dictOf(gruCell), any({ batchFirst: true })),
    TypeError,
    "options.batchFirst: unknown option; known are prefix",
  ],
  [
    "a Linear's dict without its weight",
    () => Linear.fromStateDict({ bias: zeros(4) }),
    RangeError,
    "dict: expected a key weight; found bias",
  ],
  [
    "a Linear's bias of another size",
    () => Linear.fromStateDict({ weight: zeros(4, 6), bias: zeros(6) }),
    RangeError,
    "Linear.loadStateDict: bias: expected shape [4], got [6]",
  ],
  [
    "an Embedding's weight of 3 dimensions",
    () => Embedding.fromStateDict({ weight: zeros(4, 6, 1) }),
    RangeError,
    "weight.shape: expected 2 dimensions, got [4, 6, 1]",
  ],
]);

refuses("stream", [
  [
    "a bidirectional module",
    () => bidirectional.stream(),
    RangeError,
    "stream: a bidirectional module needs the future of its input",
  ],
  [
    "batchSize 0",
    () => lstm.stream({ batchSize: 0 }),
    RangeError,
    "batchSize: expected an integer of at least 1, got 0",
  ],
  [
    "batchSize 1.5",
    () => gru.stream({ batchSize: 1.5 }),
    RangeError,
    "batchSize: expected an integer of at least 1, got 1.5",
  ],
  [
    "batchSize 2^40",
    () => lstm.stream({ batchSize: 2 ** 40 }),
    RangeError,
    "batchSize: expected numbers that fit in memory, got 1099511627776",
  ],
  [
    "batchSize null",
    () => rnn.stream(any({ batchSize: null })),
    TypeError,
    "batchSize: expected a number, got null",
  ],
  ["a bare batch size", () => rnn.stream(any(2)), TypeError, "options: expected an object of options, got 2"],
  [
    "an unknown option",
    () => lstm.stream(any({ batch: 2 })),
    TypeError,
    "options.batch: unknown option; known are batchSize",
  ],
]);

refuses("stream.step", [
  ...inputRefusals((given) => stream.step(any(given))),
  [
    "a bare array of another length",
    () => stream.step(new Float32Array(7)),
    RangeError,
    "input.length: expected batchSize * inputSize = 6, got 7",
  ],
  [
    "a bare array of one row for two",
    () => pair.step(new Float32Array(6)),
    RangeError,
    "input.length: expected batchSize * inputSize = 12, got 6",
  ],
  [
    "a bare Float64Array",
    () => stream.step(any(new Float64Array(6))),
    TypeError,
    "input.shape: expected an array of sizes, got undefined",
  ],
  [
    "a whole sequence",
    () => stream.step(zeros(1, 1, 6)),
    RangeError,
    "input.shape: expected [1, 6] or [6], got [1, 1, 6]",
  ],
  ["a scalar", () => stream.step(Tensor.from(1)), RangeError, "input.shape: expected [1, 6] or [6], got []"],
  ["another size", () => stream.step(zeros(7)), RangeError, "input.shape[0]: expected inputSize 6, got 7"],
  [
    "another size with a batch",
    () => stream.step(zeros(1, 7)),
    RangeError,
    "input.shape[1]: expected inputSize 6, got 7",
  ],
  [
    "another batch",
    () => stream.step(zeros(2, 6)),
    RangeError,
    "input.shape[0]: expected batchSize 1, got 2",
  ],
  [
    "no batch for a batch of two",
    () => pair.step(zeros(12)),
    RangeError,
    "input.shape: expected [2, 6], got [12]",
  ],
]);

describe("stream.step whose output went to a worker", () => {
  it("says so, and the state is as it was", () => {
    const other = lstm.stream();
    const output = other.step(Tensor.randn([6], 1));
    const before = checksum(other.state);
    structuredClone(output.data, { transfer: [output.data.buffer] });
    expect(() => other.step(zeros(6))).toThrow(
      new Error("stream: the buffer of its output was transferred; transfer a copy of the output"),
    );
    expect(checksum(other.state)).toBe(before);
    const clone = other.clone();
    expect(clone.step(zeros(6)).shape).toEqual([4]);
    clone.dispose();
    other.dispose();
  });
});

const setState = (state: unknown) => () => {
  stream.state = any(state);
};
const setPair = (state: unknown) => () => {
  pair.state = any(state);
};
refuses("stream.state", [
  ["undefined", setState(undefined), TypeError, "state: expected a state shaped as forward's, got undefined"],
  ["null", setState(null), TypeError, "state: expected [h0, c0], got null"],
  ["one state", setState(zeros(2, 1, 4)), TypeError, "state: expected [h0, c0], got an Object"],
  [
    "one state in an array",
    setState([zeros(2, 1, 4)]),
    TypeError,
    "state: expected [h0, c0], both or none, got an array of length 1",
  ],
  [
    "a good h0 and a bad c0",
    setState([Tensor.randn([2, 1, 4]), zeros(2, 1, 5)]),
    RangeError,
    "c0.shape: expected [2, 1, 4] (layers * directions, batch, size), got [2, 1, 5]",
  ],
  [
    "states without a batch",
    setState([zeros(2, 4), zeros(2, 4)]),
    RangeError,
    "h0.shape: expected [2, 1, 4] (layers * directions, batch, size), got [2, 4]",
  ],
  [
    "undefined for a GRU",
    setPair(undefined),
    TypeError,
    "state: expected a state shaped as forward's, got undefined",
  ],
  ["null for a GRU", setPair(null), TypeError, "h0: expected a Tensor or { data, shape }, got null"],
  [
    "another batch for a GRU",
    setPair(zeros(1, 1, 4)),
    RangeError,
    "h0.shape: expected [1, 2, 4] (layers * directions, batch, size), got [1, 1, 4]",
  ],
]);

// (module)
const emptyModule = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
refuses("init", [
  ["null", () => init(any(null)), TypeError, "options: expected an object of options, got null"],
  [
    "an unknown option",
    () => init(any({ simd: false })),
    TypeError,
    "options.simd: unknown option; known are module, deterministic",
  ],
  [
    "deterministic that is not a boolean",
    () => init(any({ deterministic: 1 })),
    TypeError,
    "options.deterministic: expected true or false, got 1",
  ],
  [
    "null as a module",
    () => init(any({ module: null })),
    TypeError,
    "options.module: expected a WebAssembly.Module, got null",
  ],
  [
    "bytes as a module",
    () => init(any({ module: new Uint8Array(8) })),
    TypeError,
    "options.module: expected a WebAssembly.Module, got an Uint8Array",
  ],
  [
    "another module",
    () => init({ module: emptyModule }),
    TypeError,
    "options.module: expected lstm-wasm's binary (it exports memory and lstmForward), got a WebAssembly.Module",
  ],
  [
    "both options",
    () => init({ module: emptyModule, deterministic: true }),
    RangeError,
    "options: expected either module or deterministic, got both",
  ],
]);

describe("after dispose", () => {
  const classes = { LSTM, GRU, RNN, LSTMCell, GRUCell, RNNCell };
  const instances = {
    ...Object.fromEntries(Object.entries(classes).map(([name, Class]) => [name, new Class(SIZES)])),
    Linear: new Linear({ inFeatures: 6, outFeatures: 4 }),
    Embedding: new Embedding({ numEmbeddings: 5, embeddingDim: 3 }),
  };
  const calls = Object.entries(instances).flatMap(([name, module]) => {
    const dict = module.stateDict();
    const methods = ["forward", "trace", "stream", "loadStateDict", "stateDict"].filter((m) => m in module);
    module.dispose();
    return methods.map((method) => ({ name, method, call: () => any(module)[method](any(dict)) }));
  });

  it("covers every method of every class", () => {
    expect(calls.length).toBe(8 * 3 + 3 + 1);
  });

  it.each(calls)("$name.$method throws", ({ name, call }) => {
    expect(call).toThrow(new Error(`${name}: used after dispose()`));
  });

  it("a second dispose does nothing", () => {
    const before = currentRuntime().liveBytes;
    for (const module of Object.values(instances)) module.dispose();
    expect(currentRuntime().liveBytes).toBe(before);
  });

  for (const [name, Class] of Object.entries({ LSTM, GRU, RNN })) {
    const uses = (opened: ReturnType<LSTM["stream"]>) => ({
      step: () => opened.step(zeros(6)),
      "get state": () => opened.state,
      "set state": () => {
        opened.state = [zeros(1, 1, 4), zeros(1, 1, 4)];
      },
      reset: () => opened.reset(),
      clone: () => opened.clone(),
    });

    const module = new Class(SIZES);
    const disposed = any(module.stream());
    disposed.dispose();
    it.each(Object.entries(uses(disposed)))(`${name}.stream: %s throws`, (_, use) => {
      expect(use).toThrow(new Error("stream: used after dispose()"));
    });
    it(`${name}.stream: the module and its other streams go on`, () => {
      const other = module.stream();
      disposed.dispose();
      expect(other.step(zeros(6)).shape).toEqual([4]);
      other.dispose();
      expect(module.forward(zeros(2, 6))[0].shape).toEqual([2, 4]);
    });

    const ended = new Class(SIZES);
    const orphan = any(ended.stream());
    ended.dispose();
    it.each(Object.entries(uses(orphan)))(
      `${name}.stream after its module's dispose: %s throws`,
      (_, use) => {
        expect(use).toThrow(new Error("stream: used after its module's dispose()"));
      },
    );
    it(`${name}.stream after its module's dispose can be disposed of`, () => {
      const before = currentRuntime().liveBytes;
      orphan.dispose();
      expect(currentRuntime().liveBytes).toBeLessThan(before);
    });
  }
});
