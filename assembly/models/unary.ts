/** Functions of one number, for every number of a buffer. Nothing past the last number is written. */

import { expNegated, relu4, sigmoid4, tanh4 } from "../activation";
import { assertNumbers } from "../debug";

export const UNARY_RELU: i32 = 0;
export const UNARY_SIGMOID: i32 = 1;
export const UNARY_TANH: i32 = 2;
export const UNARY_EXP: i32 = 3;
export const UNARY_NEG: i32 = 4;
export const UNARY_ABS: i32 = 5;
export const UNARY_SQRT: i32 = 6;
/** alpha x + beta. */
export const UNARY_LINEAR: i32 = 7;

/** @inline */
function unary4(kind: i32, x: v128, alpha: v128, beta: v128): v128 {
  if (kind === UNARY_RELU) return relu4(x);
  if (kind === UNARY_SIGMOID) return sigmoid4(x);
  if (kind === UNARY_TANH) return tanh4(x);
  if (kind === UNARY_EXP) return expNegated(f32x4.neg(x));
  if (kind === UNARY_NEG) return f32x4.neg(x);
  if (kind === UNARY_ABS) return f32x4.abs(x);
  if (kind === UNARY_SQRT) return f32x4.sqrt(x);
  return f32x4.add(f32x4.mul(x, alpha), beta);
}

/** A loop of its own for each kind: the kind is a constant where this is inlined, so that no number asks for it. @inline */
function each(kind: i32, input: usize, output: usize, count: i32, alpha: f32, beta: f32): void {
  const scale = f32x4.splat(alpha);
  const shift = f32x4.splat(beta);
  for (; count >= 4; count -= 4) {
    v128.store(output, unary4(kind, v128.load(input), scale, shift));
    input += 16;
    output += 16;
  }
  for (; count > 0; count--) {
    v128.store_lane<f32>(output, unary4(kind, v128.load_splat<f32>(input), scale, shift), 0);
    input += 4;
    output += 4;
  }
}

/**
 * A function of `count` numbers; `input` and `output` may be one buffer, and need no alignment but that of a number.
 * @param alpha, beta  what LINEAR has of them; other kinds ignore them
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
  else each(UNARY_LINEAR, input, output, count, alpha, beta);
}
