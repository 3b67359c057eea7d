/**
 * exp, sigmoid and tanh on four float32 lanes. Largest error over the whole range of float32, subnormal results
 * included, against float64 (test/activation.test.ts sweeps it): sigmoid and tanh 3 ULP in both builds. NaN gives NaN.
 *
 * Both come from e^a with a <= 0: a = n ln 2 + r with |r| <= ln(2)/2, then e^a = 2^n + 2^n r q(r). q is the polynomial
 * of degree 5 for (e^r - 1) / r, 1 at r = 0, fitted to the least relative error of r q(r) (1.3e-8, a fifth of an ULP).
 *
 * The constants are read from memory: a v128.const costs three instructions in V8 wherever it is used, a load one.
 */

import { madd, nmadd } from "./simd";

const LOG2_E: usize = memory.data<f32>([1.4426950216293335]);
// ln 2 in two parts; the first has 16 significant bits, so that its product with n (8 bits) is exact.
const LN2_HIGH: usize = memory.data<f32>([0.693145751953125]);
const LN2_LOW: usize = memory.data<f32>([1.428606765330187e-6]);
const Q1: usize = memory.data<f32>([0.4999999701976776]);
const Q2: usize = memory.data<f32>([0.1666654348373413]);
const Q3: usize = memory.data<f32>([0.04166720062494278]);
const Q4: usize = memory.data<f32>([0.008366547524929047]);
const Q5: usize = memory.data<f32>([0.0013882515486329794]);
const ONE: usize = memory.data<f32>([1.0]);
const TWO: usize = memory.data<f32>([2.0]);
const SIGN: usize = memory.data<u32>([0x80000000]);

// Adding 1.5 * 2^23 rounds to an integer in the low bits of the sum. The 127 makes these bits the exponent field of 2^n.
const ROUND_EXPM1: usize = memory.data<f32>([12582912.0 + 127.0]);
// e^-104 rounds to 0, so nothing smaller is needed; 2^(n + 24) stays a normal number down to there.
const EXP_LEAST: usize = memory.data<f32>([-104.0]);
const ROUND_EXP: usize = memory.data<f32>([12582912.0 + 127.0 + 24.0]);
const EXP_SCALE: usize = memory.data<f32>([5.9604644775390625e-8]);
// tanh is 1 in float32 from 9.02 on: e^-40 is far below.
const EXPM1_LEAST: usize = memory.data<f32>([-40.0]);

function constant(address: usize): v128 {
  return v128.load32_splat(address);
}

/** q(r) = (e^r - 1) / r for |r| <= ln(2)/2; three short chains rather than one long one, since latency is what counts. */
function reducedQuotient(r: v128): v128 {
  const square = f32x4.mul(r, r);
  const high = madd(constant(Q5), r, constant(Q4));
  const middle = madd(constant(Q3), r, constant(Q2));
  const low = madd(constant(Q1), r, constant(ONE));
  return madd(madd(high, square, middle), square, low);
}

/** e^-|x|, 0 to 1. `pmax(a, b)` is `a < b ? b : a`, one instruction, and keeps a NaN in a. */
export function expNegative(x: v128): v128 {
  const a = f32x4.pmax(v128.or(x, constant(SIGN)), constant(EXP_LEAST));
  const rounded = madd(a, constant(LOG2_E), constant(ROUND_EXP));
  const n = f32x4.sub(rounded, constant(ROUND_EXP));
  const r = nmadd(n, constant(LN2_LOW), nmadd(n, constant(LN2_HIGH), a));
  const power = i32x4.shl(rounded, 23);
  return f32x4.mul(madd(f32x4.mul(power, r), reducedQuotient(r), power), constant(EXP_SCALE));
}

/** e^(-2|x|) - 1, -1 to 0, to full relative accuracy near 0. */
export function expm1Negative(x: v128): v128 {
  const a = f32x4.pmax(v128.or(f32x4.add(x, x), constant(SIGN)), constant(EXPM1_LEAST));
  const rounded = madd(a, constant(LOG2_E), constant(ROUND_EXPM1));
  const n = f32x4.sub(rounded, constant(ROUND_EXPM1));
  const r = nmadd(n, constant(LN2_LOW), nmadd(n, constant(LN2_HIGH), a));
  const power = i32x4.shl(rounded, 23);
  return madd(f32x4.mul(power, r), reducedQuotient(r), f32x4.sub(power, constant(ONE)));
}

/*
 * sigmoid and tanh as numerator over denominator, so that a product of two of them needs one division.
 *   sigmoid(x) = (x < 0 ? e : 1) / (1 + e)   with e = e^-|x|: no cancellation, and no overflow for large -x
 *   tanh(x)    = sign(x) (-m) / (2 + m)      with m = e^(-2|x|) - 1
 */

export function sigmoidNumerator(x: v128, e: v128): v128 {
  return v128.bitselect(e, constant(ONE), i32x4.shr_s(x, 31));
}

export function sigmoidDenominator(e: v128): v128 {
  return f32x4.add(e, constant(ONE));
}

export function tanhNumerator(x: v128, m: v128): v128 {
  return v128.bitselect(x, m, constant(SIGN));
}

export function tanhDenominator(m: v128): v128 {
  return f32x4.add(m, constant(TWO));
}

export function sigmoid4(x: v128): v128 {
  const e = expNegative(x);
  return f32x4.div(sigmoidNumerator(x, e), sigmoidDenominator(e));
}

export function tanh4(x: v128): v128 {
  const m = expm1Negative(x);
  return f32x4.div(tanhNumerator(x, m), tanhDenominator(m));
}

/** max(x, 0) with NaN kept, as PyTorch's relu. */
export function relu4(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}

/** sigmoid of `count` floats in place; the buffer reaches to the next multiple of four. */
export function sigmoid(data: usize, count: i32): void {
  for (let end = data + ((<usize>count) << 2); data < end; data += 16)
    v128.store(data, sigmoid4(v128.load(data)));
}

/** tanh of `count` floats in place; the buffer reaches to the next multiple of four. */
export function tanh(data: usize, count: i32): void {
  for (let end = data + ((<usize>count) << 2); data < end; data += 16)
    v128.store(data, tanh4(v128.load(data)));
}

/** relu of `count` floats in place; the buffer reaches to the next multiple of four. */
export function relu(data: usize, count: i32): void {
  for (let end = data + ((<usize>count) << 2); data < end; data += 16)
    v128.store(data, relu4(v128.load(data)));
}
