/**
 * One cell's variables in PyTorch's layout. TensorFlow multiplies from the other side, and keeps the weights of the
 * input and of h in one matrix, one above the other: kernel (I + H, G*H). Its LSTM gates i j f o are PyTorch's i g f o.
 * The forget bias is added when the cell runs, and is in no file. Its GRU gates r u and its candidate are PyTorch's r z n.
 */

import { showShape, wrongShape } from "../../tensor/checks.js";
import { asFloat32, asShaped } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import { getOrMake } from "../get-or-make.js";
import type { LayerKind } from "../layer-options.js";
import { type Cell, quoted } from "./cells.js";

export const PEEPHOLES = ["w_i_diag", "w_f_diag", "w_o_diag"];
export const PROJECTION = "projection/kernel";

export interface Sizes {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** 0 without a projection. */
  readonly projSize: number;
}

/** One cell's tensors by PyTorch's names, without their layers. */
export interface CellTensors extends Sizes {
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Columns of one of TensorFlow's matrices that are a gate of PyTorch's. */
interface Gate {
  readonly matrix: string;
  readonly index: number;
}

/** In PyTorch's order. */
const GATES: Readonly<Record<LayerKind, readonly Gate[]>> = {
  LSTM: [0, 2, 1, 3].map((index) => ({ matrix: "kernel", index })),
  GRU: [
    { matrix: "gates/kernel", index: 0 },
    { matrix: "gates/kernel", index: 1 },
    { matrix: "candidate/kernel", index: 0 },
  ],
  RNN: [{ matrix: "kernel", index: 0 }],
};
const FORGET = 1;

type Read = (part: string) => { readonly tensor: Tensor; readonly label: string };

/**
 * @param entries    the caller's values by name
 * @param forgetBias is added to the bias of an LSTM's forget gate
 * @throws TypeError or RangeError naming the variable that does not fit
 */
export function convertCell(
  kind: LayerKind,
  { parts }: Cell,
  entries: ReadonlyMap<string, unknown>,
  forgetBias: number,
): CellTensors {
  const done = new Map<string, ReturnType<Read>>();
  const read: Read = (part) =>
    getOrMake(done, part, () => {
      const name = parts.get(part)!;
      const label = `variables[${quoted(name)}]`;
      const { data, shape } = asShaped(entries.get(name), label, asFloat32);
      return { tensor: new Tensor(data, shape), label };
    });
  const gates = GATES[kind];
  const perMatrix = gates.filter(({ matrix }) => matrix === gates[0]!.matrix).length;
  const { tensor: kernel, label } = read(gates[0]!.matrix);
  const [rows, columns] = kernel.shape as [number, number];
  const hiddenSize = columns / perMatrix;
  if (kernel.shape.length !== 2 || !Number.isInteger(hiddenSize) || hiddenSize === 0) {
    const expected = `shape [inputSize + hiddenSize, ${perMatrix > 1 ? `${perMatrix} * ` : ""}hiddenSize]`;
    throw wrongShape(label, expected, showShape(kernel.shape));
  }
  const weightHr = parts.has(PROJECTION) ? projectionOf(read(PROJECTION), hiddenSize) : undefined;
  const projSize = weightHr?.shape[0] ?? 0;
  const stateSize = projSize > 0 ? projSize : hiddenSize;
  const inputSize = rows - stateSize;
  if (inputSize < 1) {
    throw wrongShape(label, `more than ${stateSize} rows: those of the input, then those of h`, rows);
  }
  const height = gates.length * hiddenSize;
  const [weightIh, weightHh] = [Tensor.zeros([height, inputSize]), Tensor.zeros([height, stateSize])];
  const biasIh = Tensor.zeros([height]);
  for (const [at, { matrix, index }] of gates.entries()) {
    const width = matrix === gates[0]!.matrix ? columns : hiddenSize;
    const from = checkedShape(read(matrix), [rows, width]);
    const bias = checkedShape(read(matrix.replace("kernel", "bias")), [width]);
    const block = { row: at * hiddenSize, column: index * hiddenSize, count: hiddenSize };
    turn(from, 0, weightIh, block);
    turn(from, inputSize, weightHh, block);
    const added = kind === "LSTM" && at === FORGET ? forgetBias : 0;
    for (let unit = 0; unit < hiddenSize; unit++) {
      biasIh.data[block.row + unit] = bias.data[block.column + unit]! + added;
    }
  }
  const tensors = new Map<string, Tensor>([
    ["weight_ih", weightIh],
    ["weight_hh", weightHh],
    ["bias_ih", biasIh],
    ["bias_hh", Tensor.zeros([height])],
  ]);
  if (weightHr !== undefined) tensors.set("weight_hr", weightHr);
  for (const part of PEEPHOLES) {
    if (!parts.has(part)) continue;
    const diagonal = checkedShape(read(part), [hiddenSize]);
    // w_i_diag is weight_ci.
    tensors.set(`weight_c${part[2]}`, new Tensor(diagonal.data.slice(), [hiddenSize]));
  }
  return { inputSize, hiddenSize, projSize, tensors };
}

/** The projection (H, P) as weight_hr (P, H). */
function projectionOf({ tensor, label }: ReturnType<Read>, hiddenSize: number): Tensor {
  const [rows, projSize] = tensor.shape as [number, number];
  if (tensor.shape.length !== 2 || rows !== hiddenSize || projSize === 0) {
    throw wrongShape(label, `shape [${hiddenSize}, projSize]`, showShape(tensor.shape));
  }
  const weight = Tensor.zeros([projSize, hiddenSize]);
  turn(tensor, 0, weight, { row: 0, column: 0, count: projSize });
  return weight;
}

function checkedShape({ tensor, label }: ReturnType<Read>, expected: readonly number[]): Tensor {
  if (showShape(tensor.shape) !== showShape(expected)) {
    throw wrongShape(label, `shape ${showShape(expected)}`, showShape(tensor.shape));
  }
  return tensor;
}

/** Copies columns of `from`, as many rows of them as `to` is wide and from row `start` on, to rows of `to`. */
function turn(
  from: Tensor,
  start: number,
  to: Tensor,
  { row, column, count }: { readonly row: number; readonly column: number; readonly count: number },
): void {
  const columns = from.shape[1]!;
  const width = to.shape[1]!;
  for (let unit = 0; unit < count; unit++) {
    for (let at = 0; at < width; at++) {
      to.data[(row + unit) * width + at] = from.data[(start + at) * columns + column + unit]!;
    }
  }
}
