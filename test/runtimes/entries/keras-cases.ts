/**
 * Whole Keras models for every engine: masks through Bidirectional layers, and a model that is run and then streamed.
 * Files and numbers are those of test/models/keras.
 */

// @ts-expect-error esbuild's binary loader
import causal from "../../formats/files/keras-models/causal-k3.keras";
// @ts-expect-error esbuild's text loader
import numbers from "../../formats/files/keras-models/k3.json";
// @ts-expect-error esbuild's binary loader
import maskedChain from "../../formats/files/keras-models/masked_chain-k3.keras";

type Models = Pick<typeof import("../../../src/models/index.js"), "loadKeras">;
type Numbers = { readonly data: Float32Array; readonly shape: readonly number[] };
type Listed = { readonly data: number[]; readonly shape: number[] };

export interface KerasCase {
  readonly name: string;
  readonly file: Uint8Array;
  /** Of `k3.json`, whose numbers Keras computed in double precision. */
  readonly key: string;
  /** Whether it is also streamed, one step of time after the other. */
  readonly streamed: boolean;
}

export const KERAS_CASES: readonly KerasCase[] = [
  { name: "Keras, masks in both directions", file: maskedChain, key: "masked_chain", streamed: false },
  { name: "Keras, streamed", file: causal, key: "causal", streamed: true },
];

function listed(key: string): { input: Listed; output: Listed } {
  const cases = JSON.parse(numbers as unknown as string);
  const { inputs, outputs } = cases.find(({ name }: { name: string }) => name === key);
  return { input: inputs[0][0], output: outputs[0][0] };
}

/** What a model gives: of a run, and of a stream the steps one after the other. */
export function runKeras({ loadKeras }: Models, { file, key, streamed }: KerasCase): Numbers[] {
  const { input } = listed(key);
  const model = loadKeras(file);
  try {
    const { name } = model.inputs[0]!;
    const output = model.outputs[0]!.name;
    const results = [model.run({ [name]: input })[output] as Numbers];
    if (!streamed) return results;
    const [batch, time] = input.shape as [number, number];
    const stream = model.stream();
    for (let step = 0; step < time; step++) {
      const data = Array.from({ length: batch }, (_, row) => input.data[row * time + step]!);
      const { data: made, shape } = stream.step({ [name]: { data, shape: [batch, 1] } })[output]!;
      results.push({ data: Float32Array.from(made as Float32Array), shape });
    }
    return results;
  } finally {
    model.dispose();
  }
}

/** @throws Error for numbers that are not Keras' */
export function expectKeras({ name, key }: KerasCase, [whole, ...steps]: Numbers[]): void {
  const { output } = listed(key);
  const [, time = 1, width = 1] = output.shape;
  expectNear(name, whole!.data, output.data);
  for (const [step, { data }] of steps.entries()) {
    const of = (at: number) => (Math.floor(at / width) * time + step) * width + (at % width);
    expectNear(
      `${name}, step ${step}`,
      data,
      Array.from(data, (_, at) => output.data[of(at)]!),
    );
  }
}

function expectNear(what: string, data: ArrayLike<number>, expected: number[]): void {
  const worst = Math.max(...expected.map((value, at) => Math.abs(value - data[at]!)));
  if (!(worst <= 2e-6)) throw new Error(`${what}: ${worst} from Keras`);
}
