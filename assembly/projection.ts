/** The product of a weight matrix (matrix.ts) with rows of inputs, in either precision. */

import { projectFloat, projectRow } from "./float32";
import { projectInt8 } from "./int8";
import { blockCount, blockVectors, Matrix } from "./matrix";
import { quantizeRows } from "./quantize";

/**
 * One block of output = start + input x weights for each row. Row strides in bytes; `start` is one row for all. Outputs
 * are whole blocks, with no meaning past the matrix's vectors. Int8 takes quantised rows (quantize.ts).
 */
function projectBlock(
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
  if (fields.scales) {
    projectInt8(matrix, block, rows, input, inputRow, start, output, outputRow);
    return;
  }
  const line = fields.panel + <usize>block * fields.blockBytes;
  if (rows === 1) projectRow(fields.columns, line, input, start, output);
  else {
    projectFloat(
      rows,
      fields.columns,
      min(8, fields.vectors - (block << 3)),
      line,
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
  projectState(matrix, rows, input, inputRow, 0, 0, start, output, outputRow, backwards, 0, 0, 0, 0);
}

/**
 * `project` of rows that are quantised first where `quantized` is not 0: room for as many rows.
 *
 * With an `inputMatrix` that shares its blocks with `matrix`, gates = inputStart + input x its weights for one row too,
 * block by block, so that both are read in one walk.
 */
export function projectState(
  matrix: usize,
  rows: i32,
  state: usize,
  stateRow: usize,
  quantized: usize,
  quantizedRow: usize,
  start: usize,
  output: usize,
  outputRow: usize,
  backwards: i32,
  inputMatrix: usize,
  input: usize,
  inputStart: usize,
  gates: usize,
): void {
  if (quantized) {
    quantizeRows(rows, changetype<Matrix>(matrix).columns, state, stateRow, quantized, quantizedRow);
    state = quantized;
    stateRow = quantizedRow;
  }
  if (rows === 1 && !inputMatrix && !changetype<Matrix>(matrix).scales) {
    projectOneRow(matrix, state, start, output, backwards);
    return;
  }
  const blocks = blockCount(matrix);
  const width = (<usize>blockVectors(matrix)) << 4;
  for (let turn = 0; turn < blocks; turn++) {
    const block = backwards ? blocks - 1 - turn : turn;
    const at = <usize>block * width;
    if (inputMatrix) projectBlock(inputMatrix, block, 1, input, 0, inputStart + at, gates + at, 0);
    projectBlock(matrix, block, rows, state, stateRow, start + at, output + at, outputRow);
  }
}

/**
 * `project` of one row of float32, with little to do beside the products: 5 ns less for each block in V8 13 (Node 24), where
 * a recurrent step by itself is 1.06x for H = 40, 1.02x for 128.
 */
function projectOneRow(matrix: usize, input: usize, start: usize, output: usize, backwards: i32): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  let blocks = blockCount(matrix);
  let line = fields.panel;
  let lineStep = fields.blockBytes;
  let step: usize = 128;
  if (backwards) {
    const last = <usize>(blocks - 1);
    line += last * lineStep;
    start += last * step;
    output += last * step;
    lineStep = 0 - lineStep;
    step = 0 - step;
  }
  for (; blocks > 0; blocks--) {
    projectRow(columns, line, input, start, output);
    line += lineStep;
    start += step;
    output += step;
  }
}
