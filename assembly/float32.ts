/**
 * Products of float32 rows with one block of a panel (panel.ts): output = start + input x weights.
 *
 * Every output is one chain of multiply-adds that begins with `start` and takes the inputs in order, whichever tile
 * computes it. So a row's bits do not depend on the rows beside it, nor on how a sequence is cut into calls.
 *
 * Tiles, whose accumulators stay in registers: 6 rows x 2 vectors (56 GFLOP/s of 57 relaxed; without a fused
 * multiply-add it needs a register more than there are), 2 rows x 4 vectors (41 of 42 in the baseline build, also in
 * Node 20, where 5 x 2 has 34), 1 row x 8 vectors, which reads a whole line in one walk (88 of 92 GB/s from L2).
 */

import { FUSED, madd } from "./simd";

/** Inputs from which on a recurrent layer's matrix, 4 MB, is larger than most second-level caches: see projectRow. */
const LONG_ROW: i32 = 512;

/**
 * Rows times inputs from which on a long row's block is first read in order. Tiles take every second cache line of it,
 * four times over, which the prefetcher follows poorly: 7 ns a line from the third-level cache, where reading in order
 * takes 2.2. batch-512 1.075x, sequence-1024 1.05x; with fewer rows the reading costs more than it saves.
 */
const LONG_ROW_WORK: i32 = 16384;

/** Lines of a block that every row passes before the next ones: 32 KB, which stay in L1. */
const CHUNK_LINES: i32 = 256;

/**
 * One block: rows x `count` inputs to rows x 4 `vectors` outputs, at most 8 vectors; up to eight are written, those past
 * `vectors` with no meaning. Row strides in bytes; `start` is one row for all.
 */
export function projectFloat(
  rows: i32,
  count: i32,
  vectors: i32,
  line: usize,
  input: usize,
  inputRow: usize,
  start: usize,
  output: usize,
  outputRow: usize,
): void {
  if (count >= LONG_ROW && rows * count >= LONG_ROW_WORK) readBlock(line, (<usize>count) << 7);
  const width = (<usize>vectors) << 4;
  let startRow: usize = 0;
  for (; count > 0; count -= CHUNK_LINES) {
    projectLines(
      rows,
      min(count, CHUNK_LINES),
      width,
      line,
      input,
      inputRow,
      start,
      startRow,
      output,
      outputRow,
    );
    line += (<usize>CHUNK_LINES) << 7;
    input += (<usize>CHUNK_LINES) << 2;
    start = output;
    startRow = outputRow;
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

/** Some lines of a block, `width` bytes of each. */
function projectLines(
  rows: i32,
  lines: i32,
  width: usize,
  line: usize,
  input: usize,
  inputRow: usize,
  start: usize,
  startRow: usize,
  output: usize,
  outputRow: usize,
): void {
  if (FUSED) {
    for (; rows >= 6; rows -= 6) {
      for (let at: usize = 0; at < width; at += 32) {
        projectSixRows(lines, line + at, input, inputRow, start + at, startRow, output + at, outputRow);
      }
      input += 6 * inputRow;
      start += 6 * startRow;
      output += 6 * outputRow;
    }
  }
  for (; rows >= 2; rows -= 2) {
    for (let at: usize = 0; at < width; at += 64) {
      projectTwoRows(lines, line + at, input, inputRow, start + at, startRow, output + at, outputRow);
    }
    input += 2 * inputRow;
    start += 2 * startRow;
    output += 2 * outputRow;
  }
  if (rows > 0) projectRow(lines, line, input, start, output);
}

/** 6 rows x 2 vectors; accumulators are named by row and vector. */
function projectSixRows(
  count: i32,
  line: usize,
  input: usize,
  inputRow: usize,
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
  start += startRow;
  let r5v0 = v128.load(start);
  let r5v1 = v128.load(start, 16);
  let input1 = input + inputRow;
  let input2 = input1 + inputRow;
  let input3 = input2 + inputRow;
  let input4 = input3 + inputRow;
  let input5 = input4 + inputRow;
  for (const end = input + ((<usize>count) << 2); input < end; input += 4) {
    const w0 = v128.load(line);
    const w1 = v128.load(line, 16);
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
    x = v128.load32_splat(input5);
    r5v0 = madd(x, w0, r5v0);
    r5v1 = madd(x, w1, r5v1);
    input1 += 4;
    input2 += 4;
    input3 += 4;
    input4 += 4;
    input5 += 4;
    line += 128;
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
  output += outputRow;
  v128.store(output, r5v0);
  v128.store(output, r5v1, 16);
}

/** 2 rows x 4 vectors. */
function projectTwoRows(
  count: i32,
  line: usize,
  input: usize,
  inputRow: usize,
  start: usize,
  startRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let r0v0 = v128.load(start);
  let r0v1 = v128.load(start, 16);
  let r0v2 = v128.load(start, 32);
  let r0v3 = v128.load(start, 48);
  start += startRow;
  let r1v0 = v128.load(start);
  let r1v1 = v128.load(start, 16);
  let r1v2 = v128.load(start, 32);
  let r1v3 = v128.load(start, 48);
  let input1 = input + inputRow;
  for (const end = input + ((<usize>count) << 2); input < end; input += 4) {
    const x0 = v128.load32_splat(input);
    const x1 = v128.load32_splat(input1);
    let w = v128.load(line);
    r0v0 = madd(x0, w, r0v0);
    r1v0 = madd(x1, w, r1v0);
    w = v128.load(line, 16);
    r0v1 = madd(x0, w, r0v1);
    r1v1 = madd(x1, w, r1v1);
    w = v128.load(line, 32);
    r0v2 = madd(x0, w, r0v2);
    r1v2 = madd(x1, w, r1v2);
    w = v128.load(line, 48);
    r0v3 = madd(x0, w, r0v3);
    r1v3 = madd(x1, w, r1v3);
    input1 += 4;
    line += 128;
  }
  v128.store(output, r0v0);
  v128.store(output, r0v1, 16);
  v128.store(output, r0v2, 32);
  v128.store(output, r0v3, 48);
  output += outputRow;
  v128.store(output, r1v0);
  v128.store(output, r1v1, 16);
  v128.store(output, r1v2, 32);
  v128.store(output, r1v3, 48);
}

/**
 * 1 row x 8 vectors: a whole line at a time. The baseline build takes four lines a turn, since V8 11 (Node 20) unrolls
 * nothing: 78 GB/s from L2 there, 50 line by line. What is left of four comes first: with a loop after this one V8 11
 * moves all arithmetic behind all loads, spills, and gets 43. Long rows come from further away than L2, whose
 * prefetcher loses the order of four lines at once: 1.5x line by line at H = 1024.
 */
export function projectRow(count: i32, line: usize, input: usize, start: usize, output: usize): void {
  let v0 = v128.load(start);
  let v1 = v128.load(start, 16);
  let v2 = v128.load(start, 32);
  let v3 = v128.load(start, 48);
  let v4 = v128.load(start, 64);
  let v5 = v128.load(start, 80);
  let v6 = v128.load(start, 96);
  let v7 = v128.load(start, 112);
  const end = input + ((<usize>count) << 2);
  const whole = FUSED || count >= LONG_ROW ? end : input + ((<usize>(count & 3)) << 2);
  for (; input < whole; input += 4) {
    const x = v128.load32_splat(input);
    v0 = madd(x, v128.load(line), v0);
    v1 = madd(x, v128.load(line, 16), v1);
    v2 = madd(x, v128.load(line, 32), v2);
    v3 = madd(x, v128.load(line, 48), v3);
    v4 = madd(x, v128.load(line, 64), v4);
    v5 = madd(x, v128.load(line, 80), v5);
    v6 = madd(x, v128.load(line, 96), v6);
    v7 = madd(x, v128.load(line, 112), v7);
    line += 128;
  }
  if (!FUSED) {
    for (; input < end; input += 16) {
      let x = v128.load32_splat(input);
      v0 = madd(x, v128.load(line), v0);
      v1 = madd(x, v128.load(line, 16), v1);
      v2 = madd(x, v128.load(line, 32), v2);
      v3 = madd(x, v128.load(line, 48), v3);
      v4 = madd(x, v128.load(line, 64), v4);
      v5 = madd(x, v128.load(line, 80), v5);
      v6 = madd(x, v128.load(line, 96), v6);
      v7 = madd(x, v128.load(line, 112), v7);
      x = v128.load32_splat(input, 4);
      v0 = madd(x, v128.load(line, 128), v0);
      v1 = madd(x, v128.load(line, 144), v1);
      v2 = madd(x, v128.load(line, 160), v2);
      v3 = madd(x, v128.load(line, 176), v3);
      v4 = madd(x, v128.load(line, 192), v4);
      v5 = madd(x, v128.load(line, 208), v5);
      v6 = madd(x, v128.load(line, 224), v6);
      v7 = madd(x, v128.load(line, 240), v7);
      x = v128.load32_splat(input, 8);
      v0 = madd(x, v128.load(line, 256), v0);
      v1 = madd(x, v128.load(line, 272), v1);
      v2 = madd(x, v128.load(line, 288), v2);
      v3 = madd(x, v128.load(line, 304), v3);
      v4 = madd(x, v128.load(line, 320), v4);
      v5 = madd(x, v128.load(line, 336), v5);
      v6 = madd(x, v128.load(line, 352), v6);
      v7 = madd(x, v128.load(line, 368), v7);
      x = v128.load32_splat(input, 12);
      v0 = madd(x, v128.load(line, 384), v0);
      v1 = madd(x, v128.load(line, 400), v1);
      v2 = madd(x, v128.load(line, 416), v2);
      v3 = madd(x, v128.load(line, 432), v3);
      v4 = madd(x, v128.load(line, 448), v4);
      v5 = madd(x, v128.load(line, 464), v5);
      v6 = madd(x, v128.load(line, 480), v6);
      v7 = madd(x, v128.load(line, 496), v7);
      line += 512;
    }
  }
  v128.store(output, v0);
  v128.store(output, v1, 16);
  v128.store(output, v2, 32);
  v128.store(output, v3, 48);
  v128.store(output, v4, 64);
  v128.store(output, v5, 80);
  v128.store(output, v6, 96);
  v128.store(output, v7, 112);
}
