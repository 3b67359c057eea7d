/** The models of test/formats/make_keras_models.py: files of Keras with what it computes of them. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Model } from "../../../src/models/index.js";

const FOLDER = new URL("../../formats/files/keras-models/", import.meta.url);

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

export interface KerasCase {
  readonly name: string;
  readonly files: readonly string[];
  /** How far Keras' own float32 is from its float64. */
  readonly error: number;
  /** Of each call. */
  readonly inputs: readonly (readonly Numbers[])[];
  readonly outputs: readonly (readonly Numbers[])[];
}

export const kerasFile = (name: string): Uint8Array => readFileSync(new URL(name, FOLDER));

export const casesOf = (mark: string): KerasCase[] =>
  JSON.parse(readFileSync(new URL(`${mark}.json`, FOLDER), "utf8"));

export const caseOf = (mark: string, name: string): KerasCase => {
  const found = casesOf(mark).find((one) => one.name === name);
  if (found === undefined) throw new Error(`${mark}.json has no ${name}`);
  return found;
};

/** The inputs of a call by the model's names. */
export const inputsFor = (model: Model<string>, inputs: readonly Numbers[]) =>
  Object.fromEntries(model.inputs.map(({ name }, at) => [name, inputs[at]!]));

/** Compares a result with float64's: 2e-6, twice Keras' own error, or 4e-7 of the largest. */
export function expectClose(
  got: { shape: readonly number[]; data: ArrayLike<number> | object },
  expected: Numbers,
  error: number,
  what: string,
) {
  expect(got.shape, what).toEqual(expected.shape);
  const numbers = Array.from(got.data as ArrayLike<number>, Number);
  const largest = expected.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const allowed = Math.max(2e-6, 2 * error, 4e-7 * largest);
  const worst = numbers.reduce((most, x, at) => Math.max(most, Math.abs(x - expected.data[at]!)), 0);
  expect(worst, what).toBeLessThanOrEqual(allowed);
}
