/**
 * Float weights to int8: symmetric, -127 .. 127, with one scale per row. Additions, multiplications, divisions and
 * square roots in a fixed order, so that every engine makes the same file of the same weights (and the same products of
 * inputs, where they are given).
 */

import { type InputProducts, type ProductBlock, productsOfWeights } from "./expected-inputs.js";

const SCALE_SUFFIX = "_scale";

/** The name of an int8 matrix's scales in a state dict. */
export function scaleNameOf(name: string): string {
  return name + SCALE_SUFFIX;
}

/** The inverse of scaleNameOf; undefined for a name that is not one of scales. */
export function matrixNameOf(scaleName: string): string | undefined {
  return scaleName.endsWith(SCALE_SUFFIX) ? scaleName.slice(0, -SCALE_SUFFIX.length) : undefined;
}

export interface QuantizedMatrix {
  readonly values: Int8Array;
  /** weight = scale * value */
  readonly scales: Float32Array;
  /** What makes it impossible, as the end of a message that begins with the matrix's name. */
  readonly problem?: string;
}

const LARGEST = 127;
/**
 * How far from a weight its integer may be: to either neighbour. A weight that is an integer, but for float32's rounding,
 * keeps it: zeros do, and the largest weight, by which weights that have been int8 find their own integers again.
 */
const REACH = 1 - 2 ** -16;
/** Rounds over a row's weights, at most: the trained rows of bench/int8 need 3 as a rule until none turns, and at most 9. */
const ROUNDS = 20;
/**
 * What a row's largest weight may become, before it is cut to 127: each gives a scale to try, and of equal errors the first
 * counts. A row of 64 numbers fits one of them so much better than the others that its error is 6 % below that of 127 alone,
 * one of 256 numbers 2 %. Whole numbers, so that weights that have been int8 find their own integers again.
 */
const LEVELS = [127, 126, 125, 124, 123, 122, 121, 120, 119, 118, 117, 116, 115, 128, 129, 130];
/** The least float32 above 0: the scale of a row whose largest weight / 127 would round to 0. */
const LEAST_SCALE = 2 ** -149;
/** Added and taken away again, it rounds a float64 to the nearest integer, ties to even. */
const ROUNDING = 1.5 * 2 ** 52;

/**
 * A row's scale is, of those in LEVELS, the one with the least squared error; a row of zeros has the scale 1. Integers are
 * the nearest to weight / scale, turned to the other neighbour where that makes the error of what the row gives for the
 * inputs expected less (see {@link InputProducts}). NaN and infinity have no integer.
 *
 * @param products of the inputs; what the weights tell of them when left out
 */
export function quantizeMatrix(data: Float32Array, rows: number, products?: InputProducts): QuantizedMatrix {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  const bad = data.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) {
    const place = `[${Math.floor(bad / columns)}][${bad % columns}]`;
    return { values, scales, problem: `${place}: expected a finite number to quantise, got ${data[bad]}` };
  }
  const expected = products ?? productsOfWeights(data, rows, columns);
  for (let row = 0; row < rows; row++) {
    const begin = row * columns;
    const weights = data.subarray(begin, begin + columns);
    const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    const scale = largest === 0 ? 1 : bestScale(weights, largest);
    scales[row] = scale;
    roundTogether(weights, scale, expected, values.subarray(begin, begin + columns));
  }
  return { values, scales };
}

function bestScale(weights: Float32Array, largest: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const level of LEVELS) {
    const scale = Math.max(LEAST_SCALE, Math.fround(largest / level));
    const error = squaredError(weights, scale);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

function squaredError(weights: Float32Array, scale: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    const exact = weights[at]! * inverse;
    const error = exact - nearest(exact);
    sum += error * error;
  }
  return sum * scale * scale;
}

function nearest(exact: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, exact + ROUNDING - ROUNDING));
}

/** Begins with the nearest integers, and turns weights by one as long as that makes the sum in {@link InputProducts} less. */
function roundTogether(
  weights: Float32Array,
  scale: number,
  { common, blocks }: InputProducts,
  integers: Int8Array,
): void {
  const inverse = 1 / scale;
  const errors = new Float64Array(weights.length);
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    const exact = weights[at]! * inverse;
    integers[at] = nearest(exact);
    errors[at] = exact - integers[at]!;
    sum += errors[at]!;
  }
  const slopes = new Float64Array(weights.length);
  for (const block of blocks) {
    let at = 0;
    for (; at + 4 <= block.size; at += 4) addFourLines(block, at, errors, slopes);
    for (; at < block.size; at++) addLine(block, at, errors[block.begin + at]!, slopes);
  }
  for (let round = 0, turns = 1; round < ROUNDS && turns > 0; round++) {
    turns = 0;
    for (const block of blocks) {
      for (let at = 0; at < block.size; at++) {
        const column = block.begin + at;
        const slope = slopes[column]! + common * sum;
        // A turn changes the sum by the curvature, and by twice the slope, the sum's derivative halved.
        const curvature = block.products[at * block.size + at]! + common;
        if (2 * Math.abs(slope) <= curvature) continue;
        const turn = Math.sign(slope);
        const error = errors[column]! - turn;
        if (Math.abs(error) > REACH || integers[column] === turn * LARGEST) continue;
        turns++;
        integers[column] = integers[column]! + turn;
        errors[column] = error;
        sum -= turn;
        addLine(block, at, -turn, slopes);
      }
    }
  }
}

/** Adds what an error of one column adds to the slopes of its block. */
function addLine(
  { begin, size, products }: ProductBlock,
  at: number,
  error: number,
  slopes: Float64Array,
): void {
  const line = at * size;
  for (let other = 0; other < size; other++) {
    slopes[begin + other] = slopes[begin + other]! + error * products[line + other]!;
  }
}

/** addLine for four columns at once: 1.6x over the whole. */
function addFourLines(block: ProductBlock, at: number, errors: Float64Array, slopes: Float64Array): void {
  const { begin, size, products } = block;
  const [first, second, third, fourth] = [at * size, (at + 1) * size, (at + 2) * size, (at + 3) * size];
  const column = begin + at;
  const [a, b, c, d] = [errors[column]!, errors[column + 1]!, errors[column + 2]!, errors[column + 3]!];
  for (let other = 0; other < size; other++) {
    const more =
      a * products[first + other]! +
      b * products[second + other]! +
      (c * products[third + other]! + d * products[fourth + other]!);
    slopes[begin + other] = slopes[begin + other]! + more;
  }
}
