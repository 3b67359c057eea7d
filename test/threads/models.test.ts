/** Whole models on several threads: the bits of one, and their memory back when they are freed. */
import { afterEach, describe, expect, it } from "vitest";
import { simd } from "../../src/bundle/embedded.js";
import { forSharedMemory } from "../../src/bundle/shared-memory.js";
import { init, memoryUsage, Tensor } from "../../src/index.js";
import { loadKeras, loadOnnx, type Model } from "../../src/models/index.js";
import { endThreads, initThreads } from "../../src/threads/index.js";
import { currentRuntime, isDeterministic, modelRuntimes } from "../../src/wasm/current.js";
import { kerasH5 } from "../support/keras-writer.js";
import { floats, modelOf, node } from "../support/onnx-writer.js";
import { callUntil, endPools, partsMade, poolOf, use } from "../support/pools.js";
import { expectSameBits } from "../support/tensors.js";

const [INPUT, HIDDEN, WIDE, STEPS] = [24, 128, 512, 20];
const numbers = (count: number, seed: number) =>
  Array.from({ length: count }, (_, at) => Math.fround(Math.sin(at * 0.7 + seed) / 12));

/** Two directions of an LSTM, then two large products: x [20, N, 24]. */
const ONNX = modelOf({
  inputs: [{ name: "x", shape: [STEPS, "n", INPUT] }],
  outputs: ["y", "hN"],
  initializers: [
    floats("w", [2, 4 * HIDDEN, INPUT], numbers(8 * HIDDEN * INPUT, 1)),
    floats("r", [2, 4 * HIDDEN, HIDDEN], numbers(8 * HIDDEN * HIDDEN, 2)),
    floats("b", [2, 8 * HIDDEN], numbers(16 * HIDDEN, 3)),
    floats("wide", [HIDDEN, WIDE], numbers(HIDDEN * WIDE, 4)),
    floats("narrow", [WIDE, WIDE], numbers(WIDE * WIDE, 5)),
    floats("bias", [WIDE], numbers(WIDE, 6)),
  ],
  nodes: [
    node("LSTM", ["x", "w", "r", "b"], ["rows", "hN"], {
      attributes: { hidden_size: HIDDEN, direction: "bidirectional" },
    }),
    node("Tanh", ["rows"], ["bounded"]),
    node("MatMul", ["bounded", "wide"], ["product"]),
    node("Relu", ["product"], ["positive"]),
    node("MatMul", ["positive", "narrow"], ["second"]),
    node("Add", ["second", "bias"], ["y"]),
  ],
});

/** A product by itself. */
const GEMM = modelOf({
  inputs: [{ name: "x", shape: ["n", WIDE] }],
  outputs: ["y"],
  initializers: [floats("w", [WIDE, WIDE], numbers(WIDE * WIDE, 7)), floats("b", [WIDE], numbers(WIDE, 8))],
  nodes: [node("Gemm", ["x", "w", "b"], ["y"])],
});

/** Two directions of an LSTM, a GRU, and a Dense of each step. */
function keras(): Uint8Array {
  const array = (shape: number[], seed: number) => ({
    shape,
    data: Float32Array.from(
      numbers(
        shape.reduce((product, size) => product * size),
        seed,
      ),
    ),
  });
  const cell = (path: string, gates: number, columns: number, units: number, biases: number[]) => ({
    [`${path}/kernel:0`]: array([columns, gates * units], 1),
    [`${path}/recurrent_kernel:0`]: array([units, gates * units], 2),
    [`${path}/bias:0`]: array(biases, 3),
  });
  const one = { class_name: "LSTM", config: { name: "lstm", units: HIDDEN, return_sequences: true } };
  const config = {
    class_name: "Sequential",
    config: {
      name: "model",
      layers: [
        {
          class_name: "InputLayer",
          config: { name: "x", batch_input_shape: [null, STEPS, INPUT], dtype: "float32" },
        },
        {
          class_name: "Bidirectional",
          config: { name: "both", merge_mode: "concat", layer: one },
        },
        { class_name: "GRU", config: { name: "gru", units: 256, return_sequences: true, reset_after: true } },
        { class_name: "Dense", config: { name: "dense", units: WIDE, activation: "tanh" } },
      ],
    },
  };
  return kerasH5({
    config,
    layers: {
      both: {
        ...cell("both/forward_lstm/lstm_cell", 4, INPUT, HIDDEN, [4 * HIDDEN]),
        ...cell("both/backward_lstm/lstm_cell", 4, INPUT, HIDDEN, [4 * HIDDEN]),
      },
      gru: cell("gru/gru_cell", 3, 2 * HIDDEN, 256, [2, 3 * 256]),
      dense: { "dense/kernel:0": array([256, WIDE], 4), "dense/bias:0": array([WIDE], 5) },
    },
  });
}

const KERAS = keras();

/** Inputs of two batches. */
const BATCHES = [3, 1];

function results(load: () => Model<string>, shape: (batch: number) => number[]): Tensor[] {
  using model = load();
  return BATCHES.flatMap((batch, seed) => {
    const { data } = Tensor.randn(shape(batch), seed);
    return Object.values(model.run({ data, shape: shape(batch) })) as Tensor[];
  });
}

const MODELS = [
  ["ONNX", () => loadOnnx(ONNX), (batch: number) => [STEPS, batch, INPUT]],
  ["ONNX in int8", () => loadOnnx(ONNX, { precision: "int8" }), (batch: number) => [STEPS, batch, INPUT]],
  ["a Gemm", () => loadOnnx(GEMM), (batch: number) => [40 * batch, WIDE]],
  ["Keras", () => loadKeras(KERAS), (batch: number) => [batch, STEPS, INPUT]],
] as [string, () => Model<string>, (batch: number) => number[]][];

afterEach(async () => {
  await endPools();
  await endThreads();
});

describe.each(MODELS)("%s", (_, load, shape) => {
  it("has the same bits on 1, 2 and 3 threads, and leaves no memory behind", async () => {
    const expected = results(load, shape);
    expect(expected.every(({ data }) => data.every(Number.isFinite))).toBe(true);
    for (const threads of [1, 2, 3]) {
      await initThreads({ threads });
      const runtime = currentRuntime(true);
      expect(runtime.threads).toBe(threads);
      const { liveBytes } = runtime;
      const tensors = results(load, shape);
      for (const [at, tensor] of tensors.entries()) expectSameBits(tensor, expected[at]!, `result ${at}`);
      for (const { data } of tensors) expect(data.buffer).toBeInstanceOf(ArrayBuffer);
      expect(runtime.liveBytes).toBe(liveBytes);
    }
  });

  it("is made by several threads", async () => {
    const pool = poolOf(2);
    await use(pool, 2);
    using model = load();
    const { data } = Tensor.randn(shape(8), 1);
    await callUntil(
      () => void model.run({ data, shape: shape(8) }),
      () => partsMade(pool)[1]! > 0,
    );
  });

  it("goes on with one thread when threads end", async () => {
    const expected = results(load, shape);
    await initThreads({ threads: 2 });
    const model = load();
    const given = { data: Tensor.randn(shape(3), 0).data, shape: shape(3) };
    const run = () => Object.values(model.run(given)) as Tensor[];
    for (const [at, tensor] of run().entries()) expectSameBits(tensor, expected[at]!);
    await endThreads();
    for (const [at, tensor] of run().entries()) expectSameBits(tensor, expected[at]!);
    const held = memoryUsage();
    expect(held.memory).toBeGreaterThan(0);
    model.dispose();
    expect(memoryUsage().bytes).toBeLessThan(held.bytes);
    // Nothing lives in the memory of those threads any more.
    expect(memoryUsage().memory).toBeLessThan(held.memory);
  });
});

it("stays on one thread beside a core that the caller compiled, which has no kernels of models", async () => {
  const expected = results(MODELS[0]![1], MODELS[0]![2]);
  const module = new WebAssembly.Module(forSharedMemory(simd()));
  expect(await initThreads({ threads: 2, module })).toEqual({ threads: 2, reason: undefined });
  expect(modelRuntimes().map((runtime) => runtime.threads)).toEqual([1, 1]);
  const tensors = results(MODELS[0]![1], MODELS[0]![2]);
  for (const [at, tensor] of tensors.entries()) expectSameBits(tensor, expected[at]!);
});

describe("what is no work for several threads", () => {
  const SIZE = 128;
  const SMALL = modelOf({
    inputs: [{ name: "x", shape: ["n", SIZE] }],
    outputs: ["y"],
    initializers: [floats("w", [SIZE, SIZE], numbers(SIZE * SIZE, 7)), floats("b", [SIZE], numbers(SIZE, 8))],
    nodes: [node("Gemm", ["x", "w", "b"], ["y"])],
  });
  const ROWS = [1, 40];
  const run = (model: Model, rows: number) =>
    Object.values(model.run({ x: Tensor.randn([rows, SIZE], rows) }))[0] as Tensor;
  const expected = () => {
    using model = loadOnnx(SMALL);
    return ROWS.map((rows) => run(model, rows));
  };

  it("is in a memory that is not shared, shape by shape", async () => {
    const results = expected();
    await initThreads({ threads: 2 });
    const [shared, own] = [currentRuntime(true), currentRuntime()];
    const bytes = () => [shared.liveBytes, own.liveBytes];
    const before = bytes();
    const model = loadOnnx(SMALL);
    expectSameBits(run(model, ROWS[0]!), results[0]!);
    const { weights } = model.memory;
    expect(weights).toBeGreaterThanOrEqual(4 * SIZE * SIZE);
    expect(shared.liveBytes).toBe(before[0]);
    expect(own.liveBytes - before[1]!).toBeGreaterThan(weights);
    const held = bytes();
    expectSameBits(run(model, ROWS[1]!), results[1]!);
    expect(model.memory.weights).toBe(2 * weights);
    expect(shared.liveBytes - before[0]!).toBeGreaterThan(weights);
    expect(own.liveBytes).toBe(held[1]);
    const { modules } = memoryUsage();
    model.dispose();
    expect(bytes()).toEqual(before);
    expect(memoryUsage().modules).toBe(modules - 1);
  });

  it("is in the shared one where only that is of the model's build", async () => {
    const results = expected();
    await initThreads({ threads: 2 });
    const given = isDeterministic();
    init({ module: new WebAssembly.Module(simd()) });
    try {
      using model = loadOnnx(SMALL);
      for (const [at, rows] of ROWS.entries()) expectSameBits(run(model, rows), results[at]!);
    } finally {
      init({ deterministic: given });
    }
  });
});
