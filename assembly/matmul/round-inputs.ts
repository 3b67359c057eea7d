/**
 * Rounded rows: what the int8 kernels read in place of a row of float32; x = scale * q.
 *
 *   [scale f32][address of the float row, or 0][totals i32 ...] [group 0][group 1] ...
 *
 * q is a 14-bit integer, -8191 .. 8191, with a scale of its own for every row: largest |x| / 8191. That is 64 times
 * finer than the weights' 8 bits, so that the weights' rounding dominates. A group holds q + 8192 of four inputs,
 * in the form that the build's dot product takes (dot.ts). Groups past the last input are q = 0, up to a multiple
 * of four groups.
 *
 * A total is the sum of q + 8192 over SUM_COLUMNS inputs, the last one over what is left. All that comes before the
 * groups is filled up to 16 bytes.
 *
 * Rows that 14 bits cannot hold:
 *   NaN       the scale is NaN, and so is every product, as in float32.
 *   infinity, or a largest |x| below 2^-100, whose scale would lose bits as a subnormal number: the address of the
 *             float row is kept, and the products are taken in float32 (i8.ts).
 *   zero      the scale is 0.
 *
 * Rounding is to nearest, ties to even, of the float32 product x * (8191 / largest): one multiplication and one
 * addition, never fused, so that all builds and engines get the same integers.
 */

import { assertNumbers, assertRows } from "../debug";
import { restScratch } from "../instance";
import { copyFloats } from "../memory";
import { SUM_COLUMNS } from "../records";
import { storeGroups } from "./dot";

/** Bytes in front of the groups of a rounded row of `columns` inputs. */
export function roundedHeader(columns: i32): usize {
  const sections = (columns + SUM_COLUMNS - 1) / SUM_COLUMNS;
  return (8 + 4 * <usize>sections + 15) & ~15;
}

/** Bytes of a rounded row of `columns` inputs: the header, and 32 bytes for every 16 inputs begun. */
export function roundedRow(columns: i32): usize {
  return roundedHeader(columns) + ((<usize>((columns + 15) >> 4)) << 5);
}

/** Sixteen inputs are rounded at once; so many times for one total. */
const SECTION_SIXTEENS: i32 = SUM_COLUMNS / 16;

const INFINITY_BITS: i32 = 0x7f800000;
// 2^-100: 8191 / 2^-100 is still finite, and 2^-100 / 8191 is a normal number.
const LEAST_BITS: i32 = 0x0d800000;

/** Rounds `rows` rows of `columns` floats, `inputRow` bytes apart, into rows of roundedRow(columns) bytes. */
export function roundInputs(rows: i32, columns: i32, input: usize, inputRow: usize, rounded: usize): void {
  assertNumbers(input, rows > 0 ? <i32>(<usize>(rows - 1) * (inputRow >> 2)) + columns : 0);
  assertRows(rounded, rows, roundedRow(columns));
  const step = roundedRow(columns);
  for (; rows > 0; rows--) {
    roundRow(columns, input, rounded);
    input += inputRow;
    rounded += step;
  }
}

function roundRow(count: i32, source: usize, target: usize): void {
  const whole = count >> 4;
  const partial = count & 15;
  const sixteens = (count + 15) >> 4;
  const rest = restScratch();
  if (partial) {
    memory.fill(rest, 0, 64);
    copyFloats(rest, source + ((<usize>whole) << 6), partial);
  }
  // Without their signs, floats are in the order of their bits as integers; NaN is above infinity.
  let most = i32x4.splat(0);
  for (let at = 0; at < sixteens; at++) {
    most = i32x4.max_s(most, largestOf(at < whole ? source + ((<usize>at) << 6) : rest));
  }
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  const bits = i32x4.extract_lane(most, 0);
  const largest = reinterpret<f32>(bits);

  const special = bits === INFINITY_BITS || (bits > 0 && bits < LEAST_BITS);
  f32.store(target, largest / 8191);
  store<usize>(target, special ? source : 0, 4);
  const factor = f32x4.splat(bits === 0 || special ? 0 : <f32>8191 / largest);
  let total = target + 8;
  target += roundedHeader(count);
  let sum = i32x4.splat(0);
  for (let at = 0; at < sixteens; at++) {
    sum = i32x4.add(sum, storeSixteen(target, at < whole ? source : rest, factor));
    source += 64;
    target += 32;
    if (at % SECTION_SIXTEENS === SECTION_SIXTEENS - 1 || at === sixteens - 1) {
      store<i32>(total, addLanes(sum));
      sum = i32x4.splat(0);
      total += 4;
    }
  }
  if (partial) {
    // Groups wholly past the row have no line of weights, so they do not count.
    const unused = 16 - ((partial + 3) & ~3);
    store<i32>(total - 4, load<i32>(total - 4) - 8192 * unused);
  }
}

/** The bits of the largest |x| of sixteen numbers, in four candidates. */
function largestOf(source: usize): v128 {
  const mask = i32x4.splat(0x7fffffff);
  const a = i32x4.max_s(v128.and(v128.load(source), mask), v128.and(v128.load(source, 16), mask));
  const b = i32x4.max_s(v128.and(v128.load(source, 32), mask), v128.and(v128.load(source, 48), mask));
  return i32x4.max_s(a, b);
}

/** Stores four groups, and returns four parts of their sum. */
function storeSixteen(target: usize, source: usize, factor: v128): v128 {
  const a = roundFour(v128.load(source), factor);
  const b = roundFour(v128.load(source, 16), factor);
  const c = roundFour(v128.load(source, 32), factor);
  const d = roundFour(v128.load(source, 48), factor);
  storeGroups(target, a, b, c, d);
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

function addLanes(a: v128): i32 {
  const pairs = i32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/**
 * q + 8192: adding 2^23 leaves an integer in the low bits of the sum. The mask keeps what NaN makes within 14 bits.
 */
function roundFour(x: v128, factor: v128): v128 {
  const sum = f32x4.add(f32x4.mul(x, factor), f32x4.splat(8388608.0 + 8192.0));
  return v128.and(sum, i32x4.splat(0x3fff));
}
