/** Rows between two rows, as linear interpolation along an axis makes them. */

import { madd } from "../build";
import { Blend, BlendTap } from "./records";

export function blendRows(record: usize): void {
  const fields = changetype<Blend>(record);
  let source = fields.source;
  let target = fields.target;
  for (let times = fields.times; times > 0; times--) {
    if (fields.width === 1) blendNumbers(fields.taps, fields.count, source, target);
    else blend(fields.taps, fields.count, source, target, fields.width);
    source += <usize>fields.step;
    target += (<usize>(fields.count * fields.width)) << 2;
  }
}

/** Rows of one number. */
function blendNumbers(taps: usize, count: i32, source: usize, target: usize): void {
  for (; count > 0; count--) {
    const tap = changetype<BlendTap>(taps);
    const low = load<f32>(source + <usize>tap.low) * tap.lowWeight;
    store<f32>(target, low + load<f32>(source + <usize>tap.high) * tap.highWeight);
    taps += offsetof<BlendTap>();
    target += 4;
  }
}

function blend(taps: usize, count: i32, source: usize, target: usize, numbers: i32): void {
  for (; count > 0; count--) {
    const tap = changetype<BlendTap>(taps);
    taps += offsetof<BlendTap>();
    const lowWeight = f32x4.splat(tap.lowWeight);
    const highWeight = f32x4.splat(tap.highWeight);
    let low = source + <usize>tap.low;
    let high = source + <usize>tap.high;
    let width = numbers;
    for (; width >= 4; width -= 4) {
      v128.store(target, madd(v128.load(high), highWeight, f32x4.mul(v128.load(low), lowWeight)));
      low += 16;
      high += 16;
      target += 16;
    }
    for (; width > 0; width--) {
      const first = f32x4.mul(v128.load32_zero(low), lowWeight);
      v128.store_lane<f32>(target, madd(v128.load32_zero(high), highWeight, first), 0);
      low += 4;
      high += 4;
      target += 4;
    }
  }
}
