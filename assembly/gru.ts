/**
 * GRU: a run of time steps of one layer and direction.
 *
 *   r, z = sigmoid of (W_ih x + b_ih) + (W_hh h + b_hh);  n = tanh((W_in x + b_in) + r (W_hn h + b_hn));
 *   h' = (h - n) z + n
 *
 * The brackets of x come in as `gates`, made by project(): 48 bytes r z n for each block of four units. The hidden
 * panel has three vectors to a line. Rows, strides, order and active as in assembly/lstm.ts.
 */

import { sigmoid4, tanh4 } from "./activation";
import { copyRows, writeOutputs } from "./memory";
import { madd } from "./simd";

/**
 * Runs `steps` time steps; strides in bytes.
 * @param hiddenBias  b_hh in the gates' layout
 * @param state       h, rows of `hiddenSize` rounded up to four; updated
 * @param hidden      scratch of the state's size for h' of the step
 */
export function gruForward(
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
  backwards: i32,
): void {
  const blocks = (hiddenSize + 3) >> 2;
  const stateRow = (<usize>blocks) << 4;
  const blockBytes = <usize>hiddenSize * 48;

  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    const pairs = running & ~1;
    if (pairs > 0) {
      for (let turn = 0; turn < blocks; turn++) {
        const block = backwards ? blocks - 1 - turn : turn;
        const line = panel + <usize>block * blockBytes;
        const gate = gates + <usize>block * 48;
        const unit = (<usize>block) << 4;
        for (let row = 0; row < pairs; row += 2) {
          const at = <usize>row;
          const first = gate + <usize>load<i32>(order + (at << 2)) * gatesRow;
          const second = gate + <usize>load<i32>(order + (at << 2), 4) * gatesRow;
          const h = state + at * stateRow;
          step(
            hiddenSize,
            line,
            line,
            h,
            h + stateRow,
            first,
            second,
            hiddenBias + <usize>block * 48,
            hiddenBias + <usize>block * 48,
            h + unit,
            h + stateRow + unit,
            hidden + at * stateRow + unit,
            hidden + at * stateRow + stateRow + unit,
          );
        }
      }
    }
    if (running & 1) {
      const at = <usize>pairs;
      const row = gates + <usize>load<i32>(order + (at << 2)) * gatesRow;
      const h = state + at * stateRow;
      for (let turn = 0; turn < blocks; turn += 2) {
        const block = <usize>(backwards ? (blocks - 1 - turn) & ~1 : turn);
        // An odd last block is computed as both: the stores agree.
        const other = min(block + 1, <usize>blocks - 1);
        step(
          hiddenSize,
          panel + block * blockBytes,
          panel + other * blockBytes,
          h,
          h,
          row + block * 48,
          row + other * 48,
          hiddenBias + block * 48,
          hiddenBias + other * 48,
          h + (block << 4),
          h + (other << 4),
          hidden + at * stateRow + (block << 4),
          hidden + at * stateRow + (other << 4),
        );
      }
    }

    copyRows(state, stateRow, hidden, stateRow, running, hiddenSize);
    writeOutputs(rows, running, order, state, stateRow, hiddenSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
    backwards ^= 1;
  }
}

/** Two blocks of four units, A and B: of one row, or the same block of two rows. */
function step(
  count: i32,
  lineA: usize,
  lineB: usize,
  valuesA: usize,
  valuesB: usize,
  gateA: usize,
  gateB: usize,
  biasA: usize,
  biasB: usize,
  hA: usize,
  hB: usize,
  hiddenA: usize,
  hiddenB: usize,
): void {
  let rA = v128.load(biasA);
  let zA = v128.load(biasA, 16);
  let nA = v128.load(biasA, 32);
  let rB = v128.load(biasB);
  let zB = v128.load(biasB, 16);
  let nB = v128.load(biasB, 32);
  for (let end = valuesA + ((<usize>count) << 2); valuesA < end; valuesA += 4) {
    const a = v128.load32_splat(valuesA);
    const b = v128.load32_splat(valuesB);
    rA = madd(a, v128.load(lineA), rA);
    zA = madd(a, v128.load(lineA, 16), zA);
    nA = madd(a, v128.load(lineA, 32), nA);
    rB = madd(b, v128.load(lineB), rB);
    zB = madd(b, v128.load(lineB, 16), zB);
    nB = madd(b, v128.load(lineB, 32), nB);
    valuesB += 4;
    lineA += 48;
    lineB += 48;
  }
  v128.store(hiddenA, nextHidden(gateA, rA, zA, nA, v128.load(hA)));
  v128.store(hiddenB, nextHidden(gateB, rB, zB, nB, v128.load(hB)));
}

export function nextHidden(gate: usize, r: v128, z: v128, n: v128, h: v128): v128 {
  const reset = sigmoid4(f32x4.add(v128.load(gate), r));
  const update = sigmoid4(f32x4.add(v128.load(gate, 16), z));
  const candidate = tanh4(madd(reset, n, v128.load(gate, 32)));
  return madd(f32x4.sub(h, candidate), update, candidate);
}
