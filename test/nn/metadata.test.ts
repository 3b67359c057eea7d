/** What state dicts say of their modules: kept by stateDict, used by fromStateDict, compared by loadStateDict. */
import { describe, expect, it } from "vitest";
import {
  Conv1d,
  Dropout,
  Embedding,
  GRU,
  GroupNorm,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  quantizeModule,
  RNN,
  RNNCell,
  relu,
  Sequential,
  Tensor,
} from "../../src/index.js";
import { expectSameBits } from "../support/tensors.js";

const sizes = { inputSize: 2, hiddenSize: 3 };
const any = (value: unknown) => value as never;

/** A state dict of an RNN with relu, and metadata of any kind. */
function dictWith(metadata: unknown): never {
  using rnn = new RNN({ ...sizes, nonlinearity: "relu" });
  return Object.assign(new Map(rnn.stateDict()), { metadata }) as never;
}
const of = (options: object, kind: unknown = "RNN") => ({ "": { kind, options } });

describe("metadata of a state dict", () => {
  it("is plain data beside the entries: each module's kind and options", () => {
    using lstm = new LSTM({ ...sizes, numLayers: 2, batchFirst: true, dropout: 0.5 });
    const dict = lstm.stateDict();
    expect(dict.metadata).toMatchObject({
      "": { kind: "LSTM", options: { ...sizes, numLayers: 2, batchFirst: true, dropout: 0.5, bias: true } },
    });
    expect(JSON.parse(JSON.stringify(dict.metadata))).toEqual(dict.metadata);
    expect([Object.keys(dict), [...dict.keys()].includes("metadata")]).toEqual([[], false]);
    class Mine extends LSTM {}
    using mine = new Mine(sizes);
    expect(mine.stateDict().metadata[""]!.kind).toBe("LSTM");
  });

  it("makes every kind of module what it was", () => {
    using rnn = new RNN({ ...sizes, nonlinearity: "relu", batchFirst: true, dropout: 0.25, numLayers: 2 });
    using rnnCell = new RNNCell({ ...sizes, nonlinearity: "relu" });
    using conv = new Conv1d({
      inChannels: 4,
      outChannels: 6,
      kernelSize: 3,
      groups: 2,
      stride: 2,
      padding: 1,
    });
    using norm = new LayerNorm({ normalizedShape: [2, 3], eps: 0.1 });
    using group = new GroupNorm({ numGroups: 2, numChannels: 4, eps: 0.1 });
    using embedding = new Embedding({ numEmbeddings: 5, embeddingDim: 2, paddingIdx: -1 });
    using cell = new LSTMCell(sizes);
    for (const module of [rnn, rnnCell, conv, norm, group, embedding, cell]) {
      const { fromStateDict } = module.constructor as unknown as typeof RNN;
      using again = fromStateDict.call(module.constructor as typeof RNN, any(module.stateDict()));
      expect(`${again}`).toBe(`${module}`);
      expect(again.stateDict().metadata).toEqual(module.stateDict().metadata);
    }
    const input = Tensor.randn([2, 4, 2], 1);
    using again = RNN.fromStateDict(rnn.stateDict());
    expectSameBits(again.forward(input)[0], rnn.forward(input)[0]);
  });

  it("refuses options that contradict it, but for the layout of the input and the precision", () => {
    const dict = dictWith(of({ nonlinearity: "relu", batchFirst: true }));
    expect(() => RNN.fromStateDict(dict, { nonlinearity: "tanh" })).toThrow(
      new RangeError('options.nonlinearity: expected "relu" as dict.metadata has it, got "tanh"'),
    );
    const usual = dictWith(of({}));
    expect(() => RNN.fromStateDict(usual, { nonlinearity: "relu" })).toThrow(
      new RangeError('options.nonlinearity: expected "tanh" as dict.metadata has it, got "relu"'),
    );
    using other = RNN.fromStateDict(dict, { nonlinearity: "relu", batchFirst: false, precision: "int8" });
    expect(other).toMatchObject({ nonlinearity: "relu", batchFirst: false, precision: "int8" });
    using told = RNN.fromStateDict(dictWith(of({ hiddenSize: 4, bias: false })));
    expect(told).toMatchObject({ hiddenSize: 3, bias: true });
  });

  it("refuses a dict of another kind", () => {
    using gru = new GRU(sizes);
    expect(() => LSTM.fromStateDict(gru.stateDict())).toThrow(
      new RangeError('dict.metadata.kind: expected "LSTM", got "GRU"'),
    );
    using lstm = new LSTM(sizes);
    expect(() => lstm.loadStateDict(gru.stateDict(), { strict: false })).toThrow(
      new RangeError('dict.metadata.kind: expected "LSTM", got "GRU"'),
    );
    expect(() => RNN.fromStateDict(dictWith(of({}, "an\nodd kind")))).toThrow(
      new RangeError('dict.metadata.kind: expected "RNN", got "an\\nodd kind"'),
    );
  });

  it("refuses to load into a module with other options that change numbers, which stays as it was", () => {
    using source = new RNN({ ...sizes, nonlinearity: "relu", batchFirst: true, dropout: 0.5 });
    using target = new RNN(sizes);
    const before = target.stateDict();
    expect(() => target.loadStateDict(source.stateDict())).toThrow(
      new RangeError('dict.metadata.options.nonlinearity: expected "tanh" as the module has it, got "relu"'),
    );
    expect(target.stateDict()).toEqual(before);
    using same = new RNN({ ...sizes, nonlinearity: "relu" });
    expect(same.loadStateDict(source.stateDict()).stateDict()).toEqual(source.stateDict());
    using without = new RNN({ ...sizes, nonlinearity: "relu", bias: false });
    expect(() => without.loadStateDict(source.stateDict())).toThrow("unexpected bias_ih_l0");
    without.loadStateDict(source.stateDict(), { strict: false });
    // A dict without metadata is taken as it is.
    target.loadStateDict(new Map(source.stateDict()));
    target.loadStateDict(Object.fromEntries(source.stateDict()));
  });

  it("has each member of a Sequential by its prefix, from which the member can be made", () => {
    const make = (eps: number) =>
      new Sequential(
        new Linear({ inFeatures: 2, outFeatures: 4 }),
        relu,
        new Sequential({
          norm: new LayerNorm({ normalizedShape: 4, eps }),
          drop: new Dropout(),
        }),
      );
    using net = make(0.1);
    const dict = net.stateDict();
    expect(Object.entries(dict.metadata).map(([prefix, { kind }]) => [prefix, kind])).toEqual([
      ["0.", "Linear"],
      ["2.norm.", "LayerNorm"],
      ["2.drop.", "Dropout"],
    ]);
    using norm = LayerNorm.fromStateDict(dict, { prefix: "2.norm." });
    expect(norm.eps).toBe(0.1);
    using same = make(0.1);
    same.loadStateDict(dict);
    using other = make(0.2);
    expect(() => other.loadStateDict(dict)).toThrow(
      new RangeError("dict.metadata.options.eps: expected 0.2 as the module has it, got 0.1"),
    );
    const below = Object.assign(new Map([...dict].map(([name, tensor]) => [`net.${name}`, tensor])), {
      metadata: { "net.0.": { kind: "LSTM", options: {} } },
    });
    expect(() => same.loadStateDict(any(below), { prefix: "net." })).toThrow('expected "Linear", got "LSTM"');
  });

  it("is kept by quantizeModule", () => {
    using rnn = new RNN({ ...sizes, nonlinearity: "relu" });
    using again = RNN.fromStateDict(quantizeModule(rnn, Tensor.randn([20, 2, 2], 1)));
    expect(again).toMatchObject({ nonlinearity: "relu", precision: "int8" });
  });

  it.each([
    ["dict.metadata: expected an object of { kind, options }, got 3", 3],
    ["dict.metadata: expected an object of { kind, options }, got an array of length 0", []],
    ['dict.metadata[""]: expected { kind, options }, got null', { "": null }],
    ['dict.metadata[""]: expected { kind, options }, got an Object', of({}, 1)],
    ['dict.metadata[""]: expected { kind, options }, got an Object', of(any("x"))],
    ["dict.metadata.options.clap: unknown option; known are ", of({ clap: 1 })],
    ["dict.metadata.options.batchFirst: expected true or false, got 1", of({ batchFirst: 1 })],
    ["dict.metadata: expected an object of { kind, options }, got an object that cannot be read", revoked()],
  ])("%s", (message, metadata) => {
    using rnn = new RNN({ ...sizes, nonlinearity: "relu" });
    for (const use of [
      () => RNN.fromStateDict(dictWith(metadata)),
      () => rnn.loadStateDict(dictWith(metadata)),
    ]) {
      expect(use).toThrow(TypeError);
      expect(use).toThrow(message);
    }
  });

  it("reads each getter once", () => {
    const reads: string[] = [];
    const once = <Value extends object>(name: string, target: Value): Value =>
      new Proxy(target, {
        get(of, key) {
          reads.push(`${name}.${String(key)}`);
          return of[key as never];
        },
      });
    const entry = once("entry", { kind: "RNN", options: once("options", { nonlinearity: "relu" }) });
    const dict = dictWith(undefined);
    let asked = 0;
    Object.defineProperty(dict, "metadata", {
      get() {
        asked++;
        return once("metadata", { "": entry });
      },
    });
    RNN.fromStateDict(dict).dispose();
    expect(asked).toBe(1);
    expect(new Set(reads).size).toBe(reads.length);
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return { "": proxy };
}

describe("rename", () => {
  using lstm = new LSTM(sizes);
  const dict = lstm.stateDict();
  const file = new Map([...dict].map(([name, tensor]) => [`net.x.${name}`, tensor]));
  const load = (rename: unknown, prefix = "net.", from = file) =>
    LSTM.fromStateDict(any(from), { prefix, rename: any(rename) });

  it("finds parameters under the file's names below the prefix, by a function or a record", () => {
    using byFunction = load((name: string) => `x.${name}`);
    expect(byFunction.stateDict()).toEqual(dict);
    using byRecord = load(Object.fromEntries([...dict.keys()].map((name) => [name, `x.${name}`])));
    expect(byRecord.stateDict()).toEqual(dict);
    using linear = new Linear({ inFeatures: 2, outFeatures: 3, precision: "int8" });
    const { weight, weight_scale, bias } = Object.fromEntries(linear.stateDict<never>());
    using again = Linear.fromStateDict(any({ w: weight, w_scale: weight_scale, bias }), {
      rename: { weight: "w" },
    });
    expect(again.stateDict()).toEqual(linear.stateDict());
  });

  it.each([
    ["dict: expected a key net.y.weight_ih_l0", RangeError, (name: string) => `y.${name}`],
    ["options.rename: expected a record of strings or a function, got 1", TypeError, 1],
    [
      'options.rename of "weight_hr_l0": expected a string, got undefined',
      TypeError,
      (name: string) => (name === "weight_hr_l0" ? undefined : `x.${name}`),
    ],
    ['options.rename of "weight_ih_l0": expected a string, got 1', TypeError, { weight_ih_l0: 1 }],
    [
      "mine",
      Error,
      () => {
        throw new Error("mine");
      },
    ],
    ["expected another key than of", RangeError, () => "x.weight_ih_l0"],
  ])("%s", (message, type, rename) => {
    expect(() => load(rename)).toThrow(type);
    expect(() => load(rename)).toThrow(message);
  });

  it("names the file's key where a shape is wrong", () => {
    const wrong = new Map(file).set("net.x.bias_hh_l0", Tensor.zeros([1]));
    expect(() => load((name: string) => `x.${name}`, "net.", wrong)).toThrow(
      "net.x.bias_hh_l0: expected shape [12], got [1]",
    );
  });
});
