/** Variables of TensorFlow 1's cells (make_tensorflow.py): each layer computes what TensorFlow computes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type FromTensorFlowOptions,
  fromTensorFlow,
  readManifest,
  readNumpy,
  type StateDict,
  type TensorFlowKind,
  type TensorFlowLayer,
} from "../../src/formats/index.js";
import { GRU, LSTM, RNN } from "../../src/index.js";
import type { Tensor } from "../../src/tensor/tensor.js";

const FOLDER = new URL("../formats/files/tensorflow/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const MODULES = { LSTM, GRU, RNN };

function run(
  variables: StateDict,
  kind: TensorFlowKind,
  options: FromTensorFlowOptions,
  input: Tensor,
): Tensor {
  const layer = fromTensorFlow(variables, kind, options);
  if (layer.parts !== undefined) throw new Error("one layer was meant");
  return runLayer(layer, input);
}

function runLayer(layer: TensorFlowLayer, input: Tensor): Tensor {
  const module = MODULES[layer.kind].fromStateDict(layer.stateDict);
  expect(module).toMatchObject(layer.options);
  const made = new MODULES[layer.kind](layer.options);
  made.loadStateDict(layer.stateDict);
  const [output] = module.forward(input);
  expect(made.forward(input)[0]).toEqual(output);
  return output;
}

function apart(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);
}

const expected = (name: string) => {
  const arrays = readNumpy(file(`${name}.out.npz`));
  return { input: arrays.get("input") as Tensor, output: arrays.get("output") as Tensor };
};

describe("a layer of TensorFlow 1", () => {
  it.each<[string, TensorFlowKind, FromTensorFlowOptions]>([
    ["basic-lstm", "BasicLSTM", {}],
    ["forget-bias", "BasicLSTM", { forgetBias: 0.25 }],
    ["lstm", "LSTM", { peepholes: false, layers: 1 }],
    ["peepholes", "LSTM", { peepholes: true }],
    ["projection", "LSTM", { cellClip: 0.2 }],
    ["lstm-block", "LSTM", { cellClip: 0.3 }],
    ["gru", "GRU", {}],
    ["gru-block", "GRU", {}],
    ["basic-rnn", "BasicRNN", {}],
    ["stack", "LSTM", { layers: 2 }],
    ["bidirectional", "GRU", {}],
    ["stack-bidirectional", "BasicLSTM", { layers: 2 }],
  ])("computes the same: %s", (name, kind, options) => {
    const { input, output } = expected(name);
    expect(apart(run(readNumpy(file(`${name}.npz`)), kind, options, input), output)).toBeLessThan(2e-6);
  });

  it("is one of several where cells are of unequal size", () => {
    const variables = readNumpy(file("unequal.npz"));
    const { input, output } = expected("unequal");
    const scope = "rnn/multi_rnn_cell/cell_";
    const first = run(variables, "BasicLSTM", { prefix: `${scope}0` }, input);
    expect(apart(run(variables, "BasicLSTM", { prefix: `${scope}1` }, first), output)).toBeLessThan(2e-6);
    const { kind, stateDict, parts } = fromTensorFlow(variables, "BasicLSTM", { layers: 2 });
    expect([kind, stateDict, parts!.length]).toEqual(["LSTM", undefined, 2]);
    expect(
      apart(
        parts!.reduce((rows, part) => runLayer(part, rows), input),
        output,
      ),
    ).toBeLessThan(2e-6);
  });

  it("is one direction of two, whose rows stand in the order of time", () => {
    const variables = readNumpy(file("bidirectional.npz"));
    const { input, output } = expected("bidirectional");
    const [batch, steps, size] = output.shape as [number, number, number];
    for (const [at, way] of ["fw", "bw"].entries()) {
      const half = run(variables, "GRU", { prefix: `bidirectional_rnn/${way}` }, input);
      expect(half.shape).toEqual([batch, steps, size / 2]);
      const far = half.data.map((value, index) => {
        const row = Math.floor(index / (size / 2));
        return value - output.data[row * size + (at * size) / 2 + (index % (size / 2))]!;
      });
      expect(Math.max(...far.map(Math.abs))).toBeLessThan(2e-6);
    }
  });

  it("is refused where its cell has another formula", () => {
    expect(() => fromTensorFlow(readNumpy(file("layer-norm.npz")), "BasicLSTM")).toThrow(
      'the cell "rnn/layer_norm_basic_lstm_cell" is no BasicLSTM cell: it has "rnn/layer_norm_basic_lstm_cell/',
    );
  });

  it.each([
    ["gru", 2e-6],
    ["gru-uint16", 1e-4],
    ["gru-uint8", 3e-2],
  ])("comes from a manifest: %s", (name, most) => {
    const manifest = JSON.parse(readFileSync(new URL(`${name}.manifest.json`, FOLDER), "utf8"));
    const paths: string[] = manifest[0].paths;
    const { input, output } = expected("gru");
    const variables = readManifest(manifest, Object.fromEntries(paths.map((path) => [path, file(path)])));
    const far = apart(run(variables, "GRU", {}, input), output);
    expect(far).toBeLessThan(most);
    // Quantised numbers are others than those they were made of.
    if (most > 2e-6) expect(far).toBeGreaterThan(2e-6);
    const plain = readNumpy(file("gru.npz"));
    for (const { name: key, quantization } of manifest[0].weights) {
      const distance = apart(variables.get(key) as Tensor, plain.get(key) as Tensor);
      expect(distance).toBeLessThanOrEqual(0.501 * (quantization?.scale ?? 0));
    }
  });
});
