/** The int8 LSTM of an ONNX model by onnxruntime, run: beside PyTorch's LSTM of the floats that its weights stand for. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readOnnx } from "../../../src/formats/index.js";
import { LSTM, type StateDict, Tensor } from "../../../src/index.js";

const FOLDER = new URL("../../formats/files/onnx-dynamo/", import.meta.url);
const EXPECTED = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));

it.each(["lstm-int8.onnx", "lstm-int8-per-row.onnx"])("runs %s", (name) => {
  const { stateDict } = readOnnx(readFileSync(new URL(name, FOLDER))).layers[0]!;
  const { x, y } = EXPECTED[name].run as Record<"x" | "y", { shape: number[]; data: number[] }>;
  const input = new Tensor(Float32Array.from(x.data), x.shape);
  const distance = (dict: StateDict): number => {
    const module = LSTM.fromStateDict(dict);
    const [output] = module.forward(input);
    module.dispose();
    return Math.max(...y.data.map((value, at) => Math.abs(value - output.data[at]!)));
  };
  const meant: StateDict = new Map();
  for (const [key, { data, shape }] of stateDict) {
    if (key.endsWith("_scale")) continue;
    const scales = stateDict.get(`${key}_scale`)?.data as Float32Array | undefined;
    const numbers = Float32Array.from(data as Int8Array, (number, at) =>
      scales === undefined ? number : number * scales[Math.floor(at / shape[1]!)]!,
    );
    meant.set(key, new Tensor(numbers, shape));
  }
  expect(distance(meant)).toBeLessThan(2e-6);
  // An int8 module rounds its inputs too, to 14 bits.
  expect(distance(stateDict)).toBeLessThan(2e-3);
  const module = LSTM.fromStateDict(stateDict);
  expect(module.precision).toBe("int8");
  for (const [key, tensor] of module.stateDict()) expect(tensor.data).toEqual(stateDict.get(key)!.data);
});
