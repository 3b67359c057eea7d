/**
 * Tiles of a float32 product: `lines` lines of a block (pack.ts), each 128 bytes, times some rows of inputs.
 *
 * Accumulators stay in registers and are named by row and vector. Each is one chain of multiply-adds that goes on
 * from `begin`: the bias, or the sums so far, `beginRow` bytes apart (0: one row for all). Alignment is only
 * for speed.
 */

import { FUSED, madd } from "../build";

/** Inputs from which a recurrent layer's matrix, 4 MB, is larger than most second-level caches. */
export const LONG_ROW: i32 = 512;

/** 6 rows x 2 vectors: 56 of 57 GFLOP/s fused. Not fused, it needs one register more than there are. */
export function sixRows(
  lines: i32,
  line: usize,
  input: usize,
  inputRow: usize,
  begin: usize,
  beginRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let r0v0 = v128.load(begin);
  let r0v1 = v128.load(begin, 16);
  begin += beginRow;
  let r1v0 = v128.load(begin);
  let r1v1 = v128.load(begin, 16);
  begin += beginRow;
  let r2v0 = v128.load(begin);
  let r2v1 = v128.load(begin, 16);
  begin += beginRow;
  let r3v0 = v128.load(begin);
  let r3v1 = v128.load(begin, 16);
  begin += beginRow;
  let r4v0 = v128.load(begin);
  let r4v1 = v128.load(begin, 16);
  begin += beginRow;
  let r5v0 = v128.load(begin);
  let r5v1 = v128.load(begin, 16);
  let input1 = input + inputRow;
  let input2 = input1 + inputRow;
  let input3 = input2 + inputRow;
  let input4 = input3 + inputRow;
  let input5 = input4 + inputRow;
  for (const end = input + ((<usize>lines) << 2); input < end; input += 4) {
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

/** 2 rows x 4 vectors: 41 of 42 GFLOP/s in the baseline build, also in Node 20. */
export function twoRows(
  lines: i32,
  line: usize,
  input: usize,
  inputRow: usize,
  begin: usize,
  beginRow: usize,
  output: usize,
  outputRow: usize,
): void {
  let r0v0 = v128.load(begin);
  let r0v1 = v128.load(begin, 16);
  let r0v2 = v128.load(begin, 32);
  let r0v3 = v128.load(begin, 48);
  begin += beginRow;
  let r1v0 = v128.load(begin);
  let r1v1 = v128.load(begin, 16);
  let r1v2 = v128.load(begin, 32);
  let r1v3 = v128.load(begin, 48);
  let input1 = input + inputRow;
  for (const end = input + ((<usize>lines) << 2); input < end; input += 4) {
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
 * 1 row x 8 vectors, a whole line at a time: 88 of 92 GB/s from L2.
 *
 * The baseline build takes four lines a turn, since V8 11 (Node 20) unrolls nothing: 78 GB/s there, 50 line by
 * line. The rest of four comes first: after the loop it would cost V8 11 nearly half (docs/performance.md#one-row).
 * Long rows are read line by line: they come from further away than L2, whose prefetcher loses the order of four
 * (1.5x at H = 1024).
 */
export function oneRow(lines: i32, line: usize, input: usize, begin: usize, output: usize): void {
  let v0 = v128.load(begin);
  let v1 = v128.load(begin, 16);
  let v2 = v128.load(begin, 32);
  let v3 = v128.load(begin, 48);
  let v4 = v128.load(begin, 64);
  let v5 = v128.load(begin, 80);
  let v6 = v128.load(begin, 96);
  let v7 = v128.load(begin, 112);
  const end = input + ((<usize>lines) << 2);
  const whole = FUSED || lines >= LONG_ROW ? end : input + ((<usize>(lines & 3)) << 2);
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
