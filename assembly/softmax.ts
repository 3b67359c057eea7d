/**
 * softmax and its logarithm, four to a vector: number l of `count` terms stands at data[k * row + l], k = 0 .. count - 1.
 * The largest term is subtracted first, so that nothing overflows; sums are one chain in the order of k, compensated, since
 * rounding took 5e-6 from the logarithm over 5,000 terms. NaN, +Inf and a column of nothing but -Inf give NaN, as in
 * PyTorch.
 */

import { expNegated } from "./activation";

/** Room for the sums of four columns, whose logarithms are taken one by one. */
const SUMS: usize = memory.data(16, 16);

/**
 * In place; `row` is the bytes from one k to the next, of which the first `vectors` vectors are computed. With `logarithm`
 * 1 logSoftmax, which has no term to round to 0.
 */
export function softmax(data: usize, row: usize, vectors: i32, count: i32, logarithm: i32): void {
  for (; vectors > 0; vectors--) {
    const end = data + <usize>count * row;
    const largest = columnMax(data, row, end);
    let sum = f32x4.splat(0);
    let lost = f32x4.splat(0);
    for (let at = data; at < end; at += row) {
      const term = expNegated(f32x4.sub(largest, v128.load(at)));
      if (!logarithm) v128.store(at, term);
      const rest = f32x4.sub(term, lost);
      const next = f32x4.add(sum, rest);
      lost = f32x4.sub(f32x4.sub(next, sum), rest);
      sum = next;
    }
    if (logarithm) {
      v128.store(SUMS, sum);
      for (let lane: usize = 0; lane < 16; lane += 4)
        f32.store(SUMS + lane, Mathf.log(f32.load(SUMS + lane)));
      sum = v128.load(SUMS);
    }
    for (let at = data; at < end; at += row) {
      const term = v128.load(at);
      v128.store(at, logarithm ? f32x4.sub(f32x4.sub(term, largest), sum) : f32x4.div(term, sum));
    }
    data += 16;
  }
}

function columnMax(data: usize, row: usize, end: usize): v128 {
  let largest = f32x4.splat(-Infinity);
  for (; data < end; data += row) largest = f32x4.max(largest, v128.load(data));
  return largest;
}
