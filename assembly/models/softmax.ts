/**
 * softmax and its logarithm along an axis of a row-major tensor: [outer, count, inner].
 *
 * The largest term is subtracted first, so that nothing overflows. Sums are float64: plain ones take 5e-6 from the
 * logarithm over 5,000 terms. NaN, +Inf and terms of nothing but -Inf give NaN.
 */

import { expNegated } from "../activation";
import { log4 } from "./functions";
import { loadPart, storePart } from "./lanes";

/** @param logarithm  1 for the logarithm, whose terms do not round to 0 */
export function softmaxAxis(
  input: usize,
  output: usize,
  outer: i32,
  count: i32,
  inner: i32,
  logarithm: i32,
): void {
  const bytes = (<usize>count * <usize>inner) << 2;
  for (; outer > 0; outer--) {
    if (inner === 1) {
      vectors(input, output, (count + 3) >> 2, 16, 4, ((count - 1) & 3) + 1, true, logarithm);
    } else {
      for (let from = 0; from < inner; from += 4) {
        const at = (<usize>from) << 2;
        const lanes = inner - from;
        vectors(input + at, output + at, count, (<usize>inner) << 2, lanes, lanes, false, logarithm);
      }
    }
    input += bytes;
    output += bytes;
  }
}

/** The other lanes of a vector: across by two, and by one. */
function swapTwo(x: v128): v128 {
  return v128.shuffle<u32>(x, x, 2, 3, 0, 1);
}

function swapOne(x: v128): v128 {
  return v128.shuffle<u32>(x, x, 1, 0, 3, 2);
}

/**
 * Vectors of terms, `step` bytes apart: of each the first `lanes` of at most four, of the last one the first `rest`.
 * With `across` all are terms of one sum, else each lane has its own.
 */
function vectors(
  input: usize,
  output: usize,
  count: i32,
  step: usize,
  lanes: i32,
  rest: i32,
  across: bool,
  logarithm: i32,
): void {
  const there = i32x4.gt_s(i32x4.splat(rest), i32x4(0, 1, 2, 3));
  const none = f32x4.splat(-Infinity);
  let most = none;
  let from = input;
  for (let left = count; left > 1; left--) {
    most = f32x4.max(most, lanes >= 4 ? v128.load(from) : loadPart(from, lanes));
    from += step;
  }
  // The last vector counts as terms that are nothing where it has none.
  const last = v128.bitselect(loadPart(from, count > 0 ? min(rest, 4) : 0), none, there);
  most = f32x4.max(most, last);
  if (across) {
    most = f32x4.max(most, swapTwo(most));
    most = f32x4.max(most, swapOne(most));
  }
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  from = input;
  let to = output;
  for (let left = count; left > 0; left--) {
    const whole = lanes >= 4 && left > 1;
    const x = whole ? v128.load(from) : left > 1 ? loadPart(from, lanes) : last;
    const power = expNegated(f32x4.sub(most, x));
    const y = logarithm ? f32x4.sub(x, most) : power;
    if (whole) v128.store(to, y);
    else storePart(to, y, min(left > 1 ? lanes : rest, 4));
    low = f64x2.add(low, f64x2.promote_low_f32x4(power));
    high = f64x2.add(high, f64x2.promote_low_f32x4(swapTwo(power)));
    from += step;
    to += step;
  }
  if (across) {
    low = f64x2.add(low, high);
    low = f64x2.add(low, swapTwo(low));
    high = low;
  }
  let sum = v128.shuffle<u32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
  sum = logarithm ? log4(sum) : f32x4.div(f32x4.splat(1), sum);
  for (let left = count; left > 0; left--) {
    const whole = lanes >= 4 && left > 1;
    const own = min(left > 1 ? lanes : rest, 4);
    const x = whole ? v128.load(output) : loadPart(output, own);
    const y = logarithm ? f32x4.sub(x, sum) : f32x4.mul(x, sum);
    if (whole) v128.store(output, y);
    else storePart(output, y, own);
    output += step;
  }
}
