/**
 * RNN: a run of time steps of one layer and direction.
 *
 *   h' = tanh or relu of (W_ih x + b_ih + b_hh) + W_hh h
 *
 * The bracket comes in as `gates`, made by project(); W_hh is a plain panel (16 units to a line). Rows, order and
 * active as in assembly/lstm.ts.
 */

import { relu, tanh } from "./activation";
import { clearFloats, copyFloats } from "./memory";
import { project } from "./projection";

/**
 * Runs `steps` time steps; strides in bytes.
 * @param state   h, rows of `hiddenSize` rounded up to 16; updated
 * @param sums    scratch of the state's size: the gates of the rows that run
 * @param hidden  scratch of the state's size for h' of the step
 * @param useRelu 1 for relu, 0 for tanh
 */
export function rnnForward(
  steps: i32,
  hiddenSize: i32,
  panel: usize,
  gates: usize,
  gatesTime: usize,
  gatesRow: usize,
  state: usize,
  sums: usize,
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
    for (let row = 0; row < running; row++) {
      const from = gates + <usize>load<i32>(order + ((<usize>row) << 2)) * gatesRow;
      copyFloats(sums + <usize>row * stateRow, from, blocks << 4);
    }
    project(
      running,
      hiddenSize,
      blocks,
      state,
      stateRow,
      panel,
      blockBytes,
      sums,
      stateRow,
      hidden,
      stateRow,
    );
    if (useRelu) relu(hidden, running * (blocks << 4));
    else tanh(hidden, running * (blocks << 4));

    for (let row = 0; row < rows; row++) {
      const at = <usize>row;
      const target = output + <usize>load<i32>(order + (at << 2)) * outputRow;
      if (row < running) {
        copyFloats(state + at * stateRow, hidden + at * stateRow, hiddenSize);
        copyFloats(target, hidden + at * stateRow, hiddenSize);
      } else {
        clearFloats(target, hiddenSize);
      }
    }

    gates += gatesTime;
    output += outputTime;
    active += 4;
  }
}
