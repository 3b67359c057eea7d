/**
 * One block of a float32 product: output = bias + input x weights, for each row of inputs.
 *
 * Every output is one chain of multiply-adds that begins with the bias and takes the inputs in order, whichever
 * tile (f32-tiles.ts) computes it. So a row's bits do not depend on the rows beside it, nor on how a sequence is
 * cut into calls.
 */

import { FUSED } from "../build";
import { FLOAT_LINE_BYTES, Matrix, Walk } from "../records";
import { LONG_ROW, oneRow, sixRows, twoRows } from "./f32-tiles";

/**
 * Rows times inputs from which a long row's block is first read in order. Tiles take every second cache line of it,
 * four times over. The prefetcher follows that poorly: 7 ns a line from the third-level cache, 2.2 in order.
 * batch-512 is 1.075x with it, sequence-1024 1.05x. With fewer rows the reading costs more than it saves.
 */
const LONG_ROW_WORK: i32 = 16384;

/** Lines of a block that every row passes before the next ones: 32 KB, which stay in L1. */
const LINES_AT_ONCE: i32 = 256;

const BLOCK_VECTORS: i32 = <i32>(FLOAT_LINE_BYTES >> 4);

/** Block `block` of outputs, for two rows or more. What is written past the matrix's vectors has no meaning. */
export function multiplyFloat(
  matrix: usize,
  block: i32,
  rows: i32,
  input: usize,
  inputRow: usize,
  output: usize,
): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  const outputRow = fields.outputRow;
  const vectors = min(BLOCK_VECTORS, fields.vectors - block * BLOCK_VECTORS);
  const offset = <usize>block * FLOAT_LINE_BYTES;
  let line = fields.panel + <usize>block * fields.blockBytes;
  output += offset;
  if (columns >= LONG_ROW && rows * columns >= LONG_ROW_WORK)
    readBlock(line, <usize>columns * FLOAT_LINE_BYTES);
  // The first lines go on from the bias, those after them from the sums so far.
  let begin = fields.bias + offset;
  let beginRow: usize = 0;
  for (let left = columns; left > 0; left -= LINES_AT_ONCE) {
    const lines = min(left, LINES_AT_ONCE);
    multiplyLines(rows, lines, vectors, line, input, inputRow, begin, beginRow, output, outputRow);
    line += <usize>LINES_AT_ONCE * FLOAT_LINE_BYTES;
    input += (<usize>LINES_AT_ONCE) << 2;
    begin = output;
    beginRow = outputRow;
  }
}

/** The blocks from `fromBlock` to `toBlock` for one row, in the order that `zigzag` says. */
export function multiplyRow(
  matrix: usize,
  fromBlock: i32,
  toBlock: i32,
  input: usize,
  output: usize,
  zigzag: i32,
): void {
  const fields = changetype<Matrix>(matrix);
  const columns = fields.columns;
  const blockBytes = fields.blockBytes;
  const start = <usize>(zigzag ? toBlock - 1 : fromBlock);
  const lineStep = zigzag ? <usize>0 - blockBytes : blockBytes;
  const step = zigzag ? <usize>0 - FLOAT_LINE_BYTES : FLOAT_LINE_BYTES;
  let line = fields.panel + start * blockBytes;
  let begin = fields.bias + start * FLOAT_LINE_BYTES;
  output += start * FLOAT_LINE_BYTES;
  for (let blocks = toBlock - fromBlock; blocks > 0; blocks--) {
    oneRow(columns, line, input, begin, output);
    line += lineStep;
    begin += step;
    output += step;
  }
}

/**
 * multiplyRow of two matrices that share their blocks: x with the first to `gates`, h with the second to `sums`.
 * Block by block, so that both are read in one walk.
 */
export function multiplyRowPair(
  first: usize,
  second: usize,
  walk: usize,
  x: usize,
  h: usize,
  gates: usize,
  sums: usize,
  zigzag: i32,
): void {
  const inputs = changetype<Matrix>(first);
  const hidden = changetype<Matrix>(second);
  const inputColumns = inputs.columns;
  const hiddenColumns = hidden.columns;
  const blockBytes = inputs.blockBytes;
  const fromBlock = changetype<Walk>(walk).fromBlock;
  const toBlock = changetype<Walk>(walk).toBlock;
  const start = <usize>(zigzag ? toBlock - 1 : fromBlock);
  const lineStep = zigzag ? <usize>0 - blockBytes : blockBytes;
  const step = zigzag ? <usize>0 - FLOAT_LINE_BYTES : FLOAT_LINE_BYTES;
  let inputLine = inputs.panel + start * blockBytes;
  let hiddenLine = hidden.panel + start * blockBytes;
  let offset = start * FLOAT_LINE_BYTES;
  for (let blocks = toBlock - fromBlock; blocks > 0; blocks--) {
    oneRow(inputColumns, inputLine, x, inputs.bias + offset, gates + offset);
    oneRow(hiddenColumns, hiddenLine, h, hidden.bias + offset, sums + offset);
    inputLine += lineStep;
    hiddenLine += lineStep;
    offset += step;
  }
}

/** Loads a word of each cache line, in two walks (1.01x over one). */
function readBlock(line: usize, bytes: usize): void {
  const half = bytes >> 1;
  for (const end = line + half; line < end; line += 64) {
    load<i32>(line);
    load<i32>(line + half);
  }
}

/** `vectors` vectors of some lines, tile by tile. */
function multiplyLines(
  rows: i32,
  lines: i32,
  vectors: i32,
  line: usize,
  input: usize,
  inputRow: usize,
  begin: usize,
  beginRow: usize,
  output: usize,
  outputRow: usize,
): void {
  const width = (<usize>vectors) << 4;
  if (FUSED) {
    for (; rows >= 6; rows -= 6) {
      for (let at: usize = 0; at < width; at += 32) {
        sixRows(lines, line + at, input, inputRow, begin + at, beginRow, output + at, outputRow);
      }
      input += 6 * inputRow;
      begin += 6 * beginRow;
      output += 6 * outputRow;
    }
  }
  for (; rows >= 2; rows -= 2) {
    for (let at: usize = 0; at < width; at += 64) {
      twoRows(lines, line + at, input, inputRow, begin + at, beginRow, output + at, outputRow);
    }
    input += 2 * inputRow;
    begin += 2 * beginRow;
    output += 2 * outputRow;
  }
  if (rows > 0) oneRow(lines, line, input, begin, output);
}
