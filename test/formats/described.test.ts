/** Files of Keras, and models whose JSON describes files of numbers beside it, given to `readWeights`. */
import { readFileSync } from "node:fs";
import { strToU8 } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError, type KerasModel, readKeras, readTfjs, readWeights } from "../../src/formats/index.js";
import { readManifest } from "../../src/formats/tensorflow/manifest.js";

const file = (name: string) => new Uint8Array(readFileSync(new URL(`files/${name}`, import.meta.url)));
const json = (value: unknown) => strToU8(JSON.stringify(value));

it.each(["stack-k3.h5", "stack-k3.keras", "stack-k3.weights.h5", "stack-keras1.h5"])("reads %s", (name) => {
  const bytes = file(`keras/${name}`);
  expect(readWeights(bytes)).toEqual({ format: "keras", value: readKeras(bytes) });
});

const numbers = (count: number) =>
  new Uint8Array(Float32Array.from({ length: count }, (_, at) => at / 16 - 1).buffer);
const weight = (name: string, ...shape: number[]) => ({ name, shape, dtype: "float32" });
/** An LSTM of two units over three inputs. */
const manifest = [
  {
    paths: ["group1-shard1of2.bin", "group1-shard2of2"],
    weights: [weight("a/kernel", 3, 8), weight("a/recurrent_kernel", 2, 8), weight("a/bias", 8)],
  },
];
const shards = {
  "group1-shard1of2.bin": numbers(48).subarray(0, 70),
  "group1-shard2of2": numbers(48).subarray(70),
};
const layer = { class_name: "LSTM", config: { name: "a", units: 2, recurrent_activation: "hard_sigmoid" } };
const model = {
  format: "layers-model",
  generatedBy: "TensorFlow.js tfjs-layers v4.22.0",
  modelTopology: {
    class_name: "Sequential",
    config: { name: "s", layers: [layer] },
    keras_version: "tfjs-layers 4.22.0",
  },
  weightsManifest: manifest,
};
const ml5 = { "a/kernel": { filename: "a_kernel", shape: [3, 8] }, "b/é": { filename: "b", shape: [] } };

describe("an object of files", () => {
  it("with a model.json of TensorFlow.js, whatever it is called", () => {
    const read = readWeights({ ...shards, "my model.json": json(model), "labels.json": json(["a"]) });
    expect(read).toEqual({ format: "tfjs", value: readTfjs(model, shards) });
    expect(read).toMatchObject({ value: { layers: [{ name: "a", recurrent: { kind: "LSTM" } }] } });
  });

  it("with a model.json in which Python wrote NaN and Infinity", () => {
    const text = JSON.stringify(model).replace('"name":"a"', '"name":"a","low":-Infinity,"high":NaN');
    const { value } = readWeights({ "model.json": strToU8(text), ...shards });
    const { value: plain } = readWeights({ "model.json": json(model), ...shards });
    expect(value).toMatchObject({ layers: [{ config: { low: null, high: null } }] });
    expect((value as KerasModel).layers[0]!.weights).toEqual((plain as KerasModel).layers[0]!.weights);
  });

  it("with a weights_manifest.json", () => {
    const read = readWeights({ "weights_manifest.json": json(manifest), ...shards });
    expect(read).toEqual({ format: "manifest", value: readManifest(manifest, shards) });
    expect((read.value as ReadonlyMap<string, unknown>).size).toBe(3);
  });

  it("with ml5's manifest.json", () => {
    const files = { a_kernel: numbers(24), b: numbers(1) };
    const read = readWeights({ "manifest.json": json(ml5).slice().buffer, ...files });
    expect(read).toEqual({ format: "manifest", value: readManifest(ml5, files) });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      "lacks a file",
      { "model.json": json(model) },
      'tfjs: missing of 2 files: "group1-shard1of2.bin", "group1-',
    ],
    [
      "describes two models",
      { "a.json": json(model), "b.json": json(manifest), ...shards },
      'weights: expected one model.json of TensorFlow.js, weights_manifest.json or manifest.json of ml5, got "a.json", "b.json"',
    ],
    [
      "has another JSON",
      { "vocab.json": json({ a: 1 }), "config.json": json({ class_name: "x", config: {} }) },
      '"vocab.json" is of no known kind, "config.json" is the architecture of a Keras model',
    ],
    ["has broken JSON", { "model.json": strToU8("{") }, 'weights: "model.json": not valid JSON'],
  ])("that %s is refused", (_, files, message) => {
    expect(() => readWeights(files as never)).toThrow(FormatError);
    expect(() => readWeights(files as never)).toThrow(message);
  });

  it("of which one is no bytes is refused, and so are options", () => {
    expect(() => readWeights({ "model.json": "{}" } as never)).toThrow(
      new TypeError('bytes["model.json"]: expected a Uint8Array or ArrayBuffer, got "{}"'),
    );
    expect(() => readWeights({ "model.json": json(model), ...shards }, { path: "a" })).toThrow(
      new TypeError("options.path: the reader that takes these files has no such option"),
    );
  });
});

it.each<[string, unknown, string]>([
  ["a TensorFlow.js model.json", model, "readTfjs"],
  ["TensorFlow's weights_manifest.json", manifest, "readManifest"],
  ["ml5's manifest.json", ml5, "readManifest"],
])("%s alone is told what it lacks", (name, value, reader) => {
  expect(() => readWeights(json(value))).toThrow(
    `weights: got ${name}; give readWeights an object of it and the files of numbers beside it, by their names, or parse it for ${reader}`,
  );
});
