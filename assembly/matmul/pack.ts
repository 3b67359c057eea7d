/**
 * Panels: a weight matrix in the order in which the kernels read it.
 *
 * PyTorch keeps a matrix of outputs x inputs, row by row. A kernel computes four outputs per vector. So the outputs
 * of one input k stand side by side in a line of `vectorsPerLine` vectors (dot.ts), and the lines of all k follow
 * one another:
 *
 *   block b = [k = 0: vector 0 | vector 1 | ...] [k = 1: ...] ... [k = K-1]        blocks are `blockBytes` apart
 *
 * The units of `gates` matrices are interleaved by four: the vector of gate g and units 4u .. 4u+3 is number
 * gates * u + g, and stands in block number / vectorsPerLine at place number % vectorsPerLine.
 *   LSTM   gates 4: i i i i  f f f f  g g g g  o o o o  of units 0 .. 3, then of units 4 .. 7, ...
 *   GRU    gates 3: r r r r  z z z z  n n n n  of units 0 .. 3, ...
 *   plain  gates 1: consecutive outputs
 * In int8 a lane holds the weights of four inputs in place of a float (i8.ts), and a line is for four inputs.
 *
 * Panels are aligned to 16 bytes. Lanes past the last unit are zero: the host clears the panel first.
 */

import { assertNumbers } from "../debug";
import { Matrix } from "../records";
import { arrange, restore, vectorsPerLine } from "./dot";

/** Where the first line has the lane of one unit of a gate. */
function laneAddress(matrix: usize, gates: i32, gate: i32, unit: i32): usize {
  const fields = changetype<Matrix>(matrix);
  const vectors = vectorsPerLine(i32(fields.scales !== 0));
  const vector = gates * (unit >> 2) + gate;
  const lane = ((vector % vectors) << 4) + ((unit & 3) << 2);
  return fields.panel + <usize>(vector / vectors) * fields.blockBytes + <usize>lane;
}

/** Lines of a block, for so many inputs. */
export function lineCount(columns: i32, int8: i32): i32 {
  return int8 ? (columns + 3) >> 2 : columns;
}

function linesOf(matrix: usize): i32 {
  return lineCount(changetype<Matrix>(matrix).columns, i32(changetype<Matrix>(matrix).scales !== 0));
}

function lineBytes(matrix: usize): usize {
  return (<usize>vectorsPerLine(i32(changetype<Matrix>(matrix).scales !== 0))) << 4;
}

/** Packs one gate's matrix: `source` is row-major units x lines, of 4 bytes each. */
export function packGate(matrix: usize, gates: i32, gate: i32, units: i32, source: usize): void {
  const lines = linesOf(matrix);
  const step = lineBytes(matrix);
  assertNumbers(source, units * lines);
  for (let unit = 0; unit < units; unit++) {
    let target = laneAddress(matrix, gates, gate, unit);
    for (let line = 0; line < lines; line++) {
      f32.store(target, f32.load(source));
      target += step;
      source += 4;
    }
  }
}

/** The inverse of packGate. */
export function unpackGate(matrix: usize, gates: i32, gate: i32, units: i32, target: usize): void {
  const lines = linesOf(matrix);
  const step = lineBytes(matrix);
  assertNumbers(target, units * lines);
  for (let unit = 0; unit < units; unit++) {
    let source = laneAddress(matrix, gates, gate, unit);
    for (let line = 0; line < lines; line++) {
      f32.store(target, f32.load(source));
      source += step;
      target += 4;
    }
  }
}

/** Brings the int8 panel that packGate has filled into the form that the kernels read. */
export function arrangeLines(matrix: usize): void {
  eachBlock(matrix, true);
}

/** The inverse of arrangeLines, before packGate or unpackGate. */
export function restoreLines(matrix: usize): void {
  eachBlock(matrix, false);
}

function eachBlock(matrix: usize, arranges: bool): void {
  const fields = changetype<Matrix>(matrix);
  const bytes = <usize>linesOf(matrix) * lineBytes(matrix);
  let panel = fields.panel;
  for (let block = 0; block < fields.blocks; block++) {
    if (arranges) arrange(panel, bytes);
    else restore(panel, bytes);
    panel += fields.blockBytes;
  }
}
