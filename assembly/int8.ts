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

import { Matrix } from "./matrix";
import { CHUNK_LINES, headerBytes } from "./quantize";
import { restoreLines, sumGroups } from "./simd";

const LINE: usize = memory.data(64, 16);
const SUMS: usize = memory.data(64, 16);

/** One block of sixteen outputs for each row; strides in bytes, `start` is one row for all. */
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
  for (; rows > 0; rows--) {
    projectRow(matrix, block, input, start, output);
    input += inputRow;
    output += outputRow;
  }
}

function projectRow(matrix: usize, block: i32, input: usize, start: usize, output: usize): void {
  const fields = changetype<Matrix>(matrix);
  const offset = (<usize>block) << 6;
  const scales = fields.scales + offset;
  let panel = fields.panel + <usize>block * fields.blockBytes;
  const floats = load<usize>(input, 4);
  if (floats) {
    projectFloats(fields.columns, floats, panel, scales, start, output);
    return;
  }
  let lines = (fields.columns + 3) >> 2;
  let corrections = fields.corrections + offset;
  let totals = input + 8;
  let groups = input + headerBytes(fields.columns);
  sumGroups(min(lines, CHUNK_LINES), groups, load<i32>(totals), panel, corrections, SUMS);
  let s0 = f32x4.convert_i32x4_s(v128.load(SUMS));
  let s1 = f32x4.convert_i32x4_s(v128.load(SUMS, 16));
  let s2 = f32x4.convert_i32x4_s(v128.load(SUMS, 32));
  let s3 = f32x4.convert_i32x4_s(v128.load(SUMS, 48));
  for (lines -= CHUNK_LINES; lines > 0; lines -= CHUNK_LINES) {
    corrections += (<usize>(fields.vectors + 3) & ~3) << 4;
    groups += (<usize>CHUNK_LINES) << 3;
    panel += (<usize>CHUNK_LINES) << 6;
    totals += 4;
    sumGroups(min(lines, CHUNK_LINES), groups, load<i32>(totals), panel, corrections, SUMS);
    s0 = f32x4.add(s0, f32x4.convert_i32x4_s(v128.load(SUMS)));
    s1 = f32x4.add(s1, f32x4.convert_i32x4_s(v128.load(SUMS, 16)));
    s2 = f32x4.add(s2, f32x4.convert_i32x4_s(v128.load(SUMS, 32)));
    s3 = f32x4.add(s3, f32x4.convert_i32x4_s(v128.load(SUMS, 48)));
  }
  // In this order the products neither overflow nor lose bits before the result does.
  const scale = v128.load32_splat(input);
  s0 = f32x4.mul(f32x4.mul(s0, v128.load(scales)), scale);
  s1 = f32x4.mul(f32x4.mul(s1, v128.load(scales, 16)), scale);
  s2 = f32x4.mul(f32x4.mul(s2, v128.load(scales, 32)), scale);
  s3 = f32x4.mul(f32x4.mul(s3, v128.load(scales, 48)), scale);
  v128.store(output, f32x4.add(v128.load(start), s0));
  v128.store(output, f32x4.add(v128.load(start, 16), s1), 16);
  v128.store(output, f32x4.add(v128.load(start, 32), s2), 32);
  v128.store(output, f32x4.add(v128.load(start, 48), s3), 48);
}

/** The same in float32, for rows that are not quantised: each weight times its scale, times the input. */
function projectFloats(
  columns: i32,
  input: usize,
  panel: usize,
  scales: usize,
  start: usize,
  output: usize,
): void {
  let s0 = v128.load(start);
  let s1 = v128.load(start, 16);
  let s2 = v128.load(start, 32);
  let s3 = v128.load(start, 48);
  for (let column = 0; column < columns; column++) {
    if ((column & 3) === 0) {
      memory.copy(LINE, panel, 64);
      restoreLines(LINE, 1);
      panel += 64;
    }
    const x = v128.load32_splat(input);
    s0 = f32x4.add(s0, f32x4.mul(weightsOf(LINE, column, scales), x));
    s1 = f32x4.add(s1, f32x4.mul(weightsOf(LINE + 16, column, scales + 16), x));
    s2 = f32x4.add(s2, f32x4.mul(weightsOf(LINE + 32, column, scales + 32), x));
    s3 = f32x4.add(s3, f32x4.mul(weightsOf(LINE + 48, column, scales + 48), x));
    input += 4;
  }
  v128.store(output, s0);
  v128.store(output, s1, 16);
  v128.store(output, s2, 32);
  v128.store(output, s3, 48);
}

/** Four weights of one column in float32: the byte to the top of its group, and down again with its sign. */
function weightsOf(group: usize, column: i32, scales: usize): v128 {
  const integers = i32x4.shr_s(i32x4.shl(v128.load(group), 24 - ((column & 3) << 3)), 24);
  return f32x4.mul(f32x4.convert_i32x4_s(integers), v128.load(scales));
}
