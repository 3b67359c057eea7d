/**
 * One direction of a Keras layer in PyTorch's layout. Keras multiplies from the other side, so its matrices are
 * transposed: (in, G*H). It has one bias where PyTorch has two, except for a GRU with reset_after. Its LSTM gates
 * i f c o are PyTorch's i f g o. Its GRU gates z r h become r z n. The layers of cuDNN keep their numbers otherwise:
 * those of a gate are PyTorch's block (H, in) as it lies, below a kernel's shape of (in, G*H).
 */
import { showShape, wrongShape } from "../../tensor/checks.js";
import { Tensor } from "../../tensor/tensor.js";
import type { LayerKind } from "../layer-options.js";

/** The arrays of one direction. */
export interface KerasArrays {
  /** (inputSize, G*H) */
  readonly kernel: Tensor;
  /** (H, G*H) */
  readonly recurrentKernel: Tensor;
  /** (G*H); (2, 3H) for a GRU with reset_after; (8H) or (6H) for a layer of cuDNN. */
  readonly bias: Tensor | undefined;
}

/** What messages call the arrays. */
export type ArrayNames = Readonly<Record<keyof KerasArrays, string>>;

export interface Gates {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** `weight_ih` and so on, without the suffix of layer and direction. */
  readonly parts: ReadonlyMap<string, Tensor>;
  /** Of a GRU, where its bias tells. */
  readonly resetAfter: boolean | undefined;
  /** Whether the bias is that of a layer of cuDNN. */
  readonly isCudnn: boolean;
}

/** For every gate in PyTorch's order, its index in Keras' order. */
const ORDER: Readonly<Record<LayerKind, readonly number[]>> = {
  LSTM: [0, 1, 2, 3],
  GRU: [1, 0, 2],
  RNN: [0],
};

/** @throws RangeError that names the array whose shape does not fit */
export function gatesOf(
  { kernel, recurrentKernel, bias }: KerasArrays,
  kind: LayerKind,
  names: ArrayNames,
): Gates {
  const order = ORDER[kind];
  for (const [name, { shape }] of [
    [names.recurrentKernel, recurrentKernel],
    [names.kernel, kernel],
  ] as const) {
    if (shape.length !== 2) throw wrongShape(name, "a matrix", `shape ${showShape(shape)}`);
  }
  const hiddenSize = recurrentKernel.shape[0]!;
  const [inputSize, given] = kernel.shape as [number, number];
  const columns = order.length * hiddenSize;
  if (hiddenSize === 0 || recurrentKernel.shape[1] !== columns) {
    const expected = `shape [H, ${order.length === 1 ? "" : `${order.length} `}H] for ${kind}`;
    throw wrongShape(names.recurrentKernel, expected, showShape(recurrentKernel.shape));
  }
  if (given !== columns || inputSize === 0) {
    throw wrongShape(names.kernel, `shape [inputSize, ${columns}]`, showShape(kernel.shape));
  }
  const biases = biasesOf(bias, kind, columns, names.bias);
  const turn = biases.isCudnn ? blocks : transpose;
  const parts = new Map([
    ["weight_ih", turn(kernel, hiddenSize, order)],
    ["weight_hh", turn(recurrentKernel, hiddenSize, order)],
  ]);
  if (biases.input !== undefined) {
    const row = (data: Float32Array) => reordered(data, hiddenSize, order);
    parts.set("bias_ih", row(biases.input));
    parts.set("bias_hh", biases.hidden === undefined ? Tensor.zeros([columns]) : row(biases.hidden));
  }
  return { inputSize, hiddenSize, parts, resetAfter: biases.resetAfter, isCudnn: biases.isCudnn === true };
}

interface Biases {
  readonly input?: Float32Array;
  readonly hidden?: Float32Array;
  readonly isCudnn?: boolean;
  readonly resetAfter?: boolean;
}

function biasesOf(bias: Tensor | undefined, kind: LayerKind, columns: number, name: string): Biases {
  if (bias === undefined) return {};
  const { data, shape } = bias;
  const [first, second] = [data.subarray(0, columns), data.subarray(columns)];
  const is = (...expected: number[]) => showShape(shape) === showShape(expected);
  // Only cuDNN's layers have one row of both biases.
  if (kind !== "RNN" && is(2 * columns)) {
    return { input: first, hidden: second, isCudnn: true, ...(kind === "GRU" ? { resetAfter: true } : {}) };
  }
  if (kind === "GRU" && is(2, columns)) return { input: first, hidden: second, resetAfter: true };
  if (is(columns)) return { input: data, ...(kind === "GRU" ? { resetAfter: false } : {}) };
  const shapes = { LSTM: [`[${columns}]`], GRU: [`[2, ${columns}]`, `[${columns}]`], RNN: [`[${columns}]`] }[
    kind
  ];
  const cudnn = kind === "RNN" ? "" : `, or [${2 * columns}] of cuDNN`;
  throw wrongShape(name, `shape ${shapes.join(" or ")}${cudnn}`, showShape(shape));
}

/** A matrix (in, G*H) with Keras' gate order as a matrix (G*H, in) with PyTorch's. */
function transpose({ data, shape }: Tensor, hidden: number, order: readonly number[]): Tensor {
  const [inputs, columns] = shape as [number, number];
  const result = Tensor.zeros([columns, inputs]);
  for (const [gate, from] of order.entries()) {
    for (let unit = 0; unit < hidden; unit++) {
      const row = (gate * hidden + unit) * inputs;
      const column = from * hidden + unit;
      for (let input = 0; input < inputs; input++) result.data[row + input] = data[input * columns + column]!;
    }
  }
  return result;
}

/** The same for a matrix of cuDNN: the columns of a gate, read row by row, are its block (H, in). */
function blocks({ data, shape }: Tensor, hidden: number, order: readonly number[]): Tensor {
  const [inputs, columns] = shape as [number, number];
  const result = Tensor.zeros([columns, inputs]);
  for (const [gate, from] of order.entries()) {
    for (let input = 0; input < inputs; input++) {
      const start = input * columns + from * hidden;
      result.data.set(data.subarray(start, start + hidden), (gate * inputs + input) * hidden);
    }
  }
  return result;
}

/** A bias in PyTorch's gate order. */
function reordered(data: Float32Array, hidden: number, order: readonly number[]): Tensor {
  const result = Tensor.zeros([data.length]);
  for (const [gate, from] of order.entries()) {
    result.data.set(data.subarray(from * hidden, (from + 1) * hidden), gate * hidden);
  }
  return result;
}
