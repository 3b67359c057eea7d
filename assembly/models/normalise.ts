/**
 * (x - mean) / sqrt(variance + epsilon) * scale + bias of parts of a tensor: layer, group, instance and batch
 * normalisation. Mean and variance are float64, the variance in a second pass: numbers far from zero keep their digits.
 */

import { loadPart, storePart } from "./lanes";
import { Normalisation } from "./records";

export function normalise(record: usize): void {
  const fields = changetype<Normalisation>(record);
  const count = fields.count;
  const run = fields.run;
  const runs = run > 1 ? count / run : 1;
  const scales = fields.scales;
  let input = fields.input;
  let output = fields.output;
  // Of the group's first number.
  let place = 0;
  for (let groups = fields.groups; groups > 0; groups--) {
    const at = (<usize>place) << 2;
    const mean = fields.means ? <f64>load<f32>(fields.means + at) : meanOf(input, count);
    const high = <f32>mean;
    const variance = fields.means ? <f64>load<f32>(fields.variances + at) : varianceOf(input, count, high);
    const factor = <f32>(1 / sqrt(variance + <f64>fields.epsilon));
    const low = <f32>(mean - <f64>high);
    let scale = fields.scale + at;
    let bias = fields.bias + at;
    const step = run > 1 ? 0 : 16;
    const length = run > 1 ? run : count;
    for (let left = runs; left > 0; left--) {
      scaled(input, output, length, high, low, factor, scale, fields.bias ? bias : 0, step);
      input += (<usize>length) << 2;
      output += (<usize>length) << 2;
      scale += 4;
      bias += 4;
    }
    place += run > 1 ? runs : count;
    if (place >= scales) place = 0;
  }
}

function meanOf(input: usize, count: i32): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let left = count; left > 0; left -= 4) {
    const x = left >= 4 ? v128.load(input) : loadPart(input, left);
    low = f64x2.add(low, f64x2.promote_low_f32x4(x));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<u32>(x, x, 2, 3, 0, 1)));
    input += 16;
  }
  low = f64x2.add(low, high);
  return (f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)) / <f64>count;
}

function varianceOf(input: usize, count: i32, mean: f32): f64 {
  const means = f32x4.splat(mean);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  let rest: f64 = 0;
  for (let left = count; left >= 4; left -= 4) {
    const x = f32x4.sub(v128.load(input), means);
    const a = f64x2.promote_low_f32x4(x);
    const b = f64x2.promote_low_f32x4(v128.shuffle<u32>(x, x, 2, 3, 0, 1));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
    input += 16;
  }
  for (let left = count & 3; left > 0; left--) {
    const x = <f64>(load<f32>(input) - mean);
    rest += x * x;
    input += 4;
  }
  low = f64x2.add(low, high);
  return (f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1) + rest) / <f64>count;
}

/** `count` numbers; scale and bias go on with them where `step` is 16, and are one number each where it is 0. */
function scaled(
  input: usize,
  output: usize,
  count: i32,
  high: f32,
  low: f32,
  factor: f32,
  scale: usize,
  bias: usize,
  step: usize,
): void {
  const highs = f32x4.splat(high);
  const lows = f32x4.splat(low);
  const factors = f32x4.splat(factor);
  let scales = v128.load32_splat(scale);
  let biases = bias ? v128.load32_splat(bias) : f32x4.splat(0);
  for (; count > 0; count -= 4) {
    const whole = count >= 4;
    if (step) {
      scales = whole ? v128.load(scale) : loadPart(scale, count);
      if (bias) biases = whole ? v128.load(bias) : loadPart(bias, count);
      scale += step;
      bias += bias ? step : 0;
    }
    const x = f32x4.sub(f32x4.sub(whole ? v128.load(input) : loadPart(input, count), highs), lows);
    const y = f32x4.add(f32x4.mul(f32x4.mul(x, factors), scales), biases);
    if (whole) v128.store(output, y);
    else storePart(output, y, count);
    input += 16;
    output += 16;
  }
}
