/**
 * Linear memory: what calls, streams and modules take is given back and taken again, however often; what is forgotten
 * is freed; where there is no room, an error says so and what exists goes on working.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  Embedding,
  GRU,
  GRUCell,
  init,
  Linear,
  LSTM,
  LSTMCell,
  type LSTMState,
  memoryUsage,
  RNN,
  RNNCell,
  Tensor,
} from "../../src/index.js";
import { Block } from "../../src/wasm/block.js";
import { currentRuntime } from "../../src/wasm/current.js";
import type { Runtime } from "../../src/wasm/runtime.js";
import { Growable } from "../support/hostile-values.js";
import { concat, expectSameBits, range, reshape, take } from "../support/tensors.js";

const CALLS = 100_000;
const ROUNDS = 10_000;
/** For modules that share their code with one that is called so often. */
const FEWER = 5;
const SIZES = { inputSize: 3, hiddenSize: 5 };
const FEATURES = { inFeatures: 3, outFeatures: 5 };
/** The largest block that the heap has. */
const LARGEST_BYTES = 2 ** 30 - 16;

/** Bytes in which panels find their place beside cache lines. */
const PANEL_ROOM = 128;

/** Linear memory's size and the bytes that are allocated in it. */
const inUse = (runtime: Runtime = currentRuntime()) => ({
  memory: runtime.memory.buffer.byteLength,
  live: runtime.liveBytes,
});

/** Calls `call` until each of its variants has run, then `times` times, and expects memory where it was. */
function staysPut(times: number, call: (turn: number) => void): void {
  for (let turn = 0; turn < 12; turn++) call(turn);
  const before = inUse();
  for (let turn = 0; turn < times; turn++) call(turn);
  expect(inUse()).toEqual(before);
}

describe("100,000 calls (20,000 of the modules that share their code) leave linear memory where it was", () => {
  const sequence = Tensor.randn([2, 2, 3], 1);
  const longer = Tensor.randn([4, 3, 3], 2);
  const rows = Tensor.randn([2, 3], 3);

  it.each([
    ["LSTM", () => new LSTM(SIZES), CALLS],
    [
      "LSTM, bidirectional, projection, batchFirst",
      () => new LSTM({ ...SIZES, numLayers: 2, bidirectional: true, projSize: 2, batchFirst: true }),
      CALLS / FEWER,
    ],
    ["GRU", () => new GRU(SIZES), CALLS / FEWER],
    ["RNN", () => new RNN({ ...SIZES, numLayers: 2 }), CALLS / FEWER],
  ] as const)("forward of %s", (_, make, times) => {
    using module = make();
    const options = { lengths: new Int32Array(module.batchFirst ? 4 : 3).fill(1) };
    staysPut(times, (turn) => {
      if (turn % 4 === 0) module.forward(longer, undefined, options);
      else module.forward(sequence);
    });
  });

  it("trace", () => {
    using lstm = new LSTM(SIZES);
    staysPut(CALLS / FEWER, (turn) => (turn % 2 === 0 ? lstm.trace(sequence) : lstm.forward(longer)));
  });

  it.each([
    ["LSTMCell", () => new LSTMCell(SIZES)],
    ["GRUCell", () => new GRUCell(SIZES)],
    ["RNNCell", () => new RNNCell(SIZES)],
    ["Linear", () => new Linear(FEATURES)],
  ] as const)("forward of %s", (_, make) => {
    using module = make();
    staysPut(CALLS / FEWER, () => module.forward(rows));
  });

  it.each([
    ["LSTM", () => new LSTM({ ...SIZES, numLayers: 2, projSize: 2 })],
    ["GRU", () => new GRU(SIZES)],
    ["RNN", () => new RNN(SIZES)],
  ] as const)("steps of two streams of %s", (_, make) => {
    using module = make();
    using one = module.stream();
    using two = module.stream({ batchSize: 2 });
    const { data } = Tensor.randn([3], 4);
    staysPut(CALLS, (turn) => {
      one.step(data);
      two.step(rows);
      if (turn % 100 === 0) one.reset();
    });
  });

  it("reading and setting a stream's state, cloning it, reading and loading weights", () => {
    using lstm = new LSTM(SIZES);
    using linear = new Linear(FEATURES);
    using stream = lstm.stream();
    staysPut(ROUNDS / FEWER, () => {
      const { state } = stream;
      stream.state = state;
      stream.clone().dispose();
      lstm.loadStateDict(lstm.stateDict());
      linear.loadStateDict(linear.stateDict());
    });
  });
});

describe("10,000 rounds of making and disposing leave linear memory where it was", () => {
  const sequence = Tensor.randn([2, 2, 3], 1);
  const rows = Tensor.randn([2, 3], 2);

  it.each([
    ["LSTM", LSTM, ROUNDS],
    ["GRU", GRU, ROUNDS / FEWER],
    ["RNN", RNN, ROUNDS / FEWER],
  ] as const)("%s and its streams", (_, Class, rounds) => {
    const empty = inUse().live;
    staysPut(rounds, (turn) => {
      // Other sizes each time, so that blocks do not simply fit where the last ones were.
      using module = new Class({ inputSize: 3, hiddenSize: 1 + (turn % 12), numLayers: 1 + (turn % 2) });
      using stream = module.stream({ batchSize: 2 });
      module.forward(sequence);
      stream.step(rows);
      if (turn % 2 === 0) module.dispose();
      else stream.clone().dispose();
    });
    expect(inUse().live).toBe(empty);
  });

  it.each([
    ["LSTMCell", () => new LSTMCell(SIZES)],
    ["GRUCell", () => new GRUCell(SIZES)],
    ["RNNCell", () => new RNNCell(SIZES)],
    ["Linear", () => new Linear(FEATURES)],
  ] as const)("%s", (_, make) => {
    const empty = inUse().live;
    staysPut(ROUNDS, (turn) => {
      using module = make();
      if (turn % 4 === 0) module.forward(rows);
    });
    expect(inUse().live).toBe(empty);
  });

  it("Embedding, which is in JavaScript memory", () => {
    staysPut(ROUNDS / FEWER, () => {
      using embedding = new Embedding({ numEmbeddings: 4, embeddingDim: 3 });
      embedding.forward([1, 3]);
    });
  });
});

describe("the scratch memory of one direction", () => {
  it.each([
    ["LSTM", () => new LSTM({ ...SIZES, numLayers: 3, projSize: 2 })],
    ["LSTM, batchFirst", () => new LSTM({ ...SIZES, numLayers: 2, batchFirst: true })],
    ["GRU", () => new GRU({ ...SIZES, numLayers: 2 })],
    ["RNN", () => new RNN({ ...SIZES, numLayers: 2 })],
  ] as const)("of %s does not grow with the sequence", (_, make) => {
    using module = make();
    const forward = (steps: number) =>
      module.forward(Tensor.zeros(module.batchFirst ? [2, steps, 3] : [steps, 2, 3]));
    forward(200);
    const before = inUse().live;
    forward(5000);
    expect(inUse().live).toBe(before);
    forward(50_000);
    expect(inUse().live).toBe(before);
  });
});

describe("scratch memory that a larger call outgrows", () => {
  it.each([
    ["LSTM", () => new LSTM(SIZES)],
    ["Linear", () => new Linear(FEATURES)],
  ] as const)("of %s is given back", (_, make) => {
    /** Bytes of a module after calls with so many rows. */
    const heldAfter = (...counts: number[]) => {
      using module = make();
      for (const count of counts) module.forward(Tensor.zeros([count, 3]));
      return inUse().live;
    };
    expect(heldAfter(1)).toBeLessThan(heldAfter(100));
    expect(heldAfter(1, 10, 50, 100, 3)).toBe(heldAfter(100));
  });
});

describe("what is forgotten", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;

  /** Collects garbage until `done`, for some seconds at most: finalizers run when the engine likes. */
  async function collectUntil(done: () => boolean): Promise<void> {
    for (let turn = 0; turn < 500 && !done(); turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  it("is freed by the finalizer: modules, cells, Linear and streams", async () => {
    const before = inUse().live;
    const sequence = Tensor.randn([4, 2, 3], 1);
    const forget = () => {
      for (const Class of [LSTM, GRU, RNN]) {
        const module = new Class({ ...SIZES, bidirectional: true });
        module.forward(sequence);
        new Class(SIZES).stream().step(new Float32Array(3));
      }
      for (const Class of [LSTMCell, GRUCell, RNNCell]) new Class(SIZES).forward(Tensor.zeros([2, 3]));
      new Linear(FEATURES).forward(Tensor.zeros([2, 3]));
    };
    forget();
    expect(inUse().live).toBeGreaterThan(before);
    await collectUntil(() => inUse().live === before);
    expect(inUse().live).toBe(before);
  });

  it("stays as long as a stream needs it", async () => {
    using reference = new GRU(SIZES);
    const dict = reference.stateDict();
    const input = Tensor.randn([1, 3], 1);
    const [expected] = reference.forward(input);
    const before = inUse().live;
    const open = () => new GRU(SIZES).loadStateDict(dict).stream();
    const stream = open();
    const kept = inUse().live;
    expect(kept).toBeGreaterThan(before);
    // One that nobody needs shows when the finalizers have run.
    const forget = () => void new GRU(SIZES);
    forget();
    expect(inUse().live).toBeGreaterThan(kept);
    await collectUntil(() => inUse().live <= kept);
    expect(inUse().live).toBe(kept);
    expectSameBits(reshape(stream.step(input), [1, 5]), expected);
    stream.dispose();
  });
});

describe("memory that grows between calls", () => {
  it("detaches every view, and everything goes on as if it had not", () => {
    // A new instance, whose memory is small: it doubles at least whenever it grows.
    init({ deterministic: process.env.WASM_BUILD === "simd" });
    using lstm = new LSTM({ inputSize: 3, hiddenSize: 9, numLayers: 2 });
    using linear = new Linear(FEATURES);
    using cell = new GRUCell(SIZES);
    using stream = lstm.stream({ batchSize: 2 });
    const input = Tensor.randn([12, 2, 3], 1);
    const rows = Tensor.randn([7, 3], 2);
    const [whole, final] = lstm.forward(input);
    const [product, hidden] = [linear.forward(rows), cell.forward(rows)];
    const weights = lstm.stateDict();

    // Each is the first user of memory after it has grown.
    const users = [
      () => expectSameBits(linear.forward(rows), product, "Linear"),
      () => expectSameBits(cell.forward(rows), hidden, "GRUCell"),
      () => expectSameBits(lstm.stateDict().get("weight_hh_l1")!, weights.get("weight_hh_l1")!, "stateDict"),
      () => expectSameBits(lstm.forward(input)[0], whole, "LSTM"),
      () => lstm.loadStateDict(weights),
      () => {
        const { state } = stream;
        grow();
        stream.reset();
        grow();
        stream.state = state;
      },
    ];
    const large: GRU[] = [];
    function grow(): void {
      const { memory } = inUse();
      const { buffer } = currentRuntime().memory;
      if (large.length < 4) large.push(new GRU({ inputSize: Math.ceil(memory / 48), hiddenSize: 4 }));
      else currentRuntime().memory.grow(1);
      expect(inUse().memory).toBeGreaterThan(memory);
      expect(buffer.byteLength).toBe(0);
    }

    const outputs: Tensor[] = [];
    for (const step of range(0, 12)) {
      grow();
      const { data, shape } = stream.step(reshape(take(input, 0, [step]), [2, 3]));
      outputs.push(new Tensor(data.slice(), [1, ...shape]));
      grow();
      users[step % users.length]!();
    }
    expectSameBits(concat(outputs, 0), whole, "stream");
    for (const [which, state] of stream.state.entries()) expectSameBits(state, final[which]!, "state");
    for (const module of large) module.dispose();
  });
});

describe("where there is no room", () => {
  const large = { inputSize: 3, hiddenSize: 20_000 };
  const HIDDEN = 20_000;

  it.each([
    // Panels: blocks of 32 outputs, one line of 128 bytes for each of the inputs, of W_ih and then of W_hh.
    ["LSTM", () => new LSTM({ ...large, numLayers: 2 }), ((4 * HIDDEN) / 32) * (3 + HIDDEN) * 128],
    ["GRU", () => new GRU(large), ((3 * HIDDEN) / 32) * (3 + HIDDEN) * 128],
    ["RNN", () => new RNN(large), (HIDDEN / 32) * (3 + HIDDEN) * 128],
    ["LSTMCell", () => new LSTMCell(large), ((4 * HIDDEN) / 32) * (3 + HIDDEN) * 128],
    ["Linear", () => new Linear({ inFeatures: HIDDEN, outFeatures: HIDDEN }), (HIDDEN / 32) * HIDDEN * 128],
  ] as const)("%s: a constructor names the size and leaves nothing allocated", (_, make, bytes) => {
    const before = inUse();
    const message = `memory: expected a buffer of at most ${LARGEST_BYTES} bytes, got ${bytes + PANEL_ROOM}`;
    expect(make).toThrow(new RangeError(message));
    expect(inUse()).toEqual(before);
  });

  it("a stream names the size and leaves nothing allocated, and the module goes on", () => {
    using gru = new GRU(SIZES);
    const before = inUse();
    expect(() => gru.stream({ batchSize: 2 ** 24 })).toThrow(
      /^memory: expected a buffer of at most 1073741808 bytes, got \d{10,}$/,
    );
    expect(inUse()).toEqual(before);
    expect(gru.forward(Tensor.zeros([2, 3]))[0].shape).toEqual([2, 5]);
  });

  it("a call names the size, and the module goes on with the same bits", () => {
    using lstm = new LSTM({ inputSize: 1, hiddenSize: 33, bidirectional: true });
    const input = Tensor.randn([9, 2, 1], 1);
    const [expected] = lstm.forward(input);
    const call = () => lstm.forward(Tensor.zeros([5_000_000, 1, 1]));
    expect(call).toThrow(RangeError);
    expect(call).toThrow(/^memory: expected a buffer of at most 1073741808 bytes, got \d{10,}$/);
    expectSameBits(lstm.forward(input)[0], expected);
  });

  it("a full memory is an error too, and addresses past 2 GiB serve as well as low ones", () => {
    init({ deterministic: process.env.WASM_BUILD === "simd" });
    const runtime = currentRuntime();
    try {
      using low = new LSTM({ ...SIZES, numLayers: 2 });
      const dict = low.stateDict();
      const input = Tensor.randn([300, 3, 3], 1);
      const options = { lengths: [300, 1, 150] };
      const expected = low.forward(input, undefined, options);

      // The kernels' own allocate does not clear, so that these pages are never touched.
      const sizes = [LARGEST_BYTES, LARGEST_BYTES, LARGEST_BYTES, 900_000_000];
      const blocks = sizes.map((bytes) => runtime.kernels.allocate(bytes) >>> 0);
      expect(blocks.at(-1)).toBeGreaterThanOrEqual(2 ** 31);
      using high = new LSTM({ ...SIZES, numLayers: 2 }).loadStateDict(dict);
      using stream = high.stream({ batchSize: 3 });
      const sameAsLow = ([output, states]: [Tensor, LSTMState]) => {
        expectSameBits(output, expected[0], "output");
        for (const [which, state] of states.entries()) expectSameBits(state, expected[1][which]!, "state");
      };
      sameAsLow(high.forward(input, undefined, options));
      expectSameBits(high.stateDict().get("weight_ih_l1")!, dict.get("weight_ih_l1")!);
      const first = reshape(take(input, 0, [0]), [3, 3]);
      expectSameBits(reshape(stream.step(first), [1, 3, 5]), take(expected[0], 0, [0]));

      const before = runtime.liveBytes;
      const bytes = 200_000_000 + PANEL_ROOM;
      const huge = () => new Linear({ inFeatures: 200_000_000 / 128, outFeatures: 16 });
      const held = memoryUsage();
      expect(held.bytes).toBeGreaterThanOrEqual(before);
      const advice = `${held.modules} live modules hold ${held.bytes} bytes; free some with dispose() or using`;
      expect(huge).toThrow(new RangeError(`memory: no room for a buffer of ${bytes} bytes: ${advice}`));
      expect(memoryUsage()).toEqual(held);
      expect(runtime.liveBytes).toBe(before);
      sameAsLow(high.forward(input, undefined, options));

      for (const block of blocks) runtime.kernels.free(block);
      sameAsLow(low.forward(input, undefined, options));
    } finally {
      init({ deterministic: process.env.WASM_BUILD === "simd" });
    }
  });
});

it("numbers that become more while they are written go no further than their block", () => {
  const runtime = currentRuntime();
  const blocks = [runtime.allocate(128), runtime.allocate(128), runtime.allocate(128)];
  const buffer = new Growable(128, { maxByteLength: 4096 });
  const source = new Float32Array(buffer).fill(7);
  /** Another thread makes a shared buffer longer after its length was read. */
  class Racing extends Block {
    override check(): void {
      buffer.resize(4096);
      new Float32Array(buffer).fill(7);
    }
  }
  const { pointer, bytes } = blocks[1]!;
  const refused = expect.objectContaining({
    code: "LSTM_WASM_RANGE",
    message: "memory: expected 32 numbers, got 1024",
  });
  expect(() => runtime.write(new Racing(pointer, bytes), 0, source)).toThrow(refused);
  expect(() => runtime.fill(blocks[1]!, source)).toThrow(refused);
  for (const block of blocks) {
    expect(runtime.view(block)).toEqual(new Float32Array(32));
    runtime.free(block);
  }
});
