/**
 * Numbers of any type, one at a time as float64: integers beside what kernels do for float32 by vectors. A type is that
 * of cast.ts.
 */

import { CAST_BOOL, CAST_FLOAT, CAST_INT8, CAST_INT32, CAST_INT64, wrap } from "./cast";
import { Reduction } from "./records";
import { REDUCE_MAX } from "./reduce";

export function loadNumber(type: i32, at: usize): f64 {
  if (type === CAST_INT64) return load<f64>(at);
  if (type === CAST_INT32) return <f64>load<i32>(at);
  if (type === CAST_FLOAT) return <f64>load<f32>(at);
  return type === CAST_INT8 ? <f64>load<i8>(at) : <f64>load<u8>(at);
}

/** What an integer type does not hold wraps. @returns 1 for a number that is not within 2^53 and should be an int64 */
export function storeNumber(type: i32, at: usize, x: f64): i32 {
  if (type === CAST_INT64) {
    store<f64>(at, x);
    return <i32>!(abs(x) < 9007199254740992);
  }
  if (type === CAST_INT32) store<i32>(at, wrap(x));
  else if (type === CAST_FLOAT) store<f32>(at, <f32>x);
  else if (type === CAST_BOOL) store<u8>(at, <u8>(x !== 0));
  else store<u8>(at, <u8>wrap(x));
  return 0;
}

export function sizeOfNumber(type: i32): usize {
  if (type === CAST_INT64) return 8;
  return type === CAST_INT32 || type === CAST_FLOAT ? 4 : 1;
}

/**
 * Sums, or the extremes, of an axis with numbers of a type; with `running` sums so far, as cumulate has them.
 * @returns 1 where one is no int64 within 2^53
 */
export function reduceNumbers(record: usize, type: i32, running: i32): i32 {
  const fields = changetype<Reduction>(record);
  const size = sizeOfNumber(type);
  const kind = fields.kind;
  const count = fields.count;
  const inner = <usize>fields.inner;
  const row = inner * size;
  let wrong = 0;
  let input = fields.input;
  let output = fields.output;
  for (let outer = fields.outer; outer > 0; outer--) {
    for (let column: usize = 0; column < inner; column++) {
      let step = row;
      let at = column * size;
      if (running && kind) {
        step = 0 - row;
        at += row * <usize>(count - 1);
      }
      let total: f64 = 0;
      for (let term = 0; term < count; term++) {
        const x = loadNumber(type, input + at);
        let next = total + x;
        if (!running && kind >= REDUCE_MAX) {
          next = term === 0 ? x : kind === REDUCE_MAX ? max(total, x) : min(total, x);
        }
        if (running) wrong |= storeNumber(type, output + at, fields.root ? total : next);
        // A part of a sum that is not exact would come back as another number.
        else if (kind < REDUCE_MAX) wrong |= storeNumber(type, output + column * size, next);
        total = next;
        at += step;
      }
      if (!running) storeNumber(type, output + column * size, total);
    }
    input += row * <usize>count;
    output += running ? row * <usize>count : row;
  }
  return wrong;
}

/**
 * The `k` largest float32 of an axis, or the smallest where the record's kind is 0: in order, equal ones as they come.
 * @param indices  where their places go, as f64
 */
export function topOf(record: usize, indices: usize, k: i32): void {
  const fields = changetype<Reduction>(record);
  const largest = fields.kind;
  const count = fields.count;
  const inner = <usize>fields.inner;
  const row = inner << 2;
  let input = fields.input;
  let output = fields.output;
  for (let outer = fields.outer; outer > 0; outer--) {
    for (let column: usize = 0; column < inner; column++) {
      let from = input + (column << 2);
      const values = output + (column << 2);
      const places = indices + (column << 3);
      let filled = 0;
      for (let term = 0; term < count; term++) {
        const x = load<f32>(from);
        from += row;
        let at = filled;
        for (; at > 0; at--) {
          const other = load<f32>(values + <usize>(at - 1) * row);
          if (!(largest ? x > other : x < other)) break;
          if (at === k) continue;
          store<f32>(values + <usize>at * row, other);
          store<f64>(places + <usize>at * row * 2, load<f64>(places + <usize>(at - 1) * row * 2));
        }
        if (at === k) continue;
        store<f32>(values + <usize>at * row, x);
        store<f64>(places + <usize>at * row * 2, <f64>term);
        if (filled < k) filled++;
      }
    }
    input += row * <usize>count;
    output += row * <usize>k;
    indices += row * <usize>k * 2;
  }
}
