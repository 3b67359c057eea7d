/**
 * One block of a product with int8 weights:
 *
 *   output = bias + (sum of weight * q) * (scale of the weights' row) * (scale of the inputs' row)
 *
 * Inputs are rounded rows (round-inputs.ts). The panel is the float32 one (pack.ts) with four int8 weights in place
 * of a float: those of one output for four consecutive inputs, in lines that dot.ts arranges. Columns past the last
 * input are zero.
 *
 * Sums are exact: q + 8192 is what is multiplied, and `corrections` takes 8192 * (sum of the weights) away again. A
 * sum over SUM_COLUMNS inputs fits in 32 bits. Longer rows have several such sums, which are added in float32. All
 * builds do the same operations from there on, none of them fused. So a product has the same bits everywhere, and a
 * row's bits depend on no other row.
 */

import { lineScratch, sumsScratch, totalsScratch } from "../instance";
import { Matrix, SUM_COLUMNS } from "../records";
import { restore, sumGroups, vectorsPerLine } from "./dot";
import { roundedHeader } from "./round-inputs";

/** Lines of four inputs that have one sum. */
const SUM_LINES: i32 = SUM_COLUMNS / 4;

/** Block number `block` of outputs for each row; row strides in bytes. */
export function multiplyInt8(
  matrix: usize,
  block: i32,
  rows: i32,
  rounded: usize,
  roundedRow: usize,
  output: usize,
): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  const outputRow = fields.outputRow;
  const lineBytes = (<usize>vectorsPerLine(1)) << 4;
  const offset = <usize>block * lineBytes;
  const panel = fields.panel + <usize>block * fields.blockBytes;
  const scales = fields.scales + offset;
  const corrections = fields.corrections + offset;
  const bias = fields.bias + offset;
  const lines = (columns + 3) >> 2;
  const header = roundedHeader(columns);
  const sums = sumsScratch();
  output += offset;
  for (; rows > 0; rows--) {
    const floats = load<usize>(rounded, 4);
    if (floats) multiplyFloats(matrix, block, floats, output);
    else {
      let total = sums;
      if (lines <= SUM_LINES)
        sumGroups(lines, rounded + header, load<i32>(rounded, 8), panel, corrections, sums);
      else {
        total = totalsScratch();
        sumSections(matrix, block, rounded, total);
      }
      for (let at: usize = 0; at < lineBytes; at += 16) {
        const sum = lines <= SUM_LINES ? f32x4.convert_i32x4_s(v128.load(total + at)) : v128.load(total + at);
        // In this order nothing overflows or loses bits before the result does, for weights below 2^100.
        const product = f32x4.mul(f32x4.mul(sum, v128.load(scales + at)), v128.load32_splat(rounded));
        v128.store(output + at, f32x4.add(v128.load(bias + at), product));
      }
    }
    rounded += roundedRow;
    output += outputRow;
  }
}

/** The sums of one block for a row of more than SUM_COLUMNS inputs, in float32. */
function sumSections(matrix: usize, block: i32, rounded: usize, totals: usize): void {
  const fields = changetype<Matrix>(matrix);
  const lineBytes = (<usize>vectorsPerLine(1)) << 4;
  const outputRow = fields.outputRow;
  const sums = sumsScratch();
  let corrections = fields.corrections + <usize>block * lineBytes;
  let panel = fields.panel + <usize>block * fields.blockBytes;
  let groups = rounded + roundedHeader(fields.columns);
  let sectionTotal = rounded + 8;
  memory.fill(totals, 0, lineBytes);
  for (let lines = (fields.columns + 3) >> 2; lines > 0; lines -= SUM_LINES) {
    sumGroups(min(lines, SUM_LINES), groups, load<i32>(sectionTotal), panel, corrections, sums);
    for (let at: usize = 0; at < lineBytes; at += 16) {
      const sum = f32x4.convert_i32x4_s(v128.load(sums + at));
      v128.store(totals + at, f32x4.add(v128.load(totals + at), sum));
    }
    groups += (<usize>SUM_LINES) << 3;
    sectionTotal += 4;
    panel += <usize>SUM_LINES * lineBytes;
    corrections += outputRow;
  }
}

/** One block in float32, for a row that was not rounded: each weight times its scale, times the input. */
function multiplyFloats(matrix: usize, block: i32, input: usize, output: usize): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  const lineBytes = (<usize>vectorsPerLine(1)) << 4;
  const offset = <usize>block * lineBytes;
  const scales = fields.scales + offset;
  const line = lineScratch();
  let panel = fields.panel + <usize>block * fields.blockBytes;
  memory.copy(output, fields.bias + offset, lineBytes);
  for (let column = 0; column < columns; column++) {
    if ((column & 3) === 0) {
      memory.copy(line, panel, lineBytes);
      restore(line, lineBytes);
      panel += lineBytes;
    }
    const x = v128.load32_splat(input);
    for (let at: usize = 0; at < lineBytes; at += 16) {
      const product = f32x4.mul(weightsOf(line + at, column, scales + at), x);
      v128.store(output + at, f32x4.add(v128.load(output + at), product));
    }
    input += 4;
  }
}

/** Four weights of one column in float32: the byte to the top of its lane, and down again with its sign. */
function weightsOf(vector: usize, column: i32, scales: usize): v128 {
  const integers = i32x4.shr_s(i32x4.shl(v128.load(vector), 24 - ((column & 3) << 3)), 24);
  return f32x4.mul(f32x4.convert_i32x4_s(integers), v128.load(scales));
}
