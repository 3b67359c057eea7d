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
 * A loop of its own for each kind: the kind is a constant where this is inlined, so that no number asks for it. The
 * function stands in it once, also for the last numbers: twice would be 3 KB more of each binary.
 * @inline
 */
function each(kind: i32, input: usize, output: usize, count: i32, alpha: f32, beta: f32): void {
  const scale = f32x4.splat(alpha);
  const shift = f32x4.splat(beta);
  for (; count > 0; count -= 4) {
    const whole = count >= 4;
    const y = unary4(kind, whole ? v128.load(input) : loadPart(input, count), scale, shift);
    if (whole) v128.store(output, y);
    else storePart(output, y, count);
    input += 16;
    output += 16;
  }
}

/**
 * A function of `count` numbers; `input` and `output` may be one buffer, and need no alignment but that of a number.
 * @param alpha, beta  what LINEAR, LEAKY_RELU and CLIP have of them; other kinds ignore them
 */
export function unary(kind: i32, input: usize, output: usize, count: i32, alpha: f32, beta: f32): void {
  assertNumbers(input, count);
  assertNumbers(output, count);
  if (kind === UNARY_RELU) each(UNARY_RELU, input, output, count, alpha, beta);
  else if (kind === UNARY_SIGMOID) each(UNARY_SIGMOID, input, output, count, alpha, beta);
  else if (kind === UNARY_TANH) each(UNARY_TANH, input, output, count, alpha, beta);
  else if (kind === UNARY_EXP) each(UNARY_EXP, input, output, count, alpha, beta);
  else if (kind === UNARY_NEG) each(UNARY_NEG, input, output, count, alpha, beta);
  else if (kind === UNARY_ABS) each(UNARY_ABS, input, output, count, alpha, beta);
  else if (kind === UNARY_SQRT) each(UNARY_SQRT, input, output, count, alpha, beta);
  else if (kind === UNARY_LINEAR) each(UNARY_LINEAR, input, output, count, alpha, beta);
  else if (kind === UNARY_LOG) each(UNARY_LOG, input, output, count, alpha, beta);
  else if (kind === UNARY_ERF) each(UNARY_ERF, input, output, count, alpha, beta);
  else if (kind === UNARY_GELU) each(UNARY_GELU, input, output, count, alpha, beta);
  else if (kind === UNARY_GELU_TANH) each(UNARY_GELU_TANH, input, output, count, alpha, beta);
  else if (kind === UNARY_LEAKY_RELU) each(UNARY_LEAKY_RELU, input, output, count, alpha, beta);
  else if (kind === UNARY_CLIP) each(UNARY_CLIP, input, output, count, alpha, beta);
  else if (kind === UNARY_RECIPROCAL) each(UNARY_RECIPROCAL, input, output, count, alpha, beta);
  else if (kind === UNARY_FLOOR) each(UNARY_FLOOR, input, output, count, alpha, beta);
  else if (kind === UNARY_CEIL) each(UNARY_CEIL, input, output, count, alpha, beta);
  else each(UNARY_ROUND, input, output, count, alpha, beta);
}
