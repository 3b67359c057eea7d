/**
 * The product of a weight matrix with rows of inputs, in either precision: output = bias + input x weights.
 *
 * A walk (records.ts) says which blocks of outputs are made; what lies outside them is left as it is. `zigzag` 1
 * walks from the last block to the first. A step that does so finds what the step before read last still in the
 * cache: 1.39x at H = 512, whose matrix is larger than a 2 MB L2. Rows of outputs are whole blocks, with no meaning
 * past the matrix's vectors.
 */

import { assertNumbers, assertRows, assertWalk } from "../debug";
import { Matrix, Walk } from "../records";
import { multiplyFloat, multiplyRow } from "./f32";
import { multiplyInt8 } from "./i8";
import { roundedRow, roundInputs } from "./round-inputs";

/** `input` is `rows` rows of floats, inputRow bytes apart as the walk says. In int8 they are rounded first. */
export function matmul(
  matrix: usize,
  walk: usize,
  rows: i32,
  input: usize,
  output: usize,
  zigzag: i32,
): void {
  const fields = changetype<Matrix>(matrix);
  const range = changetype<Walk>(walk);
  const fromBlock = range.fromBlock;
  const toBlock = range.toBlock;
  let inputRow = range.inputRow;
  assertWalk(matrix, walk);
  assertNumbers(input, rows > 0 ? <i32>(<usize>(rows - 1) * (inputRow >> 2)) + fields.columns : 0);
  assertRows(output, rows, fields.outputRow);
  const int8 = fields.scales !== 0;
  if (!int8 && rows === 1) {
    multiplyRow(matrix, fromBlock, toBlock, input, output, zigzag);
    return;
  }
  if (int8) {
    roundInputs(rows, fields.columns, input, inputRow, range.rounded);
    input = range.rounded;
    inputRow = roundedRow(fields.columns);
  }
  for (let turn = fromBlock; turn < toBlock; turn++) {
    const block = zigzag ? fromBlock + toBlock - 1 - turn : turn;
    if (int8) multiplyInt8(matrix, block, rows, input, inputRow, output);
    else multiplyFloat(matrix, block, rows, input, inputRow, output);
  }
}
