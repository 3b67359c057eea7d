/**
 * LSTM: a run of time steps of one layer and direction.
 *
 *   i, f, o = sigmoid, g = tanh of (W_ih x + b_ih) + (W_hh h + b_hh);  c' = f c + i g;  h' = o tanh(c')
 *
 * The first bracket comes in as `gates`, made by project() for many steps at once, in the panel's order: 64 bytes
 * i f g o for every four units. The second, `sums`, is made on its own, as PyTorch does: summed onto the first, a large
 * input would round away h's part bit by bit. A single step of one row makes the gates here, block by block, since its
 * W_ih and W_hh lie side by side and are then read in one walk.
 *
 * A step makes all its sums, then updates its units. A block's sums are in registers until they are whole; taking them
 * on to c' and h' from there gave 0.97 to 1.01x for one row, each measured against the kernel before. Those kernels, which
 * did so for two rows at once from lines of half this width, were slower for many rows (0.83 to 0.98x; how much of it is
 * the width was not told apart). `sums` of one row are 16 H bytes, still in the first-level cache when they are read.
 *
 * Rows of state, cells and hidden are in the order of `order`, the caller's rows sorted by falling length, so the rows
 * that still run at a time step are the first `active[t]`. Rows of gates and output are the caller's.
 * Alignment: 16 bytes. Rows of biases, gates and sums are whole blocks (matrix.ts), and so are those of state where there
 * is a projection; rows of cells, of hidden, and of state without one reach to the next multiple of four units.
 */

import {
  sigmoid4,
  sigmoidDenominator,
  tanh4,
  tanhDenominator,
  tanhMagnitude,
  tanhNumerator,
} from "./activation";
import { callerRow, writeOutputs } from "./memory";
import { projectState } from "./projection";

/**
 * Runs `steps` time steps. All strides (`...Time`, `...Row`) are in bytes; those of time are negative when the sequence
 * is read backwards.
 *
 * @param matrix      W_hh (matrix.ts)
 * @param hiddenBias  b_hh in the gates' layout
 * @param gates       the first step's W_ih x + b_ih
 * @param state       h of the first row; updated
 * @param cells       c, rows of `hiddenSize` rounded up to four; updated
 * @param hidden      with a projection: scratch of the cells' size for o tanh(c')
 * @param sums        scratch, a row of `gatesRow` bytes for each row
 * @param quantized   int8: scratch for a quantised row of h or of h' per row
 * @param output      the first step's row of outputs
 * @param outputSize  numbers in h: hiddenSize, or the projection's size
 * @param order       i32 row numbers of the caller
 * @param active      i32 numbers of rows that run at each step
 * @param rows        all rows; outputs of rows that do not run are cleared
 * @param backwards   1 to walk the blocks of the first step from the last to the first
 * @param reduction   W_hr, or 0
 * @param reductionStart  zeros in the reduction's output layout
 * @param inputMatrix W_ih, or 0: for a single step of one row the gates are then made here
 * @param input       the input of that step, in int8 quantised
 * @param inputBias   b_ih in the gates' layout
 * @param trace       0, or where to put i f g o c of each step and row: five rows of the cells' size
 */
export function lstmForward(
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
  sums: usize,
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
  const cellRow = rowBytes(hiddenSize);
  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    // Walking back over the panel finds its end still in the cache: 1.39x at H = 512, larger than a 2 MB L2.
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
    // c' of all rows before h' of any: what the CPU overlaps is then independent (see updateCells).
    for (let row = 0; row < running; row++) {
      const at = <usize>row;
      const gate = gates + callerRow(order, row) * gatesRow;
      updateCells(hiddenSize, gate, sums + at * gatesRow, cells + at * cellRow);
    }
    for (let row = 0; row < running; row++) {
      const at = <usize>row;
      const caller = callerRow(order, row);
      const gate = gates + caller * gatesRow;
      const sum = sums + at * gatesRow;
      const cell = cells + at * cellRow;
      updateHidden(hiddenSize, gate, sum, cell, reduction ? hidden + at * cellRow : state + at * stateRow);
      if (trace) traceUnits(hiddenSize, gate, sum, cell, trace + caller * (5 * cellRow));
    }
    if (reduction) {
      projectState(
        reduction,
        running,
        hidden,
        cellRow,
        quantized,
        quantizedRow,
        reductionStart,
        state,
        stateRow,
        backwards,
        0,
        0,
        0,
        0,
      );
    }
    writeOutputs(rows, running, order, state, stateRow, outputSize, output, outputRow);

    gates += gatesTime;
    output += outputTime;
    active += 4;
    backwards ^= 1;
    if (trace) trace += <usize>rows * (5 * cellRow);
  }
}

/**
 * c' of one row. h' has a loop of its own, which halves the chains of dependent instructions, so that the CPU overlaps more
 * of them: 17.4 ns for four units in one loop, 14.1 in two. Rows one after the other, c' and h' of each, would wait for
 * each other where they are short (1.28x for H = 3, N = 4).
 */
function updateCells(units: i32, gate: usize, sum: usize, cell: usize): void {
  for (; units > 0; units -= 4) {
    const i = f32x4.add(v128.load(gate), v128.load(sum));
    const f = f32x4.add(v128.load(gate, 16), v128.load(sum, 16));
    const g = f32x4.add(v128.load(gate, 32), v128.load(sum, 32));
    v128.store(cell, nextCell(i, f, g, v128.load(cell)));
    gate += 64;
    sum += 64;
    cell += 16;
  }
}

/** c' = sigmoid(f) c + sigmoid(i) tanh(g), the last product over one denominator. */
function nextCell(i: v128, f: v128, g: v128, c: v128): v128 {
  const m = tanhMagnitude(g);
  const write = f32x4.div(tanhNumerator(g, m), f32x4.mul(sigmoidDenominator(i), tanhDenominator(m)));
  return f32x4.add(f32x4.div(c, sigmoidDenominator(f)), write);
}

/** h' of one row. */
function updateHidden(units: i32, gate: usize, sum: usize, cell: usize, hidden: usize): void {
  for (; units > 0; units -= 4) {
    const o = f32x4.add(v128.load(gate, 48), v128.load(sum, 48));
    v128.store(hidden, nextHidden(o, v128.load(cell)));
    gate += 64;
    sum += 64;
    cell += 16;
    hidden += 16;
  }
}

/** h' = sigmoid(o) tanh(c'), over one denominator. */
function nextHidden(o: v128, c: v128): v128 {
  const m = tanhMagnitude(c);
  return f32x4.div(tanhNumerator(c, m), f32x4.mul(sigmoidDenominator(o), tanhDenominator(m)));
}

/** The activated gates and c' of one row's units, each in a row of its own. */
function traceUnits(units: i32, gate: usize, sum: usize, cell: usize, trace: usize): void {
  const row = rowBytes(units);
  for (const end = cell + row; cell < end; cell += 16) {
    v128.store(trace, sigmoid4(f32x4.add(v128.load(gate), v128.load(sum))));
    v128.store(trace + row, sigmoid4(f32x4.add(v128.load(gate, 16), v128.load(sum, 16))));
    v128.store(trace + 2 * row, tanh4(f32x4.add(v128.load(gate, 32), v128.load(sum, 32))));
    v128.store(trace + 3 * row, sigmoid4(f32x4.add(v128.load(gate, 48), v128.load(sum, 48))));
    v128.store(trace + 4 * row, v128.load(cell));
    gate += 64;
    sum += 64;
    trace += 16;
  }
}

/** Bytes of a row of cells. */
function rowBytes(units: i32): usize {
  return (<usize>((units + 3) >> 2)) << 4;
}
