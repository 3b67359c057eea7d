/** What Keras does with the rows of masked steps, as its Bidirectional sets it. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readKeras } from "../../src/formats/index.js";

const file = (name: string) => readFileSync(new URL(`files/keras/${name}`, import.meta.url));
const maskedOutput = (name: string, layer: string) =>
  readKeras(file(name)).layers.find((found) => found.name === layer)!.recurrent!.maskedOutput;

it("is zeros in a Bidirectional that returns sequences", () => {
  for (const name of ["bi-k2.keras", "bi-k3.h5", "bi-tf1.h5"])
    expect(maskedOutput(name, "concat"), name).toBe("zeros");
  // Before Keras was TensorFlow's.
  expect(maskedOutput("bi-keras2.h5", "concat")).toBe("repeat");
});

it("leaves the last row of a Bidirectional that does not, in place of a masked step's zeros", () => {
  for (const name of ["bi-k2.keras", "bi-k3.h5"]) expect(maskedOutput(name, "sum"), name).toBe("repeat");
});

it("is as stated of other layers", () => {
  expect(maskedOutput("masked-k3.keras", "lstm")).toBe("repeat");
  expect(maskedOutput("masked-k3.keras", "zero")).toBe("zeros");
});
