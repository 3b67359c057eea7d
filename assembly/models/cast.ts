/** Numbers of one type as those of another. What a type does not hold wraps or is rounded, as in arrays of JavaScript. */

import { loadPart, storePart } from "./lanes";
import { lowWord } from "./rows";

export const CAST_FLOAT: i32 = 0;
/** Kept as f64. */
export const CAST_INT64: i32 = 1;
export const CAST_INT32: i32 = 2;
/** Also what bool is taken from. */
export const CAST_UINT8: i32 = 3;
export const CAST_INT8: i32 = 4;
/** 0 or 1; as are those below, only to be made. */
export const CAST_BOOL: i32 = 5;
/** Floats of 16 bits, kept as f32. */
export const CAST_HALF: i32 = 6;
export const CAST_BFLOAT: i32 = 7;

/** @returns 0, or 1 where a float is no int64 within 2^53 */
export function cast(from: i32, to: i32, input: usize, output: usize, count: i32): i32 {
  if (to === CAST_FLOAT) {
    if (from === CAST_INT32) return each(CAST_INT32, CAST_FLOAT, input, output, count);
    if (from === CAST_INT64) return each(CAST_INT64, CAST_FLOAT, input, output, count);
    if (from === CAST_UINT8) {
      for (; count > 4; count -= 4) {
        const bytes = v128.load32_zero(input);
        const words = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
        v128.store(output, f32x4.convert_i32x4_u(words));
        input += 4;
        output += 16;
      }
    }
  }
  if (from === CAST_FLOAT && to >= CAST_HALF) {
    // Also in place, after each node of such numbers.
    for (; count >= 4; count -= 4) {
      v128.store(output, narrow4(to, v128.load(input)));
      input += 16;
      output += 16;
    }
    storePart(output, narrow4(to, loadPart(input, count)), count);
    return 0;
  }
  // Letters that are to be indices, and numbers that count.
  if (to === CAST_INT64) {
    if (from === CAST_UINT8) return each(CAST_UINT8, CAST_INT64, input, output, count);
    if (from === CAST_INT32) return each(CAST_INT32, CAST_INT64, input, output, count);
    if (from === CAST_FLOAT) return each(CAST_FLOAT, CAST_INT64, input, output, count);
  }
  return each(from, to, input, output, count);
}

/** A loop of its own where both types are constants. @inline */
function each(from: i32, to: i32, input: usize, output: usize, count: i32): i32 {
  const inputSize = sizeOf(from);
  const outputSize = sizeOf(to);
  let wrong = 0;
  for (; count > 0; count--) {
    let x: f64;
    if (from === CAST_FLOAT) x = <f64>load<f32>(input);
    else if (from === CAST_INT64) x = load<f64>(input);
    else if (from === CAST_INT32) x = <f64>load<i32>(input);
    else if (from === CAST_UINT8) x = <f64>load<u8>(input);
    else x = <f64>load<i8>(input);
    if (to === CAST_FLOAT) store<f32>(output, <f32>x);
    else if (to === CAST_HALF) store<f32>(output, half(x));
    else if (to === CAST_BFLOAT) store<f32>(output, bfloat(<f32>x));
    else if (to === CAST_BOOL) store<u8>(output, <u8>(x !== 0));
    else if (to === CAST_INT32) store<i32>(output, wrap(x));
    else if (to === CAST_INT64) {
      if (from === CAST_FLOAT) {
        x = trunc(x);
        if (!(abs(x) < 9007199254740992)) wrong = 1;
      }
      store<f64>(output, x);
    } else store<u8>(output, <u8>wrap(x));
    input += inputSize;
    output += outputSize;
  }
  return wrong;
}

/** @inline */
function sizeOf(type: i32): usize {
  if (type === CAST_INT64) return 8;
  return type === CAST_UINT8 || type === CAST_INT8 || type === CAST_BOOL ? 1 : 4;
}

/** The integer in x, mod 2^32; 0 of what is not finite. */
export function wrap(x: f64): i32 {
  let whole = trunc(x);
  if (!(abs(whole) <= 2147483648)) {
    if (!(abs(whole) < Infinity)) return 0;
    whole -= floor(whole / 4294967296) * 4294967296;
  }
  return lowWord(whole);
}

/** The nearest number of binary16: 11 bits down to 2^-24, infinite from 65520 on. */
function half(x: f64): f32 {
  if (!(abs(x) < 65520)) return <f32>(x * Infinity);
  const exponent = max<i64>(((reinterpret<i64>(x) >> 52) & 0x7ff) - 1023, -14) - 10;
  const unit = reinterpret<f64>((exponent + 1023) << 52);
  return <f32>(nearest(x / unit) * unit);
}

/** The nearest number of bfloat16, the upper half of a float32. */
function bfloat(x: f32): f32 {
  const bits = reinterpret<u32>(x);
  // NaN stays.
  if ((bits & 0x7fffffff) > 0x7f800000) return x;
  return reinterpret<f32>((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

/** The nearest numbers of 16 bits (half, bfloat). NaN stays. */
function narrow4(to: i32, x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const size = v128.xor(x, sign);
  const bits = to === CAST_HALF ? 13 : 16;
  const odd = v128.and(i32x4.shr_u(size, bits), i32x4.splat(1));
  const half = i32x4.splat((1 << (bits - 1)) - 1);
  let y = v128.and(i32x4.add(i32x4.add(size, half), odd), i32x4.splat(-1 << bits));
  if (to === CAST_HALF) {
    // Below 2^-14 they are 2^-24 apart, as numbers of float32 from 0.5 on are.
    const small = f32x4.sub(f32x4.add(size, f32x4.splat(0.5)), f32x4.splat(0.5));
    y = v128.bitselect(small, y, f32x4.lt(size, f32x4.splat(0.00006103515625)));
    y = v128.bitselect(f32x4.splat(Infinity), y, f32x4.ge(size, f32x4.splat(65520)));
  }
  return v128.or(sign, v128.bitselect(y, size, f32x4.eq(size, size)));
}
