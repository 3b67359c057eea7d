/**
 * Float weights to int8: symmetric, -127 .. 127, with one scale per row. Additions, multiplications, divisions and
 * square roots in a fixed order, so that every engine makes the same file of the same weights.
 */

/** The name of an int8 matrix's scales in a state dict. */
export function scaleNameOf(name: string): string {
  return `${name}_scale`;
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
 * How much all inputs of a row have in common: their mean, squared, over their variance. 0.12 for the features that Silero
 * VAD's LSTM reads, 0.04 for its h; from 0.03 to 0.1 it makes little difference, and 0.05 was taken for the least mean error
 * on that example's 609 frames, before likeness was made use of; they are no independent measure of it.
 */
const COMMON = 0.05;
/**
 * Columns whose likeness to each other is made use of, at most. Time grows with it: at 128 a matrix of 2048 x 512 takes
 * 0.3 s, of which the scales are 0.1 s. Silero VAD's 128 columns have 77 % of the error that they have without likeness;
 * in blocks of 64 it is 80 %, of 43 84 %.
 */
const BLOCK = 128;
/**
 * How far from a weight its integer may be: to either neighbour. A weight that is an integer, but for float32's rounding,
 * keeps it: zeros do, and the largest weight, by which weights that have been int8 find their own integers again.
 */
const REACH = 1 - 2 ** -16;
/** Rounds over a row's weights, at most: the trained rows of bench/int8 need 3 as a rule until none turns, and at most 9. */
const ROUNDS = 20;
/**
 * What a row's largest weight may become, before it is cut to 127: each gives a scale to try. A row of 64 numbers fits
 * one of them so much better than the others that its error is 6 % below that of 127 alone, one of 256 numbers 2 %.
 * Whole numbers, so that weights that have been int8 find their own integers again.
 */
const LEVELS = [127, 126, 125, 124, 123, 122, 121, 120, 119, 118, 117, 116, 115, 128, 129, 130];
/** The least float32 above 0: the scale of a row whose largest weight / 127 would round to 0. */
const LEAST_SCALE = 2 ** -149;
/** Added and taken away again, it rounds a float64 to the nearest integer, ties to even. */
const ROUNDING = 1.5 * 2 ** 52;

/**
 * A row's scale is, of those in LEVELS, the one with the least squared error; a row of zeros has the scale 1. Integers are
 * the nearest to weight / scale, turned to the other neighbour where that makes the error of what the row gives for the
 * inputs expected less (see {@link Likeness}). NaN and infinity have no integer.
 */
export function quantizeMatrix(data: Float32Array, rows: number): QuantizedMatrix {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  const bad = data.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0) {
    const place = `[${Math.floor(bad / columns)}][${bad % columns}]`;
    return { values, scales, problem: `${place}: expected a finite number to quantise, got ${data[bad]}` };
  }
  const likeness = likenessOf(data, rows, columns);
  for (let row = 0; row < rows; row++) {
    const begin = row * columns;
    const weights = data.subarray(begin, begin + columns);
    const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    const scale = largest === 0 ? 1 : bestScale(weights, largest);
    scales[row] = scale;
    roundTogether(weights, scale, likeness, values.subarray(begin, begin + columns));
  }
  return { values, scales };
}

/**
 * What is made least for each row is the sum of e[i] e[j] E[x[i] x[j]], over the errors e of its weights and all pairs of
 * inputs x. Nobody says what the inputs are, but trained weights do: gradients are sums of inputs, and so two columns are
 * alike where their inputs were. E[x[i] x[j]] is taken to be 1 for i = j, and `share` times the cosine of the columns i and
 * j on top; then COMMON of all this for every pair. Against COMMON alone, the mean errors of the trained networks in
 * bench/int8 are 22 to 32 % less, averaged over 12 drawn sets of scales; with the inputs' true statistics, which nobody has
 * here, they would be about half.
 *
 * `share` is the part of the squared cosines that chance does not explain, which gives 1 / rows: 0.9 or more for most
 * trained matrices, 0 to 0.07 for drawn ones, which are therefore rounded nearly as if there were no likeness.
 */
interface Likeness {
  readonly share: number;
  readonly blocks: readonly LikenessBlock[];
}

interface LikenessBlock {
  readonly begin: number;
  readonly size: number;
  /** [size, size]: the expected product of every two inputs without COMMON. */
  readonly products: Float64Array;
}

function likenessOf(data: Float32Array, rows: number, columns: number): Likeness {
  const count = Math.ceil(columns / BLOCK);
  const blocks = Array.from({ length: count }, (_, block) => {
    const begin = Math.floor((block * columns) / count);
    const size = Math.floor(((block + 1) * columns) / count) - begin;
    return { begin, size, products: cosines(data, columns, begin, size) };
  });
  let pairs = 0;
  let squares = 0;
  for (const { size, products } of blocks) {
    pairs += size * (size - 1);
    for (let at = 0; at < products.length; at++) squares += products[at]! * products[at]!;
    squares -= size;
  }
  const share = Math.max(0, 1 - pairs / (rows * Math.max(squares, Number.MIN_VALUE)));
  for (const { size, products } of blocks) {
    for (let at = 0; at < products.length; at++) products[at] = products[at]! * share;
    for (let at = 0; at < size; at++) products[at * size + at] = 1 + share;
  }
  return { share, blocks };
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** The cosine of every two of some columns, 1 for a column with itself. Four rows at a time: 1.2x over the whole. */
function cosines(data: Float32Array, columns: number, begin: number, size: number): Float64Array {
  const result = new Float64Array(size * size);
  const [first, second, third, fourth] = Array.from({ length: 4 }, () => new Float64Array(size)) as Four;
  for (let from = begin; from < data.length; from += 4 * columns) {
    [first, second, third, fourth].forEach((weights, row) => {
      // Rows after the last are zeros.
      for (let at = 0; at < size; at++) weights[at] = data[from + row * columns + at] ?? 0;
    });
    for (let one = 0; one < size; one++) {
      const line = one * size;
      const [a, b, c, d] = [first[one]!, second[one]!, third[one]!, fourth[one]!];
      for (let other = 0; other <= one; other++) {
        const more = a * first[other]! + b * second[other]! + (c * third[other]! + d * fourth[other]!);
        result[line + other] = result[line + other]! + more;
      }
    }
  }
  const lengths = first;
  for (let at = 0; at < size; at++) lengths[at] = Math.sqrt(result[at * size + at]!);
  for (let one = 0; one < size; one++) {
    for (let other = 0; other < one; other++) {
      const both = lengths[one]! * lengths[other]!;
      const cosine = both === 0 ? 0 : result[one * size + other]! / both;
      result[one * size + other] = cosine;
      result[other * size + one] = cosine;
    }
    result[one * size + one] = 1;
  }
  return result;
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

/** Begins with the nearest integers, and turns weights by one as long as that makes the sum in {@link Likeness} less. */
function roundTogether(
  weights: Float32Array,
  scale: number,
  { share, blocks }: Likeness,
  integers: Int8Array,
): void {
  const inverse = 1 / scale;
  const common = COMMON * (1 + share);
  // A turn changes the sum by this, and by twice the slope, the sum's derivative halved.
  const curvature = 1 + share + common;
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
  { begin, size, products }: LikenessBlock,
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
function addFourLines(block: LikenessBlock, at: number, errors: Float64Array, slopes: Float64Array): void {
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
