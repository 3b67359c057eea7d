/**
 * Many numbers to one along an axis of a row-major tensor [outer, count, inner], and running sums. Sums are float64,
 * two lanes to a vector, and are rounded once. NaN stays NaN.
 */

import { loadPart, storePart } from "./lanes";
import { Reduction } from "./records";

export const REDUCE_SUM: i32 = 0;
export const REDUCE_SQUARES: i32 = 1;
export const REDUCE_MAX: i32 = 2;
export const REDUCE_MIN: i32 = 3;

/** What a Reduction says. A sum is divided by its divisor, and the root is taken of it where it says so. */
export function reduce(record: usize): void {
  const fields = changetype<Reduction>(record);
  const kind = fields.kind;
  const count = fields.count;
  const inner = fields.inner;
  let input = fields.input;
  let output = fields.output;
  const bytes = (<usize>count * <usize>inner) << 2;
  for (let outer = fields.outer; outer > 0; outer--) {
    if (inner === 1) {
      let x =
        kind >= REDUCE_MAX
          ? extremeOfRow(kind, input, count)
          : sumOfRow(kind, input, count, <f64>fields.divisor);
      if (fields.root) x = sqrt(x);
      store<f32>(output, <f32>x);
    } else {
      for (let from = 0; from < inner; from += 4) {
        const at = (<usize>from) << 2;
        const lanes = inner - from;
        let x = columns(kind, input + at, count, (<usize>inner) << 2, lanes, <f64>fields.divisor);
        if (fields.root) x = f32x4.sqrt(x);
        if (lanes >= 4) v128.store(output + at, x);
        else storePart(output + at, x, lanes);
      }
    }
    input += bytes;
    output += (<usize>inner) << 2;
  }
}

function extreme4(kind: i32, a: v128, b: v128): v128 {
  return kind === REDUCE_MAX ? f32x4.max(a, b) : f32x4.min(a, b);
}

/** Of no numbers it is what every number is beyond. */
function startOf(kind: i32): v128 {
  return f32x4.splat(kind === REDUCE_MAX ? -Infinity : kind === REDUCE_MIN ? Infinity : 0);
}

function extremeOfRow(kind: i32, input: usize, count: i32): f64 {
  let most = startOf(kind);
  for (; count >= 4; count -= 4) {
    most = extreme4(kind, most, v128.load(input));
    input += 16;
  }
  for (; count > 0; count--) {
    most = extreme4(kind, most, v128.load32_splat(input));
    input += 4;
  }
  most = extreme4(kind, most, v128.shuffle<u32>(most, most, 2, 3, 0, 1));
  most = extreme4(kind, most, v128.shuffle<u32>(most, most, 1, 0, 3, 2));
  return <f64>f32x4.extract_lane(most, 0);
}

function sumOfRow(kind: i32, input: usize, count: i32, divisor: f64): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; count > 0; count -= 4) {
    const numbers = count >= 4 ? v128.load(input) : loadPart(input, count);
    let x = f64x2.promote_low_f32x4(numbers);
    let y = f64x2.promote_low_f32x4(v128.shuffle<u32>(numbers, numbers, 2, 3, 0, 1));
    if (kind === REDUCE_SQUARES) {
      x = f64x2.mul(x, x);
      y = f64x2.mul(y, y);
    }
    low = f64x2.add(low, x);
    high = f64x2.add(high, y);
    input += 16;
  }
  low = f64x2.add(low, high);
  return (f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)) / divisor;
}

/** Of the first `lanes` columns, of at most four. */
function columns(kind: i32, input: usize, count: i32, row: usize, lanes: i32, divisor: f64): v128 {
  let most = startOf(kind);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; count > 0; count--) {
    const numbers = lanes >= 4 ? v128.load(input) : loadPart(input, lanes);
    if (kind >= REDUCE_MAX) most = extreme4(kind, most, numbers);
    else {
      let x = f64x2.promote_low_f32x4(numbers);
      let y = f64x2.promote_low_f32x4(v128.shuffle<u32>(numbers, numbers, 2, 3, 0, 1));
      if (kind === REDUCE_SQUARES) {
        x = f64x2.mul(x, x);
        y = f64x2.mul(y, y);
      }
      low = f64x2.add(low, x);
      high = f64x2.add(high, y);
    }
    input += row;
  }
  if (kind >= REDUCE_MAX) return most;
  const x = f32x4.demote_f64x2_zero(f64x2.div(low, f64x2.splat(divisor)));
  const y = f32x4.demote_f64x2_zero(f64x2.div(high, f64x2.splat(divisor)));
  return v128.shuffle<u32>(x, y, 0, 1, 4, 5);
}

/**
 * Where the largest number along the axis is, or with `sign` -1 the smallest, as f64. The first of equal ones, or with
 * `last` the last. A NaN counts where it is first, and nowhere else.
 */
export function indexOfExtreme(record: usize): void {
  const fields = changetype<Reduction>(record);
  const count = fields.count;
  const inner = fields.inner;
  const row = (<usize>inner) << 2;
  const smallest = fields.kind === REDUCE_MIN;
  const last = fields.root;
  let input = fields.input;
  let output = fields.output;
  for (let outer = fields.outer; outer > 0; outer--) {
    if (inner === 1) {
      store<f64>(output, <f64>indexInRow(input, count, smallest, last));
      output += 8;
    }
    for (let column = 0; column < inner && inner > 1; column++) {
      let at = input + ((<usize>column) << 2);
      let most = load<f32>(at);
      let best = 0;
      for (let term = 1; term < count; term++) {
        at += row;
        const x = load<f32>(at);
        if ((smallest ? x < most : x > most) || (last && x === most)) {
          most = x;
          best = term;
        }
      }
      store<f64>(output, <f64>best);
      output += 8;
    }
    input += row * <usize>count;
  }
}

/** The same of numbers side by side: the largest is found first, then its place. Lanes are the first number's at first. */
function indexInRow(input: usize, count: i32, smallest: bool, last: i32): i32 {
  let most = v128.load32_splat(input);
  let at = input;
  for (let left = count; left >= 4; left -= 4) {
    const x = v128.load(at);
    most = smallest ? f32x4.pmin(most, x) : f32x4.pmax(most, x);
    at += 16;
  }
  for (let left = count & 3; left > 0; left--) {
    const x = v128.load32_splat(at);
    most = smallest ? f32x4.pmin(most, x) : f32x4.pmax(most, x);
    at += 4;
  }
  for (let turn = 0; turn < 3; turn++) {
    const x = v128.shuffle<u32>(most, most, 1, 2, 3, 0);
    most = smallest ? f32x4.pmin(most, x) : f32x4.pmax(most, x);
  }
  let best = 0;
  for (let index = 0; index < count; index += 4) {
    const left = count - index;
    const x = left >= 4 ? v128.load(input) : loadPart(input, left);
    let found = i32x4.bitmask(f32x4.eq(x, most));
    if (left < 4) found &= (1 << left) - 1;
    if (found) {
      if (!last) return index + ctz(found);
      best = index + 31 - clz(found);
    }
    input += 16;
  }
  return best;
}

/** Running sums along the axis, from its end with `kind` 1; without the number itself with `root` 1. */
export function cumulate(record: usize): void {
  const fields = changetype<Reduction>(record);
  const count = fields.count;
  const inner = fields.inner;
  const row = (<usize>inner) << 2;
  let step = row;
  if (fields.kind) step = 0 - row;
  const begin = fields.kind ? row * <usize>(count - 1) : 0;
  const exclusive = fields.root;
  let input = fields.input + begin;
  let output = fields.output + begin;
  for (let outer = fields.outer; outer > 0; outer--) {
    for (let column = 0; column < inner; column++) {
      let from = input + ((<usize>column) << 2);
      let to = output + ((<usize>column) << 2);
      let total: f64 = 0;
      for (let term = 0; term < count; term++) {
        const next = total + <f64>load<f32>(from);
        store<f32>(to, <f32>(exclusive ? total : next));
        total = next;
        from += step;
        to += step;
      }
    }
    input += row * <usize>count;
    output += row * <usize>count;
  }
}
