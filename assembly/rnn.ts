/**
 * RNN: a run of time steps of one layer and direction.
 *
 *   h' = tanh or relu of (W_ih x + b_ih) + (W_hh h + b_hh)
 *
 * The first bracket comes in as `gates`, made by project(); W_hh is a plain panel (16 units to a line). Rows, order and
 * active as in assembly/lstm.ts.
 */

import { relu4, tanh4 } from "./activation";
import { copyRows, writeOutputs } from "./memory";
import { project } from "./projection";

/**
 * Runs `steps` time steps; strides in bytes.
 * @param state   h, rows of `hiddenSize` rounded up to 16; updated
 * @param hiddenBias  b_hh, rows of the state's size
 * @param hidden  scratch of the state's size for h' of the step
 * @param useRelu 1 for relu, 0 for tanh
 */
export function rnnForward(
  steps: i32,
  hiddenSize: i32,
  panel: usize,
  hiddenBias: usize,
  gates: usize,
  gatesTime: usize,
  gatesRow: usize,
  state: usize,
  hidden: usize,
  output: usize,
  outputTime: usize,
  outputRow: usize,
  order: usize,
  active: usize,
  rows: i32,
  useRelu: i32,
): void {
  const blocks = (hiddenSize + 15) >> 4;
  const stateRow = (<usize>blocks) << 6;
  const blockBytes = (<usize>hiddenSize) << 6;

  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    project(running, hiddenSize, blocks, state, stateRow, panel, blockBytes, hiddenBias, 0, hidden, stateRow);
    for (let row = 0; row < running; row++) {
      const gate = gates + <usize>load<i32>(order + ((<usize>row) << 2)) * gatesRow;
      activate(hidden + <usize>row * stateRow, gate, stateRow, useRelu);
    }

    copyRows(state, stateRow, hidden, stateRow, running, hiddenSize);
    writeOutputs(rows, running, order, state, stateRow, hiddenSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
  }
}

/** sums = tanh or relu of gates + sums, `bytes` of both. */
export function activate(sums: usize, gates: usize, bytes: usize, useRelu: i32): void {
  for (const end = sums + bytes; sums < end; sums += 16) {
    const sum = f32x4.add(v128.load(gates), v128.load(sums));
    v128.store(sums, useRelu ? relu4(sum) : tanh4(sum));
    gates += 16;
  }
}
