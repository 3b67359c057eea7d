/** loadKeras of an architecture, loadTfjs, precision, operators and the summary. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Hdf5Group, openHdf5 } from "../../../src/formats/hdf5/index.js";
import { Zip } from "../../../src/formats/zip.js";
import { loadKeras, loadTfjs } from "../../../src/models/index.js";
import { caseOf, expectClose, inputsFor, kerasFile } from "./cases.js";

const FOLDER = new URL("../../formats/files/keras/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, FOLDER));

/** A model of the converter's, or of TensorFlow.js. */
function tfjs(folder: string) {
  const names = readdirSync(new URL(`${folder}/`, FOLDER));
  const json = JSON.parse(read(`${folder}/model.json`).toString());
  const weights = Object.fromEntries(names.map((name) => [name, read(`${folder}/${name}`)]));
  delete weights["model.json"];
  return { json, weights };
}

/** The arrays of a .keras file as a manifest has them, which the converter names by their paths. */
function weightsOf(zip: Zip) {
  const names: { name: string; shape: readonly number[]; dtype: string }[] = [];
  const parts: Float32Array[] = [];
  const walk = (group: Hdf5Group, path: string) => {
    for (const name of group.names()) {
      const inner = group.get(name)!;
      const own = path === "" ? name : `${path}/${name}`;
      if (inner.kind === "group") walk(inner, own);
      else if (/^(layers|_layer_checkpoint_dependencies)\//.test(own)) {
        const { data, shape } = inner.read();
        names.push({ name: own, shape, dtype: "float32" });
        parts.push(data as Float32Array);
      }
    }
  };
  walk(openHdf5(zip.read("model.weights.h5"), "keras"), "");
  return {
    names,
    bytes: Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
  };
}

const ramp = (shape: number[]) => ({
  shape,
  data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at + 1)),
});

describe("an architecture with weights", () => {
  const { inputs, outputs, error } = caseOf("k3", "dense");
  const file = kerasFile("dense-k3.keras");
  const zip = new Zip(new Uint8Array(file), 2 ** 24, "keras");
  const text = new TextDecoder().decode(zip.read("config.json"));
  const weights = zip.read("model.weights.h5").slice();

  it.each([
    ["text", text],
    ["parsed", JSON.parse(text) as object],
    ["bytes", new TextEncoder().encode(text)],
  ])("runs as the whole file does: %s", (_, source) => {
    using model = loadKeras(source, { weights });
    const results = model.run(inputsFor(model, inputs[0]!));
    expectClose(results[model.outputs[0]!.name]!, outputs[0]![0]!, error, "dense");
  });

  it("takes the weights of a whole .h5 file as well", () => {
    using model = loadKeras(text, { weights: kerasFile("dense-k3.h5") });
    const results = model.run(inputsFor(model, inputs[0]!));
    expectClose(results[model.outputs[0]!.name]!, outputs[0]![0]!, error, "dense");
  });

  it("is of no Keras 1 beside a .weights.h5, where it states no version", () => {
    const whole = kerasFile("recurrent-k3.keras");
    const of = caseOf("k3", "recurrent");
    const parts = new Zip(new Uint8Array(whole), 2 ** 24, "keras");
    const config = JSON.parse(new TextDecoder().decode(parts.read("config.json")));
    const { class_name, config: own } = config;
    using model = loadKeras({ class_name, config: own }, { weights: parts.read("model.weights.h5").slice() });
    const results = model.run(inputsFor(model, of.inputs[0]!));
    expectClose(results[model.outputs[0]!.name]!, of.outputs[0]![0]!, of.error, "recurrent");
  });

  it("is refused without weights, and by what is wrong in it", () => {
    expect(() => loadKeras(text)).toThrow("options.weights: expected the bytes of the weights");
    expect(() => loadKeras("{", { weights })).toThrow("keras: architecture: not valid JSON");
    expect(() => loadKeras(7 as never)).toThrow("source: expected the bytes of a Keras file");
  });
});

describe("loadTfjs", () => {
  it.each([
    ["stack-k2-from-h5", "stack-k2.h5"],
    ["stack-k3-from-keras", "stack-k3.keras"],
    ["bi-k2-from-keras", "bi-k2.keras"],
  ])("runs %s as Keras' own file", (folder, file) => {
    const { json, weights } = tfjs(folder);
    using model = loadTfjs(json, weights);
    using other = loadKeras(read(file));
    const [, steps, size] = model.inputs[0]!.shape as [string, number, number];
    const x = ramp([2, typeof steps === "number" ? steps : 5, size]);
    const [got, expected] = [model.run(x), other.run(x)];
    expect(Object.keys(got)).toEqual(Object.keys(expected));
    for (const [name, { data }] of Object.entries(got)) expect(data).toEqual(expected[name]!.data);
  });

  it("applies masks as Keras does", () => {
    const { files, inputs } = caseOf("k2", "masked_chain");
    const zip = new Zip(new Uint8Array(kerasFile(files[0]!)), 2 ** 24, "keras");
    const topology = JSON.parse(new TextDecoder().decode(zip.read("config.json")));
    using keras = loadKeras(kerasFile(files[0]!));
    const { names, bytes } = weightsOf(zip);
    const json = {
      format: "layers-model",
      modelTopology: { keras_version: "2.15.0", model_config: topology },
      weightsManifest: [{ paths: ["w"], weights: names }],
    };
    using asKeras = loadTfjs(json, bytes);
    const run = (model: typeof keras) => {
      const [result] = Object.values(model.run(inputsFor(model, inputs[0]!)));
      return Array.from(result!.data as Float32Array);
    };
    expect(run(asKeras)).toEqual(run(keras));
    expect(() => loadTfjs(json, bytes, { masks: "none" as never })).toThrow("options.masks");
  });
});

describe("a model of layers", () => {
  it("prints the rows that Keras prints", () => {
    using model = loadKeras(kerasFile("dense-k3.h5"));
    expect(model.summary().split("\n")).toEqual([
      expect.stringMatching(/^Model: "sequential/),
      "_".repeat(55),
      " Layer (type)                    Output Shape  Param #",
      "=".repeat(55),
      " dense (Dense)                   (None, 4, 5)  20",
      " dropout (Dropout)               (None, 4, 5)  0",
      " activation (Activation)         (None, 4, 5)  0",
      " dense_1 (Dense)                 (None, 4, 2)  10",
      " flatten (Flatten)               (None, 8)     0",
      " gaussian_noise (GaussianNoise)  (None, 8)     0",
      " dense_2 (Dense)                 (None, 3)     27",
      "=".repeat(55),
      "Total params: 57 (228.00 B)",
      "Trainable params: 57 (228.00 B)",
      "Non-trainable params: 0 (0.00 B)",
    ]);
    using graph = loadKeras(kerasFile("shared-k3.h5"));
    const rows = graph.summary().split("\n");
    expect(rows.find((row) => row.startsWith(" pair "))).toMatch(
      /^ pair \(Functional\) +\[\(None, 5, 2\), \(None, 2\)\] +\d+ +dense\[0\]\[0\], dense\[1\]\[0\], b\[0\]\[0\]$/,
    );
    expect(rows.find((row) => row.startsWith(" b (InputLayer)"))).toMatch(/\(None, 5, 3\) +0 +-$/);
  });

  it("tells its inputs, outputs and operators, and hides its states", () => {
    using model = loadKeras(kerasFile("translation-k3.h5"));
    expect(model.inputs).toEqual([
      { name: "source", shape: ["batch", "?"], dtype: "int32" },
      { name: "target", shape: ["batch", 4, 3], dtype: "float32" },
    ]);
    expect(model.outputs.map(({ name }) => name)).toEqual(["dense", "decoder", "decoder_1", "both"]);
    expect(model.operators).toContainEqual({ domain: "lstm-wasm", operator: "Layer", opset: 28, count: 4 });
    expect(String(model)).toBe("Model(source, target -> dense, decoder, decoder_1, both)");
  });

  it("runs with weights of eight bits, near the floats", () => {
    const { inputs } = caseOf("k3", "stateful");
    using floats = loadKeras(kerasFile("stateful-k3.keras"));
    using bytes = loadKeras(kerasFile("stateful-k3.keras"), { precision: "int8" });
    const [a, b] = [floats, bytes].map((model) => Object.values(model.run(inputsFor(model, inputs[0]!)))[0]!);
    const distance = Array.from(a!.data as Float32Array, (x, at) => Math.abs(x - (b!.data[at] as number)));
    expect(Math.max(...distance)).toBeGreaterThan(0);
    expect(Math.max(...distance)).toBeLessThan(0.05);
  });

  it("says what is wrong with an option", () => {
    const file = kerasFile("dense-k3.keras");
    expect(() => loadKeras(file, { precision: "int4" as never })).toThrow("options.precision");
    expect(() => loadKeras(file, { weight: file } as never)).toThrow("weight");
    expect(() => loadKeras(file, { onProgress: 1 as never })).toThrow("options.onProgress");
  });
});
