/**
 * Functions of one number, on four float32 lanes, that the core does not have. NaN gives NaN.
 *
 * The largest errors against float64 are relative ones: exp and log 3e-7, erf 4e-7; Gelu 4e-7 of |x|.
 */

import { expNegated, sigmoidDenominator } from "../activation";
import { normal } from "../shaped";

const HALF: f32 = 0.5;
const ONE: f32 = 1;
const SQRT_2: f32 = <f32>Math.SQRT2;
// Of log4, read from memory: in V8 a constant takes three instructions wherever it is, a load one.
const ROOT_HALF: usize = memory.data<u32>([0x3f3504f3]);
const MANTISSA: usize = memory.data<u32>([0x7fffff]);
const LEAST_NORMAL: usize = memory.data<f32>([1.1754943508222875e-38]);
const TWO_23: usize = memory.data<f32>([8388608.0]);
const ARTANH_3: usize = memory.data<f32>([0.2993212640285492]);
const ARTANH_2: usize = memory.data<f32>([0.3997456431388855]);
const ARTANH_1: usize = memory.data<f32>([0.666668176651001]);
const ARTANH_0: usize = memory.data<f32>([2.0]);
const LN2_LOW: usize = memory.data<f32>([1.428606765330187e-6]);
const LN2_HIGH: usize = memory.data<f32>([0.693145751953125]);
const INFINITY: usize = memory.data<f32>([Infinity]);

/** a x + b, rounded twice in both builds. */
function madd(a: v128, x: v128, b: v128): v128 {
  return f32x4.add(f32x4.mul(a, x), b);
}

/**
 * e^x. The core's is Infinity from 88.376 on, float32 ends at 88.72. Of x above 88 the high part of ln 2 is taken off,
 * which is exact there; what e^x loses by it is the factor.
 */
export function exp4(x: v128): v128 {
  const large = f32x4.gt(x, f32x4.splat(88));
  const less = f32x4.sub(x, v128.and(large, f32x4.splat(0.693145751953125)));
  const factor = v128.bitselect(f32x4.splat(1.9999971427884), f32x4.splat(ONE), large);
  return f32x4.mul(expNegated(f32x4.neg(less)), factor);
}

/**
 * The natural logarithm of 2^e m, m from sqrt(1/2) to sqrt(2), as e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1). That
 * loses no digit near 1. 2 artanh(s) / s is a polynomial in s^2, within 2e-9.
 */
export function log4(x: v128): v128 {
  const one = f32x4.splat(ONE);
  const small = f32x4.lt(x, v128.load32_splat(LEAST_NORMAL));
  const scaled = f32x4.mul(x, v128.bitselect(v128.load32_splat(TWO_23), one, small));
  const bits = i32x4.sub(scaled, v128.load32_splat(ROOT_HALF));
  const exponent = i32x4.sub(i32x4.shr_s(bits, 23), v128.and(small, i32x4.splat(23)));
  const m = i32x4.add(v128.and(bits, v128.load32_splat(MANTISSA)), v128.load32_splat(ROOT_HALF));
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const square = f32x4.mul(s, s);
  let sum = v128.load32_splat(ARTANH_3);
  sum = madd(sum, square, v128.load32_splat(ARTANH_2));
  sum = madd(sum, square, v128.load32_splat(ARTANH_1));
  sum = madd(sum, square, v128.load32_splat(ARTANH_0));
  const e = f32x4.convert_i32x4_s(exponent);
  const low = madd(e, v128.load32_splat(LN2_LOW), f32x4.mul(s, sum));
  const result = madd(e, v128.load32_splat(LN2_HIGH), low);
  // Infinity and NaN are what they are; 0 is -Infinity, and what is below it NaN.
  const zero = f32x4.splat(0);
  const finite = f32x4.lt(x, v128.load32_splat(INFINITY));
  const least = v128.bitselect(f32x4.splat(-Infinity), f32x4.splat(NaN), f32x4.eq(x, zero));
  return v128.bitselect(v128.bitselect(result, least, f32x4.gt(x, zero)), x, finite);
}

/** The error function: x times a polynomial of x^2 up to 1, beyond it by the normal distribution. */
export function erf4(x: v128): v128 {
  const square = f32x4.mul(x, x);
  let sum = f32x4.splat(-0.0005648059886880219);
  sum = madd(sum, square, f32x4.splat(0.004921761807054281));
  sum = madd(sum, square, f32x4.splat(-0.026715055108070374));
  sum = madd(sum, square, f32x4.splat(0.11280316859483719));
  sum = madd(sum, square, f32x4.splat(-0.37612342834472656));
  sum = madd(sum, square, f32x4.splat(1.1283791065216064));
  const size = f32x4.abs(x);
  // Of -|x| it is the tail, which is small: no digit of 1 - 2 tail is lost.
  const below = normal(f32x4.mul(size, f32x4.splat(-SQRT_2)), expNegated(square));
  const far = f32x4.sub(f32x4.splat(ONE), f32x4.add(below, below));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(f32x4.mul(x, sum), signed, f32x4.le(size, f32x4.splat(ONE)));
}

/** x times the distribution function of the normal distribution. */
export function gelu4(x: v128): v128 {
  const power = expNegated(f32x4.mul(f32x4.mul(x, x), f32x4.splat(HALF)));
  return f32x4.mul(x, normal(x, power));
}

/** Its approximation x (1 + tanh(y)) / 2, which is x / (1 + e^-2y): no digit is lost where tanh is near -1. */
export function geluTanh4(x: v128): v128 {
  const cubic = madd(f32x4.mul(x, x), f32x4.splat(0.07135481282), f32x4.splat(1.5957691216));
  return f32x4.div(x, sigmoidDenominator(f32x4.mul(x, cubic)));
}
