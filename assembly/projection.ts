/** The product of a weight matrix (matrix.ts) with rows of inputs, in either precision. */

import { projectFloat } from "./float32";
import { projectInt8 } from "./int8";
import { blockCount, blockVectors, Matrix } from "./matrix";

/**
 * One block of output = start + input x weights for each row; whole blocks are written. Row strides in bytes; `start` is
 * one row for all. Int8 takes quantised rows (quantize.ts).
 */
export function projectBlock(
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
  if (fields.scales) projectInt8(matrix, block, rows, input, inputRow, start, output, outputRow);
  else {
    projectFloat(
      rows,
      fields.columns,
      min(8, fields.vectors - (block << 3)),
      fields.panel + <usize>block * fields.blockBytes,
      input,
      inputRow,
      start,
      output,
      outputRow,
    );
  }
}

/** All blocks; `backwards` walks the panel from its end. */
export function project(
  matrix: usize,
  rows: i32,
  input: usize,
  inputRow: usize,
  start: usize,
  output: usize,
  outputRow: usize,
  backwards: i32,
): void {
  const blocks = blockCount(matrix);
  const blockBytes = (<usize>blockVectors(matrix)) << 4;
  for (let turn = 0; turn < blocks; turn++) {
    const block = backwards ? blocks - 1 - turn : turn;
    const at = <usize>block * blockBytes;
    projectBlock(matrix, block, rows, input, inputRow, start + at, output + at, outputRow);
  }
}
