/** memoryUsage: the modules that are alive and what they hold, over every memory that they are in. */
import { describe, expect, it } from "vitest";
import {
  Conv1d,
  Embedding,
  GRU,
  GRUCell,
  init,
  Linear,
  LSTM,
  memoryUsage,
  relu,
  Tensor,
} from "../../src/index.js";
import { currentRuntime } from "../../src/wasm/current.js";

const SIZES = { inputSize: 3, hiddenSize: 5 };

/** What `change` adds to memoryUsage. */
function added(change: () => unknown): { modules: number; bytes: number } {
  const before = memoryUsage();
  change();
  const after = memoryUsage();
  return { modules: after.modules - before.modules, bytes: after.bytes - before.bytes };
}

describe("memoryUsage", () => {
  it("counts the bytes that the runtime has given out, and the size of its memory", () => {
    init({ deterministic: process.env.WASM_BUILD === "simd" });
    const { liveBytes, memory } = currentRuntime();
    const before = memoryUsage();
    expect(liveBytes).toBe(0);
    using lstm = new LSTM({ ...SIZES, bidirectional: true });
    using stream = new GRU(SIZES).stream({ batchSize: 2 });
    lstm.forward(Tensor.zeros([7, 3]));
    stream.step(Tensor.zeros([2, 3]));
    relu(Tensor.zeros([100]));
    expect(memoryUsage().modules).toBe(before.modules + 2);
    expect(memoryUsage().bytes).toBe(before.bytes + currentRuntime().liveBytes);
    expect(memoryUsage().memory).toBe(before.memory + memory.buffer.byteLength - 2 * 65536);
  });

  it.each([
    ["LSTM", () => new LSTM(SIZES)],
    ["GRUCell", () => new GRUCell(SIZES)],
    ["Linear", () => new Linear({ inFeatures: 3, outFeatures: 5 })],
    ["Conv1d", () => new Conv1d({ inChannels: 3, outChannels: 4, kernelSize: 2 })],
    ["Linear from a state dict", () => Linear.fromStateDict({ weight: Tensor.zeros([2, 3]) })],
  ] as const)("counts one %s until dispose", (_, make) => {
    const before = memoryUsage();
    const module = make();
    expect(memoryUsage().modules).toBe(before.modules + 1);
    expect(memoryUsage().bytes).toBeGreaterThan(before.bytes);
    module.dispose();
    module.dispose();
    expect(memoryUsage()).toEqual({ ...before, memory: memoryUsage().memory });
  });

  it("counts a stream's bytes, and no module for it", () => {
    using gru = new GRU(SIZES);
    const held: { dispose(): void }[] = [];
    const { modules, bytes } = added(() => {
      const stream = gru.stream();
      held.push(stream, stream.clone());
    });
    expect(modules).toBe(0);
    expect(bytes).toBeGreaterThan(0);
    expect(added(() => held.map((stream) => stream.dispose()))).toEqual({ modules: 0, bytes: -bytes });
  });

  it("counts an Embedding, whose table is JavaScript memory", () => {
    const options = { numEmbeddings: 4, embeddingDim: 3 };
    using _embedding = new Embedding(options);
    expect(added(() => new Embedding(options))).toEqual({ modules: 1, bytes: 0 });
    expect(added(() => Embedding.fromStateDict({ weight: Tensor.zeros([2, 3]) }))).toEqual({
      modules: 1,
      bytes: 0,
    });
  });

  it("does not count what was refused", () => {
    const refused = () => {
      expect(() => LSTM.fromStateDict({ weight_ih_l0: Tensor.zeros([4, 3]) })).toThrow(RangeError);
      expect(() => Embedding.fromStateDict({ weight: Tensor.zeros([3]) })).toThrow(RangeError);
      expect(() => new Linear({ inFeatures: 20_000, outFeatures: 20_000 })).toThrow(RangeError);
    };
    expect(added(refused)).toEqual({ modules: 0, bytes: 0 });
  });

  it("goes on counting modules of an earlier init, and their memory", () => {
    using lstm = new LSTM(SIZES);
    const before = memoryUsage();
    const earlier = currentRuntime().memory.buffer.byteLength;
    init({ deterministic: true });
    const { bytes, modules, memory } = memoryUsage();
    expect({ bytes, modules }).toEqual({ bytes: before.bytes, modules: before.modules });
    expect(memory).toBe(before.memory + currentRuntime().memory.buffer.byteLength);
    expect(memory).toBeGreaterThan(earlier);
    lstm.dispose();
    expect(memoryUsage().modules).toBe(before.modules - 1);
  });
});
