/**
 * One LSTM, GRU or RNN node to PyTorch's weights. ONNX keeps W (D, G*H, I), R (D, G*H, H) and B (D, 2*G*H) =
 * [Wb, Rb], where D is the number of directions. Its LSTM gates are i o f c, PyTorch's are i f g o. Its GRU
 * gates are z r h, PyTorch's are r z n. P (D, 3*H) are the peepholes of i o f. cell-options.ts reads what the attributes
 * say of the cell. What our modules do not compute is refused, and the error names it.
 */

import { scaleNameOf } from "../../int8/round-weights.js";
import { sameShape, show, showShape } from "../../tensor/checks.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError, shorten, unsupported } from "../bytes.js";
import type { LayerKind } from "../layer-options.js";
import { layerSuffix } from "../layer-suffix.js";
import type { Allowance } from "./allowance.js";
import { type CellOptions, readCellOptions, sameCell } from "./cell-options.js";
import { type Constants, NotConstant } from "./constants.js";
import { copyRun } from "./copy-run.js";
import type { Attribute } from "./model-proto.js";
import type { AnyTensor } from "./operator.js";
import { checkCellSize, PROJECTED } from "./projection.js";
import { type GruReading, isMeantAfter } from "./pytorch-exporter.js";
import { isQuantized, readQuantized } from "./quantized-lstm.js";
import type { Site } from "./scope.js";

/** For every gate in PyTorch's order, its index in ONNX's order. */
const GATE_ORDER: Record<LayerKind, readonly number[]> = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2], RNN: [0] };

/** Attributes of every kind. Opset 1 has output_sequence: whether Y is wanted at all. */
const KNOWN: ReadonlySet<string> = new Set([
  "direction",
  "activations",
  "activation_alpha",
  "activation_beta",
  "clip",
  "hidden_size",
  "layout",
  "output_sequence",
]);

const INPUTS = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"];

/** The inputs that may be constant: W, R, B, initial_h, initial_c, P, and behind them scales and zeros of quantised weights. */
export const WEIGHTS = [1, 2, 3, 5, 6, 7, 8, 9, 10, 11] as const;

/** The weights by which an LSTM's gates see c, in ONNX's order. */
const PEEPHOLES = ["weight_ci", "weight_co", "weight_cf"] as const;

/** The sizes, options and weights of a node, all checked. */
export interface Recurrent {
  readonly site: Site;
  readonly kind: LayerKind;
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly directions: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly batchFirst: boolean;
  /** Of each direction. */
  readonly cells: readonly CellOptions[];
  /** Whether it is one direction of a node whose directions have different cells. */
  readonly split: boolean;
  /** The name of the input that gives lengths, "" if there is none. */
  readonly lengths: string;
  /** (D, G*H, I), (D, G*H, H), (D, 2*G*H) */
  readonly w: Tensor<Float32Array | Int8Array>;
  readonly r: Tensor<Float32Array | Int8Array>;
  /** Of the rows of int8 weights, (D, G*H) each. */
  readonly scales: { readonly w: Float32Array; readonly r: Float32Array } | undefined;
  readonly b: Tensor | undefined;
  /** (D, 3*H) */
  readonly p: Tensor | undefined;
  /** A constant state (D, N, H), or "runtime" if the model computes or is given one. Undefined for zeros. */
  readonly h0: Tensor | "runtime" | undefined;
  readonly c0: Tensor | "runtime" | undefined;
}

/** What a layer's tensors are made of. */
type Weights = Pick<Recurrent, "kind" | "directions" | "hiddenSize" | "w" | "r" | "scales" | "b" | "p">;

/** @throws FormatError that names the attribute, input or weight that is broken or not supported */
export function readRecurrent(site: Site, constants: Constants, gru: GruReading): Recurrent {
  const { node, scope } = site;
  const label = labelOf(site);
  const int8 = isQuantized(node);
  if (!int8 && (node.domain !== "" || !Object.hasOwn(GATE_ORDER, node.opType))) {
    throw unsupported(`${label}: operator ${shorten(node.operator)} is not supported`);
  }
  const kind = int8 ? "LSTM" : (node.opType as LayerKind);
  const attribute = (name: string) => scope.attribute(node, name);
  const direction = readDirection(attribute("direction"), label);
  const directions = direction === "bidirectional" ? 2 : 1;
  checkAttributes(site, kind, label);
  const stated = readCellOptions(kind, directions, attribute, label);
  const cells = isMeantAfter(site, gru) ? stated.map((cell) => ({ ...cell, resetAfter: true })) : stated;
  for (const [at, name] of node.inputs.entries()) {
    if (at > (int8 ? 11 : kind === "LSTM" ? 7 : 5) && name !== "") {
      throw unsupported(`${label}: input ${at} is not supported`);
    }
  }

  const weight = (at: number) => {
    const value = constants.evaluate(node.inputs[at] ?? "", scope);
    if (value instanceof NotConstant) throw new FormatError(`${label}: ${INPUTS[at]} ${value.reason}`);
    if (!(value.data instanceof Float32Array))
      throw new FormatError(`${label}: ${INPUTS[at]} holds integers`);
    return value as Tensor;
  };
  for (const at of [1, 2]) if (!node.inputs[at]) throw new FormatError(`${label}: ${INPUTS[at]} is missing`);
  const [quantizedW, quantizedR] = int8
    ? (["W", "R"] as const).map((name) => readQuantized(site, name, constants, label))
    : [];
  const w = quantizedW?.weight ?? weight(1);
  const r = quantizedR?.weight ?? weight(2);
  const b = node.inputs[3] ? weight(3) : undefined;
  const gates = GATE_ORDER[kind].length;
  const hiddenSize = attribute("hidden_size")?.i ?? r.shape[2] ?? 0;
  const inputSize = w.shape[2] ?? 0;
  if (!Number.isSafeInteger(hiddenSize) || hiddenSize < 1 || inputSize < 1) {
    throw new FormatError(
      `${label}: expected hidden_size of at least 1, got ${hiddenSize}, W ${showShape(w.shape)}`,
    );
  }
  const expectShape = (name: string, tensor: AnyTensor, shape: readonly number[]) => {
    if (sameShape(tensor.shape, shape)) return;
    const advice = name === "initial_c" && tensor.shape[2]! > hiddenSize ? PROJECTED : "";
    throw new FormatError(
      `${label}: ${name}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}${advice}`,
    );
  };
  expectShape("W", w, [directions, gates * hiddenSize, inputSize]);
  expectShape("R", r, [directions, gates * hiddenSize, hiddenSize]);
  if (b !== undefined) expectShape("B", b, [directions, 2 * gates * hiddenSize]);
  const p = node.inputs[7] ? weight(7) : undefined;
  if (p !== undefined) expectShape("P", p, [directions, 3 * hiddenSize]);

  const batchFirst = attribute("layout")?.i === 1;
  const state = (at: number): Tensor | "runtime" | undefined => {
    const name = node.inputs[at];
    if (!name) return undefined;
    const value = constants.evaluate(name, scope);
    if (value instanceof NotConstant) return constants.isZeros(name, scope) ? undefined : "runtime";
    const [batch, first] = batchFirst ? [value.shape[0], value.shape[1]] : [value.shape[1], value.shape[0]];
    if (value.shape.length !== 3 || !(value.data instanceof Float32Array) || first !== directions) {
      throw new FormatError(`${label}: ${INPUTS[at]}: shape ${showShape(value.shape)} is no state`);
    }
    expectShape(
      INPUTS[at]!,
      value as Tensor,
      batchFirst ? [batch!, first, hiddenSize] : [first, batch!, hiddenSize],
    );
    if (constants.allZeros(value)) return undefined;
    return batchFirst ? swapFirst(value as Tensor, constants.allowance) : (value as Tensor);
  };
  const [h0, c0] = [state(5), kind === "LSTM" ? state(6) : undefined];
  if (kind === "LSTM") checkCellSize(site, constants, hiddenSize, label);
  return {
    site,
    kind,
    direction,
    directions,
    inputSize,
    hiddenSize,
    batchFirst,
    cells,
    split: false,
    lengths: node.inputs[4] ?? "",
    w,
    r,
    scales: quantizedW && quantizedR && { w: quantizedW.scales, r: quantizedR.scales },
    b,
    p,
    h0,
    c0,
  };
}

/** A node as one layer, or as one for each direction where these have different cells. */
export function layersOf(recurrent: Recurrent): Recurrent[] {
  const { cells, directions } = recurrent;
  if (directions === 1 || sameCell(cells[0]!, cells[1]!)) return [recurrent];
  return (["forward", "reverse"] as const).map((direction, at) => {
    const part = <Data extends Float32Array | Int8Array>(data: Data): Data =>
      data.subarray((at * data.length) / 2, ((at + 1) * data.length) / 2) as Data;
    const half = <Data extends Float32Array | Int8Array>({ data, shape }: Tensor<Data>) =>
      new Tensor(part(data), [1, ...shape.slice(1)]);
    const state = (value: Recurrent["h0"]) => (value instanceof Tensor ? half(value) : value);
    const { w, r, scales, b, p, h0, c0 } = recurrent;
    return {
      ...recurrent,
      direction,
      directions: 1,
      cells: [cells[at]!],
      split: true,
      w: half(w),
      r: half(r),
      scales: scales && { w: part(scales.w), r: part(scales.r) },
      b: b && half(b),
      p: p && half(p),
      h0: state(h0),
      c0: state(c0),
    };
  });
}

/**
 * The tensors of layer `layer` by PyTorch's names. With `withBias`, a node without a bias gets zeros. Nodes
 * may share a weight, but each layer gets numbers of its own: a user may change one layer's.
 */
export function layerDict(
  { kind, directions, hiddenSize, w, r, scales, b, p }: Weights,
  layer: number,
  withBias: boolean,
  allowance: Pick<Allowance, "spend">,
): StateDict {
  const biases = withBias ? 2 * w.shape[1]! * directions : 0;
  allowance.spend(4 * (w.data.length + r.data.length + biases + (p?.data.length ?? 0)));
  const dict: StateDict = new Map();
  const order = GATE_ORDER[kind];
  const rows = order.length * hiddenSize;
  for (let direction = 0; direction < directions; direction++) {
    const suffix = layerSuffix(layer, direction === 1);
    for (const [name, { data, shape }, rowScales] of [
      ["weight_ih", w, scales?.w],
      ["weight_hh", r, scales?.r],
    ] as const) {
      const columns = shape[2]!;
      dict.set(
        `${name}${suffix}`,
        new Tensor(reorder(data, direction * rows, order, hiddenSize * columns, columns), [rows, columns]),
      );
      if (rowScales === undefined) continue;
      const scale = reorder(rowScales, direction * rows, order, hiddenSize, 1);
      dict.set(scaleNameOf(`${name}${suffix}`), new Tensor(scale, [rows]));
    }
    for (const [at, name] of p === undefined ? [] : PEEPHOLES.entries()) {
      const from = (3 * direction + at) * hiddenSize;
      dict.set(`${name}${suffix}`, new Tensor(p!.data.slice(from, from + hiddenSize), [hiddenSize]));
    }
    if (!withBias) continue;
    for (const [half, name] of ["bias_ih", "bias_hh"].entries()) {
      const bias =
        b === undefined
          ? new Float32Array(rows)
          : reorder(b.data, (2 * direction + half) * rows, order, hiddenSize, 1);
      dict.set(`${name}${suffix}`, new Tensor(bias, [rows]));
    }
  }
  return dict;
}

/**
 * The gates' blocks of `block` numbers each, from row `row` on, in this order. A row has `columns` numbers.
 */
function reorder<Numbers extends Float32Array | Int8Array>(
  data: Numbers,
  row: number,
  order: readonly number[],
  block: number,
  columns: number,
): Numbers {
  const result = new (data.constructor as new (length: number) => Numbers)(order.length * block);
  for (const [gate, from] of order.entries()) {
    const start = row * columns + from * block;
    result.set(data.subarray(start, start + block), gate * block);
  }
  return result;
}

/** (N, D, H) to (D, N, H). */
function swapFirst({ data, shape }: Tensor, allowance: Allowance): Tensor {
  allowance.spend(data.byteLength);
  const [batch, directions, hidden] = shape as [number, number, number];
  const result = Tensor.zeros([directions, batch, hidden]);
  for (let row = 0; row < batch * directions; row++) {
    const to = (row % directions) * batch + Math.floor(row / directions);
    copyRun(data, row * hidden, result.data, to * hidden, hidden);
  }
  return result;
}

export function labelOf({ node, name }: Site): string {
  return `onnx: ${shorten(node.opType)} ${show(name)}`;
}

function readDirection(attribute: Attribute | undefined, label: string): Recurrent["direction"] {
  const direction = attribute === undefined ? "forward" : attribute.s;
  if (direction === "forward" || direction === "reverse" || direction === "bidirectional") return direction;
  throw new FormatError(`${label}: direction ${show(direction)} is unknown`);
}

function checkAttributes({ node, scope }: Site, kind: LayerKind, label: string): void {
  for (const name of node.attributes.keys()) {
    if (scope.attribute(node, name) === undefined || KNOWN.has(name)) continue;
    if (kind === "LSTM" && name === "input_forget") continue;
    if (kind === "GRU" && name === "linear_before_reset") continue;
    throw unsupported(`${label}: attribute ${show(name)} is not supported`);
  }
  const layout = scope.attribute(node, "layout")?.i ?? 0;
  if (layout !== 0 && layout !== 1) throw new FormatError(`${label}: layout ${layout} is unknown`);
}
