/**
 * One LSTM, GRU or RNN node to PyTorch's weights. ONNX keeps W (D, G*H, I), R (D, G*H, H) and B (D, 2*G*H) =
 * [Wb, Rb], where D is the number of directions. Its LSTM gates are i o f c, PyTorch's are i f g o. Its GRU
 * gates are z r h, PyTorch's are r z n. What PyTorch's modules do not compute is refused, and the error names
 * it.
 */

import { sameShape, show, showShape } from "../../tensor/checks.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError, shorten, unsupported } from "../bytes.js";
import { layerSuffix } from "../layer-suffix.js";
import type { Allowance } from "./allowance.js";
import { type Constants, NotConstant } from "./constants.js";
import { copyRun } from "./copy-run.js";
import type { Attribute } from "./model-proto.js";
import type { Site } from "./scope.js";

export type Kind = "LSTM" | "GRU" | "RNN";

/** For every gate in PyTorch's order, its index in ONNX's order. */
const GATE_ORDER: Record<Kind, readonly number[]> = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2], RNN: [0] };

const ACTIVATIONS: Record<Kind, readonly string[]> = {
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
  RNN: ["Tanh"],
};

/** Characters of an activation's name that are looked at: one more than the longest, Sigmoid, has. */
const MOST_ACTIVATION = 8;

const INPUTS = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"];

/** The inputs that may be constant: W, R, B, initial_h, initial_c. */
export const WEIGHTS = [1, 2, 3, 5, 6] as const;

/** The sizes, options and weights of a node, all checked. */
export interface Recurrent {
  readonly site: Site;
  readonly kind: Kind;
  readonly direction: "forward" | "reverse" | "bidirectional";
  readonly directions: number;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly batchFirst: boolean;
  readonly nonlinearity: "tanh" | "relu";
  /** The name of the input that gives lengths, "" if there is none. */
  readonly lengths: string;
  /** (D, G*H, I), (D, G*H, H), (D, 2*G*H) */
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b: Tensor | undefined;
  /** A constant state (D, N, H), or "runtime" if the model computes or is given one. Undefined for zeros. */
  readonly h0: Tensor | "runtime" | undefined;
  readonly c0: Tensor | "runtime" | undefined;
}

/** @throws FormatError that names the attribute, input or weight that is broken or not supported */
export function readRecurrent(site: Site, constants: Constants): Recurrent {
  const { node, scope } = site;
  const label = labelOf(site);
  if (node.domain !== "" || !Object.hasOwn(GATE_ORDER, node.opType)) {
    throw unsupported(`${label}: operator ${shorten(node.operator)} is not supported`);
  }
  const kind = node.opType as Kind;
  const attribute = (name: string) => scope.attribute(node, name);
  const direction = readDirection(attribute("direction"), label);
  const directions = direction === "bidirectional" ? 2 : 1;
  const nonlinearity = checkActivations(kind, directions, attribute("activations"), label);
  checkAttributes(site, kind, label);
  for (const [at, name] of node.inputs.entries()) {
    if (at > 6 && name !== "") {
      throw unsupported(`${label}: input ${INPUTS[at] === "P" ? "P (peepholes)" : at} is not supported`);
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
  const w = weight(1);
  const r = weight(2);
  const b = node.inputs[3] ? weight(3) : undefined;
  const gates = GATE_ORDER[kind].length;
  const hiddenSize = attribute("hidden_size")?.i ?? r.shape[2] ?? 0;
  const inputSize = w.shape[2] ?? 0;
  if (!Number.isSafeInteger(hiddenSize) || hiddenSize < 1 || inputSize < 1) {
    throw new FormatError(
      `${label}: expected hidden_size of at least 1, got ${hiddenSize}, W ${showShape(w.shape)}`,
    );
  }
  const expectShape = (name: string, tensor: Tensor, shape: readonly number[]) => {
    if (sameShape(tensor.shape, shape)) return;
    throw new FormatError(
      `${label}: ${name}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`,
    );
  };
  expectShape("W", w, [directions, gates * hiddenSize, inputSize]);
  expectShape("R", r, [directions, gates * hiddenSize, hiddenSize]);
  if (b !== undefined) expectShape("B", b, [directions, 2 * gates * hiddenSize]);

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
  return {
    site,
    kind,
    direction,
    directions,
    inputSize,
    hiddenSize,
    batchFirst,
    nonlinearity,
    lengths: node.inputs[4] ?? "",
    w,
    r,
    b,
    h0: state(5),
    c0: kind === "LSTM" ? state(6) : undefined,
  };
}

/**
 * The tensors of layer `layer` by PyTorch's names. With `withBias`, a node without a bias gets zeros. Nodes
 * may share a weight, but each layer gets numbers of its own: a user may change one layer's.
 */
export function layerDict(
  { kind, directions, hiddenSize, w, r, b }: Recurrent,
  layer: number,
  withBias: boolean,
  allowance: Allowance,
): StateDict {
  allowance.spend(4 * (w.data.length + r.data.length + (withBias ? 2 * w.shape[1]! * directions : 0)));
  const dict: StateDict = new Map();
  const order = GATE_ORDER[kind];
  const rows = order.length * hiddenSize;
  for (let direction = 0; direction < directions; direction++) {
    const suffix = layerSuffix(layer, direction === 1);
    for (const [name, { data, shape }] of [
      ["weight_ih", w],
      ["weight_hh", r],
    ] as const) {
      const columns = shape[2]!;
      dict.set(
        `${name}${suffix}`,
        new Tensor(reorder(data, direction * rows, order, hiddenSize * columns, columns), [rows, columns]),
      );
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
function reorder(
  data: Float32Array,
  row: number,
  order: readonly number[],
  block: number,
  columns: number,
): Float32Array {
  const result = new Float32Array(order.length * block);
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

/** Every direction must have PyTorch's activations. An RNN may have Relu instead of Tanh. */
function checkActivations(
  kind: Kind,
  directions: number,
  attribute: Attribute | undefined,
  label: string,
): "tanh" | "relu" {
  const given = attribute?.strings ?? [];
  if (given.length === 0) return "tanh";
  // Both directions of an LSTM have 6. A list may be long, and each call of a function would read it.
  if (given.length > 6) throw unsupported(`${label}: ${given.length} activations are not supported`);
  // Of long names only so much is looked at: a name may have a megabyte, and a function may be called often.
  const names = given.map((name) => name.slice(0, MOST_ACTIVATION).toLowerCase());
  for (const [nonlinearity, usual] of [
    ["tanh", ACTIVATIONS[kind]],
    ["relu", ["Relu"]],
  ] as const) {
    if (nonlinearity === "relu" && kind !== "RNN") continue;
    const expected = Array.from({ length: directions }, () => usual).flat();
    if (expected.length === names.length && expected.every((name, at) => name.toLowerCase() === names[at])) {
      return nonlinearity;
    }
  }
  throw unsupported(`${label}: activations ${given.map(show).join(", ")} are not supported`);
}

function checkAttributes({ node, scope }: Site, kind: Kind, label: string): void {
  for (const name of node.attributes.keys()) {
    const attribute = scope.attribute(node, name);
    if (attribute === undefined) continue;
    const value = attribute.i;
    switch (name) {
      case "direction":
      case "activations":
      case "hidden_size":
      case "output_sequence": // Opset 1: whether Y is wanted at all.
        break;
      case "activation_alpha":
      case "activation_beta":
        if (attribute.floats.length > 0) throw unsupported(`${label}: ${name} is not supported`);
        break;
      case "layout":
        if (value !== 0 && value !== 1) throw new FormatError(`${label}: layout ${value} is unknown`);
        break;
      case "input_forget":
        if (value !== 0) throw unsupported(`${label}: input_forget ${value} is not supported`);
        break;
      case "linear_before_reset":
        break;
      case "clip":
        throw unsupported(`${label}: clip ${attribute.f} is not supported`);
      default:
        throw unsupported(`${label}: attribute ${show(name)} is not supported`);
    }
  }
  if (kind === "GRU" && scope.attribute(node, "linear_before_reset")?.i !== 1) {
    throw unsupported(`${label}: linear_before_reset = 0 is not PyTorch's GRU, and not supported`);
  }
}
