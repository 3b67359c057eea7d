/** Functions of one number, for every number of a buffer. Nothing past the last number is read or written. */

import { relu4, sigmoid4, tanh4 } from "../activation";
import { assertNumbers } from "../debug";
import { erf4, exp4, gelu4, geluTanh4, log4 } from "./functions";
import { loadPart, storePart } from "./lanes";

export const UNARY_RELU: i32 = 0;
export const UNARY_SIGMOID: i32 = 1;
export const UNARY_TANH: i32 = 2;
export const UNARY_EXP: i32 = 3;
export const UNARY_NEG: i32 = 4;
export const UNARY_ABS: i32 = 5;
export const UNARY_SQRT: i32 = 6;
/** alpha x + beta. */
export const UNARY_LINEAR: i32 = 7;
export const UNARY_LOG: i32 = 8;
export const UNARY_ERF: i32 = 9;
export const UNARY_GELU: i32 = 10;
export const UNARY_GELU_TANH: i32 = 11;
/** alpha x where x is below 0. */
export const UNARY_LEAKY_RELU: i32 = 12;
/** From alpha to beta. */
export const UNARY_CLIP: i32 = 13;
export const UNARY_RECIPROCAL: i32 = 14;
export const UNARY_FLOOR: i32 = 15;
export const UNARY_CEIL: i32 = 16;
/** To the nearest integer, halves to the even one. */
export const UNARY_ROUND: i32 = 17;

/** @inline */
function unary4(kind: i32, x: v128, alpha: v128, beta: v128): v128 {
  if (kind === UNARY_RELU) return relu4(x);
  if (kind === UNARY_SIGMOID) return sigmoid4(x);
  if (kind === UNARY_TANH) return tanh4(x);
  if (kind === UNARY_EXP) return exp4(x);
  if (kind === UNARY_NEG) return f32x4.neg(x);
  if (kind === UNARY_ABS) return f32x4.abs(x);
  if (kind === UNARY_SQRT) return f32x4.sqrt(x);
  if (kind === UNARY_LINEAR) return f32x4.add(f32x4.mul(x, alpha), beta);
  if (kind === UNARY_LOG) return log4(x);
  if (kind === UNARY_ERF) return erf4(x);
  if (kind === UNARY_GELU) return gelu4(x);
  if (kind === UNARY_GELU_TANH) return geluTanh4(x);
  if (kind === UNARY_LEAKY_RELU) return v128.bitselect(f32x4.mul(x, alpha), x, f32x4.lt(x, f32x4.splat(0)));
  if (kind === UNARY_CLIP) return f32x4.pmin(f32x4.pmax(x, alpha), beta);
  if (kind === UNARY_RECIPROCAL) return f32x4.div(f32x4.splat(1), x);
  if (kind === UNARY_FLOOR) return f32x4.floor(x);
  if (kind === UNARY_CEIL) return f32x4.ceil(x);
  return f32x4.nearest(x);
}

/**
 * A loop of its own for each kind: the kind is a constant where this is inlined, so that no number asks for it. At asc's
 * level 3 Binaryen folds equal code before it knows that, and one loop asks for the kind at each vector: 10 times as long
 * for the last kinds. The function stands in it once, also for the last vector: twice would be 4 KB more of each binary.
 * @returns of the last vector
 * @inline
 */
function each(
  kind: i32,
  input: usize,
  output: usize,
  stop: usize,
  last: v128,
  alpha: v128,
  beta: v128,
): v128 {
  let x = input < stop ? v128.load(input) : last;
  for (;;) {
    x = unary4(kind, x, alpha, beta);
    if (input >= stop) break;
    v128.store(output, x);
    input += 16;
    output += 16;
    x = input < stop ? v128.load(input) : last;
  }
  return x;
}

/**
 * A function of `count` numbers; `input` and `output` may be one buffer, and need no alignment but that of a number.
 * @param alpha, beta  what LINEAR, LEAKY_RELU and CLIP have of them; other kinds ignore them
 */
export function unary(kind: i32, input: usize, output: usize, count: i32, alpha: f32, beta: f32): void {
  assertNumbers(input, count);
  assertNumbers(output, count);
  if (count <= 0) return;
  // The last four numbers are a vector of their own, read before others are written over it.
  const beyond = ((<usize>count) << 2) - 16;
  const last = count >= 4 ? v128.load(input + beyond) : loadPart(input, count);
  const y = dispatch(kind, input, output, input + ((<usize>(count - 1) >> 2) << 4), last, alpha, beta);
  if (count >= 4) v128.store(output + beyond, y);
  else storePart(output, y, count);
}

/** @inline */
function dispatch(
  kind: i32,
  input: usize,
  output: usize,
  stop: usize,
  last: v128,
  alpha: f32,
  beta: f32,
): v128 {
  const a = f32x4.splat(alpha);
  const b = f32x4.splat(beta);
  if (kind === UNARY_RELU) return each(UNARY_RELU, input, output, stop, last, a, b);
  if (kind === UNARY_SIGMOID) return each(UNARY_SIGMOID, input, output, stop, last, a, b);
  if (kind === UNARY_TANH) return each(UNARY_TANH, input, output, stop, last, a, b);
  if (kind === UNARY_EXP) return each(UNARY_EXP, input, output, stop, last, a, b);
  if (kind === UNARY_NEG) return each(UNARY_NEG, input, output, stop, last, a, b);
  if (kind === UNARY_ABS) return each(UNARY_ABS, input, output, stop, last, a, b);
  if (kind === UNARY_SQRT) return each(UNARY_SQRT, input, output, stop, last, a, b);
  if (kind === UNARY_LINEAR) return each(UNARY_LINEAR, input, output, stop, last, a, b);
  if (kind === UNARY_LOG) return each(UNARY_LOG, input, output, stop, last, a, b);
  if (kind === UNARY_ERF) return each(UNARY_ERF, input, output, stop, last, a, b);
  if (kind === UNARY_GELU) return each(UNARY_GELU, input, output, stop, last, a, b);
  if (kind === UNARY_GELU_TANH) return each(UNARY_GELU_TANH, input, output, stop, last, a, b);
  if (kind === UNARY_LEAKY_RELU) return each(UNARY_LEAKY_RELU, input, output, stop, last, a, b);
  if (kind === UNARY_CLIP) return each(UNARY_CLIP, input, output, stop, last, a, b);
  if (kind === UNARY_RECIPROCAL) return each(UNARY_RECIPROCAL, input, output, stop, last, a, b);
  if (kind === UNARY_FLOOR) return each(UNARY_FLOOR, input, output, stop, last, a, b);
  if (kind === UNARY_CEIL) return each(UNARY_CEIL, input, output, stop, last, a, b);
  return each(UNARY_ROUND, input, output, stop, last, a, b);
}
