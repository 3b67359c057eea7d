/**
 * exp, sigmoid, tanh and relu on four float32 lanes, and the table of activations.
 *
 * Largest error against float64, over all of float32: sigmoid and tanh 3 ULP in both builds. Where sigmoid is
 * subnormal, less than 2^-126 is lost: it is 0 below -88.4, PyTorch's 1 / (1 + e^-x) below -88.7. NaN gives NaN.
 *
 * Both come from e^-y = 2^n e^-r with n = round(-y / ln 2), r = y + n ln 2 and |r| <= ln(2)/2. q is the polynomial
 * of degree 5 for (1 - e^-r) / r, 1 at r = 0, fitted to the least relative error of r q(r): 1.3e-8, a fifth of an
 * ULP. For tanh y is 2|x|; its r and q are those of |x|, so that nothing is doubled.
 *
 * The constants are read from memory: a v128.const costs three instructions in V8 wherever it is used, a load one.
 */

import { madd, nmadd } from "./build";
import { assertRows } from "./debug";

const ONE: usize = memory.data<f32>([1.0]);
const TWO: usize = memory.data<f32>([2.0]);
const SIGN: usize = memory.data<u32>([0x80000000]);
// Adding 1.5 * 2^23 rounds to an integer in the low bits of the sum. With the 127 they are the exponent field of 2^n.
const ROUND: usize = memory.data<f32>([12582912.0 + 127.0]);

const MINUS_LOG2_E: usize = memory.data<f32>([-1.4426950216293335]);
// ln 2 in two parts; the first has 16 significant bits, so that its product with n (8 bits) is exact.
const LN2_HIGH: usize = memory.data<f32>([0.693145751953125]);
const LN2_LOW: usize = memory.data<f32>([1.428606765330187e-6]);
const Q1: usize = memory.data<f32>([-0.4999999701976776]);
const Q2: usize = memory.data<f32>([0.1666654348373413]);
const Q3: usize = memory.data<f32>([-0.04166720062494278]);
const Q4: usize = memory.data<f32>([0.008366547524929047]);
const Q5: usize = memory.data<f32>([-0.0013882515486329794]);
// 2^n is Inf at -89, its exponent field being 255, and 0 at 88.1.
const EXP_LEAST: usize = memory.data<f32>([-89.0]);
const EXP_MOST: usize = memory.data<f32>([88.1]);

// One part of ln 2 is enough for tanh: its error grows with n, and what e^(-2|x|) is of 1 falls faster.
const MINUS_2_LOG2_E: usize = memory.data<f32>([-2.885390043258667]);
const HALF_LN2: usize = memory.data<f32>([0.3465735912322998]);
// 2 q(2 r)
const TANH_Q1: usize = memory.data<f32>([-4.0 * 0.4999999701976776]);
const TANH_Q2: usize = memory.data<f32>([8.0 * 0.1666654348373413]);
const TANH_Q3: usize = memory.data<f32>([-16.0 * 0.04166720062494278]);
const TANH_Q4: usize = memory.data<f32>([32.0 * 0.008366547524929047]);
const TANH_Q5: usize = memory.data<f32>([-64.0 * 0.0013882515486329794]);
// tanh is 1 in float32 from 9.02 on.
const TANH_MOST: usize = memory.data<f32>([20.0]);

function constant(address: usize): v128 {
  return v128.load32_splat(address);
}

/** c0 + c1 r + ... + c5 r^5: three short chains rather than one long one, since latency is what counts. */
function polynomial(r: v128, c0: usize, c1: usize, c2: usize, c3: usize, c4: usize, c5: usize): v128 {
  const square = f32x4.mul(r, r);
  const high = madd(constant(c5), r, constant(c4));
  const middle = madd(constant(c3), r, constant(c2));
  const low = madd(constant(c1), r, constant(c0));
  return madd(madd(high, square, middle), square, low);
}

/**
 * e^-x + `term`. `pmin(a, b)` is `b < a ? b : a` and `pmax(a, b)` is `a < b ? b : a`: one instruction each, and a
 * NaN in a stays.
 */
function expNegatedPlus(x: v128, term: v128): v128 {
  const y = f32x4.pmin(f32x4.pmax(x, constant(EXP_LEAST)), constant(EXP_MOST));
  const rounded = madd(y, constant(MINUS_LOG2_E), constant(ROUND));
  const n = f32x4.sub(rounded, constant(ROUND));
  const r = madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), y));
  const q = polynomial(r, ONE, Q1, Q2, Q3, Q4, Q5);
  return madd(i32x4.shl(rounded, 23), nmadd(r, q, constant(ONE)), term);
}

/** e^-x; Inf below -88.4, 0 from 87.7 on. */
export function expNegated(x: v128): v128 {
  return expNegatedPlus(x, f32x4.splat(0));
}

/*
 * What sigmoid and tanh divide by what, so that a product of two of them needs one division.
 *   sigmoid(x) = 1 / (1 + e^-x)
 *   tanh(x)    = sign(x) m / (2 - m)   with m = 1 - e^(-2|x|), to full relative accuracy near 0
 */

/** 1 + e^-x, 1 to Inf. */
export function sigmoidDenominator(x: v128): v128 {
  return expNegatedPlus(x, constant(ONE));
}

/** m, 0 to 1. */
export function tanhMagnitude(x: v128): v128 {
  const y = f32x4.pmin(v128.andnot(x, constant(SIGN)), constant(TANH_MOST));
  const rounded = madd(y, constant(MINUS_2_LOG2_E), constant(ROUND));
  const r = madd(f32x4.sub(rounded, constant(ROUND)), constant(HALF_LN2), y);
  const power = i32x4.shl(rounded, 23);
  const q = polynomial(r, TWO, TANH_Q1, TANH_Q2, TANH_Q3, TANH_Q4, TANH_Q5);
  return madd(f32x4.mul(power, r), q, f32x4.sub(constant(ONE), power));
}

export function tanhNumerator(x: v128, m: v128): v128 {
  return v128.or(m, v128.and(x, constant(SIGN)));
}

export function tanhDenominator(m: v128): v128 {
  return f32x4.sub(constant(TWO), m);
}

export function sigmoid4(x: v128): v128 {
  return f32x4.div(constant(ONE), sigmoidDenominator(x));
}

export function tanh4(x: v128): v128 {
  const m = tanhMagnitude(x);
  return f32x4.div(tanhNumerator(x, m), tanhDenominator(m));
}

/** max(x, 0) with NaN kept, as PyTorch's relu. */
export function relu4(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}

/** The activations by number, as a layer's record has them. */
export const TANH: i32 = 0;
export const RELU: i32 = 1;
export const SIGMOID: i32 = 2;

/** The table of activations: a line for each. */
export function activate4(activation: i32, x: v128): v128 {
  if (activation === TANH) return tanh4(x);
  if (activation === RELU) return relu4(x);
  if (activation === SIGMOID) return sigmoid4(x);
  return x;
}

/** An activation of `count` floats in place; the buffer reaches to the next multiple of four. */
export function activate(activation: i32, data: usize, count: i32): void {
  assertRows(data, (count + 3) >> 2, 16);
  for (const end = data + ((<usize>count) << 2); data < end; data += 16) {
    v128.store(data, activate4(activation, v128.load(data)));
  }
}

/**
 * `slope` times x, where x is not above 0; in place. With `halves`, tanh(x / 2) of each, it is `slope` times e^x - 1,
 * which is 2 t / (1 - t): no digit is lost near 0. The buffers reach to the next multiple of four.
 */
export function rectify(data: usize, count: i32, slope: f32, halves: usize): void {
  assertRows(data, (count + 3) >> 2, 16);
  if (halves) assertRows(halves, (count + 3) >> 2, 16);
  for (const end = data + ((<usize>count) << 2); data < end; data += 16) {
    const x = v128.load(data);
    let below = x;
    if (halves) {
      const t = v128.load(halves);
      below = f32x4.div(f32x4.add(t, t), f32x4.sub(constant(ONE), t));
      halves += 16;
    }
    v128.store(data, v128.bitselect(x, f32x4.mul(below, f32x4.splat(slope)), f32x4.gt(x, f32x4.splat(0))));
  }
}
