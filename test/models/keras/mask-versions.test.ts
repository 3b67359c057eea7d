/** What versions of Keras 3 make of masks that are merged. */
import { expect, it } from "vitest";
import { type Call, layerOf, loadCall, of, runCall, STEPS, tensorOf, X } from "../../support/keras-calls.js";

it("merges masks as the versions of Keras 3 do", () => {
  // The first of two steps counts; an RNN without a mask would take both.
  const call: Call = {
    x: of([1, 2, 3, 0, 0, 0], STEPS),
    before: [layerOf("Masking", "mask", X), layerOf("Add", "sum", [tensorOf("mask"), tensorOf("mask")])],
    args: [tensorOf("sum")],
  };
  for (const [version, made] of [
    ["3.3.3", [1, 2, 3]],
    ["3.4.1", [2, 4, 6]],
  ] as const) {
    using model = loadCall("GlobalAveragePooling1D", { ...call, version });
    expect(runCall(model, call).data).toEqual(made);
  }
});
