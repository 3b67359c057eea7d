/** argmax and topk: which elements are the largest. They only compare, so they stay in JavaScript memory. */
import { checkBoolean, checkInteger } from "../tensor/checks.js";
import type { AnyData, TensorData, TensorLike } from "../tensor/like.js";
import { along, zerosLike } from "../tensor/runs.js";
import { asAnyTensor, Tensor } from "../tensor/tensor.js";
import { lengthOf } from "../tensor/typed-array.js";

/**
 * The index of the largest element along dimension `dim`, which counts from the end when negative; without `dim` its
 * place in `input.data`. NaN is larger than any number; of equals it is the first.
 * @param input  (..., size, ...), of any dtype
 * @returns the same shape without that dimension, or with 1 in its place for `keepdim`
 * @throws TypeError or RangeError when `input` is not a tensor, has no such dimension, or has no element along it.
 */
export function argmax(input: TensorLike<AnyData>, dim?: number, keepdim = false): Tensor<Int32Array> {
  const { data, shape } = asAnyTensor(input, "input");
  checkBoolean("keepdim", keepdim);
  const flat = dim === undefined;
  const place = along(flat ? [lengthOf(data)] : shape, dim ?? 0);
  checkInteger(flat ? "input.data.length" : `input.shape[${place.axis}]`, place.size, 1, MOST_INDICES);
  const sizes = shape.map((size, axis) => (flat || axis === place.axis ? -1 : size));
  const indices = largest(data, place, 1)[1];
  return new Tensor(indices, keepdim ? sizes.map(Math.abs) : sizes.filter((size) => size >= 0));
}

/**
 * The `k` largest elements along dimension `dim` from the largest on, and their indices. The dimension counts from the
 * end when negative. NaN is larger than any number; of equals the first comes first.
 * @param input  (..., size, ...), of any dtype
 * @returns [values, indices], both (..., k, ...); the values have the input's dtype
 * @throws TypeError or RangeError when `input` is not a tensor, has no such dimension, or has fewer than `k` elements
 *   along it.
 */
export function topk<Data extends TensorData>(
  input: TensorLike<Data>,
  k: number,
  dim?: number,
): [values: Tensor<Data>, indices: Tensor<Int32Array>];
export function topk(
  input: TensorLike,
  k: number,
  dim?: number,
): [values: Tensor, indices: Tensor<Int32Array>];
export function topk(
  input: TensorLike<AnyData>,
  k: number,
  dim = -1,
): [values: Tensor<TensorData>, indices: Tensor<Int32Array>] {
  const { data, shape, dtype } = asAnyTensor(input, "input");
  const place = along(shape, dim);
  // A scalar gives scalars, which are of one element.
  checkInteger("k", k, shape.length > 0 ? 0 : 1, Math.min(place.size, MOST_INDICES));
  const sizes = shape.map((size, axis) => (axis === place.axis ? k : size));
  const [values, indices] = largest(data, place, k);
  return [new Tensor(values, sizes, { dtype }), new Tensor(indices, sizes)];
}

/** Indices are int32. */
const MOST_INDICES = 2 ** 31 - 1;

/** Values and indices of the `k` largest of each row along a dimension. */
function largest(
  data: TensorData,
  { size, inner }: { size: number; inner: number },
  k: number,
): [TensorData, Int32Array] {
  const count = (lengthOf(data) / size || 0) * k;
  const values = zerosLike(data, count);
  const indices = zerosLike(new Int32Array(0), count);
  for (let row = 0; row * k < count; row++) {
    const column = row % inner;
    const outer = row - column;
    const element = (at: number) => data[outer * size + at * inner + column]!;
    const order = (a: number, b: number): number => {
      const [x, y] = [element(a), element(b)];
      return Number(isGreater(y, x)) - Number(isGreater(x, y)) || a - b;
    };
    // Twice as many candidates as are wanted are cut to the best k. What is below the last of them is no candidate.
    let best: number[] = [];
    let last: number | undefined;
    for (let at = 0; at < size; at++) {
      if (last !== undefined && order(at, last) > 0) continue;
      if (best.push(at) < 2 * k) continue;
      best = best.sort(order).slice(0, k);
      last = best[k - 1];
    }
    for (const [at, from] of best.sort(order).slice(0, k).entries()) {
      const to = outer * k + at * inner + column;
      values[to] = element(from);
      indices[to] = from;
    }
  }
  return [values, indices];
}

/** Whether x is above y, or NaN where y is not. */
function isGreater(x: number | bigint, y: number | bigint): boolean {
  return !(x <= y) && y <= Number.POSITIVE_INFINITY;
}
