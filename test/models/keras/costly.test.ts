/**
 * Keras configs that are made to cost much, or that contradict themselves, as models: what they are told, and that it
 * takes no time. Fields of one layer: fields.test.ts.
 */
import { afterAll, describe, expect, it } from "vitest";
import { FormatError } from "../../../src/formats/bytes.js";
import { loadKeras, loadTfjs } from "../../../src/models/index.js";
import { memoryUsage } from "../../../src/wasm/current.js";
import { errorOf } from "../../support/error-of.js";
import { HOSTILE } from "../../support/hostile/index.js";
import { HOSTILE_KERAS } from "../../support/hostile/keras-graphs.js";
import { kerasH5 } from "../../support/keras-writer.js";
import { processorTime } from "../../support/processor-time.js";

const LIMIT = 1000;
const ARRAYS = { dense: { kernel: { shape: [2, 2] }, bias: { shape: [2] } } };

/** A model is loaded, run and shown. */
function use(config: unknown, isTfjs: boolean): void {
  using model = isTfjs
    ? loadTfjs(
        {
          modelTopology: { keras_version: "2.15.0", model_config: config },
          weightsManifest: [],
        },
        new Uint8Array(0),
      )
    : loadKeras(kerasH5({ config, layers: ARRAYS }));
  model.summary();
  model.run(
    Object.fromEntries(model.inputs.map(({ name }) => [name, { data: new Float32Array(2), shape: [1, 2] }])),
  );
}

const before = memoryUsage();
afterAll(() => expect(memoryUsage().modules).toBe(before.modules));

describe.each([
  ["loadKeras", false],
  ["loadTfjs", true],
])("%s", (_, isTfjs) => {
  it.each(HOSTILE_KERAS.map((one) => [one.name, one] as const))(
    "refuses within a second: %s",
    (_, { make, message }) => {
      const config = make();
      let error: unknown;
      const time = processorTime(LIMIT, () => {
        error = errorOf(() => use(config, isTfjs));
      });
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).toMatch(message);
      expect(time).toBeLessThan(LIMIT);
    },
  );
});

describe("hostile files of Keras", () => {
  it.each(HOSTILE.filter(({ reader }) => reader === "readKeras").map((one) => [one.name, one] as const))(
    "are refused within a second: %s",
    (_, { make }) => {
      const bytes = make();
      let error: unknown;
      const time = processorTime(LIMIT, () => {
        error = errorOf(() => loadKeras(bytes).dispose());
      });
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).toMatch(/^keras: ./);
      expect(time).toBeLessThan(LIMIT);
    },
  );
});

/** A model of TensorFlow.js without weights, over an input of one row. */
function timeOf(shape: readonly number[], layers: readonly object[]): { time: number; data: number[] } {
  const config = {
    class_name: "Sequential",
    config: {
      name: "m",
      layers: [
        { class_name: "InputLayer", config: { name: "x", batch_input_shape: [null, ...shape] } },
        ...layers,
      ],
    },
  };
  const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at);
  let data: number[] = [];
  const time = processorTime(2 * LIMIT, () => {
    using model = loadTfjs(
      { modelTopology: { keras_version: "2.15.0", model_config: config }, weightsManifest: [] },
      new Uint8Array(0),
    );
    const [result] = Object.values(model.run({ data: Float32Array.from(numbers), shape: [1, ...shape] }));
    data = Array.from(result!.data as Float32Array);
  });
  return { time, data };
}

describe("a model runs within two seconds", () => {
  it("of 6,000 layers, each in the place of the one before it", () => {
    const layers = Array.from({ length: 6000 }, (_, at) => ({
      class_name: "Activation",
      config: { name: `a${at}`, activation: "relu" },
    }));
    const { time, data } = timeOf([2], layers);
    expect(data).toEqual([0, 1]);
    expect(time).toBeLessThan(2 * LIMIT);
  });

  it("of windows over half of a long input", () => {
    const config = { name: "p", pool_size: 2 ** 14, strides: 1, padding: "same" };
    const { time, data } = timeOf([2 ** 15, 1], [{ class_name: "AveragePooling1D", config }]);
    // The first window has its second half in the input, the last one its first.
    expect(data[0]).toBeCloseTo(2 ** 12, 0);
    expect(data.at(-1)).toBeCloseTo(2 ** 15 - 2 ** 12 - 1, 0);
    expect(time).toBeLessThan(LIMIT);
  });

  it.each([
    ["MaxPooling1D", 1023],
    ["AveragePooling1D", 511.5],
  ])("of a %s that reaches far beyond its input", (class_name, expected) => {
    const config = { name: "p", pool_size: 2 ** 20, strides: 1, padding: "same" };
    const { time, data } = timeOf([1024, 1], [{ class_name, config }]);
    expect(data).toEqual(new Array(1024).fill(expected));
    expect(time).toBeLessThan(2 * LIMIT);
  });
});
