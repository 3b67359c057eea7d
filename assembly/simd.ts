/**
 * The only file that knows that two builds exist: `relaxed-simd` rounds a multiply-add once where the CPU can (54
 * against 40 GFLOP/s on the design's machine), `simd` rounds the product and the sum, the same on every CPU.
 */

/** a * b + c on four lanes. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c - a * b on four lanes. */
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/*
 * Sums of int8 weights times the 14-bit integers q + 8192 of quantize.ts, q in -8191 .. 8191. A group is four of them,
 * for four consecutive inputs, in 8 bytes; a vector of weights has four outputs, four inputs each (quantize.ts draws
 * both). Two accumulators per vector of outputs, eight chains in all, in either build:
 *   relaxed-simd  a group is 4 bytes q + 8192 >> 7, then 4 bytes q + 8192 & 127. Each plane takes one dot product of int8
 *                 by 7 bits, for which every engine gives the same integers: its pairs of products stay below
 *                 2 * 128 * 127 = 32512, so the 16-bit sums inside do not saturate.
 *   simd          a group is four i16; the weights are widened, the accumulators are the halves of a vector.
 * All sums wrap modulo 2^32; what the caller keeps of them fits.
 */

/** Stores 16 integers from 0 to 16383 as four groups. */
export function storeGroups(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i16x8.narrow_i32x4_u(a, b);
  const cd = i16x8.narrow_i32x4_u(c, d);
  if (ASC_FEATURE_RELAXED_SIMD) {
    const high = i8x16.narrow_i16x8_u(i16x8.shr_u(ab, 7), i16x8.shr_u(cd, 7));
    const mask = i16x8.splat(127);
    const low = i8x16.narrow_i16x8_u(v128.and(ab, mask), v128.and(cd, mask));
    v128.store(target, v128.shuffle<i32>(high, low, 0, 4, 1, 5));
    v128.store(target, v128.shuffle<i32>(high, low, 2, 6, 3, 7), 16);
  } else {
    v128.store(target, ab);
    v128.store(target, cd, 16);
  }
}

/** Four vectors of i32 sums = start + weights x `lines` groups; a line of weights is 64 bytes. */
export function sumGroups(lines: i32, groups: usize, panel: usize, start: usize, sums: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  const end = groups + ((<usize>lines) << 3);
  if (ASC_FEATURE_RELAXED_SIMD) {
    for (; groups < end; groups += 8) {
      const high = v128.load32_splat(groups);
      const low = v128.load32_splat(groups, 4);
      let w = v128.load(panel);
      a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, a0);
      b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, b0);
      w = v128.load(panel, 16);
      a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, a1);
      b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, b1);
      w = v128.load(panel, 32);
      a2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, a2);
      b2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, b2);
      w = v128.load(panel, 48);
      a3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, a3);
      b3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, b3);
      panel += 64;
    }
    a0 = i32x4.add(i32x4.shl(a0, 7), b0);
    a1 = i32x4.add(i32x4.shl(a1, 7), b1);
    a2 = i32x4.add(i32x4.shl(a2, 7), b2);
    a3 = i32x4.add(i32x4.shl(a3, 7), b3);
  } else {
    for (; groups < end; groups += 8) {
      const q = v128.load64_splat(groups);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.load8x8_s(panel), q));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 8), q));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 16), q));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 24), q));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 32), q));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 40), q));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 48), q));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 56), q));
      panel += 64;
    }
    a0 = addPairs(a0, b0);
    a1 = addPairs(a1, b1);
    a2 = addPairs(a2, b2);
    a3 = addPairs(a3, b3);
  }
  v128.store(sums, i32x4.add(a0, v128.load(start)));
  v128.store(sums, i32x4.add(a1, v128.load(start, 16)), 16);
  v128.store(sums, i32x4.add(a2, v128.load(start, 32)), 32);
  v128.store(sums, i32x4.add(a3, v128.load(start, 48)), 48);
}

/** The sums of neighbours: a0 + a1, a2 + a3, b0 + b1, b2 + b3. */
function addPairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}
