/** Every form that an argument may take, and who owns what comes back. */
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../../src/formats/index.js";
import {
  Conv1d,
  Embedding,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  RNN,
  RNNCell,
  softmax,
  Tensor,
  type TensorLike,
  tanh,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { expectSameBits, reshape, take } from "../support/tensors.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };

/** The same numbers, which are small integers, in every form that is taken. */
const FORMS: Record<string, (tensor: Tensor) => TensorLike> = {
  "{ data, shape }": ({ data, shape }) => ({ data, shape }),
  "{ data, dims }": ({ data, shape }) => ({ data, dims: shape }),
  "plain arrays": ({ data, shape }) => ({ data: [...data], shape: [...shape] }),
  Float64Array: ({ data, shape }) => ({ data: Float64Array.from(data), shape }),
  "a Tensor of integers": ({ data, shape }) =>
    new Tensor(Int8Array.from(data), shape) as unknown as TensorLike,
  "a part of a larger buffer": ({ data, shape }) => {
    const buffer = new Float32Array(data.length + 9).fill(Number.NaN);
    buffer.set(data, 3);
    return { data: buffer.subarray(3, 3 + data.length), shape };
  },
  "a part of a SharedArrayBuffer": ({ data, shape }) => {
    const shared = new Float32Array(new SharedArrayBuffer(data.byteLength + 32), 16, data.length);
    shared.set(data);
    return { data: shared, shape };
  },
};

const integers = (shape: readonly number[], from: number) => {
  const tensor = Tensor.zeros(shape);
  return new Tensor(
    tensor.data.map((_, at) => ((at * 7 + from) % 11) - 5),
    shape,
  );
};

describe.each(Object.entries(FORMS))("%s", (_, form) => {
  const input = integers([4, 2, 3], 0);
  const [h, c] = [integers([1, 2, 5], 1), integers([1, 2, 5], 2)];

  it("serves as an input and as a state", () => {
    using lstm = new LSTM(SIZES);
    const [output, [hN, cN]] = lstm.forward(input, [h, c]);
    const given = lstm.forward(form(input), [form(h), form(c)]);
    expectSameBits(given[0], output);
    expectSameBits(given[1][0], hN);
    expectSameBits(given[1][1], cN);
    expectSameBits(lstm.trace(form(input), [form(h), form(c)]).output, output);

    using cell = new LSTMCell(SIZES);
    const row = integers([2, 3], 3);
    const state = [reshape(h, [2, 5]), reshape(c, [2, 5])] as const;
    const next = cell.forward(form(row), [form(state[0]), form(state[1])]);
    for (const [which, tensor] of cell.forward(row, state).entries()) expectSameBits(next[which]!, tensor);
  });

  it("serves a stream, Linear and the functions", () => {
    using gru = new GRU(SIZES);
    using stream = gru.stream({ batchSize: 2 });
    stream.state = form(h);
    expectSameBits(stream.state, h);
    const row = integers([2, 3], 3);
    const [expected] = gru.forward(reshape(row, [1, 2, 3]), h);
    expectSameBits(reshape(stream.step(form(row)), [1, 2, 5]), expected);

    using linear = new Linear({ inFeatures: 3, outFeatures: 2 });
    expectSameBits(linear.forward(form(row)), linear.forward(row));
    expectSameBits(softmax(form(row), 1), softmax(row, 1));
    expectSameBits(Tensor.from(form(row)), row);
  });

  it("serves as weights", () => {
    using rnn = new RNN({ ...SIZES, bias: false });
    const weights = { weight_ih_l0: integers([5, 3], 4), weight_hh_l0: integers([5, 5], 5) };
    const entries = Object.entries(weights).map(([name, tensor]) => [name, form(tensor)] as const);
    // Integer tensors of a file are weights of precision int8, which want their scales.
    if (entries.some(([, { data }]) => data instanceof Int8Array)) return;
    rnn.loadStateDict(Object.fromEntries(entries));
    for (const [name, tensor] of rnn.stateDict()) {
      expectSameBits(tensor, weights[name as keyof typeof weights], name);
    }
  });
});

describe("a state dict", () => {
  const weights = { weight_ih_l0: Tensor.randn([5, 3], 1), weight_hh_l0: Tensor.randn([5, 5], 2) };
  /** A ReadonlyMap of someone's own, with no more than its type asks for. */
  const own: ReadonlyMap<string, Tensor> = (() => {
    const map = new Map(Object.entries(weights));
    const { size } = map;
    return {
      ...{ size, get: (key) => map.get(key), has: (key) => map.has(key), keys: () => map.keys() },
      ...{ values: () => map.values(), entries: () => map.entries(), [Symbol.iterator]: () => map.entries() },
      forEach: (visit) => map.forEach((tensor, key) => void visit(tensor, key, own)),
    };
  })();
  const foreign = runInNewContext("new Map(Object.entries(weights))", { weights });

  it.each([
    ["a record", weights],
    ["a record without a prototype", Object.assign(Object.create(null), weights)],
    ["a Map", new Map(Object.entries(weights))],
    ["a Map of another realm", foreign],
    ["a ReadonlyMap of one's own", own],
  ])("may be %s", (_, dict) => {
    using rnn = RNN.fromStateDict(dict);
    for (const [name, tensor] of rnn.stateDict()) {
      expectSameBits(tensor, weights[name as keyof typeof weights], name);
    }
    expect(writeSafetensors(dict)).toEqual(writeSafetensors(weights));
  });
});

describe("lengths", () => {
  const input = Tensor.randn([6, 3, 3], 1);

  it.each([
    ["an array", [6, 1, 4]],
    ["an Int32Array", Int32Array.of(6, 1, 4)],
    ["a Uint8Array", Uint8Array.of(6, 1, 4)],
    ["a Float64Array of integers", Float64Array.of(6, 1, 4)],
    ["a part of a larger array", Int32Array.of(0, 0, 6, 1, 4, 0).subarray(2, 5)],
  ])("may be %s", (_, lengths) => {
    using gru = new GRU({ ...SIZES, bidirectional: true });
    const [output, hN] = gru.forward(input, undefined, { lengths: [6, 1, 4] });
    const given = gru.forward(input, undefined, { lengths });
    expectSameBits(given[0], output);
    expectSameBits(given[1], hN);
  });

  it("of one sequence without a batch are one number", () => {
    using lstm = new LSTM({ ...SIZES, bidirectional: true });
    const one = reshape(take(input, 1, [0]), [6, 3]);
    const [output, [hN]] = lstm.forward(one, undefined, { lengths: [4] });
    const short = lstm.forward(take(one, 0, [0, 1, 2, 3]));
    expectSameBits(take(output, 0, [0, 1, 2, 3]), short[0]);
    expectSameBits(take(output, 0, [4, 5]), Tensor.zeros([2, 10]));
    expectSameBits(hN, short[1][0]);
  });

  it.each([false, true])("of no row are none (batchFirst %s)", (batchFirst) => {
    using lstm = new LSTM({ ...SIZES, bidirectional: true, batchFirst });
    const none = Tensor.zeros(batchFirst ? [0, 6, 3] : [6, 0, 3]);
    const { output, state, layers } = lstm.trace(none, undefined, { lengths: [] });
    expect(output.shape).toEqual(batchFirst ? [0, 6, 10] : [6, 0, 10]);
    expect(state.map(({ shape }) => shape)).toEqual([
      [2, 0, 5],
      [2, 0, 5],
    ]);
    expect(layers.map(({ i }) => i.shape)).toEqual([0, 1].map(() => (batchFirst ? [0, 6, 5] : [6, 0, 5])));
    expect(lstm.forward(none, undefined, { lengths: new Int32Array(0) })[0].shape).toEqual(output.shape);
  });
});

it("one tensor may be input, h0 and c0 at once", () => {
  using lstm = new LSTM({ inputSize: 5, hiddenSize: 5 });
  const shared = Tensor.randn([1, 2, 5], 1);
  const apart = () => new Tensor(shared.data.slice(), shared.shape);
  const [output, [hN, cN]] = lstm.forward(apart(), [apart(), apart()]);
  const given = lstm.forward(shared, [shared, shared]);
  expectSameBits(given[0], output);
  expectSameBits(given[1][0], hN);
  expectSameBits(given[1][1], cN);
  // What came out serves again, in place of what went in.
  expectSameBits(lstm.forward(given[0], given[1])[0], lstm.forward(output, [hN, cN])[0]);
});

describe("results", () => {
  const input = Tensor.randn([4, 2, 3], 1);
  const rows = Tensor.randn([2, 3], 2);

  /** Everything that the library returns, module by module. */
  function results(): Tensor[] {
    using lstm = new LSTM({ ...SIZES, numLayers: 2, bidirectional: true, projSize: 2 });
    using gru = new GRU(SIZES);
    using rnn = new RNN({ ...SIZES, batchFirst: true });
    using stream = gru.stream();
    using cells = new LSTMCell(SIZES);
    using gruCell = new GRUCell(SIZES);
    using rnnCell = new RNNCell(SIZES);
    using linear = new Linear({ inFeatures: 3, outFeatures: 4 });
    using conv = new Conv1d({ inChannels: 2, outChannels: 4, kernelSize: 2 });
    using embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 3 });
    const trace = lstm.trace(input);
    const [output, states] = lstm.forward(input);
    return [
      ...[output, ...states, trace.output, ...trace.state],
      ...trace.layers.flatMap(({ i, f, g, o, c, h }) => [i, f, g, o, c, h]),
      ...gru.forward(input),
      ...rnn.forward(input),
      ...[stream.step(rows.data.subarray(0, 3)), stream.state],
      ...cells.forward(rows),
      ...[gruCell.forward(rows), rnnCell.forward(rows), linear.forward(rows), conv.forward(rows)],
      ...[embedding.forward([1, 2]), tanh(rows), softmax(rows, 0), Tensor.from(rows)],
      ...[lstm, gru, rnn, linear, conv, embedding].flatMap((module) => [...module.stateDict().values()]),
    ];
  }

  it("own their memory: none is a view of linear memory, of an argument, or of another", () => {
    const tensors = results();
    const buffers = new Set(tensors.map(({ data }) => data.buffer));
    expect(buffers.size).toBe(tensors.length);
    for (const taken of [currentRuntime().memory.buffer, input.data.buffer, rows.data.buffer]) {
      expect(buffers.has(taken)).toBe(false);
    }
    // Nor is one a part of a larger buffer, which a transfer to a worker would take along.
    for (const { data } of tensors) expect(data.byteLength).toBe(data.buffer.byteLength);
  });

  it("stay as they are when their module is disposed of and memory grows", () => {
    const tensors = results();
    const copies = tensors.map(({ data, shape }) => new Tensor(data.slice(), shape));
    using _another = new LSTM({ inputSize: 64, hiddenSize: 64 });
    currentRuntime().memory.grow(1);
    for (const [at, tensor] of tensors.entries()) expectSameBits(tensor, copies[at]!);
  });

  it("may go to a worker: the others, and the stream they came from, go on", () => {
    using gru = new GRU(SIZES);
    const [output, hN] = gru.forward(input);
    structuredClone(output.data, { transfer: [output.data.buffer] });
    expect(output.data.length).toBe(0);
    expect(hN.data.length).toBe(10);
    expectSameBits(gru.forward(input)[1], hN);
  });
});
