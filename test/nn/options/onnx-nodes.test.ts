/** Nodes of ONNX with every attribute, beside what the operators' definition gives (test/formats/make_onnx_nodes.py). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readOnnx } from "../../../src/formats/onnx/index.js";
import type { OnnxLayer } from "../../../src/formats/onnx/to-layer.js";
import { GRU, LSTM, RNN, Tensor } from "../../../src/index.js";

interface NodeCase {
  readonly name: string;
  /** base64, of the model and of little-endian floats. */
  readonly model: string;
  readonly input: string;
  readonly lengths: readonly number[] | null;
  readonly output: string;
  readonly states: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL("../../formats/files/onnx-nodes.json", import.meta.url), "utf8"),
) as NodeCase[];
const CLASSES = { LSTM, GRU, RNN };

function floatsOf(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float32Array(bytes.buffer);
}

function expectNear(actual: Float32Array, expected: Float32Array, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  let worst = 0;
  for (const [at, value] of expected.entries()) worst = Math.max(worst, Math.abs(actual[at]! - value));
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(worst, what).toBeLessThanOrEqual(Math.max(2e-6, 4e-7 * largest));
}

/** Output and states of one layer. */
function run(layer: OnnxLayer, input: Float32Array, lengths: readonly number[] | undefined) {
  const { kind, options, stateDict, batchFirst, initialState } = layer;
  using module = CLASSES[kind].fromStateDict(stateDict);
  expect(module.stateDict().metadata).toEqual({ "": { kind, options: expect.objectContaining(options) } });
  const shape = batchFirst ? [3, 4, 2] : [4, 3, 2];
  const { h0, c0 } = initialState ?? {};
  const forward = { lengths };
  const given = options.initialState ? undefined : h0;
  if (!(module instanceof LSTM)) {
    const [output, hN] = module.forward(new Tensor(input, shape), given, forward);
    return { output, states: [hN] };
  }
  const [output, states] = module.forward(new Tensor(input, shape), given && [given, c0!], forward);
  return { output, states };
}

it.each(cases)("$name", ({ model, input, lengths, output, states }) => {
  const { layers } = readOnnx(Buffer.from(model, "base64"));
  const results = layers.map((layer) => run(layer, floatsOf(input), lengths ?? undefined));
  const size = layers.reduce((sum, { options }) => sum + (options.bidirectional ? 6 : 3), 0);
  // Two layers of one node stand side by side in its output.
  const whole = new Float32Array(12 * size);
  for (const [at, { output }] of results.entries()) {
    const width = output.shape[2]!;
    for (let row = 0; row < 12; row++) {
      whole.set(output.data.subarray(row * width, (row + 1) * width), row * size + at * width);
    }
  }
  expectNear(whole, floatsOf(output), "output");
  for (const [which, text] of states.entries()) {
    const state = results.flatMap(({ states }) => Array.from(states[which]!.data));
    expectNear(Float32Array.from(state), floatsOf(text), `state ${which}`);
  }
});

it("gives two layers for a node whose directions have different activations", () => {
  const { model } = cases.find(({ name }) => name === "RNN of two directions that differ")!;
  const { layers } = readOnnx(Buffer.from(model, "base64"));
  expect(layers.map(({ name, split, direction, options }) => [name, split, direction, options])).toEqual(
    (["forward", "reverse"] as const).map((direction, at) => [
      "RNN_0",
      true,
      direction,
      {
        inputSize: 2,
        hiddenSize: 3,
        numLayers: 1,
        bias: true,
        batchFirst: false,
        bidirectional: false,
        goBackwards: false,
        reverse: at === 1,
        initialState: false,
        nonlinearity: ["tanh", "relu"][at],
      },
    ]),
  );
});
