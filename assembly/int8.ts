/**
 * Matrix products with int8 weights: output = start + (sum of weight * q) * (scale of the weights' row) * (scale of the
 * inputs' row), with quantised rows of inputs (quantize.ts).
 *
 * The panel is the float32 one (panel.ts) with four int8 weights in place of a float: those of one output for four
 * consecutive inputs; simd.ts arranges its lines. Columns past the last input are zero.
 *
 * Sums are exact: q + 8192 is what is multiplied, and `corrections` takes 8192 * (sum of the weights) away again. A sum
 * over CHUNK_LINES lines, 2048 inputs, fits in 32 bits. Longer rows are cut into such chunks, whose sums are added in
 * float32. All builds do the same operations from there on, none of them fused, so a product has the
 * same bits everywhere, and a row's bits depend on no other row.
 */

import { blockCount, Matrix } from "./matrix";
import { CHUNK_LINES, headerBytes } from "./quantize";
import { groupVectors, restoreLines, sumGroups } from "./simd";

// Room for the widest line.
const LINE: usize = memory.data(96, 16);
const SUMS: usize = memory.data(96, 16);
const TOTALS: usize = memory.data(96, 16);

/** One block of outputs for each row; strides in bytes, `start` is one row for all. */
export function projectInt8(
  matrix: usize,
  block: i32,
  rows: i32,
  input: usize,
  inputRow: usize,
  start: usize,
  output: usize,
  outputRow: usize,
): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  const lines = (columns + 3) >> 2;
  const header = headerBytes(columns);
  const lineBytes = (<usize>groupVectors()) << 4;
  const offset = <usize>block * lineBytes;
  const panel = fields.panel + <usize>block * fields.blockBytes;
  const scales = fields.scales + offset;
  const corrections = fields.corrections + offset;
  for (; rows > 0; rows--) {
    const floats = load<usize>(input, 4);
    if (floats) projectFloats(columns, floats, panel, lineBytes, scales, start, output);
    else if (lines > CHUNK_LINES) {
      projectLongRow(matrix, input, header, panel, lineBytes, scales, corrections, start, output);
    } else {
      sumGroups(lines, input + header, load<i32>(input, 8), panel, corrections, SUMS);
      for (let at: usize = 0; at < lineBytes; at += 16) {
        const sum = f32x4.convert_i32x4_s(v128.load(SUMS + at));
        storeScaled(sum, scales + at, input, start + at, output + at);
      }
    }
    input += inputRow;
    output += outputRow;
  }
}

/** A row of more than one chunk. */
function projectLongRow(
  matrix: usize,
  input: usize,
  header: usize,
  panel: usize,
  lineBytes: usize,
  scales: usize,
  corrections: usize,
  start: usize,
  output: usize,
): void {
  const correctionsRow = <usize>blockCount(matrix) * lineBytes;
  let lines = (changetype<Matrix>(matrix).columns + 3) >> 2;
  let groups = input + header;
  let total = input + 8;
  memory.fill(TOTALS, 0, lineBytes);
  for (; lines > 0; lines -= CHUNK_LINES) {
    sumGroups(min(lines, CHUNK_LINES), groups, load<i32>(total), panel, corrections, SUMS);
    for (let at: usize = 0; at < lineBytes; at += 16) {
      const sum = f32x4.convert_i32x4_s(v128.load(SUMS + at));
      v128.store(TOTALS + at, f32x4.add(v128.load(TOTALS + at), sum));
    }
    groups += (<usize>CHUNK_LINES) << 3;
    total += 4;
    panel += <usize>CHUNK_LINES * lineBytes;
    corrections += correctionsRow;
  }
  for (let at: usize = 0; at < lineBytes; at += 16) {
    storeScaled(v128.load(TOTALS + at), scales + at, input, start + at, output + at);
  }
}

/** Four outputs. In this order nothing overflows or loses bits before the result does, for weights below 2^100. */
function storeScaled(sum: v128, scales: usize, scale: usize, start: usize, output: usize): void {
  const product = f32x4.mul(f32x4.mul(sum, v128.load(scales)), v128.load32_splat(scale));
  v128.store(output, f32x4.add(v128.load(start), product));
}

/** The same in float32, for rows that are not quantised: each weight times its scale, times the input. */
function projectFloats(
  columns: i32,
  input: usize,
  panel: usize,
  lineBytes: usize,
  scales: usize,
  start: usize,
  output: usize,
): void {
  memory.copy(output, start, lineBytes);
  for (let column = 0; column < columns; column++) {
    if ((column & 3) === 0) {
      memory.copy(LINE, panel, lineBytes);
      restoreLines(LINE, lineBytes);
      panel += lineBytes;
    }
    const x = v128.load32_splat(input);
    for (let at: usize = 0; at < lineBytes; at += 16) {
      const product = f32x4.mul(weightsOf(LINE + at, column, scales + at), x);
      v128.store(output + at, f32x4.add(v128.load(output + at), product));
    }
    input += 4;
  }
}

/** Four weights of one column in float32: the byte to the top of its group, and down again with its sign. */
function weightsOf(group: usize, column: i32, scales: usize): v128 {
  const integers = i32x4.shr_s(i32x4.shl(v128.load(group), 24 - ((column & 3) << 3)), 24);
  return f32x4.mul(f32x4.convert_i32x4_s(integers), v128.load(scales));
}
