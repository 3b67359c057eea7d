/** Runs a model that a test has made. */
import { type LoadOnnxOptions, loadOnnx, type Model } from "../../src/models/index.js";
import { type GraphOptions, modelOf } from "./onnx-writer.js";

/** The outputs of a graph as plain numbers, by name. */
export function outputsOf(
  main: GraphOptions,
  inputs: Parameters<Model["run"]>[0],
  options?: LoadOnnxOptions,
) {
  using built = loadOnnx(modelOf(main), options);
  const outputs = Object.entries(built.run(inputs));
  return Object.fromEntries(
    outputs.map(([name, { data, shape }]) => [name, [shape, Array.from<number | bigint>(data)]]),
  );
}
