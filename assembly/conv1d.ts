/**
 * Convolution over time as matrix products: what one output position sees is a row, and matmul does the rest. So an
 * output is one chain of multiply-adds, in the order tap by tap and channel by channel, however a sequence is cut.
 *
 *   source   [channels, length]                  PyTorch's layout
 *   frames   [span, channels]                    padded; a position's taps are neighbours, and rows may overlap
 *   patches  [positions, kernelSize x channels]  only where dilation puts taps apart
 *   sums     [positions, units]                  what matmul gives: rows of whole blocks
 *   output   [units, positions]
 *
 * These are of one group. Groups follow one another in source, matrices and output.
 */

import { assertNumbers, assertRows } from "./debug";
import { matmul } from "./matmul/index";
import { copyFloats } from "./memory";
import { Convolution, Matrix, Walk } from "./records";

/** All groups of a run of output positions. */
export function conv1d(convolution: usize): void {
  assertConvolution(convolution);
  const fields = changetype<Convolution>(convolution);
  const positions = fields.positions;
  const units = fields.units;
  const frames = fields.frames;
  const sums = fields.sums;
  const groupBytes = ((<usize>fields.channels) << 2) * <usize>fields.length;
  let source = fields.source;
  let matrix = fields.matrices;
  let output = fields.output;
  for (let group = 0; group < fields.groups; group++) {
    fillFrames(convolution, source);
    let input = frames;
    if (fields.dilation > 1) {
      gatherTaps(convolution);
      input = fields.patches;
    }
    matmul(matrix, fields.walk, positions, input, sums, 0);
    transpose(output, (<usize>positions) << 2, sums, changetype<Matrix>(matrix).outputRow, positions, units);
    source += groupBytes;
    matrix += offsetof<Matrix>();
    output += (<usize>(units * positions)) << 2;
  }
}

/** The frames of one group: padding, the part inside the source, padding. */
function fillFrames(convolution: usize, source: usize): void {
  const fields = changetype<Convolution>(convolution);
  const channels = fields.channels;
  const length = fields.length;
  const span = fields.span;
  const frameBytes = (<usize>channels) << 2;
  const first = fields.first;
  const before = min(max(-first, 0), span);
  const inside = max(min(length - first, span) - before, 0);
  const from = first + before;
  const frames = fields.frames + <usize>before * frameBytes;
  fillPadding(convolution, source, fields.frames, first, before);
  transpose(frames, frameBytes, source + ((<usize>from) << 2), (<usize>length) << 2, channels, inside);
  fillPadding(
    convolution,
    source,
    frames + <usize>inside * frameBytes,
    from + inside,
    span - before - inside,
  );
}

/** `count` frames from element `first` on, all of them outside of the source. */
function fillPadding(convolution: usize, source: usize, frames: usize, first: i32, count: i32): void {
  const fields = changetype<Convolution>(convolution);
  const channels = fields.channels;
  const length = fields.length;
  const frameBytes = (<usize>channels) << 2;
  if (!fields.reflect) {
    memory.fill(frames, 0, <usize>count * frameBytes);
    return;
  }
  for (let element = first; element < first + count; element++) {
    const mirrored = element < 0 ? -element : 2 * (length - 1) - element;
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

/** Frames to patches: the taps of each position side by side. */
function gatherTaps(convolution: usize): void {
  const fields = changetype<Convolution>(convolution);
  const channels = fields.channels;
  const frameBytes = (<usize>channels) << 2;
  const positionBytes = <usize>fields.stride * frameBytes;
  const tapBytes = <usize>fields.dilation * frameBytes;
  let target = fields.patches;
  let frame = fields.frames;
  for (let position = 0; position < fields.positions; position++) {
    let from = frame;
    for (let tap = 0; tap < fields.kernelSize; tap++) {
      copyFloats(target, from, channels);
      target += frameBytes;
      from += tapBytes;
    }
    frame += positionBytes;
  }
}

/** In the debug build: every buffer lies in a live block. */
function assertConvolution(convolution: usize): void {
  if (ASC_NO_ASSERT) return;
  const fields = changetype<Convolution>(convolution);
  const taps = fields.kernelSize * fields.channels;
  assertNumbers(fields.source, fields.groups * fields.channels * fields.length);
  assertNumbers(fields.frames, fields.span * fields.channels);
  assertNumbers(fields.output, fields.groups * fields.units * fields.positions);
  assertRows(fields.sums, fields.positions, changetype<Matrix>(fields.matrices).outputRow);
  if (fields.dilation > 1) assertNumbers(fields.patches, fields.positions * taps);
  const inputRow = <i32>changetype<Walk>(fields.walk).inputRow;
  assert(
    inputRow === (fields.dilation > 1 ? taps : fields.stride * fields.channels) << 2,
    "a walk with other rows",
  );
}
