/** What calls are told that give Keras files to others, or something else to Keras models. */
import { describe, expect, it } from "vitest";
import { type LoadKerasOptions, loadKeras, loadOnnx } from "../../../src/models/index.js";
import { modelOf, node } from "../../support/onnx-writer.js";
import { caseOf, casesOf, kerasFile } from "./cases.js";

const FILE = kerasFile(caseOf("k3", "causal").files[0]!);
const SOURCE = "source: expected the bytes of a Keras file, or an architecture's JSON, got";

describe("loadKeras", () => {
  it.each([
    ["a path", "model.keras", undefined, `${SOURCE} "model.keras"`],
    ["a path beside weights", "model.json", { weights: FILE }, `${SOURCE} "model.json"`],
    ["a promise", Promise.resolve(FILE), undefined, `${SOURCE} a Promise`],
    ["a promise beside weights", Promise.resolve({}), { weights: FILE }, `${SOURCE} a Promise`],
    [
      "an ONNX model",
      modelOf({ inputs: [{ name: "x", shape: [1] }], outputs: ["y"], nodes: [node("Relu", ["x"], ["y"])] }),
      undefined,
      "keras: got an ONNX model; loadOnnx takes it",
    ],
    [
      "a model.json of TensorFlow.js",
      { format: "layers-model", modelTopology: {} },
      { weights: FILE },
      "keras: architecture: got a model.json of TensorFlow.js; loadTfjs takes it",
    ],
    [
      "weights beside a file that has its own",
      FILE,
      { weights: new Uint8Array(3) },
      "options.weights: expected none beside a file that is no architecture's JSON, got a Uint8Array",
    ],
  ] as [string, never, LoadKerasOptions | undefined, string][])("%s", (_, source, options, message) => {
    expect(() => loadKeras(source, options)).toThrow(message);
  });
});

it("is named by loadOnnx, which does not take its files", () => {
  for (const file of casesOf("k3").flatMap(({ files }) => files)) {
    expect(() => loadOnnx(kerasFile(file))).toThrow(
      "onnx: got a zip or an HDF5 file; loadKeras takes those of Keras",
    );
  }
});

describe("a model", () => {
  it("has one table, for which there are no options", () => {
    using model = loadKeras(FILE);
    expect(() => model.summary({ runs: 3 })).toThrow("options: expected none for a model of layers, got");
  });

  it("tells a step whose batch is another than that of its states", () => {
    using model = loadKeras(FILE);
    using stream = model.stream();
    const { name } = model.inputs[0]!;
    const expected = `inputs.${name}.shape: expected a batch of 1, as the states have it, got [2, 1]`;
    stream.step({ data: Float32Array.of(1), shape: [1, 1] });
    expect(() => stream.step({ data: Float32Array.of(1, 2), shape: [2, 1] })).toThrow(expected);
    expect(() => stream.step(Float32Array.of(1, 2))).toThrow(expected);
    stream.reset();
    stream.step({ data: Float32Array.of(1, 2), shape: [2, 1] });
  });
});
