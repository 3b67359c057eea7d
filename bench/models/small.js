/** Graphs so small that the cost of a call shows: Identity, one Gemm, and 64 nodes of 16 numbers. */
import { message, node, tensor, valueInfo } from "../onnx.js";

const FLOAT = 1;
const WIDTH = 16;
const CHAIN = ["Relu", "Tanh", "Neg", "Sigmoid"];

/** Name to the bytes of an ONNX model (opset 17) that takes `x`, (1, 16), and gives `y`. */
export const SMALL = {
  identity: () => model([node("Identity", ["x"], ["y"])]),
  gemm: () =>
    model(
      [node("Gemm", ["x", "w", "b"], ["y"])],
      [tensor("w", FLOAT, [WIDTH, WIDTH], wave(WIDTH * WIDTH)), tensor("b", FLOAT, [WIDTH], wave(WIDTH))],
    ),
  "64 nodes": () =>
    model(
      Array.from({ length: 64 }, (_, at) =>
        node(CHAIN[at % CHAIN.length], [at === 0 ? "x" : `v${at}`], [at === 63 ? "y" : `v${at + 1}`]),
      ),
    ),
};

function wave(length) {
  return Float32Array.from({ length }, (_, at) => Math.sin(at * 0.7) / 4);
}

function model(nodes, initializers = []) {
  const graph = message([
    ...nodes.map((bytes) => [1, bytes]),
    [2, "small"],
    ...initializers.map((bytes) => [5, bytes]),
    [11, valueInfo("x", [1, WIDTH])],
    [12, valueInfo("y", [1, WIDTH])],
  ]);
  const opset = message([
    [1, ""],
    [2, 17],
  ]);
  return message([
    [1, 8],
    [2, "lstm-wasm bench"],
    [7, graph],
    [8, opset],
  ]);
}
