/**
 * Arguments that run code of their own while they are read: getters that call the module or dispose of it, sizes that
 * answer differently each time, buffers that grow. Any result is right that leaves all other memory alone.
 */
import { describe, expect, it } from "vitest";
import {
  Conv1d,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  RNN,
  RNNCell,
  Tensor,
  type TensorLike,
} from "../../src/index.js";
import type { Block } from "../../src/wasm/block.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { expectSameBits } from "../support/tensors.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
const input = Tensor.randn([4, 2, 3], 1);
const row = Tensor.randn([2, 3], 2);
const h = Tensor.randn([1, 2, 5], 3);
const cellState = Tensor.randn([2, 5], 4);

/** The same object, but `act` runs whenever a property of it is read. */
function acting<Like extends object>(like: Like, act: () => void): Like {
  const read = (target: Like, key: string | symbol) => {
    act();
    return Reflect.get(target, key);
  };
  return new Proxy(like, { get: read });
}

/** { data, shape } that runs `act` when it is read. */
const actingTensor = ({ data, shape }: Tensor, act: () => void) => acting({ data, shape }, act);

/** Calls that read their arguments late, by the way each takes them: `act` runs in between. */
const CALLS = [
  ["LSTM.forward's c0", LSTM, (m: LSTM, act: () => void) => m.forward(input, [h, actingTensor(h, act)])[0]],
  ["LSTM.forward's input", LSTM, (m: LSTM, act: () => void) => m.forward(actingTensor(input, act))[0]],
  [
    "LSTM.trace's lengths",
    LSTM,
    (m: LSTM, act: () => void) => m.trace(input, undefined, acting({ lengths: [4, 4] }, act)).output,
  ],
  ["GRU.forward's h0", GRU, (m: GRU, act: () => void) => m.forward(input, actingTensor(h, act))[0]],
  [
    "RNN.forward's lengths",
    RNN,
    (m: RNN, act: () => void) => m.forward(input, h, acting({ lengths: [4, 3] }, act))[0],
  ],
  [
    "LSTMCell.forward's c",
    LSTMCell,
    (m: LSTMCell, act: () => void) => m.forward(row, [cellState, actingTensor(cellState, act)])[0],
  ],
  [
    "GRUCell.forward's h",
    GRUCell,
    (m: GRUCell, act: () => void) => m.forward(row, actingTensor(cellState, act)),
  ],
  ["RNNCell.forward's input", RNNCell, (m: RNNCell, act: () => void) => m.forward(actingTensor(row, act))],
  ["Linear.forward's input", Linear, (m: Linear, act: () => void) => m.forward(actingTensor(row, act))],
  ["Conv1d.forward's input", Conv1d, (m: Conv1d, act: () => void) => m.forward(actingTensor(row, act))],
  [
    "loadStateDict's weights",
    GRU,
    (m: GRU, act: () => void) => {
      const dict = m.stateDict();
      m.loadStateDict(new Map([...dict].map(([name, tensor]) => [name, actingTensor(tensor, act)])));
      return m.forward(input)[0];
    },
  ],
] as const;

type AnyModule = LSTM & GRU & RNN & LSTMCell & GRUCell & RNNCell & Linear & Conv1d;
type AnyCall = (module: AnyModule, act: () => void) => Tensor;

function make(Class: new (options: never) => unknown): AnyModule {
  const options = { ...SIZES };
  if ((Class as unknown) === Linear) return new Linear({ inFeatures: 3, outFeatures: 5 }) as AnyModule;
  if ((Class as unknown) === Conv1d) {
    return new Conv1d({ inChannels: 2, outChannels: 5, kernelSize: 2 }) as AnyModule;
  }
  return new Class(options as never) as AnyModule;
}

describe("a getter among the arguments that disposes of the module", () => {
  it.each(CALLS)("ends %s with an error, and its memory is not used again", (_, Class, call) => {
    const before = currentRuntime().liveBytes;
    const module = make(Class);
    (call as AnyCall)(module, () => {}); // its workspace exists, and would serve again
    // What takes the freed blocks over shows whether anything is still written to them.
    const heirs: Float32Array[] = [];
    const blocks: Block[] = [];
    const disposeAndTake = () => {
      if (blocks.length > 0) return;
      const free = currentRuntime().liveBytes - before;
      module.dispose();
      for (let taken = 0; taken < free; taken += 64) blocks.push(currentRuntime().allocate(64));
      for (const block of blocks) heirs.push(currentRuntime().view(block).fill(7));
    };
    expect(() => (call as AnyCall)(module, disposeAndTake)).toThrow(/dispose\(\)/);
    expect(heirs.length).toBeGreaterThan(0);
    for (const heir of heirs) expect(heir.every((x) => x === 7)).toBe(true);
    for (const block of blocks) currentRuntime().free(block);
    expect(currentRuntime().liveBytes).toBe(before);
  });
});

describe("a getter among the arguments that calls the module", () => {
  it.each(CALLS)("leaves %s's result as it would be", (_, Class, call) => {
    using module = make(Class);
    const expected = (call as AnyCall)(module, () => {});
    let calls = 0;
    const result = (call as AnyCall)(module, () => {
      if (calls++ === 0) (call as AnyCall)(module, () => {});
    });
    expect(calls).toBeGreaterThan(0);
    expectSameBits(result, expected);
  });
});

describe("a stream", () => {
  const step = Tensor.randn([3], 5);
  const given = (act: () => void) => actingTensor(step, act);

  it("that its input disposes of, or whose module it disposes of, ends with an error", () => {
    for (const owner of ["stream", "module"] as const) {
      using module = new GRU(SIZES);
      using stream = module.stream();
      const blocks: Block[] = [];
      const disposeAndTake = () => {
        ({ stream, module })[owner].dispose();
        while (blocks.length < 64) blocks.push(currentRuntime().allocate(16));
      };
      expect(() => stream.step(given(disposeAndTake))).toThrow(/dispose\(\)/);
      for (const block of blocks) expect(currentRuntime().view(block)[0]).toBe(0);
      for (const block of blocks) currentRuntime().free(block);
    }
  });

  it("whose state's getter disposes of it ends with an error", () => {
    using gru = new GRU(SIZES);
    const stream = gru.stream();
    const state = stream.state;
    const blocks: Block[] = [];
    const disposeAndTake = () => {
      stream.dispose();
      while (blocks.length < 64) blocks.push(currentRuntime().allocate(16));
    };
    expect(() => {
      stream.state = actingTensor(new Tensor(new Float32Array(5).fill(9), state.shape), disposeAndTake);
    }).toThrow("stream: used after dispose()");
    for (const block of blocks) expect(currentRuntime().view(block)[0]).toBe(0);
    for (const block of blocks) currentRuntime().free(block);
  });

  it("whose input's getter takes a step first goes two steps on", () => {
    using lstm = new LSTM(SIZES);
    using stream = lstm.stream();
    using nested = lstm.stream();
    stream.step(step);
    stream.step(step);
    let calls = 0;
    nested.step(
      given(() => {
        if (calls++ === 0) nested.step(step);
      }),
    );
    expectSameBits(nested.state[0], stream.state[0]);
    expectSameBits(nested.state[1], stream.state[1]);
  });
});

describe("sizes that answer differently each time", () => {
  /** An array whose first element is `first` when it is read the first time, and `later` from then on. */
  const changing = (shape: readonly number[], axis: number, later: number) => {
    let reads = 0;
    const get = (target: readonly number[], key: string | symbol) =>
      key === String(axis) && reads++ > 0 ? later : Reflect.get(target, key);
    return new Proxy(shape, { get });
  };

  it.each([
    ["LSTM", () => new LSTM(SIZES)],
    ["GRU", () => new GRU(SIZES)],
    ["RNN", () => new RNN(SIZES)],
  ] as const)("make %s neither read nor write past its memory", (_, construct) => {
    using module = construct();
    using neighbour = construct();
    const weights = neighbour.stateDict();
    const data = new Float32Array(3 * 4096).fill(3);
    for (const later of [1, 2, 9000]) {
      try {
        module.forward({ data, shape: changing([4096, 1, 3], 0, later) });
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
    for (const [name, tensor] of neighbour.stateDict()) expectSameBits(tensor, weights.get(name)!, name);
    expect(module.forward(input)[0].data.every(Number.isFinite)).toBe(true);
  });

  it("make a stream refuse its input", () => {
    using gru = new GRU(SIZES);
    using stream = gru.stream();
    const data = new Float32Array(300);
    expect(() => stream.step({ data, shape: changing([100, 3], 0, 1) })).toThrow(
      new RangeError("input.shape[0]: expected batchSize 1, got 100"),
    );
  });
});

describe("a buffer that grows while the arguments are read", () => {
  // ES2024, which Node 20 has and the library's own types do not.
  const Growable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;

  it("gives the numbers that were there, of a state too", () => {
    using lstm = new LSTM(SIZES);
    const [expected] = lstm.forward(input, [h, h]);
    const buffer = new Growable(40, { maxByteLength: 1e4 }) as ArrayBuffer & { resize(bytes: number): void };
    const data = new Float32Array(buffer);
    data.set(h.data);
    const c0 = actingTensor(h, () => buffer.resize(1e4));
    expectSameBits(lstm.forward(input, [{ data, shape: h.shape }, c0])[0], expected);
    expect(data.length).toBe(2500);
  });

  it("gives the numbers that were there", () => {
    using lstm = new LSTM(SIZES);
    using neighbour = new LSTM(SIZES);
    const [expected] = lstm.forward(input);
    const weights = neighbour.stateDict();
    const buffer = new Growable(96, { maxByteLength: 1e6 }) as ArrayBuffer & { resize(bytes: number): void };
    const data = new Float32Array(buffer);
    data.set(input.data);
    const grow = () => buffer.resize(1e6);
    const [output] = lstm.forward({ data, shape: [4, 2, 3] }, undefined, acting({}, grow));
    expect(data.length).toBe(250_000);
    expectSameBits(output, expected);
    for (const [name, tensor] of neighbour.stateDict()) expectSameBits(tensor, weights.get(name)!, name);
  });
});

describe("int8 weights that are transferred while other parameters are read", () => {
  it("are refused, and the module keeps those that it has", () => {
    using linear = new Linear({ inFeatures: 4, outFeatures: 3, precision: "int8" });
    const sample = Tensor.randn([2, 4], 5);
    const before = linear.forward(sample);
    const dict = linear.stateDict<Float32Array | Int8Array>();
    const weight = dict.get("weight")!.data;
    const bias = dict.get("bias")!;
    const transferring = acting({ data: bias.data, shape: bias.shape }, () => {
      if (weight.length > 0) structuredClone(weight.buffer, { transfer: [weight.buffer as ArrayBuffer] });
    });
    expect(() =>
      linear.loadStateDict(new Map<string, TensorLike<unknown>>([...dict, ["bias", transferring]])),
    ).toThrow(new RangeError("Linear.loadStateDict: weight: its buffer became shorter meanwhile"));
    expectSameBits(linear.forward(sample), before);
  });
});
