/** Families of layers step by step: what a stream gives is what Keras computes of the whole, or a refusal. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { expectClose, type KerasCase } from "./cases.js";

const FOLDER = new URL("../../formats/files/keras-layers/", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER));

type Numbers = KerasCase["inputs"][number][number];

interface LayerCase {
  readonly name: string;
  readonly files: readonly string[];
  readonly error: number;
  readonly inputs: readonly Numbers[];
  readonly outputs: readonly Numbers[];
}

/** Step `at` of [N, T, C], as [N, 1, C]. */
function stepOf({ shape, data }: Numbers, at: number): Numbers {
  const [batch, steps, size] = shape as [number, number, number];
  const rows = Array.from({ length: batch }, (_, item) => {
    const from = (item * steps + at) * size;
    return data.slice(from, from + size);
  });
  return { shape: [batch, 1, size], data: rows.flat() };
}

it.each(["k3", "k2"])("keeps the past of causal convolutions, and of what follows them: %s", (mark) => {
  const cases: LayerCase[] = JSON.parse(read(`${mark}.json`).toString());
  const { files, inputs, outputs, error } = cases.find(({ name }) => name === "stream")!;
  using model = loadKeras(read(files[0]!));
  using stream = model.stream();
  const [x] = inputs as [Numbers];
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < x.shape[1]!; at++) {
      const results = stream.step({ x: stepOf(x, at) });
      for (const [which, { name }] of model.outputs.entries()) {
        expectClose(results[name]!, stepOf(outputs[which]!, at), error, `step ${at}: ${name}`);
      }
    }
    stream.reset();
  }
});

it.each([
  ["conv1d", /layer "conv1d(_\d+)?" \(Conv1D\): its windows go over time, with padding "valid"/],
  ["pooling", /layer "\w+" \(MaxPooling1D\): its strides go over time/],
  ["shapes", /layer "\w+" \(Reshape\): it puts steps of time into other shapes/],
  ["normalise", /layer "\w+" \(BatchNormalization\): each step of time has numbers of its own/],
  ["activations", /layer "\w+" \(PReLU\): each step of time has slopes of its own/],
  ["merge", /layer "\w+" \(Concatenate\): it joins tensors along time/],
  ["attention", /layer "\w+" \(Attention\): it attends to other steps of time/],
  ["operations", /layer "\w+" \(Softmax\): it goes over all steps of time/],
])("refuses a stream of %s by the layer's name", (name, reason) => {
  using model = loadKeras(read(`${name}-k3.keras`));
  expect(() => model.stream()).toThrow(reason);
});
