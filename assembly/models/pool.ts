/**
 * Pools: the largest number or the sum of each window. Windows are those of their rows, then of their columns: the rows
 * of a window are first brought together into one row, by vectors, and then the columns of that row.
 */

import { assertNumbers } from "../debug";
import { copyFloats } from "../memory";
import { Pool } from "./window-records";

/** @inline */
function join(largest: bool, a: v128, b: v128): v128 {
  return largest ? f32x4.max(a, b) : f32x4.add(a, b);
}

/** All channels of all items: [channels, height, width] to [channels, rows, columns]. */
export function pool(record: usize, input: usize, output: usize): void {
  const fields = changetype<Pool>(record);
  const channelBytes = (<usize>(fields.height * fields.width)) << 2;
  const largest = fields.counts === 0;
  assertNumbers(input, fields.channels * fields.height * fields.width);
  assertNumbers(output, fields.channels * fields.rows * fields.columns);
  for (let channel = fields.channels; channel > 0; channel--) {
    let count = fields.counts;
    for (let row = 0; row < fields.rows; row++) {
      if (largest) {
        bringTogether(true, record, input, row);
        poolRow(true, record, output, count);
      } else {
        bringTogether(false, record, input, row);
        poolRow(false, record, output, count);
        count += (<usize>fields.columns) << 2;
      }
      output += (<usize>fields.columns) << 2;
    }
    input += channelBytes;
  }
}

/** The rows of the windows of an output row, joined into `line` between its padding. @inline */
function bringTogether(largest: bool, record: usize, input: usize, row: i32): void {
  const fields = changetype<Pool>(record);
  const width = fields.width;
  const missing: f32 = largest ? -Infinity : 0;
  const line = fields.line;
  const target = line + ((<usize>fields.left) << 2);
  let isEmpty = true;
  let y = row * fields.rowStride - fields.top;
  for (let tap = fields.kernelRows; tap > 0; tap--) {
    if (y >= 0 && y < fields.height) {
      const from = input + ((<usize>(y * width)) << 2);
      if (isEmpty) copyFloats(target, from, width);
      else joinRow(largest, target, from, width);
      isEmpty = false;
    }
    y += fields.rowDilation;
  }
  fill(line, fields.left, missing);
  if (isEmpty) fill(target, width, missing);
  fill(target + ((<usize>width) << 2), fields.lineNumbers - fields.left - width, missing);
}

/** @inline */
function joinRow(largest: bool, to: usize, from: usize, left: i32): void {
  for (; left >= 4; left -= 4) {
    v128.store(to, join(largest, v128.load(to), v128.load(from)));
    to += 16;
    from += 16;
  }
  for (; left > 0; left--) {
    v128.store_lane<f32>(to, join(largest, v128.load_splat<f32>(to), v128.load_splat<f32>(from)), 0);
    to += 4;
    from += 4;
  }
}

function fill(target: usize, count: i32, value: f32): void {
  for (const end = target + ((<usize>count) << 2); target < end; target += 4) f32.store(target, value);
}

/** A row of outputs from `line`. Sums are divided by what `counts` says of each. @inline */
function poolRow(largest: bool, record: usize, output: usize, counts: usize): void {
  const fields = changetype<Pool>(record);
  const taps = fields.kernelColumns;
  const stride = fields.columnStride;
  const tapBytes = (<usize>fields.columnDilation) << 2;
  let line = fields.line;
  let left = fields.columns;
  for (; left >= 4; left -= 4) {
    let from = line;
    let sum = fourOf(from, stride);
    for (let tap = taps - 1; tap > 0; tap--) {
      from += tapBytes;
      sum = join(largest, sum, fourOf(from, stride));
    }
    if (!largest) {
      sum = f32x4.div(sum, v128.load(counts));
      counts += 16;
    }
    v128.store(output, sum);
    output += 16;
    line += (<usize>stride) << 4;
  }
  for (; left > 0; left--) {
    let from = line;
    let sum = v128.load_splat<f32>(from);
    for (let tap = taps - 1; tap > 0; tap--) {
      from += tapBytes;
      sum = join(largest, sum, v128.load_splat<f32>(from));
    }
    if (!largest) {
      sum = f32x4.div(sum, v128.load_splat<f32>(counts));
      counts += 4;
    }
    v128.store_lane<f32>(output, sum, 0);
    output += 4;
    line += (<usize>stride) << 2;
  }
}

/** Four numbers, `stride` from one to the next. @inline */
function fourOf(from: usize, stride: i32): v128 {
  const first = v128.load(from);
  if (stride === 1) return first;
  if (stride === 2) return v128.shuffle<f32>(first, v128.load(from, 16), 0, 2, 4, 6);
  const step = (<usize>stride) << 2;
  const second = v128.load_lane<f32>(from + step, first, 1);
  const third = v128.load_lane<f32>(from + 2 * step, second, 2);
  return v128.load_lane<f32>(from + 3 * step, third, 3);
}
