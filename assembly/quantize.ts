/**
 * Quantised rows: what the int8 kernels read instead of a row of float32.
 *
 *   [scale f32][address of the float row, or 0][totals i32 ...] [group 0][group 1] ...     x = scale q
 *
 * q is a 14-bit integer, -8191 .. 8191, with a scale of its own for every row: largest |x| / 8191. That is 64 times finer
 * than the weights' 8 bits, so the weights' rounding dominates. A group holds four q + 8192 in 8 bytes, in the form that
 * the build's dot product takes (simd.ts). Groups past the last number are q = 0, up to a multiple of four groups.
 *
 * A total is the sum of q + 8192 of one chunk, CHUNK_LINES groups. Header and totals are filled up to 16 bytes.
 *
 * Rows that 14 bits cannot hold:
 *   NaN       the scale is NaN, and so is every sum, as in float32.
 *   infinity, or a largest |x| below 2^-100, whose scale would lose bits as a subnormal number: the address of the float
 *             row is kept, and the products are taken in float32 (int8.ts).
 *   zero      scale 0.
 *
 * Rounding is to nearest, ties to even, of the float32 product x * (8191 / largest): one multiplication and one addition,
 * never fused, so that all builds and engines get the same integers.
 */

import { copyFloats } from "./memory";
import { storeGroups } from "./simd";

/** Groups, or lines of weights, whose sums fit in 32 bits: 2048 numbers, 2048 * 128 * 8191 < 2^31. */
export const CHUNK_LINES: i32 = 512;

/** Bytes in front of the groups of a row of `count` numbers. */
export function headerBytes(count: i32): usize {
  const chunks = (count + 4 * CHUNK_LINES - 1) / (4 * CHUNK_LINES);
  return (8 + 4 * <usize>chunks + 15) & ~15;
}

const INFINITY_BITS: i32 = 0x7f800000;
// 2^-100: 8191 / 2^-100 is still finite, and 2^-100 / 8191 is a normal number.
const LEAST_BITS: i32 = 0x0d800000;
/** The last, incomplete sixteen numbers of a row, filled up with zeros. */
const REST: usize = memory.data(64, 16);

/**
 * `rows` rows of `count` floats; row strides in bytes. Each target row has room for headerBytes and 32 bytes per 16 numbers
 * begun.
 */
export function quantizeRows(
  rows: i32,
  count: i32,
  source: usize,
  sourceRow: usize,
  target: usize,
  targetRow: usize,
): void {
  for (; rows > 0; rows--) {
    quantizeRow(count, source, target);
    source += sourceRow;
    target += targetRow;
  }
}

function quantizeRow(count: i32, source: usize, target: usize): void {
  const whole = (<usize>(count & ~15)) << 2;
  const end = source + whole;
  if (count & 15) {
    memory.fill(REST, 0, 64);
    copyFloats(REST, end, count & 15);
  }
  // Without their signs, floats are in the order of their bits as integers; NaN is above infinity.
  let most = i32x4.splat(0);
  if (count & 15) most = largestOf(REST);
  for (let at = source; at < end; at += 64) most = i32x4.max_s(most, largestOf(at));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
  const bits = i32x4.extract_lane(most, 0);
  const largest = reinterpret<f32>(bits);

  const special = bits === INFINITY_BITS || (bits > 0 && bits < LEAST_BITS);
  f32.store(target, largest / 8191);
  store<usize>(target, special ? source : 0, 4);
  const factor = f32x4.splat(bits === 0 || special ? 0 : <f32>8191 / largest);
  let totals = target + 8;
  target += headerBytes(count);
  while (source < end) {
    const chunk = min(end, source + ((<usize>CHUNK_LINES) << 4));
    let sum = i32x4.splat(0);
    for (; source < chunk; source += 64) {
      sum = i32x4.add(sum, storeSixteen(target, source, factor));
      target += 32;
    }
    store<i32>(totals, addLanes(sum));
    totals += 4;
  }
  if (count & 15) {
    // Groups wholly past the row have no line of weights, so they do not count.
    const unused = 16 - (((count & 15) + 3) & ~3);
    const total = addLanes(storeSixteen(target, REST, factor)) - 8192 * unused;
    // The rest belongs to the last chunk, unless that is full.
    if ((count & ~15) % (4 * CHUNK_LINES)) store<i32>(totals - 4, load<i32>(totals - 4) + total);
    else store<i32>(totals, total);
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
  const a = quantizeFour(v128.load(source), factor);
  const b = quantizeFour(v128.load(source, 16), factor);
  const c = quantizeFour(v128.load(source, 32), factor);
  const d = quantizeFour(v128.load(source, 48), factor);
  storeGroups(target, a, b, c, d);
  return i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
}

function addLanes(a: v128): i32 {
  const pairs = i32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/** q + 8192: adding 2^23 leaves an integer in the low bits of the sum. The mask keeps what NaN makes within 14 bits. */
function quantizeFour(x: v128, factor: v128): v128 {
  const sum = f32x4.add(f32x4.mul(x, factor), f32x4.splat(8388608.0 + 8192.0));
  return v128.and(sum, i32x4.splat(0x3fff));
}
