/**
 * The cases as ONNX models, written with protobufjs. Field numbers are those of onnx.proto (IR version 8,
 * opset 17).
 *
 * The graphs are the fastest that ONNX has for each case: one LSTM or GRU node per layer, fixed shapes, no
 * node that only renames. A step returns the final states alone, since its output is the final h. States of
 * stacks are (layers * directions, N, H), as torch.onnx exports them.
 *
 * The int8 models have onnxruntime's own node DynamicQuantizeLSTM in place of LSTM. Weights are as its
 * quantiser makes them (quantize_dynamic, per_channel=True): int8, symmetric, a scale for each row. GRU has
 * no such node.
 */
import protobuf from "protobufjs/minimal.js";
import { remembered } from "./cases.js";

const FLOAT = 1;
const INT8 = 3;
const INT64 = 7;
const GRAPH = 5;
const CONTRIB = "com.microsoft";
const ATTRIBUTE = { int: 2, string: 3, ints: 7 };

/** The order of ONNX's gates in PyTorch's: LSTM i o f c of i f g o, GRU z r h of r z n. */
const GATE_ORDER = { lstm: [0, 3, 1, 2], gru: [1, 0, 2] };

const encoder = new TextEncoder();

/** A message from [field number, value] pairs: numbers are varints, strings and bytes stand as they are. */
export function message(fields) {
  const writer = protobuf.Writer.create();
  for (const [number, value] of fields) {
    if (typeof value === "number") writer.uint32(number << 3).int64(value);
    else writer.uint32((number << 3) | 2).bytes(typeof value === "string" ? encoder.encode(value) : value);
  }
  return writer.finish();
}

export function tensor(name, type, shape, data) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message([...shape.map((size) => [1, size]), [2, type], [8, name], [9, bytes]]);
}

/** A value that is bytes is a graph. */
function attribute(name, value) {
  if (typeof value === "number")
    return message([
      [1, name],
      [3, value],
      [20, ATTRIBUTE.int],
    ]);
  if (typeof value === "string")
    return message([
      [1, name],
      [4, value],
      [20, ATTRIBUTE.string],
    ]);
  if (value instanceof Uint8Array)
    return message([
      [1, name],
      [6, value],
      [20, GRAPH],
    ]);
  return message([[1, name], ...value.map((one) => [8, one]), [20, ATTRIBUTE.ints]]);
}

export function node(type, inputs, outputs, attributes = {}, domain = "") {
  return message([
    [7, domain],
    ...inputs.map((name) => [1, name]),
    ...outputs.map((name) => [2, name]),
    [4, type],
    ...Object.entries(attributes).map(([name, value]) => [5, attribute(name, value)]),
  ]);
}

export function valueInfo(name, shape, elements = FLOAT) {
  const dims = message(shape.map((size) => [1, message([[1, size]])]));
  const type = message([
    [
      1,
      message([
        [1, elements],
        [2, dims],
      ]),
    ],
  ]);
  return message([
    [1, name],
    [2, type],
  ]);
}

/** The gates of a PyTorch matrix (or bias) in ONNX's order. */
function reorder(data, gates, order) {
  const size = data.length / gates;
  const result = new Float32Array(data.length);
  order.forEach((from, to) => {
    result.set(data.subarray(from * size, (from + 1) * size), to * size);
  });
  return result;
}

function concat(arrays) {
  const result = new Float32Array(arrays.reduce((total, array) => total + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.length;
  }
  return result;
}

/** Initializers of both matrices of a layer; each has `directions` times (gates * H, columns). */
function floatWeights(layer, directions, { W, R }) {
  return [W, R].map(({ name, columns, data }) =>
    tensor(name + layer, FLOAT, [directions, data.length / directions / columns, columns], data),
  );
}

/**
 * The same as DynamicQuantizeLSTM takes them: int8, transposed, and a scale and a zero point for each row.
 */
function int8Weights(layer, directions, { W, R }) {
  return [W, R].flatMap(({ name, columns, data }) => {
    const rows = data.length / directions / columns;
    const integers = new Int8Array(data.length);
    const scales = new Float32Array(directions * rows);
    for (let row = 0; row < scales.length; row++) {
      const weights = data.subarray(row * columns, (row + 1) * columns);
      scales[row] = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127;
      const from = Math.floor(row / rows) * rows * columns + (row % rows);
      weights.forEach((weight, column) => {
        integers[from + column * rows] = Math.round(weight / scales[row]);
      });
    }
    return [
      tensor(name + layer, INT8, [directions, columns, rows], integers),
      tensor(`${name}${layer}_scale`, FLOAT, [directions, rows], scales),
      tensor(`${name}${layer}_zero`, INT8, [directions, rows], new Int8Array(directions * rows)),
    ];
  });
}

/**
 * The case as the bytes of an ONNX model. Inputs X, H and (LSTM) C; outputs Y (not of a step), HN and CN.
 * @param {import("./cases.js").Case} spec
 * @param {ReturnType<typeof import("./cases.js").stateDict>} dict
 */
export const onnxModel = remembered((spec, dict) => modelOf(spec, dict, false));

/** The same with int8 weights; of an LSTM only. */
export const onnxInt8Model = remembered((spec, dict) => modelOf(spec, dict, true));

function modelOf(spec, dict, int8) {
  const { cell, input, hidden, steps, batch, layers, directions } = spec;
  const order = GATE_ORDER[cell];
  const gates = order.length;
  const states = cell === "lstm" ? ["H", "C"] : ["H"];
  const nodes = [];
  const initializers = [];

  const initialOf = (state, layer) => (layers === 1 ? state : `${state}0_${layer}`);
  const finalOf = (state, layer) => (layers === 1 ? `${state}N` : `${state}N_${layer}`);
  if (layers > 1) {
    for (const state of states) {
      nodes.push(
        node(
          "Split",
          [state],
          Array.from({ length: layers }, (_, layer) => initialOf(state, layer)),
          { axis: 0 },
        ),
      );
    }
  }

  let source = "X";
  for (let layer = 0; layer < layers; layer++) {
    const width = layer === 0 ? input : directions * hidden;
    const suffixes = ["", "_reverse"].slice(0, directions).map((reverse) => `_l${layer}${reverse}`);
    const gather = (...names) =>
      concat(
        suffixes.flatMap((suffix) =>
          names.map((name) => reorder(dict.get(name + suffix).data, gates, order)),
        ),
      );
    const matrices = {
      W: { name: "W", columns: width, data: gather("weight_ih") },
      R: { name: "R", columns: hidden, data: gather("weight_hh") },
    };
    initializers.push(
      ...(int8 ? int8Weights : floatWeights)(layer, directions, matrices),
      tensor(`B${layer}`, FLOAT, [directions, 2 * gates * hidden], gather("bias_ih", "bias_hh")),
    );
    const last = layer === layers - 1;
    const output = spec.kind === "step" ? "" : last ? "Y" : `Y${layer}`;
    const attributes = { hidden_size: hidden, direction: directions === 2 ? "bidirectional" : "forward" };
    if (cell === "gru") attributes.linear_before_reset = 1;
    // Y is (L, directions, N, H); a further layer takes (L, N, directions * H). One direction needs no
    // transposition.
    const raw = last || output === "" ? output : `${output}_raw`;
    const inputs = [source, `W${layer}`, `R${layer}`, `B${layer}`, ""];
    inputs.push(...states.map((state) => initialOf(state, layer)));
    const results = [raw, ...states.map((state) => finalOf(state, layer))];
    if (int8) {
      inputs.push("", ...["W", "R"].flatMap((name) => [`${name}${layer}_scale`, `${name}${layer}_zero`]));
      nodes.push(node("DynamicQuantizeLSTM", inputs, results, attributes, CONTRIB));
    } else {
      nodes.push(node(cell.toUpperCase(), inputs, results, attributes));
    }
    if (last) continue;
    let flat = raw;
    if (directions === 2) {
      flat = `${output}_transposed`;
      nodes.push(node("Transpose", [raw], [flat], { perm: [0, 2, 1, 3] }));
    }
    const shape = BigInt64Array.of(BigInt(steps), BigInt(batch), BigInt(directions * hidden));
    initializers.push(tensor(`S${layer}`, INT64, [3], shape));
    nodes.push(node("Reshape", [flat, `S${layer}`], [output]));
    source = output;
  }
  if (layers > 1) {
    for (const state of states) {
      const parts = Array.from({ length: layers }, (_, layer) => finalOf(state, layer));
      nodes.push(node("Concat", parts, [`${state}N`], { axis: 0 }));
    }
  }

  const stateShape = [layers * directions, batch, hidden];
  const outputs = states.map((state) => valueInfo(`${state}N`, stateShape));
  if (spec.kind !== "step") outputs.unshift(valueInfo("Y", [steps, directions, batch, hidden]));
  const graph = message([
    ...nodes.map((bytes) => [1, bytes]),
    [2, spec.name],
    ...initializers.map((bytes) => [5, bytes]),
    [11, valueInfo("X", [steps, batch, input])],
    ...states.map((state) => [11, valueInfo(state, stateShape)]),
    ...outputs.map((bytes) => [12, bytes]),
  ]);
  const operators = (domain, version) =>
    message([
      [1, domain],
      [2, version],
    ]);
  return message([
    [1, 8],
    [2, "lstm-wasm bench"],
    [7, graph],
    [8, operators("", 17)],
    ...(int8 ? [[8, operators(CONTRIB, 1)]] : []),
  ]);
}
