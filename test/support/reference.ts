/** One step of a layer in float64, written down from the definitions of PyTorch and Keras, for the readers' tests. */

import { Tensor } from "../../src/tensor/tensor.js";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The rows of a matrix as arrays. */
export function rowsOf({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): number[][] {
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) => Array.from(data).slice(row * columns, (row + 1) * columns));
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
};

type Dict = ReadonlyMap<string, { data: ArrayLike<number>; shape: readonly number[] }>;

/** PyTorch's LSTM, gates i f g o in blocks of H rows. Returns [h, c]. */
export function torchLstm(
  dict: Dict,
  layer: string,
  x: number[],
  h: number[],
  c: number[],
): [number[], number[]] {
  const wx = rowsOf(dict.get(`weight_ih_${layer}`)!);
  const wh = rowsOf(dict.get(`weight_hh_${layer}`)!);
  const [bx, bh] = [dict.get(`bias_ih_${layer}`)!.data, dict.get(`bias_hh_${layer}`)!.data];
  const a = wx.map((row, at) => dot(row, x) + dot(wh[at]!, h) + bx[at]! + bh[at]!);
  const size = h.length;
  const next = c.map(
    (old, unit) => sigmoid(a[size + unit]!) * old + sigmoid(a[unit]!) * Math.tanh(a[2 * size + unit]!),
  );
  return [next.map((value, unit) => sigmoid(a[3 * size + unit]!) * Math.tanh(value)), next];
}

/** PyTorch's GRU, gates r z n. Returns h. */
export function torchGru(dict: Dict, layer: string, x: number[], h: number[]): number[] {
  const wx = rowsOf(dict.get(`weight_ih_${layer}`)!);
  const wh = rowsOf(dict.get(`weight_hh_${layer}`)!);
  const [bx, bh] = [dict.get(`bias_ih_${layer}`)!.data, dict.get(`bias_hh_${layer}`)!.data];
  const ax = wx.map((row, at) => dot(row, x) + bx[at]!);
  const ah = wh.map((row, at) => dot(row, h) + bh[at]!);
  const size = h.length;
  return h.map((old, unit) => {
    const r = sigmoid(ax[unit]! + ah[unit]!);
    const z = sigmoid(ax[size + unit]! + ah[size + unit]!);
    return (1 - z) * Math.tanh(ax[2 * size + unit]! + r * ah[2 * size + unit]!) + z * old;
  });
}

/** x times a Keras kernel (in, G*H), plus a bias. */
function times(x: number[], kernel: number[][], bias: number[]): number[] {
  return bias.map((add, column) => x.reduce((sum, value, row) => sum + value * kernel[row]![column]!, add));
}

/** Keras' LSTM: kernel columns i f c o. Returns [h, c]. */
export function kerasLstm(
  [kernel, recurrent, bias]: [number[][], number[][], number[]],
  x: number[],
  h: number[],
  c: number[],
): [number[], number[]] {
  const ax = times(x, kernel, bias);
  const a = times(h, recurrent, ax);
  const size = h.length;
  const part = (gate: number) => a.slice(gate * size, (gate + 1) * size);
  const [i, f, g, o] = [part(0), part(1), part(2), part(3)];
  const next = c.map((old, u) => sigmoid(f[u]!) * old + sigmoid(i[u]!) * Math.tanh(g[u]!));
  return [next.map((value, u) => sigmoid(o[u]!) * Math.tanh(value)), next];
}

/** Keras' GRU with reset_after: kernel columns z r h, bias (2, 3H). Returns h. */
export function kerasGru(
  [kernel, recurrent, bias]: [number[][], number[][], [number[], number[]]],
  x: number[],
  h: number[],
): number[] {
  const ax = times(x, kernel, bias[0]);
  const ah = times(h, recurrent, bias[1]);
  const size = h.length;
  return h.map((old, u) => {
    const z = sigmoid(ax[u]! + ah[u]!);
    const r = sigmoid(ax[size + u]! + ah[size + u]!);
    return z * old + (1 - z) * Math.tanh(ax[2 * size + u]! + r * ah[2 * size + u]!);
  });
}

/** Random numbers as a matrix of nested arrays, exact in float32. */
export function randomRows(rows: number, columns: number, seed: number): number[][] {
  return rowsOf(Tensor.randn([rows, columns], seed));
}
