/**
 * Convolution over time as matrix products: what one output position sees is a row, and project() does the rest. So an
 * output is one chain of multiply-adds, in the order tap by tap and channel by channel, however a sequence is cut.
 *
 *   source   (channels, length)                  PyTorch's layout
 *   frames   (span, channels)                    padded; a position's taps are neighbours, and rows may overlap
 *   patches  (positions, kernelSize x channels)  only where dilation puts taps apart
 *   sums     (positions, units)                  what project() gives: rows of whole blocks
 *   output   (units, positions)
 *
 * These are of one group; groups follow one another in source, matrix (one each), bias and output.
 */

import { Matrix } from "./matrix";
import { copyFloats } from "./memory";
import { project } from "./projection";

/**
 * Sizes of one group, and buffers as drawn above; `bias` and a row of sums are whole blocks, `sumsRow` bytes. Frame 0 is
 * number `first` of the source, negative in the padding before it; `reflect` mirrors the source there, else there are
 * zeros.
 */
export function conv1dForward(
  groups: i32,
  channels: i32,
  units: i32,
  kernelSize: i32,
  stride: i32,
  dilation: i32,
  positions: i32,
  source: usize,
  length: i32,
  first: i32,
  span: i32,
  reflect: i32,
  frames: usize,
  patches: usize,
  matrix: usize,
  bias: usize,
  sums: usize,
  sumsRow: usize,
  output: usize,
): void {
  const frameBytes = (<usize>channels) << 2;
  for (; groups > 0; groups--) {
    fillFrames(frames, source, channels, length, first, span, reflect);
    let input = frames;
    let inputRow = <usize>stride * frameBytes;
    if (dilation > 1) {
      gather(patches, input, inputRow, <usize>dilation * frameBytes, positions, kernelSize, channels);
      input = patches;
      inputRow = <usize>kernelSize * frameBytes;
    }
    project(matrix, positions, input, inputRow, bias, sums, sumsRow, 0);
    transpose(output, (<usize>positions) << 2, sums, sumsRow, positions, units);
    source += <usize>length * frameBytes;
    matrix += offsetof<Matrix>();
    bias += sumsRow;
    output += (<usize>(units * positions)) << 2;
  }
}

function fillFrames(
  frames: usize,
  source: usize,
  channels: i32,
  length: i32,
  first: i32,
  span: i32,
  reflect: i32,
): void {
  const frameBytes = (<usize>channels) << 2;
  const sourceRow = (<usize>length) << 2;
  const before = min(max(-first, 0), span);
  const inside = max(min(length - first, span) - before, 0);
  fillPadding(frames, source, channels, length, first, before, reflect);
  frames += <usize>before * frameBytes;
  first += before;
  transpose(frames, frameBytes, source + ((<usize>first) << 2), sourceRow, channels, inside);
  frames += <usize>inside * frameBytes;
  fillPadding(frames, source, channels, length, first + inside, span - before - inside, reflect);
}

/** `count` frames from number `first` on, all of them outside of the source. */
function fillPadding(
  frames: usize,
  source: usize,
  channels: i32,
  length: i32,
  first: i32,
  count: i32,
  reflect: i32,
): void {
  const frameBytes = (<usize>channels) << 2;
  if (!reflect) {
    memory.fill(frames, 0, <usize>count * frameBytes);
    return;
  }
  for (let at = first; at < first + count; at++) {
    const mirrored = at < 0 ? -at : 2 * (length - 1) - at;
    transpose(frames, frameBytes, source + ((<usize>mirrored) << 2), (<usize>length) << 2, channels, 1);
    frames += frameBytes;
  }
}

/** (rows, columns) to (columns, rows); bytes from row to row on either side. */
function transpose(
  target: usize,
  targetRow: usize,
  source: usize,
  sourceRow: usize,
  rows: i32,
  columns: i32,
): void {
  for (; rows > 0; rows--) {
    let to = target;
    for (let from = source, end = source + ((<usize>columns) << 2); from < end; from += 4) {
      f32.store(to, f32.load(from));
      to += targetRow;
    }
    target += 4;
    source += sourceRow;
  }
}

/** The taps of each position, `tapBytes` apart, side by side. */
function gather(
  target: usize,
  source: usize,
  sourceRow: usize,
  tapBytes: usize,
  positions: i32,
  kernelSize: i32,
  channels: i32,
): void {
  for (; positions > 0; positions--) {
    let from = source;
    for (let tap = 0; tap < kernelSize; tap++) {
      copyFloats(target, from, channels);
      target += (<usize>channels) << 2;
      from += tapBytes;
    }
    source += sourceRow;
  }
}
