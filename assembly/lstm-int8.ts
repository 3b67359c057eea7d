/**
 * LSTM with int8 weights: as assembly/lstm.ts, the brackets W_ih x + b_ih and W_hh h + b_hh made by int8.ts. The weights
 * of a block serve every row before the next block is read.
 */

import { projectInt8, projectInt8Block } from "./int8";
import { nextCell, nextHidden, storeTrace } from "./lstm";
import { copyRows, writeOutputs } from "./memory";
import { quantizeRows } from "./quantize";

/** b_hh + W_hh h of one block. */
const RECURRENT: usize = memory.data(64, 16);

/**
 * Runs `steps` time steps. Parameters as lstmForward's, but for these:
 *
 * @param matrix        W_hh, blocks of four gates by four units
 * @param quantized     scratch for one quantised row of h or of h' per row
 * @param quantizedRow  bytes of such a row
 * @param reduction     W_hr, plain, or 0
 * @param inputMatrix   W_ih, or 0: for a single step of one row the gates are then made here
 * @param input         the quantised input of that step
 */
export function lstmForwardInt8(
  steps: i32,
  hiddenSize: i32,
  matrix: usize,
  hiddenBias: usize,
  gates: usize,
  gatesTime: usize,
  gatesRow: usize,
  state: usize,
  stateRow: usize,
  cells: usize,
  hidden: usize,
  quantized: usize,
  quantizedRow: usize,
  output: usize,
  outputTime: usize,
  outputRow: usize,
  outputSize: i32,
  order: usize,
  active: usize,
  rows: i32,
  backwards: i32,
  reduction: usize,
  reductionStart: usize,
  inputMatrix: usize,
  input: usize,
  inputBias: usize,
  trace: usize,
): void {
  const blocks = (hiddenSize + 3) >> 2;
  const cellRow = (<usize>blocks) << 4;
  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    quantizeRows(running, outputSize, state, stateRow, quantized, quantizedRow);
    for (let turn = 0; turn < blocks; turn++) {
      const block = backwards ? blocks - 1 - turn : turn;
      const unit = (<usize>block) << 4;
      const gate = gates + (unit << 2);
      if (inputMatrix) {
        projectInt8Block(inputMatrix, block, input, inputBias + (unit << 2), gate);
      }
      for (let row = 0; row < running; row++) {
        const at = <usize>row;
        const caller = <usize>load<i32>(order + (at << 2));
        projectInt8Block(matrix, block, quantized + at * quantizedRow, hiddenBias + (unit << 2), RECURRENT);
        updateUnits(
          gate + caller * gatesRow,
          cells + at * cellRow + unit,
          hidden + at * cellRow + unit,
          cellRow,
          trace ? trace + caller * (5 * cellRow) + unit : 0,
        );
      }
    }

    if (reduction) {
      quantizeRows(running, hiddenSize, hidden, cellRow, quantized, quantizedRow);
      projectInt8(running, reduction, quantized, quantizedRow, reductionStart, state, stateRow, backwards);
    }
    if (!reduction) copyRows(state, stateRow, hidden, cellRow, running, hiddenSize);
    writeOutputs(rows, running, order, state, stateRow, outputSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
    backwards ^= 1;
    if (trace) trace += <usize>rows * (5 * cellRow);
  }
}

/** c' and h' of four units from the gates and RECURRENT. */
function updateUnits(gate: usize, cell: usize, hidden: usize, cellRow: usize, trace: usize): void {
  const i = f32x4.add(v128.load(gate), v128.load(RECURRENT));
  const f = f32x4.add(v128.load(gate, 16), v128.load(RECURRENT, 16));
  const g = f32x4.add(v128.load(gate, 32), v128.load(RECURRENT, 32));
  const o = f32x4.add(v128.load(gate, 48), v128.load(RECURRENT, 48));
  const c = nextCell(i, f, g, v128.load(cell));
  v128.store(cell, c);
  v128.store(hidden, nextHidden(o, c));
  if (trace) storeTrace(trace, cellRow, i, f, g, o, c);
}
