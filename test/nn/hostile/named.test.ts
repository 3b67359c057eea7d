/** What hostile callers give is refused by an error that names the argument, or read once and used as it was then. */
import { describe, expect, it } from "vitest";
import { compileBuild } from "../../../src/bundle/binaries.js";
import { quantizeStateDict } from "../../../src/formats/index.js";
import {
  Conv1d,
  Embedding,
  GRU,
  GRUCell,
  init,
  Linear,
  LSTM,
  LSTMCell,
  quantizeModule,
  RNN,
  RNNCell,
  Tensor,
} from "../../../src/index.js";
import { foreign, Growable, revoked } from "../../support/hostile-values.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
const sequence = Tensor.randn([4, 2, 3], 1);
const message = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return `${name} ${code}: ${message}`;
  }
  throw new Error("expected an error");
};

describe("modules", () => {
  const lstm = new LSTM(SIZES);
  const wasm = compileBuild(true).module;
  const angry = () =>
    new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new TypeError("Cannot x");
        },
      },
    );

  it.each<[string, unknown, string]>([
    ["a revoked proxy", revoked({}), "an object that cannot be read"],
    ["a revoked module", revoked(new LSTM(SIZES)), "an object that cannot be read"],
    ["a proxy of a module", new Proxy(lstm, {}), "an object that cannot be read"],
    ["a proxy that throws", angry(), "an object that cannot be read"],
    ["a prototype only", Object.create(null), "an Object"],
    ["a function that is revoked", revoked(() => {}), "an object that cannot be read"],
  ])("quantizeModule of %s", (_, module, got) => {
    expect(message(() => quantizeModule(module as never, sequence))).toBe(
      `TypeError LSTM_WASM_TYPE: module: expected an LSTM, GRU, RNN or Linear, got ${got}`,
    );
  });

  it.each<[string, unknown, string]>([
    ["a revoked proxy", revoked({}), "an object that cannot be read"],
    ["a revoked module", revoked(wasm), "an object that cannot be read"],
    ["a proxy that throws", angry(), "an Object"],
    ["a proxy of a module", new Proxy(wasm, {}), "a WebAssembly.Module"],
    ["a prototype only", Object.create(WebAssembly.Module.prototype), "a WebAssembly.Module"],
    ["bytes", new Uint8Array(8), "a Uint8Array"],
  ])("init of %s", (_, module, got) => {
    expect(message(() => init({ module: module as never }))).toBe(
      `TypeError LSTM_WASM_TYPE: options.module: expected a WebAssembly.Module, got ${got}`,
    );
  });

  it("init of options that are revoked", () => {
    expect(message(() => init(revoked({})))).toBe(
      "TypeError LSTM_WASM_TYPE: options: expected an object of options, got an object that cannot be read",
    );
  });

  /** A module whose exports have our names; it imports a function, or traps when it starts. */
  const pretender = (...sections: readonly number[]) =>
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, ...sections));
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const exports = [...name("abi"), 0, 0, ...name("runLayer"), 0, 0];
  it.each([
    ["imports what we do not have", [2, 7, 1, ...name("x"), ...name("y"), 0, 0, 3, 1, 0], []],
    ["traps at its start", [3, 2, 1, 0], [8, 1, 0, 10, 5, 1, 3, 0, 0, 11]],
  ])("init of a module that %s", (_, functions, code) => {
    const types = [1, 4, 1, 0x60, 0, 0];
    const module = pretender(...types, ...functions, 7, exports.length + 1, 2, ...exports, ...code);
    expect(message(() => init({ module }))).toBe(
      "TypeError LSTM_WASM_TYPE: options.module: expected the binary of this release of lstm-wasm, " +
        "got a WebAssembly.Module",
    );
  });

  it("init takes a module of another realm", () => {
    const there = foreign("WebAssembly") as typeof WebAssembly;
    const module = compileBuild(true).module;
    Object.setPrototypeOf(module, there.Module.prototype);
    expect(module instanceof WebAssembly.Module).toBe(false);
    init({ module });
    const made = new LSTM(SIZES).loadStateDict(lstm.stateDict());
    init({ deterministic: true });
    const same = new LSTM(SIZES).loadStateDict(lstm.stateDict());
    expect(made.forward(sequence)[0]).toEqual(same.forward(sequence)[0]);
  });
});

describe("Tensor.toArray of", () => {
  const tensor = (changes: object) => Object.assign(Tensor.from([[1, 2, 3]]), changes);
  it.each<[string, object, string]>([
    ["data that is missing", { data: undefined }, "TYPE: tensor.data: expected a typed array, got undefined"],
    [
      "fewer numbers",
      { data: Float32Array.of(1) },
      "SHAPE: tensor.data.length: expected 3 for shape [1, 3], got 1",
    ],
    ["a longer shape", { shape: [2, 3] }, "SHAPE: tensor.data.length: expected 6 for shape [2, 3], got 3"],
    [
      "a shape of arrays",
      { shape: [[[]]] },
      "TYPE: tensor.shape[0]: expected a number, got an array of length 1",
    ],
    [
      "a list that is revoked",
      { data: revoked([]) },
      "TYPE: tensor.data: expected a typed array, got an object that cannot be read",
    ],
  ])("%s", (_, changes, expected) => {
    expect(message(() => tensor(changes).toArray())).toContain(`LSTM_WASM_${expected}`);
  });

  it("a buffer that was transferred, or cut", () => {
    const moved = new Tensor(Float32Array.of(1, 2), [2]);
    structuredClone(moved.data, { transfer: [moved.data.buffer] });
    const buffer = new Growable(8, { maxByteLength: 64 });
    const cut = new Tensor(new Float32Array(buffer, 0, 2), [2]);
    buffer.resize(4);
    for (const one of [moved, cut]) {
      expect(message(() => one.toArray())).toBe(
        "RangeError LSTM_WASM_SHAPE: tensor.data.length: expected 2 for shape [2], got 0",
      );
    }
  });
});

describe("Embedding.forward", () => {
  const embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 2 });

  it("reads each nested index and length once", () => {
    const counts = new Map<string, number>();
    const watched = (name: string, array: readonly unknown[]): never =>
      new Proxy(array, {
        get(target, key) {
          const full = `${name}.${String(key)}`;
          counts.set(full, (counts.get(full) ?? 0) + 1);
          return counts.get(full) === 1 ? Reflect.get(target, key) : 99;
        },
      }) as never;
    const rows = watched("rows", [watched("a", [1, 2]), watched("b", [3, 0])]);
    const { data, shape } = embedding.forward(rows as never);
    expect(shape).toEqual([2, 2, 2]);
    expect(data).toEqual(embedding.forward([1, 2, 3, 0]).data);
    expect([...counts.values()]).toEqual(Array(9).fill(1));
  });

  it("takes nested indices past 2^24", () => {
    const wide = new Embedding({ numEmbeddings: 4, embeddingDim: 2 });
    expect(message(() => wide.forward([[2 ** 24 + 1]]))).toBe(
      "RangeError LSTM_WASM_RANGE: indices[0]: expected an integer from 0 to 3, got 16777217",
    );
  });
});

describe("sizes past 2^28", () => {
  const linear = { inFeatures: 2, outFeatures: 2 };
  const conv = { inChannels: 1, outChannels: 1, kernelSize: 1 };
  const table = { numEmbeddings: 2, embeddingDim: 2 };
  const most: Readonly<Record<string, number>> = { numEmbeddings: 2 ** 29, embeddingDim: 2 ** 29 };
  it.each<[string, (size: number) => unknown]>([
    ["inFeatures", (inFeatures) => new Linear({ ...linear, inFeatures })],
    ["outFeatures", (outFeatures) => new Linear({ ...linear, outFeatures })],
    ["inputSize", (inputSize) => new LSTM({ ...SIZES, inputSize })],
    ["hiddenSize", (hiddenSize) => new GRU({ ...SIZES, hiddenSize })],
    ["projSize", (projSize) => new LSTM({ ...SIZES, projSize })],
    ["inputSize", (inputSize) => new LSTMCell({ ...SIZES, inputSize })],
    ["hiddenSize", (hiddenSize) => new RNNCell({ ...SIZES, hiddenSize })],
    ["hiddenSize", (hiddenSize) => new RNN({ ...SIZES, hiddenSize })],
    ["batchSize", (batchSize) => new LSTM(SIZES).stream({ batchSize })],
    ["inChannels", (inChannels) => new Conv1d({ ...conv, inChannels })],
    ["outChannels", (outChannels) => new Conv1d({ ...conv, outChannels })],
    ["kernelSize", (kernelSize) => new Conv1d({ ...conv, kernelSize })],
    ["stride", (stride) => new Conv1d({ ...conv, stride })],
    ["dilation", (dilation) => new Conv1d({ ...conv, dilation })],
    ["padding", (padding) => new Conv1d({ ...conv, padding })],
    ["groups", (groups) => new Conv1d({ ...conv, groups })],
    ["numEmbeddings", (numEmbeddings) => new Embedding({ ...table, numEmbeddings })],
    ["embeddingDim", (embeddingDim) => new Embedding({ ...table, embeddingDim })],
  ])("%s", (name, make) => {
    const limit = most[name] ?? 2 ** 28;
    for (const size of [limit + 1, 2 ** 32, 2 ** 52]) {
      const least = name === "projSize" || name === "padding" ? 0 : 1;
      expect(message(() => make(size))).toBe(
        `RangeError LSTM_WASM_RANGE: ${name}: expected an integer from ${least} to ${limit}, got ${size}`,
      );
    }
  });

  it("a convolution's columns, which the kernels count in 32 bits", () => {
    expect(message(() => new Conv1d({ inChannels: 2 ** 28, outChannels: 1, kernelSize: 16 }))).toBe(
      "RangeError LSTM_WASM_RANGE: inChannels / groups * kernelSize: expected at most 268435456, got 4294967296",
    );
  });

  it("rows without columns stay as they are in a state dict", () => {
    const empty = new Tensor(new Float32Array(0), [2 ** 31, 0]);
    expect(quantizeStateDict(new Map([["weight", empty]])).get("weight")).toBe(empty);
  });
});

describe("a buffer that is cut after it was checked", () => {
  const shaped = (shape: readonly number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const buffer = new Growable(size * 4, { maxByteLength: size * 8 });
    return { data: new Float32Array(buffer, 0, size), shape, cut: () => buffer.resize(4) };
  };
  /** Zeros of a shape, which act when they are read. */
  const acting = (shape: readonly number[], act: () => void) => ({
    get data() {
      act();
      return Tensor.zeros(shape).data;
    },
    shape,
  });
  const input = () => shaped([4, 2, 3]);
  const lstm = new LSTM(SIZES);
  const gru = new GRU(SIZES);
  const lengths = (act: () => void) => ({
    get lengths() {
      act();
      return [4, 4];
    },
  });

  it.each<[string, () => unknown]>([
    [
      "input",
      () => {
        const x = input();
        return lstm.forward(x, [acting([1, 2, 5], x.cut), Tensor.zeros([1, 2, 5])]);
      },
    ],
    [
      "input",
      () => {
        const x = input();
        return lstm.trace(x, undefined, lengths(x.cut));
      },
    ],
    [
      "input",
      () => {
        const x = input();
        return gru.forward(x, acting([1, 2, 5], x.cut));
      },
    ],
    [
      "h0",
      () => {
        const h = shaped([1, 2, 5]);
        return lstm.forward(sequence, [h, acting([1, 2, 5], h.cut)]);
      },
    ],
    [
      "h0",
      () => {
        const h = shaped([1, 1, 5]);
        lstm.stream().state = [h, acting([1, 1, 5], h.cut)] as never;
      },
    ],
    [
      "sample",
      () => {
        const x = input();
        return quantizeModule(gru, x, lengths(x.cut));
      },
    ],
    [
      "input",
      () => {
        const x = shaped([2, 3]);
        return new GRUCell(SIZES).forward(x, acting([2, 5], x.cut));
      },
    ],
    [
      "h",
      () => {
        const h = shaped([2, 5]);
        return new LSTMCell(SIZES).forward(Tensor.zeros([2, 3]), [h, acting([2, 5], h.cut)]);
      },
    ],
  ])("%s", (name, call) => {
    expect(message(call)).toMatch(
      new RegExp(
        `^RangeError LSTM_WASM_SHAPE: ${name}\\.data\\.length: expected \\d+, as when it was checked, got 0$`,
      ),
    );
  });
});

describe("masks", () => {
  const gru = new GRU(SIZES);
  const input = Tensor.randn([4, 3], 2);
  const forward = (mask: unknown) => gru.forward(input, undefined, { mask: mask as never });
  const detached = () => {
    const flags = new Uint8Array(4);
    structuredClone(flags.buffer, { transfer: [flags.buffer] });
    return flags;
  };
  const EXPECTED = "booleans or numbers, or a Tensor of them";

  it.each<[string, () => unknown, string]>([
    ["a detached array", detached, "RangeError LSTM_WASM_SHAPE: mask.length: expected 4, got 0"],
    [
      "a tensor of a detached array",
      () => ({ data: detached(), shape: [4] }),
      "RangeError LSTM_WASM_SHAPE: mask.data.length: expected 4, got 0",
    ],
    [
      "a revoked proxy",
      () => revoked([1, 1, 1, 1]),
      `TypeError LSTM_WASM_TYPE: mask: expected ${EXPECTED}, got an object that cannot be read`,
    ],
    [
      "a getter that throws",
      () => Object.defineProperty([1, 1, 1, 1], 2, { get: () => ([] as number[]).reduce((a, b) => a + b) }),
      `TypeError LSTM_WASM_TYPE: mask: expected ${EXPECTED}, got an object that cannot be read`,
    ],
    [
      "a getter that cuts the rest off",
      () => {
        const flags: unknown[] = [1, 1, 1, 1];
        return Object.defineProperty(flags, 0, { get: () => (flags.length = 2) });
      },
      "TypeError LSTM_WASM_TYPE: mask[2]: expected true, false or a number, got undefined",
    ],
    [
      "a shape that is a proxy of a longer one",
      () => ({ data: [1, 1, 1, 1], shape: new Proxy([4], { get: (_, key) => (key === "length" ? 9 : 4) }) }),
      "RangeError LSTM_WASM_SHAPE: mask.shape: expected [4], got [4, 4, 4, 4, 4, 4, 4, 4, 4]",
    ],
  ])("%s", (_, mask, expected) => {
    expect(message(() => forward(mask()))).toBe(expected);
  });

  it("are read once, and NaN counts as a step", () => {
    let reads = 0;
    const once = new Proxy([1, 0, Number.NaN, true], {
      get(target, key) {
        if (/^\d$/.test(String(key))) reads++;
        return Reflect.get(target, key);
      },
    });
    const [output] = forward(once);
    expect(reads).toBe(4);
    expect(output.data).toEqual(forward([true, false, true, 1])[0].data);
  });

  it("that cut the input are told by the input", () => {
    const data = new Float32Array(12);
    const mask = Object.defineProperty([1, 1, 1, 1], 3, {
      get: () => structuredClone(data.buffer, { transfer: [data.buffer] }) && 1,
    });
    expect(message(() => gru.forward({ data, shape: [4, 3] }, undefined, { mask }))).toBe(
      "RangeError LSTM_WASM_SHAPE: input.data.length: expected 12, as when it was checked, got 0",
    );
  });
});
