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
    const mean = fields.means ? <f64>load<f32>(fields.means + at) : momentOf(input, count, 0, false);
    const high = <f32>mean;
    const variance = fields.means
      ? <f64>load<f32>(fields.variances + at)
      : momentOf(input, count, high, true);
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

/** The mean of x - `less`, or of its square. */
function momentOf(input: usize, count: i32, less: f32, squared: bool): f64 {
  const lesses = f32x4.splat(less);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let left = count; left > 0; left -= 4) {
    let x: v128;
    // Where a number is not there it counts as nothing.
    if (left >= 4) x = f32x4.sub(v128.load(input), lesses);
    else
      x = v128.and(
        f32x4.sub(loadPart(input, left), lesses),
        i32x4.gt_s(i32x4.splat(left), i32x4(0, 1, 2, 3)),
      );
    let a = f64x2.promote_low_f32x4(x);
    let b = f64x2.promote_low_f32x4(v128.shuffle<u32>(x, x, 2, 3, 0, 1));
    if (squared) {
      a = f64x2.mul(a, a);
      b = f64x2.mul(b, b);
    }
    low = f64x2.add(low, a);
    high = f64x2.add(high, b);
    input += 16;
  }
  low = f64x2.add(low, high);
  return (f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)) / <f64>count;
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
  for (; count >= 4; count -= 4) {
    if (step) {
      scales = v128.load(scale);
      if (bias) biases = v128.load(bias);
      scale += 16;
      bias += bias ? 16 : 0;
    }
    v128.store(output, scaled4(v128.load(input), highs, lows, factors, scales, biases));
    input += 16;
    output += 16;
  }
  if (!count) return;
  if (step) {
    scales = loadPart(scale, count);
    if (bias) biases = loadPart(bias, count);
  }
  storePart(output, scaled4(loadPart(input, count), highs, lows, factors, scales, biases), count);
}

function scaled4(x: v128, highs: v128, lows: v128, factors: v128, scales: v128, biases: v128): v128 {
  const y = f32x4.mul(f32x4.sub(f32x4.sub(x, highs), lows), factors);
  return f32x4.add(f32x4.mul(y, scales), biases);
}
