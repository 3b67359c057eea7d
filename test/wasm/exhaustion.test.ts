/**
 * No room, at every place that asks for memory, and a fault at every place that writes it: each action is repeated
 * with its first, second, third ... request for linear memory refused, until it succeeds, and with each of its writes
 * refused likewise. Whatever was refused, nothing stays allocated of what failed, what exists goes on with the same
 * bits, and the action itself can be tried again.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  Conv1d,
  elu,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  logSoftmax,
  maxPool1d,
  RNN,
  RNNCell,
  softmax,
  Tensor,
  tanh,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { Runtime } from "../../src/wasm/runtime.js";
import { EVERY_OPTION } from "../support/every-option.js";
import { expectSameBits } from "../support/tensors.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };
const BOTH = { ...SIZES, numLayers: 2, bidirectional: true };
const sequence = Tensor.randn([4, 2, 3], 1);
const longer = Tensor.randn([9, 7, 3], 2);
const rows = Tensor.randn([3, 3], 3);

const MODULES = {
  "LSTM in two directions": () => new LSTM({ ...BOTH, projSize: 2 }),
  "LSTM of int8": () => new LSTM({ ...SIZES, precision: "int8", projSize: 2 }),
  GRU: () => new GRU({ ...SIZES, numLayers: 2 }),
  "GRU of int8": () => new GRU({ ...SIZES, precision: "int8" }),
  RNN: () => new RNN(SIZES),
  LSTMCell: () => new LSTMCell(SIZES),
  GRUCell: () => new GRUCell(SIZES),
  RNNCell: () => new RNNCell(SIZES),
  Linear: () => new Linear({ inFeatures: 3, outFeatures: 5 }),
  "Linear of int8": () => new Linear({ inFeatures: 3, outFeatures: 5, precision: "int8" }),
  ...EVERY_OPTION,
  Conv1d: () => new Conv1d({ inChannels: 3, outChannels: 4, kernelSize: 2, groups: 1 }),
};
type AnyModule = ReturnType<(typeof MODULES)[keyof typeof MODULES]>;

afterEach(() => void vi.restoreAllMocks());

/** The methods of Runtime that allocate, and those that write. */
const METHODS = { allocate: ["allocate"], write: ["write", "fill"] } as const;
type Refused = keyof typeof METHODS;

/** Refuses request number `refused` (from 0) while `action` runs; says whether the action came so far. */
function refusing(method: Refused, refused: number, action: () => void): boolean {
  let requests = 0;
  for (const name of METHODS[method]) {
    const original = Runtime.prototype[name] as (...args: unknown[]) => unknown;
    vi.spyOn(Runtime.prototype, name as "write").mockImplementation(function (
      this: Runtime,
      ...args: unknown[]
    ) {
      if (requests++ === refused) throw new RangeError("memory: no room");
      return original.apply(this, args) as undefined;
    });
  }
  try {
    action();
    return false;
  } catch (error) {
    expect(error).toEqual(new RangeError("memory: no room"));
    return true;
  } finally {
    vi.restoreAllMocks();
  }
}

/** Refuses each request of `action` in turn, looks with `check` after each, and returns how many requests there were. */
function refuseEach(action: () => void, check: () => void, method: Refused = "allocate"): number {
  let refused = 0;
  while (refusing(method, refused, action)) {
    check();
    refused++;
  }
  return refused;
}

/** The same for its writes. */
const faultEach = (action: () => void, check: () => void) => refuseEach(action, check, "write");

const live = () => currentRuntime().liveBytes;

/** The input that fits a module: three sequences or rows of three. */
function run(module: AnyModule, input: { sequence: Tensor; rows: Tensor }): Tensor {
  if (module instanceof LSTM || module instanceof GRU || module instanceof RNN) {
    return module.forward(input.sequence)[0];
  }
  if (module instanceof LSTMCell) return module.forward(input.rows)[0];
  return module.forward(input.rows);
}

describe.each(Object.entries(MODULES))("%s", (_, make) => {
  const small = { sequence, rows };
  const large = { sequence: longer, rows: new Tensor(Tensor.randn([3, 300], 4).data, [300, 3]) };
  // Of which Conv1d makes (channels, length).
  const largeFor = (module: AnyModule) =>
    module instanceof Conv1d ? { ...large, rows: Tensor.randn([3, 300], 4) } : large;

  it("is not there at all when its constructor fails", () => {
    const before = live();
    for (const method of ["allocate", "write"] as const) {
      const requests = refuseEach(
        () => make().dispose(),
        () => expect(live()).toBe(before),
        method,
      );
      expect(requests).toBeGreaterThan(2);
    }
  });

  it("is not there at all when fromStateDict fails", () => {
    using module = make();
    const dict = module.stateDict<Float32Array | Int8Array>();
    const Class = module.constructor as unknown as { fromStateDict(dict: unknown): { dispose(): void } };
    const before = live();
    for (const method of ["allocate", "write"] as const) {
      refuseEach(
        () => Class.fromStateDict(dict).dispose(),
        () => expect(live()).toBe(before),
        method,
      );
    }
    expect(() => Class.fromStateDict({})).toThrow(RangeError);
    const wrong = new Map(dict).set([...dict.keys()].at(-1)!, Tensor.zeros([1, 1, 1, 1]));
    expect(() => Class.fromStateDict(wrong)).toThrow(RangeError);
    expect(live()).toBe(before);
  });

  it("gives the same bits after a call that failed, and the call can be made again", () => {
    using module = make();
    const input = largeFor(module);
    const expectedSmall = run(module, small);
    let most = live();
    const check = () => {
      expect(live()).toBeLessThanOrEqual(most);
      expectSameBits(run(module, small), expectedSmall);
    };
    expect(refuseEach(() => void run(module, input), check)).toBeGreaterThan(0);
    most = live();
    expect(faultEach(() => void run(module, input), check)).toBeGreaterThan(0);
    using fresh = make();
    fresh.loadStateDict(module.stateDict());
    expectSameBits(run(module, input), run(fresh, input));
  });

  it("keeps its weights when reading and loading them fails", () => {
    using module = make();
    const expected = run(module, small);
    const dict = module.stateDict<Float32Array | Int8Array>();
    const before = live();
    const check = () => {
      expect(live()).toBe(before);
      expectSameBits(run(module, small), expected);
    };
    // Conv1d packs by way of its scratch, which exists by now.
    const asks = !(module instanceof Conv1d);
    expect(refuseEach(() => void module.stateDict(), check) > 0).toBe(asks);
    expect(refuseEach(() => void module.loadStateDict(dict), check) > 0).toBe(asks);
    // A write of checked weights has nothing left to fail for. If it did, the next load would make the weights whole.
    faultEach(
      () => void module.loadStateDict(dict),
      () => expect(live()).toBe(before),
    );
    check();
  });
});

describe("streams and functions", () => {
  it.each([
    ["LSTM", () => new LSTM({ ...SIZES, numLayers: 2, projSize: 2 })],
    ["GRU of int8", () => new GRU({ ...SIZES, precision: "int8" })],
    ["RNN", () => new RNN(SIZES)],
  ] as const)("a stream of %s is not there when it fails, nor is its clone", (_, make) => {
    using module = make();
    using stream = module.stream();
    stream.step(Tensor.randn([3], 5));
    const state = [stream.state].flat();
    const before = live();
    const check = () => {
      expect(live()).toBe(before);
      for (const [which, tensor] of [stream.state].flat().entries()) expectSameBits(tensor, state[which]!);
    };
    expect(refuseEach(() => module.stream({ batchSize: 3 }).dispose(), check)).toBeGreaterThan(0);
    expect(refuseEach(() => stream.clone().dispose(), check)).toBeGreaterThan(0);
    expect(faultEach(() => module.stream({ batchSize: 3 }).dispose(), check)).toBeGreaterThan(0);
    expect(faultEach(() => stream.clone().dispose(), check)).toBeGreaterThan(0);
    const zeros = Tensor.zeros(state[0]!.shape);
    const given = state.length > 1 ? [zeros, Tensor.zeros(state[1]!.shape)] : zeros;
    const set = () => {
      stream.state = given as never;
      stream.state = (state.length > 1 ? state : state[0]) as never;
      throw new RangeError("memory: no room");
    };
    // Each half of the state is written before either counts.
    for (let write = 0; write < state.length; write++) {
      refusing("write", write, set);
      check();
    }
    const step = Tensor.zeros([3]);
    expect(faultEach(() => void stream.step(step), check)).toBeGreaterThan(0);
    stream.state = (state.length > 1 ? state : state[0]) as never;
    // A step asks for nothing, so nothing can be refused.
    expect(
      refuseEach(
        () => void stream.step(Tensor.zeros([3])),
        () => {},
      ),
    ).toBe(0);
  });

  it("a trace that fails leaves the module as it was", () => {
    using lstm = new LSTM(BOTH);
    const [expected] = lstm.forward(sequence);
    const check = () => expectSameBits(lstm.forward(sequence)[0], expected);
    expect(refuseEach(() => void lstm.trace(longer), check)).toBeGreaterThan(0);
    expect(faultEach(() => void lstm.trace(longer), check)).toBeGreaterThan(0);
  });

  it.each([
    ["tanh", () => tanh(rows)],
    ["softmax", () => softmax(rows, 0)],
    ["logSoftmax", () => logSoftmax(rows, 1)],
    ["elu", () => elu(rows)],
    ["maxPool1d", () => maxPool1d(rows, 2)],
  ] as const)("%s leaves nothing allocated", (_, call) => {
    const before = live();
    expect(
      refuseEach(
        () => void call(),
        () => expect(live()).toBe(before),
      ),
    ).toBeGreaterThan(0);
  });
});

it("an output or a trace that does not fit in JavaScript's memory is named, and the module goes on", () => {
  const zeros = { weight_ih_l0: Tensor.zeros([8192, 1]), weight_hh_l0: Tensor.zeros([8192, 2048]) };
  using lstm = LSTM.fromStateDict(zeros);
  const input = Tensor.zeros([2 ** 24, 1]);
  const message = (what: string) => `${what}: expected numbers that fit in memory, got ${2 ** 35}`;
  expect(() => lstm.forward(input)).toThrow(new RangeError(message("output")));
  expect(() => lstm.trace(input)).toThrow(new RangeError(message("trace")));
  expect(lstm.forward(Tensor.zeros([2, 1]))[0].shape).toEqual([2, 2048]);
});

it("a forward call whose buffers exist asks for no memory", () => {
  for (const make of Object.values(MODULES)) {
    using module = make();
    const input = { sequence, rows };
    run(module, input);
    expect(
      refuseEach(
        () => void run(module, input),
        () => {},
      ),
    ).toBe(0);
  }
});
