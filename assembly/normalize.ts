/**
 * Layer and group normalisation of one row: (x - mean) / sqrt(variance + eps) * weight + bias, in place.
 *
 * Sums and the arithmetic are float64, two lanes to a vector, and are rounded once, at the end. The variance is of
 * the differences from the mean, in a second pass: a row far from zero keeps its digits.
 */

import { assertNumbers } from "./debug";

/**
 * `count` floats, whose variance is divided by `count`. Each weight and bias serves `repeat` consecutive floats:
 * with 1 there is one for each. Buffers reach to the next even number of floats.
 */
export function normalize(data: usize, count: i32, repeat: i32, weight: usize, bias: usize, eps: f64): void {
  assertRow(data, count, repeat, weight, bias);
  const end = data + ((<usize>count) << 2);
  let means = f64x2.splat(0);
  let moment: f64 = 0;
  // One loop for both passes, of the mean and of the variance: two are 55 bytes more of each binary.
  for (let pass = 0; pass < 2; pass++) {
    let sum = f64x2.splat(0);
    for (let at = data; at < end; at += 8) {
      let x = f64x2.sub(pair(v128.load64_zero(at)), means);
      if (at + 8 > end) x = f64x2.replace_lane(x, 1, 0);
      if (pass) x = f64x2.mul(x, x);
      sum = f64x2.add(sum, x);
    }
    moment = (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)) / <f64>count;
    if (!pass) means = f64x2.splat(moment);
  }
  const scale = f64x2.splat(1 / sqrt(moment + eps));
  const each = repeat === 1;
  const run = (<usize>(each ? count : repeat)) << 2;
  while (data < end) {
    for (const stop = data + run; data < stop; data += 8) {
      const weights = f64x2.mul(pair(each ? v128.load64_zero(weight) : v128.load32_splat(weight)), scale);
      const biases = pair(each ? v128.load64_zero(bias) : v128.load32_splat(bias));
      const x = f64x2.sub(pair(v128.load64_zero(data)), means);
      const y = f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(x, weights), biases));
      if (each) {
        weight += 8;
        bias += 8;
      }
      if (data + 8 > stop) {
        v128.store32_lane(data, y, 0);
        data += 4;
        break;
      }
      v128.store64_lane(data, y, 0);
    }
    weight += 4;
    bias += 4;
  }
}

function pair(floats: v128): v128 {
  return f64x2.promote_low_f32x4(floats);
}

/** In the debug build: the row, and what serves it, lie in live blocks. */
function assertRow(data: usize, count: i32, repeat: i32, weight: usize, bias: usize): void {
  if (ASC_NO_ASSERT) return;
  assert(repeat > 0 && count % repeat === 0, "a weight that serves part of its floats");
  assertNumbers(data, count);
  assertNumbers(weight, count / repeat);
  assertNumbers(bias, count / repeat);
}
