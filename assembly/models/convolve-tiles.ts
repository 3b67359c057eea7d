/**
 * Tiles of a convolution: some output channels times eight outputs beside each other. For each product a row of
 * `offsets` says where the eight numbers lie, from `input` on.
 *
 * Accumulators stay in registers. Each is one chain of multiply-adds that begins with the bias, or goes on from `begin`
 * where `bias` is 0.
 */

import { madd } from "../build";

/** 6 channels, whose weights stand side by side for each product. */
export function sixChannels(
  taps: i32,
  offsets: usize,
  input: usize,
  weights: usize,
  bias: usize,
  begin: usize,
  beginRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128;
  let d0: v128, d1: v128, e0: v128, e1: v128, f0: v128, f1: v128;
  if (bias) {
    a0 = a1 = v128.load32_splat(bias);
    b0 = b1 = v128.load32_splat(bias, 4);
    c0 = c1 = v128.load32_splat(bias, 8);
    d0 = d1 = v128.load32_splat(bias, 12);
    e0 = e1 = v128.load32_splat(bias, 16);
    f0 = f1 = v128.load32_splat(bias, 20);
  } else {
    a0 = v128.load(begin);
    a1 = v128.load(begin, 16);
    begin += beginRow;
    b0 = v128.load(begin);
    b1 = v128.load(begin, 16);
    begin += beginRow;
    c0 = v128.load(begin);
    c1 = v128.load(begin, 16);
    begin += beginRow;
    d0 = v128.load(begin);
    d1 = v128.load(begin, 16);
    begin += beginRow;
    e0 = v128.load(begin);
    e1 = v128.load(begin, 16);
    begin += beginRow;
    f0 = v128.load(begin);
    f1 = v128.load(begin, 16);
  }
  for (const end = offsets + ((<usize>taps) << 2); offsets < end; offsets += 4) {
    const from = input + <usize>load<u32>(offsets);
    const x0 = v128.load(from);
    const x1 = v128.load(from, 16);
    let w = v128.load32_splat(weights);
    a0 = madd(w, x0, a0);
    a1 = madd(w, x1, a1);
    w = v128.load32_splat(weights, 4);
    b0 = madd(w, x0, b0);
    b1 = madd(w, x1, b1);
    w = v128.load32_splat(weights, 8);
    c0 = madd(w, x0, c0);
    c1 = madd(w, x1, c1);
    w = v128.load32_splat(weights, 12);
    d0 = madd(w, x0, d0);
    d1 = madd(w, x1, d1);
    w = v128.load32_splat(weights, 16);
    e0 = madd(w, x0, e0);
    e1 = madd(w, x1, e1);
    w = v128.load32_splat(weights, 20);
    f0 = madd(w, x0, f0);
    f1 = madd(w, x1, f1);
    weights += 24;
  }
  v128.store(output, a0);
  v128.store(output, a1, 16);
  output += outputRow;
  v128.store(output, b0);
  v128.store(output, b1, 16);
  output += outputRow;
  v128.store(output, c0);
  v128.store(output, c1, 16);
  output += outputRow;
  v128.store(output, d0);
  v128.store(output, d1, 16);
  output += outputRow;
  v128.store(output, e0);
  v128.store(output, e1, 16);
  output += outputRow;
  v128.store(output, f0);
  v128.store(output, f1, 16);
}

/** 4 channels, the same. */
export function fourChannels(
  taps: i32,
  offsets: usize,
  input: usize,
  weights: usize,
  bias: usize,
  begin: usize,
  beginRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let a0: v128, a1: v128, b0: v128, b1: v128, c0: v128, c1: v128, d0: v128, d1: v128;
  if (bias) {
    a0 = a1 = v128.load32_splat(bias);
    b0 = b1 = v128.load32_splat(bias, 4);
    c0 = c1 = v128.load32_splat(bias, 8);
    d0 = d1 = v128.load32_splat(bias, 12);
  } else {
    a0 = v128.load(begin);
    a1 = v128.load(begin, 16);
    begin += beginRow;
    b0 = v128.load(begin);
    b1 = v128.load(begin, 16);
    begin += beginRow;
    c0 = v128.load(begin);
    c1 = v128.load(begin, 16);
    begin += beginRow;
    d0 = v128.load(begin);
    d1 = v128.load(begin, 16);
  }
  for (const end = offsets + ((<usize>taps) << 2); offsets < end; offsets += 4) {
    const from = input + <usize>load<u32>(offsets);
    const x0 = v128.load(from);
    const x1 = v128.load(from, 16);
    let w = v128.load32_splat(weights);
    a0 = madd(w, x0, a0);
    a1 = madd(w, x1, a1);
    w = v128.load32_splat(weights, 4);
    b0 = madd(w, x0, b0);
    b1 = madd(w, x1, b1);
    w = v128.load32_splat(weights, 8);
    c0 = madd(w, x0, c0);
    c1 = madd(w, x1, c1);
    w = v128.load32_splat(weights, 12);
    d0 = madd(w, x0, d0);
    d1 = madd(w, x1, d1);
    weights += 16;
  }
  v128.store(output, a0);
  v128.store(output, a1, 16);
  output += outputRow;
  v128.store(output, b0);
  v128.store(output, b1, 16);
  output += outputRow;
  v128.store(output, c0);
  v128.store(output, c1, 16);
  output += outputRow;
  v128.store(output, d0);
  v128.store(output, d1, 16);
}

/** 1 channel. */
export function oneChannel(
  taps: i32,
  offsets: usize,
  input: usize,
  weights: usize,
  bias: usize,
  begin: usize,
  output: usize,
): void {
  let a0: v128, a1: v128;
  if (bias) a0 = a1 = v128.load32_splat(bias);
  else {
    a0 = v128.load(begin);
    a1 = v128.load(begin, 16);
  }
  for (const end = offsets + ((<usize>taps) << 2); offsets < end; offsets += 4) {
    const from = input + <usize>load<u32>(offsets);
    const w = v128.load32_splat(weights);
    a0 = madd(w, v128.load(from), a0);
    a1 = madd(w, v128.load(from, 16), a1);
    weights += 4;
  }
  v128.store(output, a0);
  v128.store(output, a1, 16);
}

/** The same of `tiles` tiles beside each other, which begin with the bias. A call for each would take as long as its taps. */
export function oneChannelTiles(
  taps: i32,
  offsets: usize,
  input: usize,
  weights: usize,
  bias: usize,
  output: usize,
  tiles: i32,
): void {
  const end = offsets + ((<usize>taps) << 2);
  for (; tiles > 0; tiles--) {
    let a0 = v128.load32_splat(bias);
    let a1 = a0;
    let weight = weights;
    for (let offset = offsets; offset < end; offset += 4) {
      const from = input + <usize>load<u32>(offset);
      const w = v128.load32_splat(weight);
      a0 = madd(w, v128.load(from), a0);
      a1 = madd(w, v128.load(from, 16), a1);
      weight += 4;
    }
    v128.store(output, a0);
    v128.store(output, a1, 16);
    input += 32;
    output += 32;
  }
}
