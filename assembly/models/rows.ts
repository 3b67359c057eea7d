/** Rows at places that a list of indices says: taken from there, or put there. */

import { copyRun } from "./copy";
import { Locate, Rows } from "./records";

export const ROWS_SET: i32 = 0;
export const ROWS_ADD: i32 = 1;
export const ROWS_MUL: i32 = 2;
export const ROWS_MAX: i32 = 3;
export const ROWS_MIN: i32 = 4;

/** The offsets of all places. An index below 0 counts from the end. @returns -1, or which of the indices has no place */
export function locate(record: usize): i32 {
  const fields = changetype<Locate>(record);
  const axes = record + offsetof<Locate>();
  const depth = fields.depth;
  const wide = fields.wide;
  const offsets = fields.offsets;
  let indices = fields.indices;
  let at = 0;
  for (let place = 0; place < fields.count; place++) {
    let offset = 0;
    for (let axis = 0; axis < depth; axis++) {
      const pair = axes + ((<usize>axis) << 3);
      const size = <f64>load<i32>(pair);
      let index = wide ? load<f64>(indices) : <f64>load<i32>(indices);
      indices += wide ? 8 : 4;
      if (index < 0) index += size;
      if (!(index >= 0 && index < size)) return at;
      offset += lowWord(index) * load<i32>(pair, 4);
      at++;
    }
    store<i32>(offsets + ((<usize>place) << 2), offset);
  }
  return -1;
}

/** An integer of at most 2^51, which has its bits at the end of this sum; mod 2^32. @inline */
export function lowWord(x: f64): i32 {
  return <i32>reinterpret<i64>(x + 6755399441055744.0);
}

/** Rows from their places, one after the other. */
export function takeRows(record: usize): void {
  const fields = changetype<Rows>(record);
  const width = <usize>fields.width;
  const first = fields.offsets;
  const end = first + ((<usize>fields.count) << 2);
  let source = fields.source;
  let target = fields.target;
  for (let times = fields.times; times > 0; times--) {
    if (width === 4) {
      for (let offset = first; offset < end; offset += 4) {
        store<u32>(target, load<u32>(source + load<u32>(offset)));
        target += 4;
      }
    } else {
      for (let offset = first; offset < end; offset += 4) {
        copyRun(target, source + load<u32>(offset), width);
        target += width;
      }
    }
    source += <usize>fields.step;
  }
}

/** Rows to their places, in order: where two have the same one, the later one counts. */
export function putRows(record: usize): void {
  const fields = changetype<Rows>(record);
  const width = <usize>fields.width;
  const reduction = fields.reduction;
  const target = fields.target;
  let source = fields.source;
  let offset = fields.offsets;
  for (let count = fields.count; count > 0; count--) {
    const place = target + load<u32>(offset);
    if (reduction === ROWS_SET) copyRun(place, source, width);
    else reduceRow(reduction, place, source, width);
    offset += 4;
    source += width;
  }
}

function reduceRow(reduction: i32, target: usize, source: usize, width: usize): void {
  const last = target + width;
  for (; target + 16 <= last; target += 16) {
    v128.store(target, reduce(reduction, v128.load(target), v128.load(source)));
    source += 16;
  }
  for (; target < last; target += 4) {
    const both = reduce(reduction, v128.load_splat<f32>(target), v128.load_splat<f32>(source));
    v128.store_lane<f32>(target, both, 0);
    source += 4;
  }
}

function reduce(reduction: i32, a: v128, b: v128): v128 {
  if (reduction === ROWS_ADD) return f32x4.add(a, b);
  if (reduction === ROWS_MUL) return f32x4.mul(a, b);
  return reduction === ROWS_MAX ? f32x4.max(a, b) : f32x4.min(a, b);
}
