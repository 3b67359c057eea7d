/**
 * Matrix products with a plain panel (assembly/panel.ts): output = start + input x weights, row by row.
 *
 * Every output is one chain of multiply-adds that begins with `start` and takes the inputs in order, whichever tile
 * computes it. So a row's bits do not depend on the rows beside it, nor on how a sequence is cut into calls.
 *
 * Tiles: 5 rows x 2 vectors when there are that many rows (55 of 56 GFLOP/s relaxed, all 40 of the baseline build; a
 * sixth row would spill registers there), else 1 row x 8 vectors, as many chains as hide the latency of an addition.
 */

import { madd } from "./simd";

const TILE_ROWS: i32 = 5;

/**
 * rows x `count` inputs to rows x 16 `blocks` outputs. Row strides in bytes; `start` has the outputs' layout (a bias
 * has the stride 0) and is not the output itself, since rows may be computed twice.
 */
export function project(
  rows: i32,
  count: i32,
  blocks: i32,
  input: usize,
  inputRow: usize,
  panel: usize,
  blockBytes: usize,
  start: usize,
  startRow: usize,
  output: usize,
  outputRow: usize,
): void {
  if (rows < TILE_ROWS) {
    for (; rows > 0; rows--) {
      projectRow(count, blocks, input, panel, blockBytes, start, output);
      input += inputRow;
      start += startRow;
      output += outputRow;
    }
    return;
  }
  for (; blocks > 0; blocks--) {
    for (let half: usize = 0; half < 64; half += 32) {
      for (let done = 0; done < rows; done += TILE_ROWS) {
        // The last tile overlaps the one before it rather than being a smaller one.
        const row = <usize>min(done, rows - TILE_ROWS);
        projectTile(
          count,
          input + row * inputRow,
          inputRow,
          panel + half,
          start + half + row * startRow,
          startRow,
          output + half + row * outputRow,
          outputRow,
        );
      }
    }
    panel += blockBytes;
    start += 64;
    output += 64;
  }
}

/** 5 rows x 2 vectors; accumulators are named by row and vector. */
function projectTile(
  count: i32,
  input: usize,
  inputRow: usize,
  panel: usize,
  start: usize,
  startRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let r0v0 = v128.load(start);
  let r0v1 = v128.load(start, 16);
  start += startRow;
  let r1v0 = v128.load(start);
  let r1v1 = v128.load(start, 16);
  start += startRow;
  let r2v0 = v128.load(start);
  let r2v1 = v128.load(start, 16);
  start += startRow;
  let r3v0 = v128.load(start);
  let r3v1 = v128.load(start, 16);
  start += startRow;
  let r4v0 = v128.load(start);
  let r4v1 = v128.load(start, 16);

  let input1 = input + inputRow;
  let input2 = input1 + inputRow;
  let input3 = input2 + inputRow;
  let input4 = input3 + inputRow;
  for (let end = input + ((<usize>count) << 2); input < end; input += 4) {
    const w0 = v128.load(panel);
    const w1 = v128.load(panel, 16);
    let x = v128.load32_splat(input);
    r0v0 = madd(x, w0, r0v0);
    r0v1 = madd(x, w1, r0v1);
    x = v128.load32_splat(input1);
    r1v0 = madd(x, w0, r1v0);
    r1v1 = madd(x, w1, r1v1);
    x = v128.load32_splat(input2);
    r2v0 = madd(x, w0, r2v0);
    r2v1 = madd(x, w1, r2v1);
    x = v128.load32_splat(input3);
    r3v0 = madd(x, w0, r3v0);
    r3v1 = madd(x, w1, r3v1);
    x = v128.load32_splat(input4);
    r4v0 = madd(x, w0, r4v0);
    r4v1 = madd(x, w1, r4v1);
    input1 += 4;
    input2 += 4;
    input3 += 4;
    input4 += 4;
    panel += 64;
  }

  v128.store(output, r0v0);
  v128.store(output, r0v1, 16);
  output += outputRow;
  v128.store(output, r1v0);
  v128.store(output, r1v1, 16);
  output += outputRow;
  v128.store(output, r2v0);
  v128.store(output, r2v1, 16);
  output += outputRow;
  v128.store(output, r3v0);
  v128.store(output, r3v1, 16);
  output += outputRow;
  v128.store(output, r4v0);
  v128.store(output, r4v1, 16);
}

/** One row, two blocks at a time. An odd last block is computed as both: the stores agree. */
function projectRow(
  count: i32,
  blocks: i32,
  input: usize,
  panel: usize,
  blockBytes: usize,
  start: usize,
  output: usize,
): void {
  for (let block = 0; block < blocks; block += 2) {
    const second = <usize>(block + 1 < blocks);
    projectBlocks(
      count,
      input,
      panel,
      panel + second * blockBytes,
      start,
      start + (second << 6),
      output,
      output + (second << 6),
    );
    panel += blockBytes << 1;
    start += 128;
    output += 128;
  }
}

/** 1 row x 2 blocks of 4 vectors. */
export function projectBlocks(
  count: i32,
  input: usize,
  panelA: usize,
  panelB: usize,
  startA: usize,
  startB: usize,
  outputA: usize,
  outputB: usize,
): void {
  let a0 = v128.load(startA);
  let a1 = v128.load(startA, 16);
  let a2 = v128.load(startA, 32);
  let a3 = v128.load(startA, 48);
  let b0 = v128.load(startB);
  let b1 = v128.load(startB, 16);
  let b2 = v128.load(startB, 32);
  let b3 = v128.load(startB, 48);
  for (let end = input + ((<usize>count) << 2); input < end; input += 4) {
    const x = v128.load32_splat(input);
    a0 = madd(x, v128.load(panelA), a0);
    a1 = madd(x, v128.load(panelA, 16), a1);
    a2 = madd(x, v128.load(panelA, 32), a2);
    a3 = madd(x, v128.load(panelA, 48), a3);
    b0 = madd(x, v128.load(panelB), b0);
    b1 = madd(x, v128.load(panelB, 16), b1);
    b2 = madd(x, v128.load(panelB, 32), b2);
    b3 = madd(x, v128.load(panelB, 48), b3);
    panelA += 64;
    panelB += 64;
  }
  v128.store(outputA, a0);
  v128.store(outputA, a1, 16);
  v128.store(outputA, a2, 32);
  v128.store(outputA, a3, 48);
  v128.store(outputB, b0);
  v128.store(outputB, b1, 16);
  v128.store(outputB, b2, 32);
  v128.store(outputB, b3, 48);
}
