/**
 * softmax and its logarithm along an axis of a row-major tensor: [outer, count, inner].
 *
 * The largest term is subtracted first, so that nothing overflows. NaN, +Inf and terms of nothing but -Inf give NaN.
 * Sums of terms next to one another are four; where inner is above 1 each is compensated, as in the core's.
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
    if (inner === 1) row(input, output, count, logarithm);
    else {
      for (let from = 0; from < inner; from += 4) {
        const at = (<usize>from) << 2;
        columns(input + at, output + at, count, (<usize>inner) << 2, inner - from, logarithm);
      }
    }
    input += bytes;
    output += bytes;
  }
}

/** The first `lanes` columns, of at most four. */
function columns(input: usize, output: usize, count: i32, row: usize, lanes: i32, logarithm: i32): void {
  let largest = f32x4.splat(-Infinity);
  let at = input;
  for (let term = 0; term < count; term++) {
    largest = f32x4.max(largest, loadPart4(at, lanes));
    at += row;
  }
  let sum = f32x4.splat(0);
  let lost = f32x4.splat(0);
  at = input;
  let to = output;
  for (let term = 0; term < count; term++) {
    const x = loadPart4(at, lanes);
    const power = expNegated(f32x4.sub(largest, x));
    storePart4(to, logarithm ? f32x4.sub(x, largest) : power, lanes);
    const rest = f32x4.sub(power, lost);
    const next = f32x4.add(sum, rest);
    lost = f32x4.sub(f32x4.sub(next, sum), rest);
    sum = next;
    at += row;
    to += row;
  }
  if (logarithm) sum = log4(sum);
  for (let term = 0; term < count; term++) {
    const x = loadPart4(output, lanes);
    storePart4(output, logarithm ? f32x4.sub(x, sum) : f32x4.div(x, sum), lanes);
    output += row;
  }
}

/** Terms that follow one another. */
function row(input: usize, output: usize, count: i32, logarithm: i32): void {
  const none = f32x4.splat(-Infinity);
  let most = none;
  for (let left = count, at = input; left > 0; left -= 4) {
    most = f32x4.max(most, termsOf(at, left));
    at += 16;
  }
  most = f32x4.max(most, v128.shuffle<u32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<u32>(most, most, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  let lost = f32x4.splat(0);
  for (let left = count, to = output; left > 0; left -= 4) {
    const x = termsOf(input, left);
    const power = expNegated(f32x4.sub(most, x));
    storePart4(to, logarithm ? f32x4.sub(x, most) : power, left);
    const rest = f32x4.sub(power, lost);
    const next = f32x4.add(sum, rest);
    lost = f32x4.sub(f32x4.sub(next, sum), rest);
    sum = next;
    input += 16;
    to += 16;
  }
  sum = f32x4.add(sum, v128.shuffle<u32>(sum, sum, 2, 3, 0, 1));
  sum = f32x4.add(sum, v128.shuffle<u32>(sum, sum, 1, 0, 3, 2));
  if (logarithm) sum = log4(sum);
  for (let left = count; left > 0; left -= 4) {
    const x = loadPart4(output, left);
    storePart4(output, logarithm ? f32x4.sub(x, sum) : f32x4.div(x, sum), left);
    output += 16;
  }
}

/** Four terms; those that are not there count for nothing. */
function termsOf(at: usize, left: i32): v128 {
  if (left >= 4) return v128.load(at);
  const there = i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3));
  return v128.bitselect(loadPart(at, left), f32x4.splat(-Infinity), there);
}

/** @inline */
function loadPart4(at: usize, lanes: i32): v128 {
  return lanes >= 4 ? v128.load(at) : loadPart(at, lanes);
}

/** @inline */
function storePart4(at: usize, x: v128, lanes: i32): void {
  if (lanes >= 4) v128.store(at, x);
  else storePart(at, x, lanes);
}
