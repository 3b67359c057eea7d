/**
 * softmax and logSoftmax, four to a vector: number l of `count` terms stands at data[k * row + l], k = 0 .. count - 1.
 * The largest term is subtracted first, so that nothing overflows; sums are one chain in the order of k, compensated, since
 * rounding took 5e-6 from the logarithm over 5,000 terms. NaN, +Inf and a column of nothing but -Inf give NaN, as in
 * PyTorch.
 */

import { expNegated } from "./activation";

/** In place; `row` is the bytes from one k to the next, of which the first `vectors` vectors are computed. */
export function softmax(data: usize, row: usize, vectors: i32, count: i32): void {
  for (; vectors > 0; vectors--) {
    const end = data + <usize>count * row;
    const largest = columnMax(data, row, end);
    let sum = f32x4.splat(0);
    let lost = f32x4.splat(0);
    for (let at = data; at < end; at += row) {
      const term = expNegated(f32x4.sub(largest, v128.load(at)));
      v128.store(at, term);
      const rest = f32x4.sub(term, lost);
      const next = f32x4.add(sum, rest);
      lost = f32x4.sub(f32x4.sub(next, sum), rest);
      sum = next;
    }
    for (let at = data; at < end; at += row) v128.store(at, f32x4.div(v128.load(at), sum));
    data += 16;
  }
}

/** As softmax: its logarithm, without the loss where softmax rounds to 0. */
export function logSoftmax(data: usize, row: usize, vectors: i32, count: i32): void {
  for (; vectors > 0; vectors--) {
    const end = data + <usize>count * row;
    const largest = columnMax(data, row, end);
    let sum = f32x4.splat(0);
    let lost = f32x4.splat(0);
    for (let at = data; at < end; at += row) {
      const rest = f32x4.sub(expNegated(f32x4.sub(largest, v128.load(at))), lost);
      const next = f32x4.add(sum, rest);
      lost = f32x4.sub(f32x4.sub(next, sum), rest);
      sum = next;
    }
    const log = f32x4(
      Mathf.log(f32x4.extract_lane(sum, 0)),
      Mathf.log(f32x4.extract_lane(sum, 1)),
      Mathf.log(f32x4.extract_lane(sum, 2)),
      Mathf.log(f32x4.extract_lane(sum, 3)),
    );
    for (let at = data; at < end; at += row) {
      v128.store(at, f32x4.sub(f32x4.sub(v128.load(at), largest), log));
    }
    data += 16;
  }
}

function columnMax(data: usize, row: usize, end: usize): v128 {
  let largest = f32x4.splat(-Infinity);
  for (; data < end; data += row) largest = f32x4.max(largest, v128.load(data));
  return largest;
}
