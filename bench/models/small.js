/**
 * Graphs so small that the cost of a call shows: Identity, one Gemm, and 64 nodes of 16 numbers. And a GRU as the Loop
 * in which tf2onnx writes those of Keras.
 */
import { message, node, tensor, valueInfo } from "../onnx.js";

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const BOOL = 9;
const WIDTH = 16;
/** Of the GRU in a loop. */
const STEPS = 90;
const INPUTS = 64;
const HIDDEN = 96;
const CHAIN = ["Relu", "Tanh", "Neg", "Sigmoid"];

/** Name to the bytes of an ONNX model (opset 17) that takes `x` and gives `y`. */
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
  "GRU loop": () => gruLoop(["z", "rest"]),
  /** h and n have changed places in the last sum, which no GRU has, so that the loop stays one. */
  "other loop": () => gruLoop(["rest", "z"]),
};

function wave(length) {
  return Float32Array.from({ length }, (_, at) => Math.sin(at * 0.7) / 4);
}

/**
 * A body makes one step of Keras' GRU with reset_after: two products with biases, their parts, two gates, and
 * h' = z h + (1 - z) n.
 * @param factors what h and n are multiplied with
 */
function gruLoop([ofOld, ofNew]) {
  const rows = 3 * HIDDEN;
  const scalar = (name, value) => tensor(name, INT32, [], Int32Array.of(value));
  const body = message([
    ...[
      node("Gather", ["x", "at"], ["step"], { axis: 0 }),
      node("Gemm", ["step", "W", "bW"], ["xAll"]),
      node("Gemm", ["h", "R", "bR"], ["hAll"]),
      node("Split", ["xAll"], ["xz", "xr", "xn"], { axis: 1 }),
      node("Split", ["hAll"], ["hz", "hr", "hn"], { axis: 1 }),
      node("Add", ["xz", "hz"], ["sz"]),
      node("Sigmoid", ["sz"], ["z"]),
      node("Add", ["xr", "hr"], ["sr"]),
      node("Sigmoid", ["sr"], ["r"]),
      node("Mul", ["r", "hn"], ["rh"]),
      node("Add", ["xn", "rh"], ["sn"]),
      node("Tanh", ["sn"], ["n"]),
      node("Sub", ["one", "z"], ["rest"]),
      node("Mul", [ofOld, "h"], ["kept"]),
      node("Mul", [ofNew, "n"], ["written"]),
      node("Add", ["kept", "written"], ["next"]),
      node("Add", ["at", "oneStep"], ["following"]),
      node("Less", ["following", "steps"], ["goesOn"]),
      node("Identity", ["next"], ["collected"]),
    ].map((bytes) => [1, bytes]),
    [2, "body"],
    [11, valueInfo("turn", [], INT64)],
    [11, valueInfo("condition", [], BOOL)],
    [11, valueInfo("at", [], INT32)],
    [11, valueInfo("h", [1, HIDDEN])],
    [12, valueInfo("goesOn", [], BOOL)],
    [12, valueInfo("following", [], INT32)],
    [12, valueInfo("next", [1, HIDDEN])],
    [12, valueInfo("collected", [1, HIDDEN])],
  ]);
  return model(
    [
      node("Less", ["first", "steps"], ["runs"]),
      node("Loop", ["", "runs", "first", "h0"], ["end", "last", "y"], { body }),
    ],
    [
      tensor("W", FLOAT, [INPUTS, rows], wave(INPUTS * rows)),
      tensor("R", FLOAT, [HIDDEN, rows], wave(HIDDEN * rows)),
      tensor("bW", FLOAT, [rows], wave(rows)),
      tensor("bR", FLOAT, [rows], wave(rows)),
      tensor("h0", FLOAT, [1, HIDDEN], new Float32Array(HIDDEN)),
      tensor("one", FLOAT, [], Float32Array.of(1)),
      scalar("first", 0),
      scalar("oneStep", 1),
      scalar("steps", STEPS),
    ],
    { x: [STEPS, 1, INPUTS], y: [STEPS, 1, HIDDEN] },
  );
}

function model(nodes, initializers = [], { x, y } = { x: [1, WIDTH], y: [1, WIDTH] }) {
  const graph = message([
    ...nodes.map((bytes) => [1, bytes]),
    [2, "small"],
    ...initializers.map((bytes) => [5, bytes]),
    [11, valueInfo("x", x)],
    [12, valueInfo("y", y)],
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
