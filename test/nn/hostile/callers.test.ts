/**
 * Callers that lie: every argument of every public method is given every hostile value. A module beside them keeps its
 * weights and its output, bit for bit, and what is refused is refused by an error with a code.
 */

import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  argmax,
  Conv1d,
  concat,
  Dropout,
  Embedding,
  elu,
  GRU,
  GRUCell,
  GroupNorm,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  leakyRelu,
  logSoftmax,
  maxPool1d,
  quantizeModule,
  RNN,
  RNNCell,
  relu,
  Sequential,
  softmax,
  Tensor,
  topk,
} from "../../../src/index.js";
import {
  ARGUMENTS,
  changing,
  foreign,
  Growable,
  Own,
  own,
  product,
  revoked,
  tensors,
} from "../../support/hostile-values.js";
import { reliabilityRow } from "../../support/reliability.js";
import { expectSameBits } from "../../support/tensors.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
const neighbour = new LSTM({ ...SIZES, numLayers: 2 });
const probe = Tensor.randn([4, 2, 3], 1);
const weights = neighbour.stateDict();
const [expected] = neighbour.forward(probe);

function expectNeighbourWhole(): void {
  for (const [name, tensor] of neighbour.stateDict()) expectSameBits(tensor, weights.get(name)!, name);
  expectSameBits(neighbour.forward(probe)[0], expected);
}

const tried = { values: 0, fields: 0 };

/** Calls; an error must be one of ours, or the caller's own. */
function attack(call: () => unknown, what: string): void {
  tried.values++;
  try {
    call();
  } catch (error) {
    if (error instanceof Own) return;
    expect(String((error as { code?: string }).code), `${what}: ${(error as Error).stack}`).toMatch(
      /^LSTM_WASM_/,
    );
    expect((error as Error).message, what).not.toMatch(/^Cannot |is not (a function|iterable)|undefined \(/);
  }
}

const lstm = new LSTM({ ...SIZES, projSize: 2 });
const gru = new GRU(SIZES);
const rnn = new RNN({ ...SIZES, precision: "int8" });
const linear = new Linear({ inFeatures: 3, outFeatures: 4 });
const conv = new Conv1d({ inChannels: 3, outChannels: 2, kernelSize: 2 });
const layerNorm = new LayerNorm({ normalizedShape: 3 });
const groupNorm = new GroupNorm({ numGroups: 1, numChannels: 3 });
const dropout = new Dropout();
const chain = new Sequential({ linear: new Linear({ inFeatures: 3, outFeatures: 4 }), relu });
const embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 2 });
const stream = lstm.stream({ batchSize: 2 });
const single = gru.stream();
const cells = [new LSTMCell(SIZES), new GRUCell(SIZES), new RNNCell(SIZES)] as const;
const optioned = new LSTM({ ...SIZES, peepholes: true, initialState: true, clip: 1, activation: "gelu" });
const h = Tensor.zeros([1, 2, 2]);
const c = Tensor.zeros([1, 2, 5]);

/** A tensor whose fields may lie as it is, and a tensor of all else, which `Tensor.from` refuses where it lies. */
function asTensor(value: object): Tensor {
  try {
    if (value instanceof Tensor) return value;
  } catch {
    // A revoked proxy.
  }
  return Tensor.from(value as never);
}

const single4 = Tensor.randn([4, 3], 2);

/** A method, the shape of the argument that is attacked, and the call. */
const METHODS: readonly (readonly [string, readonly number[], (value: never) => unknown])[] = [
  ["LSTM.forward input", [4, 2, 3], (x) => lstm.forward(x)],
  ["LSTM.forward h0", [1, 2, 2], (x) => lstm.forward(probe, [x, c])],
  ["LSTM.forward c0", [1, 2, 5], (x) => lstm.forward(probe, [h, x])],
  ["LSTM.trace input", [4, 2, 3], (x) => lstm.trace(x)],
  ["GRU.forward input", [400, 3], (x) => gru.forward(x)],
  ["RNN.forward h0", [1, 2, 5], (x) => rnn.forward(probe, x)],
  ["LSTM.forward mask", [4, 2], (x) => lstm.forward(probe, undefined, { mask: x })],
  ["GRU.forward mask", [4], (x) => gru.forward(single4, undefined, { mask: x, maskedOutput: "zeros" })],
  ["LSTM.trace mask", [4, 2], (x) => optioned.trace(probe, undefined, { mask: x })],
  ["quantizeModule mask", [4, 2], (x) => quantizeModule(optioned, probe, { mask: x } as never)],
  ["loadStateDict peephole", [5], (x) => optioned.loadStateDict({ weight_ci_l0: x }, { strict: false })],
  ["loadStateDict h0", [1, 5], (x) => optioned.loadStateDict({ h0: x }, { strict: false })],
  ["stream.step input", [2, 3], (x) => stream.step(x)],
  ["stream.step input of one", [3], (x) => single.step(x)],
  ["stream.state", [1, 1, 5], (x) => (single.state = x)],
  ["Linear.forward input", [2, 3], (x) => linear.forward(x)],
  ["Conv1d.forward input", [3, 9], (x) => conv.forward(x)],
  ["Embedding.forward indices", [2, 2], (x) => embedding.forward(x)],
  ["LayerNorm.forward input", [2, 3], (x) => layerNorm.forward(x)],
  ["GroupNorm.forward input", [2, 3, 9], (x) => groupNorm.forward(x)],
  ["Dropout.forward input", [2, 3], (x) => dropout.forward(x)],
  ["Sequential.forward input", [2, 3], (x) => chain.forward(x)],
  ["relu", [5, 5], (x) => relu(x)],
  ["elu", [5, 5], (x) => elu(x)],
  ["leakyRelu", [5, 5], (x) => leakyRelu(x)],
  ["maxPool1d", [5, 5], (x) => maxPool1d(x, 2)],
  ["softmax", [5, 5], (x) => softmax(x, 0)],
  ["logSoftmax", [5, 5], (x) => logSoftmax(x, 1)],
  ["LSTMCell.forward", [2, 3], (x) => cells[0].forward(x)],
  ["GRUCell.forward h", [2, 5], (x) => cells[1].forward(Tensor.zeros([2, 3]), x)],
  ["RNNCell.forward", [3], (x) => cells[2].forward(x)],
  ["quantizeModule sample", [7, 3], (x) => quantizeModule(linear, x)],
  ["argmax", [5, 5], (x) => argmax(x, 0)],
  ["argmax of all", [5, 5], (x) => argmax(x)],
  ["topk", [5, 5], (x) => topk(x, 2)],
  ["concat", [5, 5], (x) => concat([x, x])],
  ["concat behind another", [5, 5], (x) => concat([Tensor.zeros([5, 5]), x], 1)],
  ["Tensor.at", [5, 5], (x) => asTensor(x).at(1, 2)],
  ["Tensor.select", [5, 5], (x) => asTensor(x).select(1, 2)],
  ["Tensor.transpose", [5, 5], (x) => asTensor(x).transpose(0, 1)],
  ["Tensor.slice", [5, 5], (x) => asTensor(x).slice(1, 2, 4)],
  ["Tensor.reshape", [5, 5], (x) => asTensor(x).reshape([-1])],
  ["Tensor.from", [2, 2], (x) => Tensor.from(x)],
  ["Tensor.toArray", [2, 2], (x) => Tensor.prototype.toArray.call(x)],
  ["loadStateDict weight", [4, 3], (x) => linear.loadStateDict({ weight: x }, { strict: false })],
  ["fromStateDict weight", [4, 3], (x) => Linear.fromStateDict({ weight: x }).dispose()],
];

describe.each(METHODS)("%s", (method, shape, call) => {
  it("refuses what lies, and a neighbour stays whole", () => {
    for (const [name, value] of tensors(shape)) attack(() => call(value as never), `${method}: ${name}`);
    expectNeighbourWhole();
  });

  it("takes arrays of another realm like our own", () => {
    const size = product(shape);
    const here = Float32Array.from({ length: size }, (_, at) => at % 2);
    const there = foreign(`Float32Array.from({ length: ${size} }, (_, at) => at % 2)`) as Float32Array;
    const plain = foreign(`Array.from({ length: ${size} }, (_, at) => at % 2)`) as number[];
    const bits = (value: unknown) =>
      JSON.stringify(value, (_, part) => (part?.byteLength ? [...part] : part));
    // Embedding takes whole numbers, and a stream goes on: both are compared where they repeat.
    if (method.startsWith("stream") || method.startsWith("quantize")) return;
    // A tensor's own data is a typed array.
    if (method === "Tensor.toArray")
      return void expect(bits(call({ data: there, shape } as never))).toBe("[[0,1],[0,1]]");
    if (method.startsWith("loadStateDict") || method.startsWith("fromStateDict")) {
      for (const data of [there, plain]) call({ data, shape } as never);
      return;
    }
    const first = bits(call({ data: method.startsWith("Embedding") ? [...here] : here, shape } as never));
    const data = method.startsWith("Embedding") ? foreign(`new Int32Array([${[...here]}])`) : there;
    expect(bits(call({ data, shape } as never))).toBe(first);
    expect(bits(call({ data: plain, shape } as never))).toBe(first);
  });
});

describe("dicts, options and lists", () => {
  const pair = ["x", Tensor.zeros([1])];
  const DICTS: Readonly<Record<string, () => unknown>> = {
    "get alone": () => ({ get() {} }),
    "an iterator that never ends": () => ({
      get() {},
      *[Symbol.iterator]() {
        for (;;) yield pair;
      },
    }),
    "an iterator of no pairs": () => ({ get() {}, [Symbol.iterator]: () => [1, 2][Symbol.iterator]() }),
    "keys that are symbols": () => new Map([[Symbol("x"), Tensor.zeros([1])]]),
    "values that are revoked": () => new Map([["weight", revoked({})]]),
    "a revoked map": () => revoked(new Map()),
    "a proxy of a map": () => new Proxy(new Map(), {}),
    bytes: () => new Uint8Array(8),
    "a foreign map": () => foreign("new Map([['weight', null]])"),
    "an array": () => [],
    ...ARGUMENTS,
  };
  it.each(Object.entries(DICTS))("%s as a state dict", (name, make) => {
    for (const load of [
      (dict: never) => linear.loadStateDict(dict),
      (dict: never) => lstm.loadStateDict(dict, { strict: false }),
      (dict: never) => LSTM.fromStateDict(dict).dispose(),
      (dict: never) => Embedding.fromStateDict(dict).dispose(),
    ]) {
      attack(() => load(make() as never), name);
    }
    expectNeighbourWhole();
  });

  const LISTS: Readonly<Record<string, () => unknown>> = {
    "a length that lies": () => new Proxy([1, 1], { get: (_, key) => (key === "length" ? 2 : 99) }),
    "a huge length": () => ({ length: 2 ** 40 }),
    "a sparse array": () => new Array(2 ** 32 - 1),
    "a typed array whose length lies": () => own(new Int32Array(1), { length: 2 }),
    "lengths that change": () => changing([4, 4], 9000),
    "a foreign array": () => foreign("[4, 1]"),
    ...ARGUMENTS,
  };
  it.each(Object.entries(LISTS))("%s as lengths, state and options", (name, make) => {
    attack(() => lstm.forward(probe, undefined, { lengths: make() as never }), name);
    attack(() => lstm.forward(probe, undefined, { mask: make() as never }), name);
    attack(() => lstm.forward(probe, undefined, { mask: [make(), make(), make(), make()] as never }), name);
    attack(() => lstm.forward(probe, undefined, { mask: [1], maskedOutput: make() as never }), name);
    attack(() => new LSTM({ ...SIZES, activation: make() as never }).dispose(), name);
    attack(() => new GRU({ ...SIZES, recurrentActivation: { name: make() } as never }).dispose(), name);
    attack(
      () => new RNN({ ...SIZES, nonlinearity: { name: "elu", alpha: make() } as never }).dispose(),
      name,
    );
    attack(
      () => new GRUCell({ ...SIZES, resetAfter: make() as never, clip: make() as never }).dispose(),
      name,
    );
    attack(
      () => linear.loadStateDict(Object.assign(new Map(), { metadata: make() }), { strict: false }),
      name,
    );
    attack(() => LSTM.fromStateDict(neighbour.stateDict(), { rename: make() as never }).dispose(), name);
    attack(() => lstm.forward(probe, make() as never), name);
    attack(() => lstm.forward(probe, undefined, make() as never), name);
    attack(() => (stream.state = make() as never), name);
    attack(() => lstm.stream(make() as never).dispose(), name);
    attack(() => new LSTM(make() as never).dispose(), name);
    attack(() => new Tensor(new Float32Array(2), make() as never), name);
    attack(() => new Tensor(new Uint8Array(2), [2], make() as never), name);
    attack(() => new Tensor(new Uint8Array(2), [2], { dtype: make() as never }), name);
    attack(() => Tensor.zeros(make() as never), name);
    attack(() => Tensor.from(make() as never), name);
    attack(() => embedding.forward(make() as never), name);
    attack(() => new LayerNorm({ normalizedShape: make() as never }).dispose(), name);
    attack(() => new Sequential(make() as never).dispose(), name);
    attack(() => maxPool1d(probe, make() as never), name);
    attack(() => argmax(probe, make() as never), name);
    attack(() => argmax(probe, 0, make() as never), name);
    attack(() => topk(probe, make() as never), name);
    attack(() => topk(probe, 1, make() as never), name);
    attack(() => concat(make() as never), name);
    attack(() => concat([probe], make() as never), name);
    attack(() => probe.at(make() as never, 0, 0), name);
    attack(() => probe.select(make() as never, 0), name);
    attack(() => probe.select(0, make() as never), name);
    attack(() => probe.transpose(0, make() as never), name);
    attack(() => probe.slice(make() as never), name);
    attack(() => probe.slice(0, make() as never, make() as never), name);
    attack(() => probe.reshape(make() as never), name);
    expectNeighbourWhole();
  });

  it("refuses sizes that no memory holds", () => {
    const wide = { numEmbeddings: 2 ** 32, embeddingDim: 1 };
    for (const make of [
      () => new Embedding(wide),
      () => new Linear({ inFeatures: 2 ** 32, outFeatures: 2 ** 32 }),
      () => new LSTM({ inputSize: 2 ** 52, hiddenSize: 1 }),
      () => new LSTM({ inputSize: 1, hiddenSize: 2 ** 31 }),
      () => new Conv1d({ inChannels: 2 ** 31, outChannels: 1, kernelSize: 2 ** 20 }),
      () => new LayerNorm({ normalizedShape: [2 ** 30, 2 ** 20] }),
      () => new GroupNorm({ numGroups: 1, numChannels: 2 ** 40 }),
      () => maxPool1d(probe, { kernelSize: 2 ** 40, padding: 2 ** 39 }),
      () => lstm.stream({ batchSize: 2 ** 40 }),
      () => Tensor.zeros([2 ** 32, 0]).toArray(),
      () => Tensor.zeros([2 ** 20, 2 ** 20, 0]).toArray(),
      () => Tensor.zeros([2 ** 52]),
      () => Tensor.zeros([2 ** 40, 0]).at(0, 0),
      () => Tensor.zeros([0]).reshape([2 ** 40, 2 ** 40, 2 ** 40]),
      () => topk(Tensor.zeros([2 ** 40, 0]), 1),
      () => argmax(Tensor.zeros([2 ** 40, 0]), 0),
      () => concat([Tensor.zeros([2 ** 52, 0]), Tensor.zeros([2 ** 52, 0])], 1).reshape([1]),
    ]) {
      expect(make).toThrow(RangeError);
      attack(make, String(make));
    }
  });
});

describe("buffers that change between check and copy", () => {
  const honest = Tensor.randn([1, 2, 5], 3);
  const acting = (act: () => void) => ({
    get data() {
      act();
      return new Float32Array(10);
    },
    shape: [1, 2, 5],
  });

  it.each([4, 20, 4000])("a state of %i bytes later is refused or the numbers that were there", (bytes) => {
    const plain = new LSTM(SIZES);
    const before = plain.forward(probe, [honest, Tensor.zeros([1, 2, 5])])[0];
    const buffer = new Growable(40, { maxByteLength: 4000 });
    const data = new Float32Array(buffer);
    data.set(honest.data);
    const call = () => plain.forward(probe, [{ data, shape: [1, 2, 5] }, acting(() => buffer.resize(bytes))]);
    if (bytes > 40) expectSameBits(call()[0], before);
    else {
      const message = `h0.data.length: expected 10, as when it was checked, got ${bytes / 4}`;
      expect(call).toThrow(new RangeError(message));
    }
    expectSameBits(plain.forward(probe, [honest, Tensor.zeros([1, 2, 5])])[0], before);
    expectNeighbourWhole();
    plain.dispose();
  });

  it("a weight that was cut keeps the module as it was", () => {
    const before = linear.stateDict();
    const buffer = new Growable(48, { maxByteLength: 4800 });
    const bias = {
      get data() {
        buffer.resize(8);
        return new Float32Array(4);
      },
      shape: [4],
    };
    expect(() =>
      linear.loadStateDict({ weight: { data: new Float32Array(buffer), shape: [4, 3] }, bias }),
    ).toThrow(new RangeError("Linear.loadStateDict: weight: its buffer became shorter meanwhile"));
    for (const [name, tensor] of linear.stateDict()) expectSameBits(tensor, before.get(name)!, name);
  });

  it("a tensor that a later one of the list cuts is told", () => {
    const data = new BigInt64Array(2);
    const later = {
      get data() {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return new BigInt64Array(2);
      },
      shape: [2],
    };
    expect(() => concat([{ data, shape: [2] }, later])).toThrow(
      new RangeError("tensors[0].data.length: expected 2 for shape [2], got 0"),
    );
  });

  it("numbers that an option or a size takes away are told", () => {
    const bytes = (act: (buffer: ArrayBuffer) => [shape: readonly number[], options: object]) => {
      const data = new Uint8Array(2);
      return new Tensor(data, ...act(data.buffer));
    };
    const take = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] });
    const gone = new RangeError("data.length: expected 2 for shape [2], got 0");
    const dtype = (buffer: ArrayBuffer) => ({
      get dtype() {
        take(buffer);
        return "bool";
      },
    });
    expect(() => bytes((buffer) => [[2], dtype(buffer)])).toThrow(gone);
    const shape = (buffer: ArrayBuffer) =>
      new Proxy([2], { get: (_, key) => (key === "length" ? 1 : take(buffer) && 2) });
    expect(() => bytes((buffer) => [shape(buffer), {}])).toThrow(gone);
  });

  it("a shared buffer that another thread makes longer", async () => {
    const shared = new (
      SharedArrayBuffer as unknown as new (
        bytes: number,
        options: object,
      ) => SharedArrayBuffer
    )(4 * 2 * 3 * 4 * 100, { maxByteLength: 2 ** 24 });
    const data = new Float32Array(shared);
    const worker = new Worker(
      `const { workerData, parentPort } = require("node:worker_threads");
       parentPort.postMessage("on");
       for (let bytes = workerData.byteLength; bytes < 2 ** 24; bytes += 4096) workerData.grow(bytes);`,
      { eval: true, workerData: shared },
    );
    await new Promise((resolve) => worker.once("message", resolve));
    for (let call = 0; call < 8; call++) {
      const rows = Math.floor(data.length / 6);
      const shape = [rows, 2, 3];
      attack(() => lstm.forward({ data, shape } as never), "shared");
      attack(() => lstm.forward({ data: new Float32Array(shared, 0, rows * 6), shape } as never), "shared");
      attack(() => stream.step(data), "shared");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await worker.terminate();
    expectNeighbourWhole();
  });
});

describe("fields written from JavaScript", () => {
  const objects: Readonly<Record<string, object>> = {
    LSTM: lstm,
    GRU: gru,
    RNN: rnn,
    Linear: linear,
    Conv1d: conv,
    LayerNorm: layerNorm,
    GroupNorm: groupNorm,
    Dropout: dropout,
    Sequential: chain,
    Embedding: embedding,
    LSTMCell: cells[0],
    GRUCell: cells[1],
    stream,
    "a class of a user": new (class Mine extends LSTM {
      extra = 1;
    })(SIZES),
  };
  const all = Object.entries(objects);

  /** Every object that a field leads to, once. */
  function* reachable(root: object, seen = new Set<object>()): Generator<object> {
    if (seen.has(root) || ArrayBuffer.isView(root) || root instanceof WebAssembly.Memory) return;
    seen.add(root);
    yield root;
    for (const key of Reflect.ownKeys(root)) {
      const value = Reflect.get(root, key) as unknown;
      if (typeof value === "object" && value !== null) yield* reachable(value, seen);
    }
  }

  it.each(all)("of %s throw a TypeError or change nothing", (name, object) => {
    const run = () => {
      lstm.forward(probe);
      gru.forward(probe);
      rnn.forward(probe);
      linear.forward(probe);
      embedding.forward([1, 2]);
      conv.forward(Tensor.zeros([3, 9]));
      stream.step(new Float32Array(6));
      cells[0].forward(Tensor.zeros([2, 3]));
      cells[1].forward(Tensor.zeros([2, 3]));
    };
    for (const target of reachable(object)) {
      for (const key of Reflect.ownKeys(target)) {
        if (key === "extra") continue;
        for (const value of [2 ** 20, 1, "x", undefined]) {
          tried.fields++;
          const before = Reflect.get(target, key) as unknown;
          expect(Reflect.set(target, key, value), `${name}: ${String(key)}`).toBe(false);
          expect(Reflect.get(target, key)).toBe(before);
        }
      }
    }
    expect(() => {
      (object as { batchSize: number; hiddenSize: number }).hiddenSize = 16;
      (object as { batchSize: number; hiddenSize: number }).batchSize = 16;
    }).toThrow(TypeError);
    run();
    expectNeighbourWhole();
  });

  it("a stream's output goes on to be its own", () => {
    const output = single.step(new Float32Array(3));
    expect(() => Object.assign(output, { data: new Float32Array(1) })).toThrow(TypeError);
    expect(single.step(new Float32Array(3)).data.length).toBe(5);
  });
});

beforeAll(expectNeighbourWhole);
afterAll(() => {
  expectNeighbourWhole();
  reliabilityRow({
    attack: "Hostile arguments of public methods",
    tried: tried.values,
    survived: tried.values,
    note: "another module keeps its bits; errors have a code",
  });
  reliabilityRow({
    attack: "Writes to fields of modules and streams, and to what they lead to",
    tried: tried.fields,
    survived: tried.fields,
    note: "each throws a TypeError in a module script",
  });
});
