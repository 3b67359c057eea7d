/** Threads that are begun and ended in any order, and modules that were made before, meanwhile and after. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { simd } from "../../src/bundle/embedded.js";
import { forSharedMemory } from "../../src/bundle/shared-memory.js";
import { GRU, init, LSTM, Tensor } from "../../src/index.js";
import { loadKeras } from "../../src/models/index.js";
import { endThreads, initThreads } from "../../src/threads/index.js";
import { Pool } from "../../src/threads/pool.js";
import { currentRuntime, isDeterministic } from "../../src/wasm/current.js";
import { kerasH5 } from "../support/keras-writer.js";
import { expectSameBits } from "../support/tensors.js";

const SIZES = { inputSize: 12, hiddenSize: 96, bidirectional: true };
const input = Tensor.randn([20, 2, 12], 1);
const lstm = () => new LSTM(SIZES);
const given = isDeterministic();

/** A module of the same weights, made now. */
function again(module: LSTM): LSTM {
  const twin = lstm();
  twin.loadStateDict(module.stateDict());
  return twin;
}

const isShared = (module: LSTM) => {
  const { region } = module as unknown as { region: { runtime: { memory: WebAssembly.Memory } } };
  return region.runtime.memory.buffer instanceof SharedArrayBuffer;
};

afterEach(async () => {
  vi.restoreAllMocks();
  await endThreads();
  init({ deterministic: given });
});

describe("modules", () => {
  it("made before, meanwhile and after give the same bits at all times", async () => {
    const before = lstm();
    const [expected] = before.forward(input);
    const modules = [before];
    for (const threads of [2, 3, 1, 2]) {
      expect(await initThreads({ threads })).toEqual({ threads, reason: undefined });
      modules.push(again(before));
      for (const module of modules) expectSameBits(module.forward(input)[0], expected);
      if (threads === 3) await endThreads();
      modules.push(again(before));
      for (const module of modules) expectSameBits(module.forward(input)[0], expected);
    }
    await endThreads();
    for (const module of modules) expectSameBits(module.forward(input)[0], expected);
    expect(modules.map(isShared)).toEqual([false, true, true, true, false, false, false, true, true]);
  });

  it("that are small stay in a memory that is not shared", async () => {
    await initThreads({ threads: 2 });
    expect(isShared(new LSTM({ inputSize: 3, hiddenSize: 5 }))).toBe(false);
    expect(isShared(lstm())).toBe(true);
  });

  it("give tensors in memory of their own", async () => {
    await initThreads({ threads: 2 });
    const module = lstm();
    const [output, [h, c]] = module.forward(input);
    const stream = new LSTM({ inputSize: 12, hiddenSize: 128 }).stream();
    const results = [output, h, c, stream.step(new Float32Array(12)), ...stream.state];
    results.push(...module.stateDict().values());
    for (const { data } of results) expect(data.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("are freed while workers sleep, and others take their place", async () => {
    const alone = lstm();
    const [expected] = alone.forward(input);
    await initThreads({ threads: 3 });
    const runtime = currentRuntime(true);
    const { liveBytes } = runtime;
    for (let turn = 0; turn < 5; turn++) {
      const modules = Array.from({ length: 4 }, () => again(alone));
      for (const module of modules) expectSameBits(module.forward(input)[0], expected);
      await new Promise((resolve) => setTimeout(resolve, 5));
      for (const module of modules.reverse()) module.dispose();
      expect(runtime.liveBytes).toBe(liveBytes);
    }
  });

  it("see memory that has grown meanwhile", async () => {
    const alone = lstm();
    const [expected] = alone.forward(input);
    await initThreads({ threads: 3 });
    const twin = again(alone);
    const { memory } = currentRuntime(true);
    const stream = new GRU({ inputSize: 12, hiddenSize: 128 }).stream();
    const steps: Tensor[] = [];
    const kept: LSTM[] = [];
    const sizes = new Set<number>();
    for (let turn = 0; turn < 6; turn++) {
      const large = new LSTM({ inputSize: 300, hiddenSize: 300, numLayers: 1 + turn });
      kept.push(large);
      sizes.add(memory.buffer.byteLength);
      expectSameBits(twin.forward(input)[0], expected);
      expect(large.forward(new Tensor(new Float32Array(300), [1, 300]))[0].shape).toEqual([1, 300]);
      steps.push(stream.step(new Float32Array(12)));
    }
    expect(sizes.size).toBeGreaterThan(2);
    for (const module of kept) module.dispose();
    expect(steps[0]!.data.some((number) => number !== 0)).toBe(true);
  });
});

describe("calls of initThreads and endThreads", () => {
  it("that come together are made one after the other", async () => {
    const ready = vi.spyOn(Pool.prototype, "ready");
    const end = vi.spyOn(Pool.prototype, "end");
    const all = [initThreads({ threads: 2 }), initThreads({ threads: 3 }), initThreads({ threads: 2 })];
    expect(await Promise.all(all)).toEqual([2, 3, 2].map((threads) => ({ threads, reason: undefined })));
    expect(ready).toHaveBeenCalledTimes(3);
    expect(end).toHaveBeenCalledTimes(2);
    expect(currentRuntime(true).threads).toBe(2);
  });

  it("that end what begins leave one thread", async () => {
    const [begun] = await Promise.all([initThreads({ threads: 3 }), endThreads(), endThreads()]);
    expect(begun).toEqual({ threads: 3, reason: undefined });
    expect(isShared(lstm())).toBe(false);
    await endThreads();
  });

  it("that fail do not stop later ones", async () => {
    await expect(initThreads({ threads: 0 })).rejects.toThrow(RangeError);
    vi.spyOn(Pool.prototype, "ready").mockRejectedValueOnce(new Error("as a test has it"));
    await expect(initThreads({ threads: 2 })).rejects.toThrow("as a test has it");
    expect(isShared(lstm())).toBe(false);
    expect(await initThreads({ threads: 2 })).toEqual({ threads: 2, reason: undefined });
  });

  it("end threads at once for modules that are made after", async () => {
    await initThreads({ threads: 2 });
    const ended = endThreads();
    expect(isShared(lstm())).toBe(false);
    await ended;
  });

  it("may be many", async () => {
    const alone = lstm();
    const [expected] = alone.forward(input);
    for (let turn = 0; turn < 8; turn++) {
      await initThreads({ threads: 1 + (turn % 4) });
      using module = again(alone);
      expectSameBits(module.forward(input)[0], expected);
    }
  });
});

describe("a worker that is ended by somebody else", () => {
  it("while it sleeps is missed by no call, nor by endThreads", async () => {
    const alone = lstm();
    const [expected] = alone.forward(input);
    const { getBuiltinModule } = process as unknown as { getBuiltinModule: (name: string) => object };
    const { Worker } = getBuiltinModule("node:worker_threads") as typeof import("node:worker_threads");
    const started: Kept[] = [];
    class Kept extends Worker {
      constructor(text: string, options: object) {
        // Node.js 20 lets it say that it leaves, later ones do not.
        super(started.length > 0 ? text : text.replace("shared.leave(control);", ""), options);
        started.push(this);
      }
    }
    vi.stubGlobal(
      "process",
      new Proxy(process, {
        get: (target, name) =>
          name === "getBuiltinModule"
            ? (module: string) =>
                module === "node:worker_threads" ? { Worker: Kept } : getBuiltinModule(module)
            : Reflect.get(target, name, target),
      }),
    );
    await initThreads({ threads: 3 });
    vi.unstubAllGlobals();
    const twin = again(alone);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await started[0]!.terminate();
    for (let turn = 0; turn < 5; turn++) expectSameBits(twin.forward(input)[0], expected);
    const begin = performance.now();
    await endThreads();
    expect(performance.now() - begin).toBeLessThan(5000);
    expectSameBits(twin.forward(input)[0], expected);
  });
});

describe("init after initThreads", () => {
  it("keeps the threads, with one pool for each build", async () => {
    const decide = vi.spyOn(Pool.prototype, "decide");
    await initThreads({ threads: 2, deterministic: given });
    const first = currentRuntime(true);
    init({ deterministic: !given });
    const second = currentRuntime(true);
    expect([first.threads, second.threads]).toEqual([2, 2]);
    expect(first).not.toBe(second);
    for (const deterministic of [given, !given, given]) {
      init({ deterministic });
      expect(currentRuntime(true)).toBe(deterministic === given ? first : second);
    }
    expect(decide).toHaveBeenCalledTimes(2);
    expect(second.build).toBe(currentRuntime().build === "simd" ? second.build : "simd");
  });

  it("gives the bits of its build on both", async () => {
    const alone = lstm();
    init({ deterministic: !given });
    const other = again(alone);
    await initThreads({ threads: 2 });
    const otherTwin = again(alone);
    init({ deterministic: given });
    const twin = again(alone);
    expectSameBits(twin.forward(input)[0], alone.forward(input)[0]);
    expectSameBits(otherTwin.forward(input)[0], other.forward(input)[0]);
  });

  it("while threads are started is heeded", async () => {
    const starting = initThreads({ threads: 2 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    init({ deterministic: !given });
    await starting;
    expect(currentRuntime(true).threads).toBe(2);
    expect(currentRuntime(true).build).toBe(currentRuntime().build);
  });

  it("with a module of the user's keeps the threads of large modules", async () => {
    await initThreads({ threads: 2 });
    const threaded = currentRuntime(true);
    init({ module: new WebAssembly.Module(simd()) });
    expect(currentRuntime().build).toBe("given");
    expect(currentRuntime(true)).toBe(threaded);
  });

  it("takes the build that init was last asked for", async () => {
    init({ deterministic: true });
    await initThreads({ threads: 2 });
    expect(currentRuntime(true).build).toBe("simd");
    await initThreads({ threads: 2, deterministic: false });
    expect(currentRuntime(true).build).toBe(currentRuntime().build);
  });
});

describe("a compiled module", () => {
  it("is what modules on threads run, also after an init for the same build", async () => {
    const shared = new WebAssembly.Module(forSharedMemory(simd()));
    expect(await initThreads({ threads: 2, module: shared })).toEqual({ threads: 2, reason: undefined });
    const threaded = currentRuntime(true);
    expect(threaded.build).toBe("given");
    init({ deterministic: given });
    expect(currentRuntime(true)).toBe(threaded);
    const twin = lstm();
    await endThreads();
    init({ deterministic: true });
    expectSameBits(twin.forward(input)[0], again(twin).forward(input)[0]);
  });

  it("for a memory that is not shared is refused", async () => {
    await expect(initThreads({ threads: 2, module: new WebAssembly.Module(simd()) })).rejects.toThrow(
      /^options\.module: expected the binary of this release of lstm-wasm, got a WebAssembly\.Module$/,
    );
    expect(isShared(lstm())).toBe(false);
  });
});

describe("a call within a call", () => {
  it("of a layer that the caller supplies gives the same bits", async () => {
    const units = 128;
    const numbers = (count: number) => Float32Array.from({ length: count }, (_, at) => Math.sin(at) / 10);
    const name = { class_name: "Lambda", config: { name: "own" } };
    const config = {
      class_name: "Sequential",
      config: {
        name: "model",
        layers: [
          {
            class_name: "InputLayer",
            config: { name: "x", batch_input_shape: [null, 20, 12], dtype: "float32" },
          },
          { class_name: "LSTM", config: { name: "one", units, return_sequences: true } },
          name,
          { class_name: "LSTM", config: { name: "two", units, return_sequences: true } },
        ],
      },
    };
    const arrays = (layer: string, columns: number) => ({
      [`${layer}/lstm_cell/kernel:0`]: { shape: [columns, 4 * units], data: numbers(columns * 4 * units) },
      [`${layer}/lstm_cell/recurrent_kernel:0`]: {
        shape: [units, 4 * units],
        data: numbers(units * 4 * units),
      },
      [`${layer}/lstm_cell/bias:0`]: { shape: [4 * units], data: numbers(4 * units) },
    });
    const file = kerasH5({ config, layers: { one: arrays("one", 12), own: {}, two: arrays("two", units) } });
    const weights = new LSTM({ inputSize: units, hiddenSize: units }).stateDict();
    const run = () => {
      const inner = new LSTM({ inputSize: units, hiddenSize: units, batchFirst: true });
      inner.loadStateDict(weights);
      const own = () => (tensors: readonly unknown[]) => inner.forward(tensors[0] as Tensor<Float32Array>)[0];
      using model = loadKeras(file, { layers: { Lambda: own as never } });
      const { data } = Tensor.randn([2, 20, 12], 5);
      return [1, 2, 3].map(() => Object.values(model.run({ data, shape: [2, 20, 12] }))[0] as Tensor);
    };
    const expected = run();
    await initThreads({ threads: 3 });
    for (const [at, tensor] of run().entries()) expectSameBits(tensor, expected[at]!);
  });

  it("of an argument's getter gives the same bits", async () => {
    const alone = lstm();
    const [expected] = alone.forward(input);
    await initThreads({ threads: 3 });
    const [outer, inner] = [again(alone), again(alone)];
    const acting = {
      get data() {
        expectSameBits(inner.forward(input)[0], expected);
        return input.data;
      },
      shape: input.shape,
    };
    for (let turn = 0; turn < 5; turn++) expectSameBits(outer.forward(acting)[0], expected);
  });
});

describe("no room", () => {
  it("in a shared memory is told, and leaves it as it was", async () => {
    const Real = WebAssembly.Memory;
    /** 16 MiB at most. */
    class Small extends Real {
      constructor({ initial, shared }: WebAssembly.MemoryDescriptor) {
        super(shared === true ? { initial, maximum: 256, shared } : { initial });
      }
    }
    const alone = lstm();
    const [expected] = alone.forward(input);
    vi.stubGlobal(
      "WebAssembly",
      new Proxy(WebAssembly, {
        get: (target, name) => (name === "Memory" ? Small : Reflect.get(target, name)),
      }),
    );
    try {
      await initThreads({ threads: 2 });
    } finally {
      vi.unstubAllGlobals();
    }
    const twin = again(alone);
    twin.forward(input);
    const runtime = currentRuntime(true);
    const { liveBytes } = runtime;
    for (let turn = 0; turn < 3; turn++) {
      expect(() => new LSTM({ inputSize: 2000, hiddenSize: 2000 })).toThrow(
        /^memory: no room for a buffer of \d+ bytes: \d+ live modules hold \d+ bytes; free some with dispose\(\) or using$/,
      );
      expect(runtime.liveBytes).toBe(liveBytes);
      expectSameBits(twin.forward(input)[0], expected);
    }
    expect(() => twin.forward(Tensor.randn([20_000, 2, 12], 1))).toThrow(/^memory: no room for a buffer of/);
    expectSameBits(twin.forward(input)[0], expected);
  });

  it("for a shared memory is a reason, and the small ones an engine has do", async () => {
    const Real = WebAssembly.Memory;
    const asked: number[] = [];
    let most = 8192;
    class Refusing extends Real {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        const { maximum = 0, shared } = descriptor;
        if (shared === true) asked.push(maximum);
        if (shared === true && maximum > most) throw new RangeError("as a test has it");
        super(descriptor);
      }
    }
    vi.stubGlobal(
      "WebAssembly",
      new Proxy(WebAssembly, {
        get: (target, name) => (name === "Memory" ? Refusing : Reflect.get(target, name)),
      }),
    );
    try {
      expect(await initThreads({ threads: 2 })).toEqual({ threads: 2, reason: undefined });
      expect(asked).toEqual([65536, 32768, 16384, 8192]);
      most = 0;
      expect(await initThreads({ threads: 2 })).toEqual({
        threads: 1,
        reason: "memory: no room for a shared memory",
      });
    } finally {
      vi.unstubAllGlobals();
    }
    expect(isShared(lstm())).toBe(false);
  });
});
