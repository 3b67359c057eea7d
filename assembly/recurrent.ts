/**
 * GRU and RNN: a run of time steps of one layer and direction.
 *
 *   GRU  r, z = sigmoid of (W_ih x + b_ih) + (W_hh h + b_hh);  n = tanh((W_in x + b_in) + r (W_hn h + b_hn));
 *        h' = (h - n) z + n
 *   RNN  h' = tanh or relu of (W_ih x + b_ih) + (W_hh h + b_hh)
 *
 * The brackets of x come in as `gates`, made by project() for many steps at once: 16 bytes each r z n for every four
 * units of a GRU. A single step of one row makes them here, as in lstm.ts.
 *
 * A step makes all its sums, then updates its units in place. Rows, order, active and alignment as in lstm.ts.
 */

import { relu4, sigmoidDenominator, tanh4 } from "./activation";
import { callerRow, writeOutputs } from "./memory";
import { projectState } from "./projection";

/** Values of `kind`; 1 is an RNN with tanh. */
const GRU: i32 = 0;
const RNN_RELU: i32 = 2;

/**
 * Runs `steps` time steps; strides in bytes.
 *
 * @param kind        0 for a GRU, 1 for an RNN with tanh, 2 with relu
 * @param matrix      W_hh (matrix.ts)
 * @param hiddenBias  b_hh in the gates' layout
 * @param gates       the first step's W_ih x + b_ih
 * @param state       h, rows of `hiddenSize` rounded up to four; updated
 * @param sums        scratch, a row of `gatesRow` bytes for each row
 * @param quantized   int8: scratch for a quantised row of h per row
 * @param inputMatrix W_ih, or 0: for a single step of one row the gates are then made here
 * @param input       the input of that step, in int8 quantised
 * @param inputBias   b_ih in the gates' layout
 */
export function recurrentForward(
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
  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    projectState(
      matrix,
      running,
      state,
      stateRow,
      quantized,
      quantizedRow,
      hiddenBias,
      sums,
      gatesRow,
      backwards,
      inputMatrix,
      input,
      inputBias,
      gates,
    );
    if (kind === GRU) {
      for (let row = 0; row < running; row++) {
        resetHidden(hiddenSize, gates + callerRow(order, row) * gatesRow, sums + <usize>row * gatesRow);
      }
    }
    for (let row = 0; row < running; row++) {
      const at = <usize>row;
      const gate = gates + callerRow(order, row) * gatesRow;
      const h = state + at * stateRow;
      if (kind === GRU) updateGru(hiddenSize, gate, sums + at * gatesRow, h);
      else updateRnn(hiddenSize, gate, sums + at * gatesRow, h, i32(kind === RNN_RELU));
    }
    writeOutputs(rows, running, order, state, stateRow, hiddenSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
    backwards ^= 1;
  }
}

/**
 * The sums of n become what tanh is taken of, r times them plus the gates. For all rows, and in a loop of its own, since
 * short chains of dependent instructions overlap better (1.04x for one row of H = 128; see updateCells in lstm.ts).
 */
function resetHidden(units: i32, gate: usize, sum: usize): void {
  for (; units > 0; units -= 4) {
    const reset = sigmoidDenominator(f32x4.add(v128.load(gate), v128.load(sum)));
    v128.store(sum, f32x4.add(f32x4.div(v128.load(sum, 32), reset), v128.load(gate, 32)), 32);
    gate += 48;
    sum += 48;
  }
}

/** h' = (h - n) z + n of one row. */
function updateGru(units: i32, gate: usize, sum: usize, h: usize): void {
  for (; units > 0; units -= 4) {
    const update = sigmoidDenominator(f32x4.add(v128.load(gate, 16), v128.load(sum, 16)));
    const candidate = tanh4(v128.load(sum, 32));
    v128.store(h, f32x4.add(f32x4.div(f32x4.sub(v128.load(h), candidate), update), candidate));
    gate += 48;
    sum += 48;
    h += 16;
  }
}

function updateRnn(units: i32, gate: usize, sum: usize, h: usize, useRelu: i32): void {
  for (; units > 0; units -= 4) {
    const total = f32x4.add(v128.load(gate), v128.load(sum));
    v128.store(h, useRelu ? relu4(total) : tanh4(total));
    gate += 16;
    sum += 16;
    h += 16;
  }
}
