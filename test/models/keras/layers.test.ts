/** Families of layers beside what Keras computes: the models of test/formats/make_keras_layers.py. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { expectClose, inputsFor, type KerasCase } from "./cases.js";

const FOLDER = new URL("../../formats/files/keras-layers/", import.meta.url);

type LayerCase = Omit<KerasCase, "inputs" | "outputs"> & {
  readonly inputs: KerasCase["inputs"][number];
  readonly outputs: KerasCase["outputs"][number];
};

describe.each([
  ["Keras 3", "k3"],
  ["tf_keras 2", "k2"],
])("%s", (_, mark) => {
  const cases: LayerCase[] = JSON.parse(readFileSync(new URL(`${mark}.json`, FOLDER), "utf8"));
  it.each(cases.map((one) => [one.name, one] as const))("%s", (_, { files, inputs, outputs, error }) => {
    for (const file of files) {
      using model = loadKeras(readFileSync(new URL(file, FOLDER)));
      const results = model.run(inputsFor(model, inputs));
      for (const [at, { name }] of model.outputs.entries()) {
        expectClose(results[name]!, outputs[at]!, error, `${file}: ${name}`);
      }
    }
  });
});
