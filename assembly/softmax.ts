/**
 * softmax and its logarithm, four columns to a vector: data [count, row] holds a column's terms one `row` apart.
 *
 * The largest term is subtracted first, so that nothing overflows. Sums are one chain in the order of the terms,
 * compensated: plain sums take 5e-6 from the logarithm over 5,000 terms. NaN, +Inf and a column of nothing but -Inf
 * give NaN, as in PyTorch.
 */

import { expNegated } from "./activation";
import { assertRows } from "./debug";

/**
 * In place. `row` is the bytes from one term of a column to the next; `vectors` vectors of columns are computed. With
 * `logarithm` 1 it is logSoftmax, whose terms do not round to 0.
 */
export function softmax(data: usize, row: usize, vectors: i32, count: i32, logarithm: i32): void {
  assertRows(data, count, row);
  assert((<usize>vectors) << 4 <= row, "more vectors than a row has");
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
    if (logarithm) sum = log4(sum);
    for (let at = data; at < end; at += row) {
      const term = v128.load(at);
      v128.store(at, logarithm ? f32x4.sub(f32x4.sub(term, largest), sum) : f32x4.div(term, sum));
    }
    data += 16;
  }
}

/**
 * The logarithm of each lane, a sum of at least 1, by Newton's method for e^y = x. What the bits of x say as a number
 * is at most 0.06 below it; three steps halve the square of that, to 1e-12. 1 gives exactly 0.
 */
function log4(x: v128): v128 {
  let y = f32x4.mul(
    f32x4.convert_i32x4_s(i32x4.sub(x, i32x4.splat(0x3f800000))),
    f32x4.splat(<f32>(Math.LN2 / 8388608.0)),
  );
  for (let step = 0; step < 3; step++) {
    y = f32x4.add(y, f32x4.sub(f32x4.mul(x, expNegated(y)), f32x4.splat(1)));
  }
  return y;
}

function columnMax(data: usize, row: usize, end: usize): v128 {
  let largest = f32x4.splat(-Infinity);
  for (; data < end; data += row) largest = f32x4.max(largest, v128.load(data));
  return largest;
}
