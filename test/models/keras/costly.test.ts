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
