/** Convolutions one after the other run with their channels first: what stands between them turns nothing. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";

const FOLDER = new URL("../../formats/files/keras-layers/", import.meta.url);

it.each(["k3", "k2"])("turns each input and output once, and normalises in the weights: %s", (mark) => {
  using model = loadKeras(readFileSync(new URL(`chain-${mark}.keras`, FOLDER)));
  const count = (name: string) => model.operators.find(({ operator }) => operator === name)?.count ?? 0;
  // The kernels' own are computed once, before any run.
  const kernels = count("Conv");
  // Of x, of y, and of the output that is a sequence.
  expect(count("Transpose") - kernels).toBe(3);
  expect(count("BatchNormalization")).toBe(3);
});
