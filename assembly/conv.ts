/**
 * Convolution over time as matrix products: what one output position sees is a row, and project() does the rest. So an
 * output is one chain of multiply-adds, in the order tap by tap and channel by channel, however a sequence is cut.
 *
 *   source   (channels, span)                  PyTorch's layout, padding included
 *   frames   (span, channels)                  a position's taps are neighbours, and rows may overlap: no copies
 *   patches  (positions, kernelSize x channels)  only where dilation puts taps apart
 *   sums     (positions, 16 blocks)            what project() gives
 *   output   (units, positions)
 *
 * These are of one group; groups follow one another in source, panel (one each, `panelBytes` apart), bias and output.
 */

import { copyFloats } from "./memory";
import { project } from "./projection";

/** Sizes of one group, and buffers as drawn above; `bias` has 16 floats per block. */
export function conv1dForward(
  groups: i32,
  channels: i32,
  units: i32,
  kernelSize: i32,
  stride: i32,
  dilation: i32,
  positions: i32,
  span: i32,
  source: usize,
  frames: usize,
  patches: usize,
  panel: usize,
  blockBytes: usize,
  panelBytes: usize,
  blocks: i32,
  bias: usize,
  sums: usize,
  output: usize,
): void {
  const frameBytes = (<usize>channels) << 2;
  const count = kernelSize * channels;
  const sumsRow = (<usize>blocks) << 6;
  for (; groups > 0; groups--) {
    // One channel is its own transpose.
    let input = source;
    if (channels > 1) {
      transpose(frames, source, (<usize>span) << 2, channels, span);
      input = frames;
    }
    let inputRow = <usize>stride * frameBytes;
    if (dilation > 1) {
      gather(patches, input, inputRow, <usize>dilation * frameBytes, positions, kernelSize, channels);
      input = patches;
      inputRow = (<usize>count) << 2;
    }
    project(positions, count, blocks, input, inputRow, panel, blockBytes, bias, 0, sums, sumsRow);
    transpose(output, sums, sumsRow, positions, units);
    source += <usize>span * frameBytes;
    panel += panelBytes;
    bias += sumsRow;
    output += (<usize>(units * positions)) << 2;
  }
}

/** (rows, columns), `sourceRow` bytes apart, to (columns, rows) without gaps. */
function transpose(target: usize, source: usize, sourceRow: usize, rows: i32, columns: i32): void {
  const targetRow = (<usize>rows) << 2;
  for (let row = 0; row < rows; row++) {
    let to = target + ((<usize>row) << 2);
    for (let from = source, end = source + ((<usize>columns) << 2); from < end; from += 4) {
      f32.store(to, f32.load(from));
      to += targetRow;
    }
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
