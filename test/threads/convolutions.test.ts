/** Convolutions of whole models on several threads: the bits of one, and workers that cannot make them. */
import { afterEach, describe, expect, it } from "vitest";
import { Tensor } from "../../src/index.js";
import { loadOnnx, type Model } from "../../src/models/index.js";
import type { Pool } from "../../src/threads/pool.js";
import { type AttributeValue, floats, modelOf, node } from "../support/onnx-writer.js";
import { type Changes, callUntil, endPools, isHeld, partsMade, poolOf, use } from "../support/pools.js";
import { expectSameBits } from "../support/tensors.js";

const numbers = (shape: readonly number[], seed: number) =>
  Array.from({ length: shape.reduce((product, size) => product * size) }, (_, at) =>
    Math.fround(Math.sin(at * 0.7 + seed) / 8),
  );

interface Shape {
  readonly operator?: "Conv" | "ConvTranspose";
  readonly input: readonly number[];
  readonly weights: readonly number[];
  readonly channels: number;
  readonly attributes?: Record<string, AttributeValue>;
  readonly activation?: string;
}

/** A convolution, and an activation that is made with it. */
function fileOf({ operator = "Conv", input, weights, channels, attributes = {}, activation }: Shape) {
  const sums = activation === undefined ? "y" : "sums";
  return modelOf({
    inputs: [{ name: "x", shape: [...input] }],
    outputs: ["y"],
    initializers: [
      floats("w", weights, numbers(weights, 1)),
      floats("b", [channels], numbers([channels], 2)),
    ],
    nodes: [
      node(operator, ["x", "w", "b"], [sums], { attributes }),
      ...(activation === undefined ? [] : [node(activation, [sums], ["y"])]),
    ],
  });
}

const LONG: Shape = {
  input: [1, 1, 8000],
  weights: [20, 1, 251],
  channels: 20,
  attributes: { strides: [10] },
  activation: "Relu",
};

const SHAPES: Record<string, Shape> = {
  "a long kernel and stride": LONG,
  "an image with padding": {
    input: [1, 16, 33, 47],
    weights: [26, 16, 3, 3],
    channels: 26,
    attributes: { pads: [1, 1, 1, 1] },
    activation: "Tanh",
  },
  "a batch with strides": {
    input: [3, 19, 51, 41],
    weights: [27, 19, 3, 5],
    channels: 27,
    attributes: { strides: [2, 1], pads: [0, 2, 1, 2] },
  },
  "groups and dilation": {
    input: [1, 36, 1, 1801],
    weights: [52, 9, 1, 5],
    channels: 52,
    attributes: { group: 4, dilations: [1, 3] },
    activation: "LeakyRelu",
  },
  "a group for each channel": {
    input: [1, 96, 61, 53],
    weights: [96, 1, 5, 5],
    channels: 96,
    attributes: { group: 96, pads: [2, 2, 2, 2] },
  },
  "groups of fewer outputs than a tile": {
    input: [1, 4096, 7],
    weights: [512, 32, 5],
    channels: 512,
    attributes: { group: 128, pads: [2, 2] },
  },
  "few outputs of many channels": { input: [1, 192, 41], weights: [200, 192, 3], channels: 200 },
  "a transposed one": {
    operator: "ConvTranspose",
    input: [1, 33, 19, 23],
    weights: [33, 25, 4, 4],
    channels: 25,
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
  },
};

const LOOKED = `const words = require("node:worker_threads").workerData.words;`;
const CONVOLVE = "models.convolveTiles(...given)";
/** A worker that counts its parts of convolutions in word 0. */
const counting = (words: Int32Array): Changes => ({
  first: LOOKED,
  put: [CONVOLVE, `{ ${CONVOLVE}; Atomics.add(words, 0, 1); }`],
  words,
});
const wordsOf = () => new Int32Array(new SharedArrayBuffer(4));

const inputOf = ({ input }: Shape) => Tensor.randn([...input], 3);
const run = (model: Model, x: Tensor) => model.run({ x }).y as Tensor;

async function inPool(threads: number, changes?: Changes): Promise<Pool> {
  const pool = poolOf(threads, changes);
  await use(pool, threads);
  return pool;
}

afterEach(endPools);

describe.each(Object.entries(SHAPES))("%s", (_, shape) => {
  const file = fileOf(shape);
  const x = inputOf(shape);

  it("has the same bits on 1, 2, 3, 4 and 7 threads", async () => {
    using alone = loadOnnx(file);
    const expected = run(alone, x);
    expect(expected.data.every(Number.isFinite)).toBe(true);
    for (const threads of [1, 2, 3, 4, 7]) {
      const pool = await inPool(threads);
      using model = loadOnnx(file);
      for (let call = 0; call < 8; call++) {
        expectSameBits(run(model, x), expected, `${threads} threads, call ${call}`);
      }
      expect(pool.failure).toBeUndefined();
      await endPools();
    }
  });
});

it.each(["a long kernel and stride", "groups and dilation", "a transposed one"])(
  "%s is made by several threads",
  async (name) => {
    const words = wordsOf();
    await inPool(2, counting(words));
    using model = loadOnnx(fileOf(SHAPES[name]!));
    const x = inputOf(SHAPES[name]!);
    await callUntil(
      () => void run(model, x),
      () => words[0]! > 0,
    );
  },
);

it("is made by threads that come when the models are there", async () => {
  const words = wordsOf();
  const pool = poolOf(2, counting(words));
  pool.decide(2);
  const ready = pool.ready();
  await use(pool, 2);
  using model = loadOnnx(fileOf(LONG));
  const x = inputOf(LONG);
  const first = run(model, x);
  await ready;
  await callUntil(
    () => expectSameBits(run(model, x), first),
    () => words[0]! > 0,
  );
});

it("is not shared where it is small", async () => {
  const small: Shape = { input: [1, 8, 100], weights: [16, 8, 5], channels: 16 };
  const [wide, words] = [1024, wordsOf()];
  // A product that threads share has the plan in their memory.
  const file = modelOf({
    inputs: [
      { name: "x", shape: [...small.input] },
      { name: "rows", shape: [4, wide] },
    ],
    outputs: ["y", "z"],
    initializers: [
      floats("w", small.weights, numbers(small.weights, 1)),
      floats("b", [16], numbers([16], 2)),
      floats("product", [wide, wide], numbers([wide, wide], 3)),
    ],
    nodes: [node("MatMul", ["rows", "product"], ["z"]), node("Conv", ["x", "w", "b"], ["y"])],
  });
  const pool = await inPool(2, counting(words));
  using model = loadOnnx(file);
  const given = { x: inputOf(small), rows: Tensor.randn([4, wide], 4) };
  await callUntil(
    () => void model.run(given),
    () => partsMade(pool)[1]! > 0,
  );
  for (let call = 0; call < 200; call++) model.run(given);
  expect(words[0]).toBe(0);
});

describe("a worker", () => {
  const file = fileOf(LONG);
  const x = inputOf(LONG);
  const expected = () => {
    using alone = loadOnnx(file);
    return run(alone, x);
  };

  it("that fails within a convolution makes its call throw, and later ones run on one thread", async () => {
    const bits = expected();
    const pool = await inPool(2, { put: [CONVOLVE, `{ throw new Error("as a test has it"); }`] });
    using model = loadOnnx(file);
    let thrown: unknown;
    await callUntil(
      () => {
        try {
          run(model, x);
        } catch (error) {
          thrown = error;
        }
      },
      () => thrown !== undefined,
    );
    expect(thrown).toMatchObject({ code: "LSTM_WASM_THREAD" });
    expect(isHeld(pool)).toBe(false);
    for (let call = 0; call < 3; call++) expectSameBits(run(model, x), bits);
    await callUntil(
      () => {},
      () => pool.failure !== undefined,
    );
    expect(pool.failure).toContain("as a test has it");
  });

  it("that may not compile leaves convolutions to others, and asks once", async () => {
    const bits = expected();
    const words = wordsOf();
    const pool = await inPool(2, {
      first: LOOKED,
      put: [
        "new WebAssembly.Module(binary)",
        `(() => { Atomics.add(words, 0, 1); throw new Error("as a policy has it"); })()`,
      ],
      words,
    });
    using model = loadOnnx(file);
    await callUntil(
      () => expectSameBits(run(model, x), bits),
      () => words[0]! > 0,
    );
    for (let call = 0; call < 100; call++) expectSameBits(run(model, x), bits);
    expect(words[0]).toBe(1);
    expect(pool.failure).toBeUndefined();
  });
});
