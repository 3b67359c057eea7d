/** Float weights to int8: symmetric, -127 .. 127, with one scale per row. */

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

/** The least float32 above 0: the scale of a row whose largest weight / 127 would round to 0. */
const LEAST_SCALE = 2 ** -149;

/**
 * A row's scale is its largest magnitude / 127; a row of zeros has the scale 1. Integers are the nearest to weight /
 * scale. NaN and infinity have none.
 */
export function quantizeMatrix(data: Float32Array, rows: number): QuantizedMatrix {
  const columns = data.length / rows;
  const values = new Int8Array(data.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const end = start + columns;
    let largest = 0;
    for (let at = start; at < end; at++) {
      const size = Math.abs(data[at]!);
      if (!(size < Number.POSITIVE_INFINITY)) {
        const problem = `[${row}][${at - start}]: expected a finite number to quantise, got ${data[at]}`;
        return { values, scales, problem };
      }
      if (size > largest) largest = size;
    }
    const scale = largest === 0 ? 1 : Math.max(LEAST_SCALE, Math.fround(largest / 127));
    scales[row] = scale;
    for (let at = start; at < end; at++) {
      values[at] = Math.max(-127, Math.min(127, Math.round(data[at]! / scale)));
    }
  }
  return { values, scales };
}
