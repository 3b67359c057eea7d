/**
 * An LSTM of fewer than four units, over four rows at a time: lanes are rows here, and units elsewhere. A vector
 * of units would have lanes to spare: one of four at H = 3, three of four at H = 1.
 *
 *   gates, sums   for each unit 64 bytes i f g o, each a vector of four rows
 *   x, c, h       for each input or unit a vector of four rows
 *
 * Every output is the same chain of operations as elsewhere, so bits do not depend on who makes it.
 */

import { madd } from "./build";
import { LSTM, updateRows } from "./cells/lstm";
import { callerRow } from "./memory";
import { FLOAT_LINE_BYTES, Layer, Matrix, Run, Walk } from "./records";

/** With a fourth unit no lane is spare. */
const MOST_UNITS: i32 = 3;

/** With more inputs the products take longer than those of rows. */
const MOST_INPUTS: i32 = 16;

/** Bytes of three units' gates or sums, and of their c. Behind them in a run's rows of 128 bytes stand x, and c and h. */
const GATES_BYTES: usize = 192;
const C_BYTES: usize = 48;

/**
 * Whether runNarrow may take the chunk: groups of four rows, in the caller's order, that run at every step. runSteps
 * does the others: int8 weights, a projection, options, a mask, a trace, and a call that has none of the units.
 */
export function isNarrow(layer: usize, run: usize, steps: i32): bool {
  const shape = changetype<Layer>(layer);
  const fields = changetype<Run>(run);
  const batch = fields.batch;
  const units = shape.units;
  if (units > MOST_UNITS || shape.kind !== LSTM || batch & 3 || fields.toUnit !== units) return false;
  const weightInput = changetype<Matrix>(shape.weightInput);
  if (weightInput.columns > MOST_INPUTS) return false;
  if (weightInput.scales | shape.weightProjection | shape.options | fields.mask | fields.trace) return false;
  return allRun(run, steps);
}

/** Whether all rows run at every step, in the caller's order. */
export function allRun(run: usize, steps: i32): bool {
  const fields = changetype<Run>(run);
  const batch = fields.batch;
  for (let row = 0; row < batch; row++) {
    if (callerRow(fields.order, row) !== <usize>row) return false;
  }
  for (let step = 0; step < steps; step++) {
    if (load<i32>(fields.active + ((<usize>step) << 2)) !== batch) return false;
  }
  return true;
}

/** runLayer of such a chunk, four rows after four rows. */
export function runNarrow(layer: usize, run: usize, steps: i32): void {
  const shape = changetype<Layer>(layer);
  const fields = changetype<Run>(run);
  const units = shape.units;
  const weightInput = shape.weightInput;
  const weightHidden = shape.weightHidden;
  const inputs = changetype<Matrix>(weightInput).columns;
  const inputRow = changetype<Walk>(fields.inputWalk).inputRow;
  const outputRow = fields.outputRow;
  const gates = fields.gates;
  const sums = fields.sums;
  const x = gates + GATES_BYTES;
  const c = sums + GATES_BYTES;
  const h = c + C_BYTES;
  const hRow = fields.hRow;
  const cRow = fields.cRow;
  for (let row = 0; row < fields.batch; row += 4) {
    const cRows = fields.c + <usize>row * cRow;
    const hRows = <usize>row * hRow;
    transpose(units, cRows, cRow, c, 0);
    transpose(units, fields.h + hRows, hRow, h, 0);
    for (let turn = 0; turn < steps; turn++) {
      const step = shape.reverse ? steps - 1 - turn : turn;
      const place = <usize>(step * fields.batch + row);
      transpose(inputs, fields.input + place * inputRow, inputRow, x, 0);
      multiply(weightInput, units, x, gates);
      multiply(weightHidden, units, h, sums);
      updateRows(1, units << 2, fields.order, gates, sums, 0, c, 0, h, 0);
      transpose(units, fields.output + place * outputRow, outputRow, h, 1);
    }
    transpose(units, cRows, cRow, c, 1);
    transpose(units, fields.nextH + hRows, hRow, h, 1);
  }
}

/**
 * The first `count` numbers of four rows, which are `row` bytes apart, to as many vectors, or `back`. One function for
 * both: two were small enough to be copied to each place that calls them, which was 500 bytes of the bundle.
 */
function transpose(count: i32, first: usize, row: usize, vectors: usize, back: i32): void {
  for (const end = first + ((<usize>count) << 2); first < end; first += 4) {
    const second = first + row;
    const third = second + row;
    const fourth = third + row;
    if (back) {
      const lanes = v128.load(vectors);
      v128.store32_lane(first, lanes, 0);
      v128.store32_lane(second, lanes, 1);
      v128.store32_lane(third, lanes, 2);
      v128.store32_lane(fourth, lanes, 3);
    } else {
      let lanes = v128.load32_splat(first);
      lanes = v128.load32_lane(second, lanes, 1);
      lanes = v128.load32_lane(third, lanes, 2);
      v128.store(vectors, v128.load32_lane(fourth, lanes, 3));
    }
    vectors += 16;
  }
}

/** bias + input x weights of each unit, from and to vectors of four rows. */
function multiply(matrix: usize, units: i32, input: usize, output: usize): void {
  const fields = changetype<Matrix>(matrix);
  const inputEnd = input + ((<usize>fields.columns) << 4);
  let bias = fields.bias;
  let panel = fields.panel;
  for (const end = output + ((<usize>units) << 6); output < end; output += 64) {
    let i = v128.load32_splat(bias);
    let f = v128.load32_splat(bias, 16);
    let g = v128.load32_splat(bias, 32);
    let o = v128.load32_splat(bias, 48);
    let line = panel;
    for (let vector = input; vector < inputEnd; vector += 16) {
      const x = v128.load(vector);
      i = madd(x, v128.load32_splat(line), i);
      f = madd(x, v128.load32_splat(line, 16), f);
      g = madd(x, v128.load32_splat(line, 32), g);
      o = madd(x, v128.load32_splat(line, 48), o);
      line += FLOAT_LINE_BYTES;
    }
    v128.store(output, i);
    v128.store(output, f, 16);
    v128.store(output, g, 32);
    v128.store(output, o, 48);
    bias += 4;
    panel += 4;
  }
}
