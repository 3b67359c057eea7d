/** Families of layers beside what Keras computes: the models of test/formats/make_keras_layers.py. */
import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { expectClose, inputsFor, type KerasCase } from "./cases.js";

const folder = (name: string) => new URL(`../../formats/files/${name}/`, import.meta.url);

type LayerCase = Omit<KerasCase, "inputs" | "outputs"> & {
  readonly inputs: KerasCase["inputs"][number];
  readonly outputs: KerasCase["outputs"][number];
};

describe.each([
  ["layers of Keras 3", "keras-layers", "k3"],
  ["layers of tf_keras 2", "keras-layers", "k2"],
  ["options of Keras 3", "keras-options", "k3"],
  ["options of tf_keras 2", "keras-options", "k2"],
  ["masks of Keras 3", "keras-masks", "k3"],
  ["masks of tf_keras 2", "keras-masks", "k2"],
])("%s", (_, name, mark) => {
  const place = folder(name);
  const cases: LayerCase[] = JSON.parse(readFileSync(new URL(`${mark}.json`, place), "utf8"));
  it.each(cases.map((one) => [one.name, one] as const))("%s", (_, { files, inputs, outputs, error }) => {
    for (const file of files) {
      using model = loadKeras(readFileSync(new URL(file, place)));
      const results = model.run(inputsFor(model, inputs));
      for (const [at, { name }] of model.outputs.entries()) {
        expectClose(results[name]!, outputs[at]!, error, `${file}: ${name}`);
      }
    }
  });
});
