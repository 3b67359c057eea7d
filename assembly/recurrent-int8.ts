/**
 * GRU and RNN with int8 weights: as assembly/gru.ts and assembly/rnn.ts, the brackets W_ih x + b_ih and W_hh h + b_hh
 * made by int8.ts. Both panels have four vectors to a line, in the order of the gates.
 *
 * A GRU's block of 16 outputs is no whole number of units, so all sums of a step are made before the units are updated;
 * the 3 H floats are still in the first-level cache then.
 */

import { nextHidden } from "./gru";
import { projectInt8 } from "./int8";
import { copyFloats, writeOutputs } from "./memory";
import { quantizeRows } from "./quantize";
import { activate } from "./rnn";

/** What forwardInt8 runs. */
const GRU: i32 = 0;
const RNN_RELU: i32 = 2;

/**
 * Runs `steps` time steps; strides in bytes. Rows, order and active as in assembly/lstm.ts.
 *
 * @param kind          0 for a GRU, 1 for an RNN with tanh, 2 with relu
 * @param matrix        W_hh
 * @param hiddenBias    b_hh in the gates' layout
 * @param gates         the first step's W_ih x + b_ih
 * @param state         h; updated
 * @param sums          scratch of the gates' size per row
 * @param quantized     scratch for one quantised row of h per row
 * @param quantizedRow  bytes of such a row
 * @param inputMatrix   W_ih, or 0: for a single step of one row the gates are then made here
 * @param input         the quantised input of that step
 */
export function forwardInt8(
  kind: i32,
  steps: i32,
  hiddenSize: i32,
  matrix: usize,
  hiddenBias: usize,
  gates: usize,
  gatesTime: usize,
  gatesRow: usize,
  state: usize,
  stateRow: usize,
  sums: usize,
  quantized: usize,
  quantizedRow: usize,
  output: usize,
  outputTime: usize,
  outputRow: usize,
  order: usize,
  active: usize,
  rows: i32,
  backwards: i32,
  inputMatrix: usize,
  input: usize,
  inputBias: usize,
): void {
  const unitBytes = (<usize>((hiddenSize + 3) >> 2)) << 4;
  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    if (inputMatrix) {
      projectInt8(1, inputMatrix, input, 0, inputBias, gates, 0, backwards);
    }
    quantizeRows(running, hiddenSize, state, stateRow, quantized, quantizedRow);
    projectInt8(running, matrix, quantized, quantizedRow, hiddenBias, sums, gatesRow, backwards);

    for (let row = 0; row < running; row++) {
      const at = <usize>row;
      const gate = gates + <usize>load<i32>(order + (at << 2)) * gatesRow;
      const sum = sums + at * gatesRow;
      const h = state + at * stateRow;
      if (kind === GRU) {
        updateUnits(gate, sum, h, unitBytes);
      } else {
        activate(sum, gate, unitBytes, i32(kind === RNN_RELU));
        copyFloats(h, sum, hiddenSize);
      }
    }
    writeOutputs(rows, running, order, state, stateRow, hiddenSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
    backwards ^= 1;
  }
}

/** h' of all units in place. */
function updateUnits(gate: usize, sum: usize, h: usize, bytes: usize): void {
  for (const end = h + bytes; h < end; h += 16) {
    const next = nextHidden(gate, v128.load(sum), v128.load(sum, 16), v128.load(sum, 32), v128.load(h));
    v128.store(h, next);
    gate += 48;
    sum += 48;
  }
}
