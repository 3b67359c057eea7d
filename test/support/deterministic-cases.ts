/**
 * Seeded networks whose results have the same bits on every engine and CPU when the baseline build runs them
 * (`init({ deterministic: true })`, called by whoever runs the cases). Checksums are committed in
 * deterministic-checksums.json, by the cases' names.
 *
 * The library comes in as an argument and nothing is imported but types, so that any suite can bundle this file and
 * run it against the package: `checksums(library)` gives a record to compare with the JSON, all of it.
 */

import type * as lstmWasm from "../../src/index.js";
import type { GRU, LSTM, RNN, Tensor } from "../../src/index.js";

/** The part of the package's exports that the cases use. */
export type Library = Pick<
  typeof lstmWasm,
  | ("Embedding" | "GRU" | "GRUCell" | "Linear" | "LSTM" | "LSTMCell" | "RNN" | "RNNCell" | "Tensor")
  | ("elu" | "GroupNorm" | "LayerNorm" | "leakyRelu" | "logSoftmax" | "maxPool1d" | "Sequential" | "softmax")
>;

export interface DeterministicCase {
  readonly name: string;
  /** Output, final states and whatever else the case computes. */
  run(library: Library): Tensor[];
}

interface Loadable {
  stateDict(): Map<string, Tensor>;
  loadStateDict(dict: ReadonlyMap<string, Tensor>): unknown;
  dispose(): void;
}

/**
 * Replaces the random initial weights by seeded ones, a quarter of a standard normal each: an exact product. An int8 module
 * quantises them.
 */
export function seeded<M extends Loadable>({ Tensor }: Pick<Library, "Tensor">, module: M, seed: number): M {
  const dict = new Map<string, Tensor>();
  for (const [name, { shape }] of module.stateDict()) {
    if (name.endsWith("_scale")) continue;
    const { data } = Tensor.randn(shape, seed + dict.size);
    dict.set(
      name,
      new Tensor(
        data.map((x) => x / 4),
        shape,
      ),
    );
  }
  module.loadStateDict(dict);
  return module;
}

/** A case that makes a module, uses it and disposes of it. */
function moduleCase<M extends Loadable>(
  name: string,
  make: (library: Library) => M,
  use: (module: M, library: Library) => Tensor[],
): DeterministicCase {
  return {
    name,
    run(library) {
      const module = seeded(library, make(library), 1000);
      try {
        return use(module, library);
      } finally {
        module.dispose();
      }
    },
  };
}

function lstmForward(shape: readonly number[], options: { lengths?: number[]; scale?: number } = {}) {
  return (module: LSTM, { Tensor }: Library): Tensor[] => {
    const { lengths, scale = 1 } = options;
    const { data } = Tensor.randn(shape, 1);
    const input = new Tensor(
      data.map((x) => x * scale),
      shape,
    );
    const [output, [hN, cN]] = module.forward(input, undefined, lengths === undefined ? {} : { lengths });
    // Once more from the state reached.
    const [next, [h, c]] = module.forward(input, [hN, cN]);
    return [output, hN, cN, next, h, c];
  };
}

function forward(shape: readonly number[], lengths?: number[]) {
  return (module: GRU | RNN, { Tensor }: Library): Tensor[] => {
    const input = Tensor.randn(shape, 1);
    const [output, hN] = module.forward(input, undefined, lengths === undefined ? {} : { lengths });
    const [next, h] = module.forward(input, hN);
    return [output, hN, next, h];
  };
}

/** Every output of `steps` steps of a stream, and the state after them. */
function stream(module: LSTM | GRU | RNN, { Tensor }: Library, steps: number, batchSize: number): Tensor[] {
  const opened = module.stream({ batchSize });
  try {
    const outputs: Tensor[] = [];
    for (let step = 0; step < steps; step++) {
      const { data, shape } = opened.step(Tensor.randn([batchSize, module.inputSize], step));
      outputs.push(new Tensor(data.slice(), shape));
    }
    const state = opened.state;
    return [...outputs, ...(Array.isArray(state) ? state : [state])];
  } finally {
    opened.dispose();
  }
}

export const deterministicCases: readonly DeterministicCase[] = [
  moduleCase(
    "LSTM",
    ({ LSTM }) => new LSTM({ inputSize: 6, hiddenSize: 3, numLayers: 2 }),
    lstmForward([5, 4, 6]),
  ),
  moduleCase(
    "LSTM, several chunks of time",
    ({ LSTM }) => new LSTM({ inputSize: 17, hiddenSize: 33 }),
    lstmForward([150, 3, 17]),
  ),
  moduleCase(
    "LSTM, one row",
    ({ LSTM }) => new LSTM({ inputSize: 40, hiddenSize: 64, numLayers: 2, bias: false }),
    lstmForward([40, 40]),
  ),
  moduleCase(
    "LSTM, saturated",
    ({ LSTM }) => new LSTM({ inputSize: 9, hiddenSize: 20 }),
    lstmForward([30, 2, 9], { scale: 64 }),
  ),
  moduleCase(
    "LSTM, subnormal inputs",
    ({ LSTM }) => new LSTM({ inputSize: 9, hiddenSize: 20, bias: false }),
    lstmForward([30, 2, 9], { scale: 2 ** -130 }),
  ),
  moduleCase(
    "LSTM, bidirectional with lengths",
    ({ LSTM }) => new LSTM({ inputSize: 7, hiddenSize: 15, numLayers: 2, bidirectional: true }),
    lstmForward([60, 5, 7], { lengths: [60, 1, 33, 2, 59] }),
  ),
  moduleCase(
    "LSTM, projection, batchFirst",
    ({ LSTM }) =>
      new LSTM({
        inputSize: 8,
        hiddenSize: 31,
        numLayers: 3,
        projSize: 18,
        bidirectional: true,
        batchFirst: true,
      }),
    lstmForward([3, 70, 8]),
  ),
  moduleCase(
    "LSTM, trace",
    ({ LSTM }) => new LSTM({ inputSize: 5, hiddenSize: 9, projSize: 4, bidirectional: true }),
    (module, { Tensor }) =>
      module.trace(Tensor.randn([20, 3, 5], 1)).layers.flatMap(({ i, f, g, o, c, h }) => [i, f, g, o, c, h]),
  ),
  moduleCase(
    "GRU",
    ({ GRU }) => new GRU({ inputSize: 17, hiddenSize: 33, numLayers: 2 }),
    forward([150, 3, 17]),
  ),
  moduleCase(
    "GRU, bidirectional with lengths",
    ({ GRU }) => new GRU({ inputSize: 7, hiddenSize: 15, numLayers: 2, bidirectional: true }),
    forward([60, 5, 7], [60, 1, 33, 2, 59]),
  ),
  moduleCase(
    "RNN, tanh",
    ({ RNN }) => new RNN({ inputSize: 17, hiddenSize: 33, numLayers: 2 }),
    forward([150, 3, 17]),
  ),
  moduleCase(
    "RNN, relu",
    ({ RNN }) => new RNN({ inputSize: 17, hiddenSize: 9, numLayers: 2, nonlinearity: "relu" }),
    forward([150, 3, 17]),
  ),
  moduleCase(
    "RNN, bidirectional with lengths",
    ({ RNN }) => new RNN({ inputSize: 7, hiddenSize: 15, bidirectional: true, bias: false }),
    forward([60, 5, 7], [60, 1, 33, 2, 59]),
  ),
  moduleCase(
    "LayerNorm",
    ({ LayerNorm }) => new LayerNorm({ normalizedShape: [3, 11] }),
    (module, { Tensor }) => [module.forward(Tensor.randn([600, 3, 11], 1))],
  ),
  moduleCase(
    "GroupNorm",
    ({ GroupNorm }) => new GroupNorm({ numGroups: 3, numChannels: 12 }),
    (module, { Tensor }) => [module.forward(Tensor.randn([9, 12, 501], 1))],
  ),
  moduleCase(
    "Sequential of Embedding, LSTM, LayerNorm and Linear",
    ({ Embedding, LayerNorm, Linear, LSTM, Sequential }) =>
      new Sequential(
        new Embedding({ numEmbeddings: 30, embeddingDim: 8 }),
        new LSTM({ inputSize: 8, hiddenSize: 17 }),
        new LayerNorm({ normalizedShape: 17 }),
        new Linear({ inFeatures: 17, outFeatures: 30 }),
      ),
    (module) => [module.forward(Array.from({ length: 40 }, (_, at) => (at * 7) % 30))],
  ),
  {
    name: "functions",
    run: ({ elu, leakyRelu, logSoftmax, maxPool1d, softmax, Tensor }) => {
      const input = Tensor.randn([21, 300], 1);
      const options = { kernelSize: 3, stride: 2, padding: 1 };
      return [
        elu(input),
        leakyRelu(input),
        softmax(input, 1),
        logSoftmax(input, 0),
        maxPool1d(input, options),
      ];
    },
  },
  moduleCase(
    "LSTM, stream",
    ({ LSTM }) => new LSTM({ inputSize: 16, hiddenSize: 33, numLayers: 2, projSize: 8 }),
    (module, library) => [...stream(module, library, 50, 1), ...stream(module, library, 20, 5)],
  ),
  moduleCase(
    "GRU, stream",
    ({ GRU }) => new GRU({ inputSize: 16, hiddenSize: 33 }),
    (module, library) => [...stream(module, library, 50, 1), ...stream(module, library, 20, 5)],
  ),
  moduleCase(
    "RNN, stream",
    ({ RNN }) => new RNN({ inputSize: 16, hiddenSize: 33 }),
    (module, library) => [...stream(module, library, 50, 1), ...stream(module, library, 20, 5)],
  ),
  moduleCase(
    "LSTMCell",
    ({ LSTMCell }) => new LSTMCell({ inputSize: 10, hiddenSize: 20 }),
    (module, { Tensor }) =>
      module.forward(Tensor.randn([3, 10], 1), module.forward(Tensor.randn([3, 10], 2))),
  ),
  moduleCase(
    "GRUCell",
    ({ GRUCell }) => new GRUCell({ inputSize: 10, hiddenSize: 20 }),
    (module, { Tensor }) => [
      module.forward(Tensor.randn([3, 10], 1), module.forward(Tensor.randn([3, 10], 2))),
    ],
  ),
  moduleCase(
    "RNNCell",
    ({ RNNCell }) => new RNNCell({ inputSize: 10, hiddenSize: 20 }),
    (module, { Tensor }) => [
      module.forward(Tensor.randn([3, 10], 1), module.forward(Tensor.randn([3, 10], 2))),
    ],
  ),
  moduleCase(
    "Embedding and Linear",
    ({ Embedding }) => new Embedding({ numEmbeddings: 12, embeddingDim: 30 }),
    (module, library) => {
      const embedded = module.forward([
        [0, 5, 11],
        [3, 3, 1],
      ]);
      const linear = seeded(library, new library.Linear({ inFeatures: 30, outFeatures: 19 }), 2000);
      const output = linear.forward(embedded);
      linear.dispose();
      return [embedded, output];
    },
  ),
  moduleCase(
    "LSTM, int8",
    ({ LSTM }) => new LSTM({ inputSize: 17, hiddenSize: 33, numLayers: 2, precision: "int8" }),
    lstmForward([150, 3, 17]),
  ),
  moduleCase(
    "LSTM, int8, projection, bidirectional with lengths",
    ({ LSTM }) =>
      new LSTM({ inputSize: 7, hiddenSize: 31, projSize: 18, bidirectional: true, precision: "int8" }),
    lstmForward([60, 5, 7], { lengths: [60, 1, 33, 2, 59] }),
  ),
  moduleCase(
    "LSTM, int8, subnormal inputs",
    ({ LSTM }) => new LSTM({ inputSize: 9, hiddenSize: 20, bias: false, precision: "int8" }),
    lstmForward([30, 2, 9], { scale: 2 ** -130 }),
  ),
  moduleCase(
    "LSTM, int8, stream",
    ({ LSTM }) => new LSTM({ inputSize: 16, hiddenSize: 130, precision: "int8" }),
    (module, library) => [...stream(module, library, 50, 1), ...stream(module, library, 20, 5)],
  ),
  moduleCase(
    "GRU, int8",
    ({ GRU }) => new GRU({ inputSize: 17, hiddenSize: 33, numLayers: 2, precision: "int8" }),
    forward([150, 3, 17]),
  ),
  moduleCase(
    "RNN, int8",
    ({ RNN }) => new RNN({ inputSize: 17, hiddenSize: 33, numLayers: 2, precision: "int8" }),
    forward([150, 3, 17]),
  ),
  moduleCase(
    "Linear, int8, sums beyond 32 bits",
    ({ Linear }) => new Linear({ inFeatures: 5000, outFeatures: 19, precision: "int8" }),
    (module, { Tensor }) => [module.forward(Tensor.randn([3, 5000], 1))],
  ),
];

/** FNV-1a, 32 bits, over the shapes and the bits of the tensors: eight hexadecimal digits. */
export function checksum(tensors: readonly Tensor[]): string {
  let hash = 0x811c9dc5;
  for (const { data, shape } of tensors) {
    const sizes = Uint32Array.from([shape.length, ...shape]);
    for (const { buffer, byteOffset, byteLength } of [sizes, data]) {
      for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) {
        hash = Math.imul(hash ^ byte, 0x01000193);
      }
    }
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Every case's checksum by its name. */
export function checksums(library: Library): Record<string, string> {
  return Object.fromEntries(deterministicCases.map((each) => [each.name, checksum(each.run(library))]));
}
