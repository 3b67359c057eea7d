/**
 * Files of ONNX by exporters as they are, by make_onnx_writers.py, run: their layers, and whole. Beside what PyTorch
 * computes, and what onnxruntime computes with the file as it stands there.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type OnnxLayer, readOnnx } from "../../src/formats/index.js";
import { GRU, LSTM, RNN, Tensor } from "../../src/index.js";
import { loadOnnx } from "../../src/models/index.js";
import { type ExpectedOnnx, expectedIn } from "../support/onnx-expected.js";

const FOLDER = new URL("../formats/files/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));

/** A file's x, PyTorch's output, and onnxruntime's where it was asked for. */
function runOf(folder: string, name: string) {
  const expected: ExpectedOnnx = expectedIn(new URL(`${folder}/`, FOLDER))[name]!;
  const { x, y, stated } = expected.run!;
  return { x: new Tensor(Float32Array.from(x!.data), x!.shape), y: y!, stated, expected };
}

/** What one layer of a file computes. Layers of ONNX have the steps first, which these files' input has not. */
function outputOf(layers: readonly OnnxLayer[], x: Tensor, batchFirst: boolean): Tensor {
  expect(layers).toHaveLength(1);
  const { kind, stateDict } = layers[0]!;
  expect(layers[0]!.batchFirst).toBe(false);
  const made = { GRU, LSTM, RNN }[kind] as typeof GRU;
  using module = made.fromStateDict(stateDict, { batchFirst });
  return module.forward(x)[0];
}

function expectClose(
  { shape, data }: Pick<Tensor, "shape" | "data">,
  wanted: { shape: number[]; data: number[] },
) {
  expect(shape).toEqual(wanted.shape);
  const apart = wanted.data.map((value, at) => Math.abs(value - data[at]!));
  expect(Math.max(...apart)).toBeLessThan(2e-6);
}

describe("a model whose weights are in a file beside it", () => {
  it.each([
    ["pytorch.onnx", "pytorch.onnx.data"],
    ["optimum.onnx", "optimum.onnx_data"],
  ])("%s gives PyTorch's numbers", (name, beside) => {
    const { x, y, expected } = runOf("onnx-external", name);
    const externalData = { [beside]: file(`onnx-external/${beside}`) };
    const bytes = file(`onnx-external/${name}`);
    const { layers } = readOnnx(bytes, { externalData });
    const { state } = expected;
    expect(
      Object.fromEntries([...layers[0]!.stateDict].map(([key, { data }]) => [key, Array.from(data, Number)])),
    ).toEqual(Object.fromEntries(Object.entries(state).map(([key, { data }]) => [key, data])));
    expectClose(outputOf(layers, x, true), y);
    using model = loadOnnx(bytes, { externalData });
    expectClose(Object.values(model.run(x))[0]! as Tensor, y);
  });

  it.each(["pytorch.onnx", "optimum.onnx"])("%s names that file where it is not given", (name) => {
    const beside = name
      .replace("pytorch.onnx", "pytorch.onnx.data")
      .replace("optimum.onnx", "optimum.onnx_data");
    const message = `its numbers are in another file, "${beside}"; give it as options.externalData`;
    expect(() => readOnnx(file(`onnx-external/${name}`))).toThrow(message);
    expect(() => loadOnnx(file(`onnx-external/${name}`))).toThrow(message);
  });
});

describe("a GRU whose exporter left out linear_before_reset = 1", () => {
  it.each(["gru-onnxscript-0.7.0.onnx", "gru-onnxscript-0.6.0.onnx"])(
    "%s gives what the file says, or PyTorch's numbers where it is told to",
    (name) => {
      const { x, y, stated: asStated, expected } = runOf("onnx-dynamo", name);
      const stated = asStated!;
      const bytes = file(`onnx-dynamo/${name}`);
      const far = y.data.map((value, at) => Math.abs(value - stated.data[at]!));
      expect(Math.max(...far)).toBeGreaterThan(0.01);
      for (const [gru, wanted] of [
        ["file", stated],
        ["pytorch", y],
        [undefined, stated],
      ] as const) {
        const options = gru === undefined ? {} : { gru };
        const { layers, warnings } = readOnnx(bytes, options);
        expect(warnings).toEqual([
          expect.stringMatching(gru === "pytorch" ? /as PyTorch meant it/ : /read as the file says/),
        ]);
        expectClose(outputOf(layers, x, expected.batchFirst), wanted);
        using model = loadOnnx(bytes, options);
        expectClose(Object.values(model.run(x))[0]! as Tensor, wanted);
      }
    },
  );
});

describe("files of PyTorch 2.4", () => {
  const whole = (bytes: Uint8Array, x: Tensor) => {
    using model = loadOnnx(bytes);
    return Object.values(model.run(x))[0]! as Tensor;
  };

  it.each(["lstm.onnx", "gru.onnx", "rnn.onnx"])("%s gives PyTorch's numbers", (name) => {
    const { x, y, expected } = runOf("onnx-2.4", name);
    const bytes = file(`onnx-2.4/${name}`);
    const { layers, warnings } = readOnnx(bytes);
    expect(warnings).toEqual([]);
    expectClose(outputOf(layers, x, expected.batchFirst), y);
    expectClose(whole(bytes, x), y);
  });

  it.each([
    ["gru-unrolled.onnx", "nn.GRU", GRU],
    ["rnn-unrolled.onnx", "nn.RNN", RNN],
  ] as const)("%s says that it is unrolled, and has its weights by their names", (name, kind, layer) => {
    const { x, y } = runOf("onnx-2.4", name);
    const bytes = file(`onnx-2.4/${name}`);
    const { layers, tensors, warnings } = readOnnx(bytes);
    expect(layers).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining(`PyTorch's exporter unrolled an ${kind} into its steps`),
    ]);
    using module = layer.fromStateDict(tensors, { prefix: "rnn." });
    expectClose(module.forward(x)[0], y);
    expectClose(whole(bytes, x), y);
  });
});
