/** What constructors and init refuse of their options. */
import { modelsSimd } from "../../../src/bundle/embedded-models.js";
import { Embedding, GRU, GRUCell, init, Linear, LSTM, LSTMCell, RNN, RNNCell } from "../../../src/index.js";
import { ACTIVATIONS, any, refuses, SIZES } from "../../support/refusals.js";

/** The options that each kind alone has: where PyTorch prints its own, and after PyTorch's. */
const OWN = {
  LSTM: ["projSize, ", "activation, recurrentActivation, cellActivation, inputForget, cellClip, peepholes, "],
  GRU: ["", "activation, recurrentActivation, resetAfter, "],
  RNN: ["nonlinearity, ", ""],
} as const;

/** What a kind knows, in the order in which it prints. */
const known = (kind: keyof typeof OWN) =>
  `inputSize, hiddenSize, ${OWN[kind][0]}numLayers, bias, batchFirst, dropout, bidirectional, precision, ${OWN[kind][1]}clip, reverse, goBackwards, initialState`;

const CLASSES = { LSTM, GRU, RNN };

for (const name of ["LSTM", "GRU", "RNN"] as const) {
  const make = (options: unknown) => () => new CLASSES[name](any(options));
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
      `options.numlayers: unknown option; known are ${known(name)}`,
    ],
    [
      "PyTorch's names",
      make({ input_size: 6 }),
      TypeError,
      `options.input_size: unknown option; known are ${known(name)}`,
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
    `options.projSize: unknown option; known are ${known("GRU")}`,
  ],
  [
    "projSize for an RNN",
    () => new RNN(any({ ...SIZES, projSize: 2 })),
    TypeError,
    `options.projSize: unknown option; known are ${known("RNN")}`,
  ],
  [
    "nonlinearity for an LSTM",
    () => new LSTM(any({ ...SIZES, nonlinearity: "relu" })),
    TypeError,
    `options.nonlinearity: unknown option; known are ${known("LSTM")}`,
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
    rnnWith({ nonlinearity: "glu" }),
    RangeError,
    `nonlinearity: expected one of ${ACTIVATIONS}, got glu`,
  ],
  [
    "a nonlinearity that is null",
    rnnWith({ nonlinearity: null }),
    TypeError,
    "nonlinearity: expected a name or { name, alpha, beta }, got null",
  ],
  [
    "a nonlinearity that is a function",
    rnnWith({ nonlinearity: Math.tanh }),
    TypeError,
    "nonlinearity: expected a name or { name, alpha, beta }, got a function",
  ],
]);

const CELLS = { LSTM: LSTMCell, GRU: GRUCell, RNN: RNNCell };

for (const kind of ["LSTM", "GRU", "RNN"] as const) {
  const name = `${kind}Cell`;
  const make = (options: unknown) => () => new CELLS[kind](any(options));
  const own = kind === "LSTM" ? OWN.LSTM[1] : OWN[kind].join("");
  const known = `inputSize, hiddenSize, bias, clip, ${own}`.slice(0, -2);
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
    "nonlinearity: expected one of tanh, sigmoid, relu, linear, hardSigmoid, softsign, softplus, elu, selu, celu, exponential, gelu, silu, mish, leakyRelu, relu6, hardSilu, logSigmoid, squareplus, hardTanh, tanhShrink, softShrink, hardShrink, thresholdedRelu, scaledTanh, affine, got sin",
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

// (module)
const emptyModule = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
refuses("init", [
  ["null", () => init(any(null)), TypeError, "options: expected an object of options, got null"],
  [
    "an unknown option",
    () => init(any({ simd: false })),
    TypeError,
    "options.simd: unknown option; known are module, models, deterministic",
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
    "options.module: expected a WebAssembly.Module, got a Uint8Array",
  ],
  [
    "another module",
    () => init({ module: emptyModule }),
    TypeError,
    "options.module: expected lstm-wasm's binary (it exports abi and runLayer), got a WebAssembly.Module",
  ],
  [
    "both options",
    () => init({ module: emptyModule, deterministic: true }),
    RangeError,
    "options: expected either module or deterministic, got both",
  ],
  [
    "models alone",
    () => init({ models: new WebAssembly.Module(modelsSimd()) }),
    RangeError,
    "options: expected module beside models, got models alone",
  ],
  [
    "models that are no module",
    () => init(any({ module: emptyModule, models: new Uint8Array(8) })),
    TypeError,
    "options.models: expected a WebAssembly.Module, got a Uint8Array",
  ],
  [
    "models that are another module",
    () => init({ module: emptyModule, models: emptyModule }),
    TypeError,
    "options.models: expected lstm-wasm's binary (it exports abi and unary), got a WebAssembly.Module",
  ],
]);
