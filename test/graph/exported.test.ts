/** Whole files of PyTorch's exporters, run on the host, beside the layers that they were made of. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/tensor/tensor.js";
import { floatsOf, runModel } from "../support/host-graph.js";
import { expectedIn } from "../support/onnx-expected.js";
import { type ReferenceOptions, referenceForward } from "../support/reference-network.js";

const [STEPS, BATCH, INPUTS, HIDDEN] = [4, 2, 3, 2];
const numbers = Array.from({ length: STEPS * BATCH * INPUTS }, (_, at) => Math.fround(Math.sin(at * 1.7)));
const sequence = Array.from({ length: STEPS }, (_, step) =>
  Array.from({ length: BATCH }, (_, item) => {
    const from = (step * BATCH + item) * INPUTS;
    return numbers.slice(from, from + INPUTS);
  }),
);

describe.each([
  ["onnx", ["lstm.onnx", "lstm-opset-9.onnx", "rnn-tanh.onnx", "gru-dropout.onnx"]],
  [
    "onnx-dynamo",
    [
      "lstm-both-ways.onnx",
      "lstm-both-ways-dynamic.onnx",
      "lstm-dropout.onnx",
      "lstm-stack.onnx",
      "lstm-unoptimised.onnx",
      "rnn-unrolled.onnx",
    ],
  ],
])("%s", (name, files) => {
  const folder = new URL(`../formats/files/${name}/`, import.meta.url);
  const expected = expectedIn(folder);

  it.each(files)("%s gives what its layers give", (file) => {
    const { kind, numLayers, bidirectional, state } = expected[file]!;
    const dict = new Map(
      Object.entries(state).map(([key, { data, shape }]) => [
        key,
        new Tensor(Float32Array.from(data), shape),
      ]),
    );
    const options = { kind, numLayers, bidirectional, hiddenSize: HIDDEN } as ReferenceOptions;
    const rows = Array.from({ length: numLayers * (bidirectional ? 2 : 1) }, () =>
      Array.from({ length: BATCH }, () => new Array<number>(HIDDEN).fill(0)),
    );
    const states = kind === "LSTM" ? [rows, rows] : [rows];
    const reference = referenceForward(options, dict, sequence, states);
    const wanted = [reference.output, ...reference.states].map((nested) => nested.flat(2));

    const bytes = new Uint8Array(readFileSync(new URL(file, folder)));
    const x = floatsOf([STEPS, BATCH, INPUTS], ...numbers);
    const outputs = Array.from(runModel(bytes, { x }).values());
    expect(outputs.length).toBe(wanted.length);
    for (const [at, { data }] of outputs.entries()) {
      expect(data.length).toBe(wanted[at]!.length);
      const differences = wanted[at]!.map((number, index) => Math.abs(number - data[index]!));
      expect(Math.max(...differences)).toBeLessThan(1e-6);
    }
  });
});
