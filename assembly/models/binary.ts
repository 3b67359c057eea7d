/**
 * Functions of two numbers, and a choice by a third, of tensors that are broadcast to one. Nothing past a row's last
 * number is read or written. The output may be made in the room of an operand of its shape.
 */

import { CAST_INT32, CAST_INT64 } from "./cast";
import { loadBytes, loadPart, storeMask, storePart } from "./lanes";
import { loadNumber, sizeOfNumber, storeNumber } from "./numbers";
import { Broadcast, BroadcastAxis } from "./records";
import { lowWord } from "./rows";

export const BINARY_ADD: i32 = 0;
export const BINARY_SUB: i32 = 1;
export const BINARY_MUL: i32 = 2;
export const BINARY_DIV: i32 = 3;
export const BINARY_MIN: i32 = 4;
export const BINARY_MAX: i32 = 5;
/** a where it is not below 0, else a b. */
export const BINARY_PRELU: i32 = 6;
/** Any numbers of 4 bytes: a where the byte of c is not 0, else b. */
export const BINARY_SELECT: i32 = 7;
/** These give bytes. */
export const BINARY_EQUAL: i32 = 8;
export const BINARY_LESS: i32 = 9;
export const BINARY_LESS_OR_EQUAL: i32 = 10;
/** These are of bytes. */
export const BINARY_AND: i32 = 11;
export const BINARY_OR: i32 = 12;
export const BINARY_XOR: i32 = 13;
/** These are of numbers of any types: the rest with the sign of b; and what a, less c, is by the scale b. */
export const BINARY_MOD: i32 = 14;
export const BINARY_DEQUANTISE: i32 = 15;

/** @inline */
function binary4(kind: i32, a: v128, b: v128): v128 {
  if (kind === BINARY_ADD) return f32x4.add(a, b);
  if (kind === BINARY_SUB) return f32x4.sub(a, b);
  if (kind === BINARY_MUL) return f32x4.mul(a, b);
  if (kind === BINARY_DIV) return f32x4.div(a, b);
  if (kind === BINARY_MIN) return f32x4.min(a, b);
  if (kind === BINARY_MAX) return f32x4.max(a, b);
  if (kind === BINARY_PRELU) return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  if (kind === BINARY_EQUAL) return f32x4.eq(a, b);
  if (kind === BINARY_LESS) return f32x4.lt(a, b);
  return f32x4.le(a, b);
}

/** Lanes that are set where bytes are not 0. */
function maskOf(bytes: v128): v128 {
  return i32x4.ne(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)), i32x4.splat(0));
}

/**
 * A row of numbers, a loop for each kind (unary.ts). All vectors but the last are made here.
 * @returns the last vector, of the operands `lastA` and `lastB`
 * @inline
 */
function row(
  kind: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  output: usize,
  stop: usize,
  lastA: v128,
  lastB: v128,
): v128 {
  for (; output < stop; output += 16) {
    v128.store(output, binary4(kind, v128.load(a), v128.load(b)));
    a += aStep;
    b += bStep;
  }
  return binary4(kind, lastA, lastB);
}

/** @inline */
function comparedRow(
  kind: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  output: usize,
  stop: usize,
  lastA: v128,
  lastB: v128,
): v128 {
  for (; output < stop; output += 4) {
    storeMask(output, binary4(kind, v128.load(a), v128.load(b)), 4);
    a += aStep;
    b += bStep;
  }
  return binary4(kind, lastA, lastB);
}

/** The last four numbers of a row, or all of fewer. Of an operand that is one number, the vector of it. */
function lastOf(at: usize, step: usize, count: i32): v128 {
  if (!step) return v128.load(at);
  return count >= 4 ? v128.load(at + ((<usize>count) << 2) - 16) : loadPart(at, count);
}

function numbers(kind: i32, a: usize, aStep: usize, b: usize, bStep: usize, output: usize, count: i32): void {
  const x = lastOf(a, aStep, count);
  const y = lastOf(b, bStep, count);
  const stop = output + ((<usize>(count - 1) >> 2) << 4);
  let z: v128;
  if (kind === BINARY_ADD) z = row(BINARY_ADD, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_MUL) z = row(BINARY_MUL, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_SUB) z = row(BINARY_SUB, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_DIV) z = row(BINARY_DIV, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_MIN) z = row(BINARY_MIN, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_MAX) z = row(BINARY_MAX, a, aStep, b, bStep, output, stop, x, y);
  else z = row(BINARY_PRELU, a, aStep, b, bStep, output, stop, x, y);
  if (count >= 4) v128.store(output + ((<usize>count) << 2) - 16, z);
  else storePart(output, z, count);
}

function comparisons(
  kind: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  output: usize,
  count: i32,
): void {
  const x = lastOf(a, aStep, count);
  const y = lastOf(b, bStep, count);
  const stop = output + ((<usize>(count - 1) >> 2) << 2);
  let z: v128;
  if (kind === BINARY_EQUAL) z = comparedRow(BINARY_EQUAL, a, aStep, b, bStep, output, stop, x, y);
  else if (kind === BINARY_LESS) z = comparedRow(BINARY_LESS, a, aStep, b, bStep, output, stop, x, y);
  else z = comparedRow(BINARY_LESS_OR_EQUAL, a, aStep, b, bStep, output, stop, x, y);
  if (count >= 4) storeMask(output + <usize>count - 4, z, 4);
  else storeMask(output, z, count);
}

function select(
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  output: usize,
  count: i32,
): void {
  for (; count > 0; count -= 4) {
    const whole = count >= 4;
    const x = whole || !aStep ? v128.load(a) : loadPart(a, count);
    const y = whole || !bStep ? v128.load(b) : loadPart(b, count);
    const z = v128.bitselect(x, y, maskOf(loadBytes(c, cStep ? count : 4)));
    if (whole) v128.store(output, z);
    else storePart(output, z, count);
    a += aStep;
    b += bStep;
    c += cStep;
    output += 16;
  }
}

function bytes(kind: i32, a: usize, aStep: usize, b: usize, bStep: usize, output: usize, count: i32): void {
  for (; count > 0; count--) {
    const x = load<u8>(a);
    const y = load<u8>(b);
    store<u8>(output++, kind === BINARY_AND ? x & y : kind === BINARY_OR ? x | y : x ^ y);
    a += aStep;
    b += bStep;
  }
}

/** Numbers of any types. Of integers a quotient is cut off. @returns 1 where one is no int64 within 2^53 */
function anyNumbers(
  kind: i32,
  types: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  output: usize,
  count: i32,
): i32 {
  const aType = types & 15;
  const bType = (types >> 4) & 15;
  const cType = (types >> 8) & 15;
  const type = types >> 12;
  const size = sizeOfNumber(type);
  let wrong = 0;
  for (; count > 0; count--) {
    const x = loadNumber(aType, a);
    const y = loadNumber(bType, b);
    let z: f64;
    if (kind === BINARY_ADD) z = x + y;
    else if (kind === BINARY_SUB) z = x - y;
    else if (kind === BINARY_MUL) {
      z = x * y;
      // Past 2^53 a product has lost its last bits.
      if (type === CAST_INT32) z = <f64>(lowWord(x) * lowWord(y));
    } else if (kind === BINARY_DIV) {
      z = y === 0 ? 0 : trunc(x / y);
    } else if (kind === BINARY_MOD) z = y === 0 ? 0 : x - y * floor(x / y);
    else if (kind === BINARY_MIN) z = min(x, y);
    else if (kind === BINARY_MAX) z = max(x, y);
    else if (kind === BINARY_EQUAL) z = <f64>(x === y);
    else if (kind === BINARY_LESS) z = <f64>(x < y);
    else if (kind === BINARY_LESS_OR_EQUAL) z = <f64>(x <= y);
    else if (kind === BINARY_SELECT) z = load<u8>(c) ? x : y;
    else z = (x - loadNumber(cType, c)) * y;
    // What was given may be the largest int64: "to the end" of a Slice.
    if (storeNumber(type, output, z) && type === CAST_INT64 && z !== x && z !== y) wrong = 1;
    a += aStep;
    b += bStep;
    c += cStep;
    output += size;
  }
  return wrong;
}

/**
 * The operands of a record (Broadcast), row by row; it has a number at least.
 * @returns 1 where a result is no int64 within 2^53
 */
export function binary(record: usize): i32 {
  const fields = changetype<Broadcast>(record);
  const kind = fields.kind;
  const count = fields.count;
  const aRuns = fields.aRuns;
  const bRuns = fields.bRuns;
  const cRuns = fields.cRuns;
  const aRoom = fields.rooms;
  const bRoom = fields.rooms + 16;
  const cRoom = fields.rooms + 32;
  const types = fields.types;
  const outputRow = types
    ? <usize>count * sizeOfNumber(types >> 12)
    : (<usize>count) << (kind <= BINARY_SELECT ? 2 : 0);
  const aStep = <usize>aRuns * sizeOfNumber(types & 15);
  const bStep = <usize>bRuns * sizeOfNumber((types >> 4) & 15);
  const cStep = <usize>cRuns * sizeOfNumber((types >> 8) & 15);
  let wrong = 0;
  let a = fields.a;
  let b = fields.b;
  let c = fields.c;
  let output = fields.output;
  for (let rows = fields.rows; rows > 0; rows--) {
    if (types) wrong |= anyNumbers(kind, types, a, aStep, b, bStep, c, cStep, output, count);
    else if (kind >= BINARY_AND) bytes(kind, a, <usize>aRuns, b, <usize>bRuns, output, count);
    else {
      if (!aRuns) v128.store(aRoom, v128.load32_splat(a));
      if (!bRuns) v128.store(bRoom, v128.load32_splat(b));
      const x = aRuns ? a : aRoom;
      const y = bRuns ? b : bRoom;
      const xStep = (<usize>aRuns) << 4;
      const yStep = (<usize>bRuns) << 4;
      if (kind < BINARY_SELECT) numbers(kind, x, xStep, y, yStep, output, count);
      else if (kind === BINARY_SELECT) {
        if (!cRuns) store<i32>(cRoom, <i32>load<u8>(c) * 0x01010101);
        select(x, xStep, y, yStep, cRuns ? c : cRoom, (<usize>cRuns) << 2, output, count);
      } else comparisons(kind, x, xStep, y, yStep, output, count);
    }
    output += outputRow;
    for (let at = record + offsetof<Broadcast>() + <usize>(fields.axes - 1) * offsetof<BroadcastAxis>(); ; ) {
      if (at < record + offsetof<Broadcast>()) break;
      const axis = changetype<BroadcastAxis>(at);
      a += axis.aStride;
      b += axis.bStride;
      c += axis.cStride;
      if (++axis.at < axis.size) break;
      const size = <usize>axis.size;
      axis.at = 0;
      a -= axis.aStride * size;
      b -= axis.bStride * size;
      c -= axis.cStride * size;
      at -= offsetof<BroadcastAxis>();
    }
  }
  return wrong;
}
