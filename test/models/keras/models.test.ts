/** Whole Keras models beside what Keras computes. */
import { describe, expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { casesOf, expectClose, inputsFor, kerasFile } from "./cases.js";

describe.each([
  ["Keras 3", "k3"],
  ["tf_keras 2", "k2"],
])("%s", (_, mark) => {
  it.each(casesOf(mark).map((one) => [one.name, one] as const))(
    "%s",
    (_, { files, inputs, outputs, error }) => {
      for (const file of files) {
        const model = loadKeras(kerasFile(file));
        // Where it is called several times it is stateful: a step of its stream is a call.
        const stream = inputs.length > 1 ? model.stream() : undefined;
        for (const [call, given] of inputs.entries()) {
          const named = inputsFor(model, given);
          const results = stream === undefined ? model.run(named) : stream.step(named);
          expect(Object.keys(results)).toEqual(model.outputs.map(({ name }) => name));
          for (const [at, { name }] of model.outputs.entries()) {
            expectClose(results[name]!, outputs[call]![at]!, error, `${file}: ${name}`);
          }
        }
        model.dispose();
      }
    },
  );
});
