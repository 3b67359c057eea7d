/**
 * Float weights to int8: symmetric, -127 .. 127, with one scale per row. Additions, multiplications and divisions in
 * a fixed order, so that every engine makes the same file of the same weights.
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
 * VAD's LSTM reads, 0.04 for its h; from 0.05 to 1 it makes little difference, and 0.05 was taken for the least mean error
 * on that example's 609 frames, which therefore are no independent measure of it.
 */
const COMMON = 0.05;
/**
 * What a row's largest weight may become, before it is cut to 127: each gives a scale to try. A row of 64 numbers fits
 * one of them so much better than the others that its error is 6 % below that of 127 alone, one of 256 numbers 2 %.
 * Whole numbers, so that weights that have been int8 find their own scale again.
 */
const LEVELS = [127, 126, 125, 124, 123, 122, 121, 120, 119, 118, 117, 116, 115, 128, 129, 130];
/** The least float32 above 0: the scale of a row whose largest weight / 127 would round to 0. */
const LEAST_SCALE = 2 ** -149;
/** Added and taken away again, it rounds a float64 to the nearest integer, ties to even. */
const ROUNDING = 1.5 * 2 ** 52;

/**
 * A row's scale is, of those in LEVELS, the one with the least squared error; a row of zeros has the scale 1. Integers are
 * the nearest to weight / scale, but for the few nearest to a tie, which are turned the other way as long as that makes
 * (sum of squared errors) + COMMON * (sum of errors)^2 less: what all inputs have in common is then multiplied by nearly
 * the right sum. NaN and infinity have no integer.
 */
export function quantizeMatrix(data: Float32Array, rows: number): QuantizedMatrix {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  const errors = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const weights = data.subarray(row * columns, (row + 1) * columns);
    let largest = 0;
    for (let at = 0; at < columns; at++) {
      const size = Math.abs(weights[at]!);
      if (!(size < Number.POSITIVE_INFINITY)) {
        const problem = `[${row}][${at}]: expected a finite number to quantise, got ${weights[at]}`;
        return { values, scales, problem };
      }
      if (size > largest) largest = size;
    }
    const scale = largest === 0 ? 1 : bestScale(weights, largest);
    scales[row] = scale;
    roundKeepingSum(weights, scale, values.subarray(row * columns, (row + 1) * columns), errors);
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

/** `errors` is room for one number per weight. */
function roundKeepingSum(
  weights: Float32Array,
  scale: number,
  integers: Int8Array,
  errors: Float64Array,
): void {
  const inverse = 1 / scale;
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    const exact = weights[at]! * inverse;
    integers[at] = nearest(exact);
    errors[at] = exact - integers[at]!;
    sum += errors[at]!;
  }
  const direction = Math.sign(sum);
  // How far each weight is on its way to the next integer in that direction; it never gets there where there is none.
  for (let at = 0; at < weights.length; at++) {
    errors[at] = integers[at] === direction * LARGEST ? Number.NEGATIVE_INFINITY : errors[at]! * direction;
  }
  let rest = Math.abs(sum);
  if (COMMON * (2 * rest - 1) <= 0) return;
  const sorted = errors.slice().sort();
  let first = sorted.length;
  for (; first > 0 && 1 - 2 * sorted[first - 1]! < COMMON * (2 * rest - 1); rest--) first--;
  if (first === sorted.length) return;
  const least = sorted[first]!;
  let ties = sorted.lastIndexOf(least) - first + 1;
  for (let at = 0; at < weights.length; at++) {
    if (errors[at]! > least || (errors[at] === least && ties-- > 0)) integers[at] = integers[at]! + direction;
  }
}
