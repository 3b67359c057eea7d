/** Runs a model of layers whatever its inputs are: on ones, or on words. */
import type { Model, ModelInputs } from "../../src/models/index.js";

/** Inputs of more numbers are not made. */
const MOST_NUMBERS = 1e5;

export function runOnOnes(model: Model<string>): void {
  const inputs = new Map<string, unknown>();
  for (const { name, dtype, shape = [] } of model.inputs) {
    const own = shape.map((size) => (typeof size === "number" ? size : 2));
    const count = own.reduce((product, size) => product * size, 1);
    if (count > MOST_NUMBERS) return;
    const data = dtype === "string" ? Array(count).fill("a word") : new Float32Array(count).fill(1);
    inputs.set(name, { data, shape: own });
  }
  model.run(Object.fromEntries(inputs) as ModelInputs);
  model.summary();
}
