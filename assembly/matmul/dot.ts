/**
 * Sums of int8 weights times the 14-bit integers q' = q + 8192 of round-inputs.ts, q in -8191 .. 8191.
 *
 * A group is the q' of four consecutive inputs, in 8 bytes. A line of weights is `vectorsPerLine` vectors, each of
 * four outputs with four weights, those of one group:
 *
 *   vector   a0 a1 a2 a3 | b0 b1 b2 b3 | c0 c1 c2 c3 | d0 d1 d2 d3        outputs a b c d, inputs 0 .. 3; i8
 *
 * All sums wrap modulo 2^32, and what the caller keeps of them fits. So both forms of a group give the same integers:
 *
 *   planes   h0 h1 h2 h3  l0 l1 l2 l3     u8: h = q' >> 7, l = q' & 127
 *            One relaxed dot product for each half. Every engine gives the same result, since the second operand
 *            has 7 bits: pairs of products are at most 2 x 128 x 127 = 32512, and no sum of 16 bits inside saturates.
 *
 *   numbers  q0   q1   q2   q3            i16
 *            Two vectors of weights, outputs A and the next four B, become two of i16 lanes 256 a + (b + 128): one
 *            for inputs 0 and 1, one for 2 and 3. With T = sum of q' a and R = sum of q' (256 a + b + 128),
 *            A = T and B = R - 256 T - 128 (sum of q'). Five instructions for sixteen weights; widening takes six.
 *
 * The baseline build is never told to use planes (instance.ts). Only the product of planes is left out of it: all else
 * that asks is the same bytes in both builds, which takes 0.4 KB off a bundle of both after gzip.
 */

import { usesPlanes } from "../instance";
import { FLOAT_LINE_BYTES } from "../records";

// Read from memory, so that no compiler works the product out for itself.
const EIGHT_BITS: usize = memory.data<u8>(
  [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
  16,
);

/**
 * Whether a relaxed dot product is one instruction here; planes are the faster form only then: 1.5 against 2.7 us
 * for a step of 128 units. V8 makes five instructions of it on x86 without AVX-VNNI, and planes take 1.3 times
 * as long.
 *
 * What it gives for a second operand of eight bits tells: 4 x 127 x 255 or -4 x 127 in one instruction, 2 x 32767
 * where pairs saturate in 16 bits on the way. Anything else is a fault: the baseline compiler of V8 11.3 (Node 20
 * with its flag) overwrites the sum that is added to.
 */
export function dotIsOneInstruction(): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0;
  const eightBits = v128.load(EIGHT_BITS);
  const sum = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(127), eightBits, i32x4.splat(0));
  const first = i32x4.extract_lane(sum, 0);
  return i32(first === 4 * 127 * 255 || first === -4 * 127);
}

/**
 * Vectors of four outputs in a line of weights. Float32: 8, two cache lines, whose eight chains of multiply-adds
 * hide their latency. Planes: 6, since twelve chains of dot products, 5 cycles each, keep both units busy (1.22x
 * over 4 at H = 512). Numbers: 4, since their chains are additions.
 */
export function vectorsPerLine(int8: i32): i32 {
  if (!int8) return <i32>(FLOAT_LINE_BYTES >> 4);
  return usesPlanes() ? 6 : 4;
}

/** Stores 16 integers from 0 to 16383 as four groups. */
export function storeGroups(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = i16x8.narrow_i32x4_u(a, b);
  const cd = i16x8.narrow_i32x4_u(c, d);
  if (usesPlanes()) {
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

/**
 * vectorsPerLine(1) vectors of i32 sums = start + weights x `lines` groups, whose numbers have the sum `total`.
 */
export function sumGroups(
  lines: i32,
  groups: usize,
  total: i32,
  panel: usize,
  start: usize,
  sums: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD && usesPlanes()) sumPlanes(lines, groups, panel, start, sums);
  else sumNumbers(lines, groups, total, panel, start, sums);
}

function sumPlanes(lines: i32, groups: usize, panel: usize, start: usize, sums: usize): void {
  let high0 = i32x4.splat(0);
  let high1 = high0;
  let high2 = high0;
  let high3 = high0;
  let high4 = high0;
  let high5 = high0;
  let low0 = v128.load(start);
  let low1 = v128.load(start, 16);
  let low2 = v128.load(start, 32);
  let low3 = v128.load(start, 48);
  let low4 = v128.load(start, 64);
  let low5 = v128.load(start, 80);
  for (const end = groups + ((<usize>lines) << 3); groups < end; groups += 8) {
    const high = v128.load32_splat(groups);
    const low = v128.load32_splat(groups, 4);
    let w = v128.load(panel);
    high0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high0);
    low0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low0);
    w = v128.load(panel, 16);
    high1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high1);
    low1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low1);
    w = v128.load(panel, 32);
    high2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high2);
    low2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low2);
    w = v128.load(panel, 48);
    high3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high3);
    low3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low3);
    w = v128.load(panel, 64);
    high4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high4);
    low4 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low4);
    w = v128.load(panel, 80);
    high5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, high, high5);
    low5 = i32x4.relaxed_dot_i8x16_i7x16_add_s(w, low, low5);
    panel += 96;
  }
  v128.store(sums, i32x4.add(i32x4.shl(high0, 7), low0));
  v128.store(sums, i32x4.add(i32x4.shl(high1, 7), low1), 16);
  v128.store(sums, i32x4.add(i32x4.shl(high2, 7), low2), 32);
  v128.store(sums, i32x4.add(i32x4.shl(high3, 7), low3), 48);
  v128.store(sums, i32x4.add(i32x4.shl(high4, 7), low4), 64);
  v128.store(sums, i32x4.add(i32x4.shl(high5, 7), low5), 80);
}

function sumNumbers(lines: i32, groups: usize, total: i32, panel: usize, start: usize, sums: usize): void {
  let r0 = i32x4.splat(0);
  let t0 = r0;
  let r1 = r0;
  let t1 = r0;
  let r2 = r0;
  let t2 = r0;
  let r3 = r0;
  let t3 = r0;
  for (let end = groups + ((<usize>lines) << 3); groups < end; groups += 8) {
    const q01 = v128.load32_splat(groups);
    const q23 = v128.load32_splat(groups, 4);
    let w = v128.load(panel);
    r0 = i32x4.add(r0, i32x4.dot_i16x8_s(w, q01));
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), q01));
    w = v128.load(panel, 16);
    r1 = i32x4.add(r1, i32x4.dot_i16x8_s(w, q23));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), q23));
    w = v128.load(panel, 32);
    r2 = i32x4.add(r2, i32x4.dot_i16x8_s(w, q01));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), q01));
    w = v128.load(panel, 48);
    r3 = i32x4.add(r3, i32x4.dot_i16x8_s(w, q23));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), q23));
    panel += 64;
  }
  const bias = i32x4.splat(total << 7);
  t0 = i32x4.add(t0, t1);
  t2 = i32x4.add(t2, t3);
  r0 = i32x4.sub(i32x4.sub(i32x4.add(r0, r1), i32x4.shl(t0, 8)), bias);
  r2 = i32x4.sub(i32x4.sub(i32x4.add(r2, r3), i32x4.shl(t2, 8)), bias);
  v128.store(sums, i32x4.add(t0, v128.load(start)));
  v128.store(sums, i32x4.add(r0, v128.load(start, 16)), 16);
  v128.store(sums, i32x4.add(t2, v128.load(start, 32)), 32);
  v128.store(sums, i32x4.add(r2, v128.load(start, 48)), 48);
}

/** Brings `bytes` of lines, as pack.ts packs groups of four weights, into the form that sumGroups reads. */
export function arrange(panel: usize, bytes: usize): void {
  if (usesPlanes()) return;
  const bias = i16x8.splat(128);
  for (const end = panel + bytes; panel < end; panel += 32) {
    const a = v128.load(panel);
    const b = v128.load(panel, 16);
    const first = i8x16.shuffle(a, b, 16, 0, 17, 1, 20, 4, 21, 5, 24, 8, 25, 9, 28, 12, 29, 13);
    const second = i8x16.shuffle(a, b, 18, 2, 19, 3, 22, 6, 23, 7, 26, 10, 27, 11, 30, 14, 31, 15);
    v128.store(panel, v128.xor(first, bias));
    v128.store(panel, v128.xor(second, bias), 16);
  }
}

/** The inverse of arrange. */
export function restore(panel: usize, bytes: usize): void {
  if (usesPlanes()) return;
  const bias = i16x8.splat(128);
  for (const end = panel + bytes; panel < end; panel += 32) {
    const first = v128.xor(v128.load(panel), bias);
    const second = v128.xor(v128.load(panel, 16), bias);
    const a = i8x16.shuffle(first, second, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
    const b = i8x16.shuffle(first, second, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
    v128.store(panel, a);
    v128.store(panel, b, 16);
  }
}
