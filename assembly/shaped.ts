/**
 * The activations that a layer can have besides tanh, sigmoid and relu, on four float32 lanes. A few bases with
 * constants make all of them (src/nn/activations.ts is the table): hard sigmoid, relu6 and hard tanh are one CLIP.
 *
 * Formulas are those of ONNX's recurrent operators and of Keras. The host checks the constants. NaN gives NaN. The
 * largest errors against float64 are relative ones: exponential, elu, selu, celu and silu 4e-7, scaledTanh 5e-7,
 * softplus, logSigmoid and mish 3e-7, softsign and squareplus 2e-7; gelu 3e-7 of |x|, tanhShrink 4e-7 of |x|. Those of
 * comparisons and bounds round once or twice. Where e^x is below 2^-126 it may be 0; from 88.376 on it is Infinity.
 */

import { activate4, expNegated, SIGMOID, TANH } from "./activation";
import { assertRows } from "./debug";
import { Activation } from "./records";

/** min(max(alpha x + beta, low), high). */
export const CLIP: i32 = 3;
/** alpha tanh(beta x). */
export const SCALED_TANH: i32 = 4;
/** alpha x above 0, else beta (e^(low x) - 1), low positive. */
export const EXPONENTIAL_LINEAR: i32 = 5;
/** x above 0, else alpha x. */
export const LEAKY: i32 = 6;
/** e^x. */
export const EXPONENTIAL: i32 = 7;
/** x / (1 + |x|). */
export const SOFTSIGN: i32 = 8;
/** alpha ln(1 + e^(alpha x)), alpha 1 or -1. */
export const SOFTPLUS: i32 = 9;
/** (x + sqrt(x^2 + alpha)) / 2, alpha not negative. */
export const SQUARE_PLUS: i32 = 10;
/** The distribution function of the normal distribution. */
export const NORMAL: i32 = 11;
/** tanh(ln(1 + e^x)). */
export const TANH_SOFTPLUS: i32 = 12;
/** 0 below alpha, else 1. */
export const FROM: i32 = 13;
/** 0 from -alpha to alpha, else 1. */
export const BEYOND: i32 = 14;

/** What is made of a base: itself, x times it, or x less it. */
export const PLAIN: i32 = 0;
export const TIMES: i32 = 1;
export const LESS: i32 = 2;

const ZERO: f32 = 0;
const ONE: f32 = 1;
const HALF: f32 = 0.5;

/** The activation of a record. */
export function shape4(activation: usize, x: v128): v128 {
  const use = changetype<Activation>(activation).use;
  const base = base4(activation, x);
  if (use === LESS) return f32x4.sub(x, base);
  if (use === PLAIN) return base;
  // Where the base is 0 the limit is 0, also at -Infinity.
  return v128.bitselect(base, f32x4.mul(x, base), f32x4.eq(base, f32x4.splat(ZERO)));
}

/** `count` floats in place; the buffer reaches to the next multiple of four. */
export function shape(activation: usize, data: usize, count: i32): void {
  assertRows(data, (count + 3) >> 2, 16);
  for (const end = data + ((<usize>count) << 2); data < end; data += 16) {
    v128.store(data, shape4(activation, v128.load(data)));
  }
}

function base4(activation: usize, x: v128): v128 {
  const fields = changetype<Activation>(activation);
  const base = fields.base;
  if (base <= SIGMOID) return activate4(base, x);
  const alpha = f32x4.splat(fields.alpha);
  const beta = f32x4.splat(fields.beta);
  if (base === CLIP) return clip4(madd(alpha, x, beta), fields.low, fields.high);
  if (base <= EXPONENTIAL_LINEAR) {
    // One call for both. e^y - 1 is 2 t / (1 - t) with t = tanh(y / 2), which loses no digit of a negative y.
    const linear = base === EXPONENTIAL_LINEAR;
    const t = activate4(TANH, f32x4.mul(linear ? f32x4.splat(fields.low * HALF) : beta, x));
    if (!linear) return f32x4.mul(alpha, t);
    const less = f32x4.div(f32x4.add(t, t), f32x4.sub(f32x4.splat(ONE), t));
    return v128.bitselect(f32x4.mul(alpha, x), f32x4.mul(beta, less), positive(x));
  }
  if (base === LEAKY) return v128.bitselect(x, f32x4.mul(alpha, x), positive(x));
  if (base === SOFTSIGN) return f32x4.div(x, f32x4.add(f32x4.abs(x), f32x4.splat(ONE)));
  if (base === SQUARE_PLUS) return squarePlus(x, alpha);
  if (base === FROM) return oneUnless(f32x4.lt(x, alpha));
  if (base === BEYOND) return oneUnless(f32x4.le(f32x4.abs(x), alpha));
  // One place that takes e^-y: four would be 500 bytes more.
  let y = f32x4.abs(x);
  if (base === EXPONENTIAL) y = f32x4.neg(x);
  if (base === NORMAL) y = f32x4.mul(f32x4.mul(x, x), f32x4.splat(HALF));
  const power = expNegated(y);
  if (base === SOFTPLUS) return f32x4.mul(alpha, softplus(f32x4.mul(alpha, x), power));
  if (base === NORMAL) return normal(x, power);
  return base === TANH_SOFTPLUS ? tanhSoftplus(x, power) : power;
}

/** 1 but where `zero` is set. NaN compares as false, so that it gives 1, and x times that is NaN. */
function oneUnless(zero: v128): v128 {
  return v128.andnot(f32x4.splat(ONE), zero);
}

/** x within bounds; NaN stays. */
export function clip4(x: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high));
}

/** a b + c, rounded as product and sum in both builds: so most of this file is the same bytes in both, 0.2 KB after gzip. */
function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(c, f32x4.mul(a, b));
}

function positive(x: v128): v128 {
  return f32x4.gt(x, f32x4.splat(ZERO));
}

/** max(x, 0) + ln(1 + w), w = e^-|x|. */
function softplus(x: v128, w: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(ZERO)), logOnePlus(w));
}

/**
 * ln(1 + w) of 0 <= w <= 1 as 2 artanh(s), s = w / (2 + w) <= 1/3. artanh(s) / s is a polynomial of degree 5 in s^2,
 * fitted to the least relative error, 1e-10.
 */
function logOnePlus(w: v128): v128 {
  const s = f32x4.div(w, f32x4.add(w, f32x4.splat(2)));
  const square = f32x4.mul(s, s);
  let sum = f32x4.splat(0.12207422405481339);
  sum = madd(sum, square, f32x4.splat(0.10696358978748322));
  sum = madd(sum, square, f32x4.splat(0.14310389757156372));
  sum = madd(sum, square, f32x4.splat(0.19999344646930695));
  sum = madd(sum, square, f32x4.splat(0.33333340287208557));
  sum = madd(sum, square, f32x4.splat(ONE));
  return f32x4.mul(f32x4.add(s, s), sum);
}

/** Of a negative x as alpha / 2 (root + |x|), which loses no digit. */
function squarePlus(x: v128, alpha: v128): v128 {
  const size = f32x4.abs(x);
  // x^2 overflows from 1.8e19 on, where the root is |x|, and is 0 below 3e-23, where it is no less than |x|.
  const least = f32x4.pmax(f32x4.sqrt(madd(x, x, alpha)), size);
  const root = f32x4.pmin(least, f32x4.add(size, f32x4.sqrt(alpha)));
  const half = f32x4.splat(HALF);
  return v128.bitselect(
    // Halved one by one: the sum of the largest floats is none.
    madd(half, size, f32x4.mul(half, root)),
    f32x4.div(f32x4.mul(half, alpha), f32x4.add(size, root)),
    f32x4.ge(x, f32x4.splat(ZERO)),
  );
}

/**
 * Of -|x| it is `power` p(t), power = e^(-x^2 / 2), t = 1 / (1 + 0.3 |x|). p has degree 8, fitted to the least relative error, 6e-8.
 */
export function normal(x: v128, power: v128): v128 {
  const t = f32x4.div(f32x4.splat(ONE), madd(f32x4.abs(x), f32x4.splat(0.3), f32x4.splat(ONE)));
  let sum = f32x4.splat(0.03837786614894867);
  sum = madd(sum, t, f32x4.splat(-0.1691642850637436));
  sum = madd(sum, t, f32x4.splat(0.22865673899650574));
  sum = madd(sum, t, f32x4.splat(-0.07650312036275864));
  sum = madd(sum, t, f32x4.splat(0.14253351092338562));
  sum = madd(sum, t, f32x4.splat(0.09468426555395126));
  sum = madd(sum, t, f32x4.splat(0.12192018330097198));
  sum = madd(sum, t, f32x4.splat(0.1194877102971077));
  sum = madd(sum, t, f32x4.splat(7.16790327714989e-6));
  const tail = f32x4.mul(power, sum);
  return v128.bitselect(f32x4.sub(f32x4.splat(ONE), tail), tail, positive(x));
}

/** n / (n + 2) with n = e^x (e^x + 2), by w = e^-|x|, which does not overflow. */
function tanhSoftplus(x: v128, w: v128): v128 {
  const double = f32x4.add(w, w);
  const rising = positive(x);
  // Of a positive x n and 2 are multiplied by w^2.
  const n = v128.bitselect(f32x4.add(double, f32x4.splat(ONE)), madd(w, w, double), rising);
  const two = v128.bitselect(f32x4.mul(double, w), f32x4.splat(2), rising);
  return f32x4.div(n, f32x4.add(n, two));
}
