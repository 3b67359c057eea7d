/** Models of TensorFlow.js that are broken, contradict their weights, or are something else; and callers that lie. */
import { describe, expect, it } from "vitest";
import { FormatError, readTfjs } from "../../src/formats/index.js";
import { Own, revoked } from "../support/hostile-values.js";

const layer = { class_name: "LSTM", config: { name: "lstm", units: 1, recurrent_activation: "sigmoid" } };
const config = { class_name: "Sequential", config: { name: "sequential", layers: [layer] } };
const SHAPES = [[2, 4], [1, 4], [4]];
const named = (path: string, names = ["kernel", "recurrent_kernel", "bias"]) =>
  SHAPES.map((shape, at) => ({ name: `${path}${names[at]}`, shape, dtype: "float32" }));
const BYTES = 4 * (8 + 4 + 4);
const json = (more: object = {}, weights: readonly object[] = named("lstm/lstm_cell/")) => ({
  format: "layers-model",
  modelTopology: { keras_version: "2.15.0", model_config: config },
  weightsManifest: [{ paths: ["group1-shard1of1.bin"], weights }],
  ...more,
});
const bytes = () => new Uint8Array(BYTES);

const REFUSED: Readonly<Record<string, readonly [read: () => unknown, message: string]>> = {
  "a graph model": [
    () => readTfjs(json({ format: "graph-model" }), bytes()),
    "tfjs: got a graph model, which has no layers; convert the Keras model with --output_format tfjs_layers_model",
  ],
  "a graph without a format": [
    () => readTfjs(json({ format: undefined, modelTopology: { node: [] } }), bytes()),
    "tfjs: got a graph model",
  ],
  "no topology": [
    () => readTfjs(json({ modelTopology: null }), bytes()),
    "tfjs: modelTopology: expected an object",
  ],
  "a topology that is a list": [
    () => readTfjs(json({ modelTopology: [] }), bytes()),
    "modelTopology: expected",
  ],
  "no manifest": [
    () => readTfjs(json({ weightsManifest: undefined }), bytes()),
    "tfjs: weightsManifest is missing",
  ],
  "a manifest that is an object": [
    () => readTfjs(json({ weightsManifest: {} }), bytes()),
    "tfjs: manifest: expected an array",
  ],
  "a version to come": [
    () => readTfjs(json({ modelTopology: { keras_version: "7.0", model_config: config } }), bytes()),
    'tfjs: keras_version: expected 1, 2 or 3, got "7.0"',
  ],
  "bytes that are cut off": [
    () => readTfjs(json(), new Uint8Array(BYTES - 1)),
    'tfjs: weight "lstm/lstm_cell/bias": expected 16 bytes at 48, got 15; a shard is missing or cut off',
  ],
  "bytes too many": [
    () => readTfjs(json(), new Uint8Array(BYTES + 1)),
    "tfjs: weights: 1 of 65 bytes belong to no weight",
  ],
  "a shard that is missing": [
    () => readTfjs(json(), { other: bytes() }),
    'tfjs: missing of 1 files: "group1-shard1of1.bin"',
  ],
  "a weight twice": [
    () => readTfjs(json({}, [...named("lstm/"), ...named("lstm/")]), new Uint8Array(2 * BYTES)),
    'tfjs: weight "lstm/kernel" occurs twice',
  ],
  "other units": [
    () => {
      const layers = [{ ...layer, config: { ...layer.config, units: 2 } }];
      const other = { class_name: "Sequential", config: { name: "s", layers } };
      return readTfjs(json({ modelTopology: { keras_version: "2.15.0", model_config: other } }), bytes());
    },
    'layer "lstm": units: expected 1, as recurrent_kernel has them, got 2',
  ],
  "names of no layer": [
    () => {
      const layers = [layer, { ...layer, config: { ...layer.config, name: "other" } }];
      const other = { class_name: "Sequential", config: { name: "s", layers } };
      return readTfjs(
        json({ modelTopology: { keras_version: "2.15.0", model_config: other } }, named("x/")),
        bytes(),
      );
    },
    'tfjs: weight "x/kernel" and all others are named as no layer of the model',
  ],
  "a model that was never built": [
    () => readTfjs(json({}, []), new Uint8Array(0)),
    "tfjs: the model has no weights; build it (call it once), then save it",
  ],
  "a config without layers": [
    () => readTfjs(json({ modelTopology: { keras_version: "2.15.0", model_config: {} } }), bytes()),
    "the model: class_name: expected a string, got undefined",
  ],
};

const ARGUMENTS: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  text: () => JSON.stringify(json()),
  bytes: () => bytes(),
  "a list": () => [json()],
  "a function": () => () => {},
  "a proxy that is revoked": () => revoked({}),
  "an object that holds itself": () => {
    const model: Record<string, unknown> = json();
    model.modelTopology = model;
    return model;
  },
  "a BigInt inside": () => json({ modelTopology: { size: 5n } }),
  "a toJSON that gives nothing": () => ({ ...json(), toJSON: () => undefined }),
};

describe("readTfjs", () => {
  it.each(["lstm/", "lstm/lstm_cell/", "sequential/lstm/lstm_cell/"])("reads weights called %s", (path) => {
    const { layers } = readTfjs(json({}, named(path)), bytes());
    expect(layers[0]!.recurrent?.options).toMatchObject({ inputSize: 2, hiddenSize: 1 });
  });

  it("says which weights are those of no layer", () => {
    const weights = [...named("lstm/"), { name: "other/kernel", shape: [1], dtype: "float32" }];
    expect(readTfjs(json({}, weights), new Uint8Array(BYTES + 4)).warnings).toEqual([
      'arrays of no layer of the config: "other/kernel"',
    ]);
  });

  it.each(Object.entries(REFUSED))("refuses %s", (_, [read, message]) => {
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
  });

  it.each(Object.entries(ARGUMENTS))("refuses %s by the argument's name", (_, make) => {
    const expected = {
      code: "LSTM_WASM_TYPE",
      message: expect.stringContaining("modelJson: expected the object"),
    };
    expect(() => readTfjs(make() as never, bytes())).toThrow(expect.objectContaining(expected));
  });

  it("passes on what a getter throws, and reads a getter's value once", () => {
    const hostile = Object.defineProperty(json(), "modelTopology", {
      enumerable: true,
      get: () => {
        throw new Own("mine");
      },
    });
    expect(() => readTfjs(hostile, bytes())).toThrow(Own);
    let asked = 0;
    const { modelTopology, ...rest } = json();
    const model = Object.defineProperty({ ...rest }, "modelTopology", {
      enumerable: true,
      get: () => {
        asked++;
        return modelTopology;
      },
    });
    expect(readTfjs(model, bytes()).layers).toHaveLength(1);
    expect(asked).toBe(1);
  });
});
