/**
 * Every allocation and every write made to fail in turn, in the debug build, whose heap can be told to (assembly/
 * debug.ts). Each operation is repeated with its first, second, third ... request refused, until it succeeds. After
 * each failure no block is left over, and what exists gives the bits that it gave before; the operation itself then
 * gives the bits that it gives where nothing fails.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  Conv1d,
  Embedding,
  elu,
  GRU,
  GRUCell,
  GroupNorm,
  init,
  LayerNorm,
  Linear,
  LSTM,
  LSTMCell,
  leakyRelu,
  logSoftmax,
  maxPool1d,
  memoryUsage,
  quantizeModule,
  RNN,
  RNNCell,
  relu,
  sigmoid,
  softmax,
  Tensor,
  tanh,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";
import { Runtime } from "../../src/wasm/runtime.js";
import { debugBuild } from "../support/debug-build.js";
import { EVERY_OPTION } from "../support/every-option.js";
import { reliabilityRow } from "../support/reliability.js";
import { expectSameBits } from "../support/tensors.js";

/** What the debug build exports besides the kernels. */
interface DebugExports {
  refuseAllocation(number: number): void;
  liveBlocks(): number;
}

const debug = () => currentRuntime().kernels as unknown as DebugExports;

let build: WebAssembly.Module;
beforeAll(() => {
  build = debugBuild();
  init({ module: build });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});
afterAll(() => init({ deterministic: process.env.WASM_BUILD === "simd" }));

const SIZES = { inputSize: 3, hiddenSize: 9 };
const sequence = Tensor.randn([4, 2, 3], 1);
const longer = Tensor.randn([9, 7, 3], 2);
const lengths = [9, 1, 4, 4, 9, 2, 3];
const rows = Tensor.randn([3, 3], 3);
const many = Tensor.randn([300, 3], 4);
const [signal, longSignal] = [Tensor.randn([8, 20], 5), Tensor.randn([8, 300], 6)];
const [batch, longBatch] = [Tensor.randn([1, 8, 20], 5), Tensor.randn([2, 8, 300], 6)];

type Results = readonly Tensor[];
const flat = (...results: unknown[]) => results.flat(Number.POSITIVE_INFINITY) as Tensor[];

interface Subject {
  stateDict(): Map<string, Tensor<Float32Array | Int8Array>>;
  loadStateDict(dict: never): unknown;
  dispose(): void;
}
/** How a module is made, and run on something small and on something that needs more memory. */
interface Kind<Module extends Subject = Subject> {
  make(): Module;
  small(module: Module): Results;
  large(module: Module): Results;
  /** What fromStateDict has to be told. */
  options: object;
}
const kind = <Module extends Subject>(
  make: () => Module,
  small: (module: Module) => Results,
  large: (module: Module) => Results,
  options = {},
) => ({ make, small, large, options }) as unknown as Kind;

type Recurrent = LSTM | GRU | RNN;
const recurrent = (make: () => Recurrent) =>
  kind(
    make,
    (module) => flat(module.forward(sequence)),
    (module) => flat(module.forward(longer, undefined, { lengths }), module.forward(longer)),
  );
type Cell = LSTMCell | GRUCell | RNNCell;
const cell = (make: () => Cell) =>
  kind(
    make,
    (module) => flat(module.forward(rows)),
    (module) => flat(module.forward(many)),
  );

/** A call with a mask needs buffers of its own. */
const mask = [9, 1, 4, 0, 9, 2, 3].flatMap((steps) => Array.from({ length: 9 }, (_, at) => at < steps));
const masked = (make: () => Recurrent) =>
  kind(
    make,
    (module) => flat(module.forward(sequence)),
    (module) =>
      flat(
        module.forward(longer, undefined, { mask }),
        module.forward(longer, undefined, { mask, maskedOutput: "zeros" }),
        module.forward(longer),
      ),
  );

const KINDS: Record<string, Kind> = {
  ...Object.fromEntries(
    Object.entries(EVERY_OPTION).map(([name, make]) => [
      name,
      name.includes("Cell") ? cell(make as () => Cell) : masked(make as () => Recurrent),
    ]),
  ),
  "LSTM in two directions": recurrent(
    () => new LSTM({ ...SIZES, numLayers: 2, bidirectional: true, projSize: 2 }),
  ),
  "LSTM of int8": recurrent(() => new LSTM({ ...SIZES, precision: "int8", projSize: 2 })),
  GRU: recurrent(() => new GRU({ ...SIZES, numLayers: 2 })),
  "GRU of int8": recurrent(() => new GRU({ ...SIZES, precision: "int8" })),
  RNN: recurrent(() => new RNN(SIZES)),
  LSTMCell: cell(() => new LSTMCell(SIZES)),
  GRUCell: cell(() => new GRUCell(SIZES)),
  RNNCell: cell(() => new RNNCell(SIZES)),
  ...Object.fromEntries(
    (["float32", "int8"] as const).map((precision) => [
      `Linear of ${precision}`,
      kind(
        () => new Linear({ inFeatures: 3, outFeatures: 50, precision }),
        (linear) => [linear.forward(rows)],
        (linear) => [linear.forward(many)],
      ),
    ]),
  ),
  Conv1d: kind(
    () => new Conv1d({ inChannels: 8, outChannels: 12, kernelSize: 3, groups: 2 }),
    (conv) => [conv.forward(signal)],
    (conv) => [conv.forward(longSignal)],
    { groups: 2 },
  ),
  LayerNorm: kind(
    () => new LayerNorm({ normalizedShape: 3 }),
    (norm) => [norm.forward(rows)],
    (norm) => [norm.forward(many)],
  ),
  GroupNorm: kind(
    () => new GroupNorm({ numGroups: 2, numChannels: 8 }),
    (norm) => [norm.forward(batch)],
    (norm) => [norm.forward(longBatch)],
    { numGroups: 2 },
  ),
  Embedding: kind(
    () => new Embedding({ numEmbeddings: 4, embeddingDim: 30 }),
    (embedding) => [embedding.forward([1, 3])],
    (embedding) => [embedding.forward(Array.from({ length: 100 }, (_, at) => at % 4))],
  ),
};

/** How a request is made to fail: `arm` before the operation for number `number`, from 1; what the error then is. */
interface Fault {
  arm(number: number): void;
  disarm(): void;
  expected(error: unknown): void;
}

/** The heap's, as where memory cannot grow. */
const allocations: Fault = {
  arm: (number) => debug().refuseAllocation(number),
  disarm: () => debug().refuseAllocation(0),
  expected(error) {
    expect(error).toBeInstanceOf(RangeError);
    expect((error as { code?: string }).code).toBe("LSTM_WASM_MEMORY");
    const { modules, bytes } = memoryUsage();
    expect((error as Error).message).toMatch(/^memory: no room for a buffer of \d+ bytes: /);
    expect((error as Error).message).toMatch(
      `: ${modules} live modules hold ${bytes} bytes; free some with dispose() or using`,
    );
  },
};

const refusal = new Error("a write made to fail");
/** Each copy of numbers into linear memory; by a double, since no engine refuses one that fits. */
const writes: Fault = {
  arm(number) {
    let left = number;
    for (const name of ["write", "fill"] as const) {
      const original = Runtime.prototype[name] as (...call: unknown[]) => void;
      vi.spyOn(Runtime.prototype, name).mockImplementation(function (this: Runtime, ...call: unknown[]) {
        if (--left === 0) throw refusal;
        original.apply(this, call);
      });
    }
  },
  disarm: () => void vi.restoreAllMocks(),
  expected: (error) => expect(error).toBe(refusal),
};

/** The engine refuses no array that has room in an object of its heap. */
const SMALL = 64;

/** Each larger array of numbers that the library asks the engine for. */
const arrays: Fault = {
  arm(number) {
    let left = number;
    const construct: ProxyHandler<Float32ArrayConstructor | Int8ArrayConstructor>["construct"] = (
      target,
      args: [unknown, ...unknown[]],
      made,
    ) => {
      const [source] = args;
      const size = source instanceof Float32Array ? source.length : source;
      if (typeof size === "number" && size > SMALL && --left === 0) {
        throw new RangeError("Array buffer allocation failed");
      }
      return Reflect.construct(target, args, made);
    };
    vi.stubGlobal("Float32Array", new Proxy(Float32Array, { construct }));
    vi.stubGlobal("Int8Array", new Proxy(Int8Array, { construct }));
  },
  disarm: () => void vi.unstubAllGlobals(),
  expected(error) {
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toHaveProperty("code", "LSTM_WASM_MEMORY");
  },
};

const FAULTS = { allocations, writes, arrays };
type Requests = keyof typeof FAULTS;
const tried: Record<Requests, number> = { allocations: 0, writes: 0, arrays: 0 };
const survived: Record<Requests, number> = { allocations: 0, writes: 0, arrays: 0 };

/** Refuses each request of `operation` in turn. `check` looks at what is left. Returns the operation's results. */
function failEach<Result>(requests: Requests, operation: () => Result, check: () => void): Result {
  const fault = FAULTS[requests];
  for (let number = 1; ; number++) {
    let result: Result;
    fault.arm(number);
    try {
      result = operation();
    } catch (error) {
      fault.disarm();
      tried[requests]++;
      fault.expected(error);
      check();
      survived[requests]++;
      continue;
    }
    fault.disarm();
    return result;
  }
}

const sameBits = (actual: Results, expected: Results) => {
  expect(actual).toHaveLength(expected.length);
  for (const [at, tensor] of actual.entries()) expectSameBits(tensor, expected[at]!, `result ${at}`);
};

const held = () => ({ bytes: currentRuntime().liveBytes, blocks: debug().liveBlocks() });

describe.each(["allocations", "writes", "arrays"] as const)("%s made to fail in turn", (requests) => {
  describe.each(Object.entries(KINDS))("%s", (_, { make, small, large, options }) => {
    it("constructor and fromStateDict leave nothing", () => {
      const empty = held();
      const module = failEach(requests, make, () => expect(held()).toEqual(empty));
      const dict = module.stateDict();
      const Class = module.constructor as unknown as {
        fromStateDict(dict: unknown, options: object): Subject;
      };
      const before = held();
      const copy = failEach(
        requests,
        () => Class.fromStateDict(dict, options),
        () => expect(held()).toEqual(before),
      );
      sameBits(small(copy), small(module));
      for (const [name, tensor] of copy.stateDict()) expect(tensor.data).toEqual(dict.get(name)!.data);
      copy.dispose();
      module.dispose();
      expect(held()).toEqual(empty);
    });

    it("forward keeps the module's bits, and can be called again", () => {
      const module = make();
      const expected = small(module);
      const fresh = make();
      fresh.loadStateDict(module.stateDict() as never);
      const wanted = large(fresh);
      const before = held().blocks;
      const check = () => {
        expect(held().blocks).toBeLessThanOrEqual(before);
        sameBits(small(module), expected);
      };
      sameBits(
        failEach(requests, () => large(module), check),
        wanted,
      );
      check();
      module.dispose();
      fresh.dispose();
    });

    it("stateDict and loadStateDict leave nothing, and a module that can be loaded again", () => {
      const module = make();
      const other = make();
      const expected = small(module);
      const wanted = small(other);
      const before = held();
      const check = () => {
        expect(held()).toEqual(before);
        sameBits(small(other), wanted);
        // A write that fails is a fault of the engine's: weights that were written before it are the new ones.
        if (requests === "writes") module.loadStateDict(dict as never);
        sameBits(small(module), expected);
      };
      const dict = module.stateDict();
      const read = failEach(requests, () => module.stateDict(), check);
      for (const [name, tensor] of read) expect(tensor.data).toEqual(dict.get(name)!.data);
      failEach(requests, () => module.loadStateDict(other.stateDict() as never), check);
      sameBits(small(module), wanted);
      module.dispose();
      other.dispose();
    });
  });

  it.each([
    ["LSTM", () => new LSTM({ ...SIZES, numLayers: 2, projSize: 2 })],
    ["GRU of int8", () => new GRU({ ...SIZES, precision: "int8" })],
    ["RNN", () => new RNN(SIZES)],
    ["LSTM with every option", EVERY_OPTION["LSTM with every option"]],
    ["GRU with every option", EVERY_OPTION["GRU with every option"]],
  ] as const)("a stream of %s keeps its state when it, its clone, a step or a new state fails", (_, make) => {
    using module = make();
    using stream = module.stream({ batchSize: 2 });
    const [first, second] = [Tensor.randn([2, 3], 7), Tensor.randn([2, 3], 8)];
    stream.step(first);
    const state = flat(stream.state);
    const empty = held();
    let before = empty;
    const check = () => {
      expect(held()).toEqual(before);
      sameBits(flat(stream.state), state);
    };
    failEach(requests, () => module.stream({ batchSize: 3 }), check).dispose();
    const clone = failEach(requests, () => stream.clone(), check);
    before = held();
    sameBits(flat(clone.state), state);
    const next = flat(failEach(requests, () => clone.state, check));
    sameBits(next, state);
    const output = failEach(requests, () => stream.step(second), check);
    sameBits([output], [clone.step(second)]);
    const reached = flat(stream.state);
    const unchanged = () => sameBits(flat(stream.state), reached);
    const zeros = reached.map(({ shape }) => Tensor.zeros(shape));
    const given = (zeros.length === 1 ? zeros[0] : zeros) as never;
    failEach(requests, () => Object.assign(stream, { state: given }), unchanged);
    sameBits(flat(stream.state), zeros);
    failEach(
      requests,
      () => stream.reset(),
      () => sameBits(flat(stream.state), zeros),
    );
    clone.dispose();
    expect(held()).toEqual(empty);
  });

  it("a call with lengths keeps the order of rows for calls of the same shape", () => {
    using gru = new GRU({ ...SIZES, numLayers: 2 });
    const expected = flat(gru.forward(longer));
    const wanted = flat(gru.forward(longer, undefined, { lengths }));
    const check = () => sameBits(flat(gru.forward(longer)), expected);
    check();
    sameBits(flat(failEach(requests, () => gru.forward(longer, undefined, { lengths }), check)), wanted);
  });

  it("a trace and quantizeModule leave the module as it was", () => {
    using lstm = new LSTM({ ...SIZES, numLayers: 2, projSize: 2 });
    using linear = new Linear({ inFeatures: 3, outFeatures: 50 });
    const expected = flat(lstm.forward(sequence), linear.forward(rows));
    const check = () => sameBits(flat(lstm.forward(sequence), linear.forward(rows)), expected);
    const { output, layers } = failEach(requests, () => lstm.trace(longer, undefined, { lengths }), check);
    const again = lstm.trace(longer, undefined, { lengths });
    sameBits([output, ...layers.map(({ c }) => c)], [again.output, ...again.layers.map(({ c }) => c)]);
    const before = held();
    for (const quantize of [() => quantizeModule(lstm, longer), () => quantizeModule(linear, many)]) {
      const dict = failEach(requests, quantize, () => {
        check();
        expect(held()).toEqual(before);
      });
      expect([...dict.values()].map(({ data }) => data)).toEqual(
        [...quantize().values()].map(({ data }) => data),
      );
    }
  });

  it.each([
    ["relu", () => relu(many)],
    ["sigmoid", () => sigmoid(rows)],
    ["tanh", () => tanh(rows)],
    ["softmax", () => softmax(rows, 0)],
    ["logSoftmax", () => logSoftmax(many, 1)],
    ["elu", () => elu(many)],
    ["leakyRelu", () => leakyRelu(rows)],
    ["maxPool1d", () => maxPool1d(longSignal, 2)],
  ] as const)("%s leaves nothing", (_, call) => {
    const before = held();
    const result = failEach(requests, call, () => expect(held()).toEqual(before));
    sameBits([result], [call()]);
  });

  it("is on docs/reliability.md", () => {
    const what = {
      allocations: "Allocations of linear memory made to fail in turn, in every operation",
      writes: "Writes to linear memory made to fail in turn, in every operation",
      arrays: "Arrays of numbers made to fail in turn, in every operation",
    };
    const note = {
      allocations: "a coded RangeError, no block lost, the old bits",
      writes: "no block lost, the old bits; but a module half loaded has to be loaded again",
      arrays: "a coded RangeError, no block lost, the old bits",
    };
    const counts = { tried: tried[requests], survived: survived[requests] };
    expect(counts.tried).toBeGreaterThan(100);
    reliabilityRow({ attack: what[requests], ...counts, note: note[requests] });
  });
});

it("an init that finds no memory keeps the runtime that there is", () => {
  const before = currentRuntime();
  class NoMemory {
    constructor() {
      throw new RangeError("WebAssembly.Memory(): could not allocate memory");
    }
  }
  vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Memory: { value: NoMemory } }));
  let error: unknown;
  try {
    init({ module: build });
  } catch (thrown) {
    error = thrown;
  }
  vi.unstubAllGlobals();
  allocations.expected(error);
  expect(currentRuntime()).toBe(before);
});
