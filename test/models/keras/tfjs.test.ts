/** Whole models of TensorFlow.js beside what it computes, in which it is not as Keras. */
import { describe, expect, it } from "vitest";
import { loadTfjs } from "../../../src/models/index.js";
import { expectClose, type KerasCase, kerasFile } from "./cases.js";

const CASES = JSON.parse(new TextDecoder().decode(kerasFile("tfjs.json"))) as {
  readonly name: string;
  readonly json: object;
  readonly weights: string;
  readonly inputs: KerasCase["inputs"][number];
  readonly outputs: KerasCase["outputs"][number];
}[];

describe("masks as TensorFlow.js has them", () => {
  it.each(CASES.map((one) => [one.name, one] as const))("%s", (_, { json, weights, inputs, outputs }) => {
    using model = loadTfjs(json, Buffer.from(weights, "base64"), { masks: "tfjs" });
    const results = model.run(Object.fromEntries(inputs.map((x, at) => [`x${at}`, x])));
    expect(Object.keys(results)).toHaveLength(outputs.length);
    for (const [at, name] of Object.keys(results).entries()) {
      expectClose(results[name]!, outputs[at]!, 0, name);
    }
  });
});
