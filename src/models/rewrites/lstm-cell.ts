/**
 * A step of an LSTM that a converter wrote in its parts becomes an LSTM node of one step:
 *
 *   i, f, g, o = Split(x W + h R + biases)   parts in any order, products by MatMul or Gemm
 *   c' = sigmoid(f) c + sigmoid(i) tanh(g)   h' = sigmoid(o) tanh(c')
 */

import type { Attribute, HostTensor, Value } from "../../graph/ir.js";
import { Call, type Operand } from "../../graph/operator.js";
import type { Fusion, PlannedNode, Rewriting } from "../operator.js";

/** A product by a constant matrix. */
interface Product {
  readonly node: PlannedNode;
  readonly width: number;
  /** (width, 4H), or turned. */
  readonly matrix: HostTensor;
  readonly isTurned: boolean;
}

/** What is summed to the gates. */
interface Sum {
  readonly products: Product[];
  readonly biases: HostTensor[];
  readonly nodes: PlannedNode[];
}

export function fuseLSTMCells(node: PlannedNode, rewriting: Rewriting): Fusion | undefined {
  const LSTM = rewriting.operator("LSTM");
  if (LSTM === undefined || !isPlain(node, "Mul")) return undefined;
  const read = new Reader(rewriting);
  const last = read.pair(node, "Sigmoid", "Tanh");
  const next = last && rewriting.maker(last[1].inputs[0]);
  const terms = next && isPlain(next, "Add") ? read.sources(next) : undefined;
  if (last === undefined || next === undefined || terms === undefined) return undefined;
  for (const [kept, written] of [terms, [terms[1], terms[0]]] as const) {
    const write = isPlain(kept, "Mul") && isPlain(written, "Mul") && read.pair(written, "Sigmoid", "Tanh");
    if (!write) continue;
    for (const at of [0, 1]) {
      const forget = rewriting.source(kept.inputs[at]);
      if (forget === undefined || !isPlain(forget, "Sigmoid")) continue;
      const gates = [write[0], forget, write[1], last[0]];
      const cell = { node, next, c: 1 - at, kept, gates };
      const inner = [last[1], kept, written, ...gates];
      const fusion = fuse(cell, inner, rewriting);
      if (fusion !== undefined) return { ...fusion, node: { ...fusion.node, operator: LSTM } };
    }
  }
  return undefined;
}

type Checked = Pick<PlannedNode, "call" | "types" | "activation"> & {
  parts?: PlannedNode["parts"] | undefined;
};

/** A node of floats that one of the passes before has not changed. */
function isPlain({ call, types, activation, parts }: Checked, operator: string): boolean {
  return (
    call.node.operator === operator &&
    types?.[0]?.dtype === "float32" &&
    activation === undefined &&
    parts === undefined &&
    call.opset >= 7
  );
}

class Reader {
  constructor(readonly rewriting: Rewriting) {}

  /** The nodes that make both inputs. */
  sources({ inputs }: PlannedNode): readonly [PlannedNode, PlannedNode] | undefined {
    const [a, b] = [this.rewriting.source(inputs[0]), this.rewriting.source(inputs[1])];
    return a === undefined || b === undefined || inputs.length !== 2 ? undefined : [a, b];
  }

  /** The nodes that make both inputs, if they are of these operators, in this order. */
  pair(node: PlannedNode, first: string, second: string): readonly [PlannedNode, PlannedNode] | undefined {
    const sources = this.sources(node);
    if (sources === undefined) return undefined;
    const [a, b] = sources;
    if (isPlain(a, first) && isPlain(b, second)) return [a, b];
    return isPlain(b, first) && isPlain(a, second) ? [b, a] : undefined;
  }

  /** Goes through a sum of products and constants, each read by nobody else. */
  sum(value: Value | undefined, into: Sum, width: number): boolean {
    const node = this.rewriting.source(value);
    if (node === undefined || into.nodes.length > 8) return false;
    into.nodes.push(node);
    if (isPlain(node, "Add")) {
      return node.inputs.every((input, at) => {
        const operand = node.call.inputs[at]!;
        if (operand.data === undefined) return this.sum(input, into, width);
        return addBias(operand, into, width);
      });
    }
    const product = productOf(node, width);
    if (product === undefined) return false;
    into.products.push(product);
    const added = node.call.inputs[2];
    return added === undefined || addBias(added, into, width);
  }
}

function addBias(operand: Operand, into: Sum, width: number): boolean {
  const { shape, data, dtype } = operand;
  const isRow = shape.at(-1) === width && shape.slice(0, -1).every((size) => size === 1) && shape.length <= 2;
  if (data === undefined || !isRow || dtype !== "float32") return false;
  into.biases.push(operand as HostTensor);
  return true;
}

function productOf(node: PlannedNode, columns: number): Product | undefined {
  const { call } = node;
  // A bias may have been fused into it.
  const isGemm = isPlain({ ...node, parts: undefined }, "Gemm");
  if (!isGemm && !isPlain({ ...node, parts: undefined }, "MatMul")) return undefined;
  if (isGemm && (call.flag("transA", false) || call.float("alpha", 1) !== 1 || call.float("beta", 1) !== 1)) {
    return undefined;
  }
  const [left, right] = [call.input(0), call.input(1)];
  if (right.data === undefined || right.shape.length !== 2 || left.shape.length !== 2) return undefined;
  const isTurned = isGemm && call.flag("transB", false);
  if (right.shape[isTurned ? 0 : 1] !== columns) return undefined;
  return { node, width: left.shape[1]!, matrix: right as HostTensor, isTurned };
}

interface Cell {
  /** Gives h'. */
  readonly node: PlannedNode;
  /** Gives c'. */
  readonly next: PlannedNode;
  /** Reads c as this input. */
  readonly kept: PlannedNode;
  readonly c: number;
  /** What is taken of i, f, g and o. */
  readonly gates: readonly PlannedNode[];
}

type Unplaced = Fusion & { readonly place: PlannedNode };

function fuse(cell: Cell, inner: readonly PlannedNode[], rewriting: Rewriting): Unplaced | undefined {
  const { node, next, kept, gates } = cell;
  const [batch, hidden] = next.types![0]!.shape as [number, number];
  if (next.types![0]!.shape.length !== 2 || hidden === 0) return undefined;
  const split = rewriting.source(gates[0]!.inputs[0]);
  if (split === undefined || split.call.node.operator !== "Split" || split.outputs.length !== 4)
    return undefined;
  const places = gates.map(({ inputs }) =>
    rewriting.source(inputs[0]) === split ? split.outputs.indexOf(inputs[0]) : -1,
  );
  const isEven = split.types?.every(({ shape }) => shape.join() === `${batch},${hidden}`);
  if (!isEven || new Set(places).size !== 4 || places.includes(-1)) return undefined;
  const width = 4 * hidden;
  if (split.call.input(0).shape.join() !== `${batch},${width}`) return undefined;
  const sum: Sum = { products: [], biases: [], nodes: [] };
  if (!new Reader(rewriting).sum(split.inputs[0], sum, width) || sum.products.length !== 2) return undefined;
  // The sum does not tell which product is of the state; any that has its width will do.
  const [a, b] = sum.products as [Product, Product];
  const [x, h] = b.width === hidden ? [a, b] : [b, a];
  const cState = kept.call.input(cell.c);
  const states = [x.node.call.input(0), h.node.call.input(0), cState];
  const isRight =
    h.width === hidden &&
    cState.shape.join() === `${batch},${hidden}` &&
    states.every(({ shape, dtype }) => shape[0] === batch && dtype === "float32");
  if (!isRight) return undefined;

  // ONNX has them in the order of i, o, f, g.
  const order = [places[0]!, places[3]!, places[1]!, places[2]!];
  const from = [x.matrix, h.matrix, ...sum.biases].map(({ data }) => data);
  const constants = rewriting.derive(node.call.node, from, () => [
    rowsOf(x, order, hidden),
    rowsOf(h, order, hidden),
    biasOf(sum.biases, order, hidden),
  ]);
  const inputs = [x.node.inputs[0], ...constants, undefined, h.node.inputs[0], kept.inputs[cell.c]];
  const outputs = [undefined, node.outputs[0], next.outputs[0]];
  const state = { dtype: "float32" as const, shape: [1, batch, hidden] };
  const stepOf = (operand: Operand): Operand => ({ ...operand, shape: [1, ...operand.shape] });
  const attributes = new Map<string, Attribute>([["hidden_size", { kind: "int", value: hidden }]]);
  const call = new Call({ ...node.call.node, operator: "LSTM", inputs, outputs, attributes }, [
    stepOf(states[0]!),
    ...constants.map(({ data }) => data),
    undefined,
    ...states.slice(1).map(stepOf),
  ]);
  const parts = [...sum.nodes].reverse();
  const whole = [...parts, split, ...inner.filter((part) => part !== next)];
  return {
    source: [...whole, node],
    place: next,
    node: {
      operator: node.operator,
      call,
      inputs,
      outputs,
      types: [{ ...state, shape: [1, 1, batch, hidden] }, state, state],
      parts: [...whole, next, node],
    },
  };
}

/** (width, 4H) to (1, 4H, width), its gates in order. */
function rowsOf({ matrix, width, isTurned }: Product, order: readonly number[], hidden: number): HostTensor {
  const data = new Float32Array(matrix.data.length);
  const columns = 4 * hidden;
  for (let row = 0; row < columns; row++) {
    const from = order[Math.floor(row / hidden)]! * hidden + (row % hidden);
    for (let k = 0; k < width; k++) {
      data[row * width + k] = matrix.data[isTurned ? from * width + k : k * columns + from]!;
    }
  }
  return { dtype: "float32", shape: [1, columns, width], data };
}

/** The sum of biases, and zeros for the state's. */
function biasOf(biases: readonly HostTensor[], order: readonly number[], hidden: number): HostTensor {
  const data = new Float32Array(8 * hidden);
  for (let row = 0; row < 4 * hidden; row++) {
    const from = order[Math.floor(row / hidden)]! * hidden + (row % hidden);
    data[row] = biases.reduce((sum, bias) => sum + bias.data[from]!, 0);
  }
  return { dtype: "float32", shape: [1, 8 * hidden], data };
}
