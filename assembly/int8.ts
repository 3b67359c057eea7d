/**
 * Matrix products with int8 weights: output = start + (sum of weight * q) * (scale of the weights' row) * (scale of the
 * inputs' row), with quantised rows of inputs (quantize.ts).
 *
 * The panel is the float32 one (panel.ts) with four int8 weights in place of a float: those of one output for four
 * consecutive inputs. Columns past the last input are zero.
 *
 * Sums are exact: q + 8192 is what is multiplied, and `corrections` takes 8192 * (sum of the weights) away again. A sum
 * over CHUNK_LINES lines, 2048 inputs, is at most 2048 * 128 * 8191 < 2^31. Longer rows are cut into such chunks, whose
 * sums are added in float32. All builds do the same operations from there on, none of them fused, so a product has the
 * same bits everywhere, and a row's bits depend on no other row.
 */

import { ROW_HEADER } from "./quantize";
import { sumGroups } from "./simd";

const CHUNK_LINES: i32 = 512;
const SUMS: usize = memory.data(64, 16);

/** A packed matrix, as the host writes it into linear memory; kernels are given its address. */
@unmanaged
class Matrix {
  /** Inputs. */
  columns: i32;
  /** Blocks of 16 outputs. */
  blocks: i32;
  panel: usize;
  blockBytes: usize;
  /** f32 for each output. */
  scales: usize;
  /** i32 for each output, `blocks` * 64 bytes for each chunk. */
  corrections: usize;
}

/** Rows of inputs times a matrix; strides in bytes, those of `start` 0 for a bias. */
export function projectInt8(
  rows: i32,
  matrix: usize,
  input: usize,
  inputRow: usize,
  start: usize,
  output: usize,
  outputRow: usize,
  backwards: i32,
): void {
  const blocks = changetype<Matrix>(matrix).blocks;
  for (let turn = 0; turn < blocks; turn++) {
    const block = backwards ? blocks - 1 - turn : turn;
    const offset = (<usize>block) << 6;
    let x = input;
    let y = output + offset;
    for (let row = 0; row < rows; row++) {
      projectInt8Block(matrix, block, x, start + offset, y);
      x += inputRow;
      y += outputRow;
    }
  }
}

/** Sixteen outputs of one row: those of one block. */
export function projectInt8Block(matrix: usize, block: i32, input: usize, start: usize, output: usize): void {
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
  let groups = input + ROW_HEADER;
  sumGroups(min(lines, CHUNK_LINES), groups, panel, corrections, SUMS);
  let s0 = f32x4.convert_i32x4_s(v128.load(SUMS));
  let s1 = f32x4.convert_i32x4_s(v128.load(SUMS, 16));
  let s2 = f32x4.convert_i32x4_s(v128.load(SUMS, 32));
  let s3 = f32x4.convert_i32x4_s(v128.load(SUMS, 48));
  for (lines -= CHUNK_LINES; lines > 0; lines -= CHUNK_LINES) {
    corrections += (<usize>fields.blocks) << 6;
    groups += (<usize>CHUNK_LINES) << 3;
    panel += (<usize>CHUNK_LINES) << 6;
    sumGroups(min(lines, CHUNK_LINES), groups, panel, corrections, SUMS);
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
  for (let vector: usize = 0; vector < 64; vector += 16) {
    const scale = v128.load(scales + vector);
    let sum = v128.load(start + vector);
    for (let column = 0; column < columns; column++) {
      // The weight's byte to the top, and down again with its sign.
      const group = v128.load(panel + vector + ((<usize>(column >> 2)) << 6));
      const integer = i32x4.shr_s(i32x4.shl(group, 24 - ((column & 3) << 3)), 24);
      const weight = f32x4.mul(f32x4.convert_i32x4_s(integer), scale);
      sum = f32x4.add(sum, f32x4.mul(weight, v128.load32_splat(input + ((<usize>column) << 2))));
    }
    v128.store(output + vector, sum);
  }
}
