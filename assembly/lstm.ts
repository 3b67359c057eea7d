/**
 * LSTM: a run of time steps of one layer and direction.
 *
 *   i, f, o = sigmoid, g = tanh of (W_ih x + b_ih) + (W_hh h + b_hh);  c' = f c + i g;  h' = o tanh(c')
 *
 * The first bracket comes in as `gates`, made by project() for many steps at once, in the panel's order: 64 bytes
 * i f g o for each block of four units. The second is summed on its own, as PyTorch does: summed onto the first, a
 * large input would round away h's part bit by bit. A single step of one row makes the gates here, block by block, since
 * its W_ih and W_hh lie side by side and are then read in one walk.
 *
 * All four gates of a block stay in registers from W_hh's first product to c' and h'.
 *
 * Rows of state, cells and hidden are in the order of `order`, the caller's rows sorted by falling length, so the rows
 * that still run at a time step are the first `active[t]`. Rows of gates and output are the caller's.
 * Alignment: panels, biases, gates, state, cells and hidden 16 bytes; they reach to the next multiple of four units.
 */

import {
  expm1Negative,
  expNegative,
  sigmoid4,
  sigmoidDenominator,
  sigmoidNumerator,
  tanh4,
  tanhDenominator,
  tanhNumerator,
} from "./activation";
import { copyRows, writeOutputs } from "./memory";
import { project, projectBlocks } from "./projection";
import { madd } from "./simd";

/**
 * Runs `steps` time steps. All strides (`...Time`, `...Row`, `blockBytes`) are in bytes; those of time are negative when
 * the sequence is read backwards.
 *
 * @param panel       W_hh, lines of four gates, blocks of four units
 * @param hiddenBias  b_hh in the gates' layout
 * @param gates       the first step's W_ih x + b_ih
 * @param state       h of the first row; updated
 * @param cells       c, rows of `hiddenSize` rounded up to four; updated
 * @param hidden      scratch of the cells' size for h' of the step, since all blocks read the old h
 * @param output      the first step's row of outputs
 * @param outputSize  numbers in h: hiddenSize, or the projection's size
 * @param order       i32 row numbers of the caller
 * @param active      i32 numbers of rows that run at each step
 * @param rows        all rows; outputs of rows that do not run are cleared
 * @param backwards   1 to walk the blocks of the first step from the last to the first
 * @param reduction   the plain panel of W_hr, or 0
 * @param reductionStart  zeros in the reduction's output layout
 * @param inputs      0, or for a single step of one row the numbers in `input`: the gates are then made here
 * @param inputPanel  W_ih, with the same blockBytes
 * @param inputBias   b_ih in the gates' layout
 * @param trace       0, or where to put i f g o c of each step and row: five rows of the cells' size
 */
export function lstmForward(
  steps: i32,
  hiddenSize: i32,
  panel: usize,
  blockBytes: usize,
  hiddenBias: usize,
  gates: usize,
  gatesTime: usize,
  gatesRow: usize,
  state: usize,
  stateRow: usize,
  cells: usize,
  hidden: usize,
  output: usize,
  outputTime: usize,
  outputRow: usize,
  outputSize: i32,
  order: usize,
  active: usize,
  rows: i32,
  backwards: i32,
  reduction: usize,
  reductionBlockBytes: usize,
  reductionStart: usize,
  inputs: i32,
  input: usize,
  inputPanel: usize,
  inputBias: usize,
  trace: usize,
): void {
  const blocks = (hiddenSize + 3) >> 2;
  const cellRow = (<usize>blocks) << 4;
  for (; steps > 0; steps--) {
    const running = load<i32>(active);
    const pairs = running & ~1;
    // Walking back over the panel finds its end still in the cache: 1.39x at H = 512, larger than a 2 MB L2.
    if (pairs > 0) {
      for (let turn = 0; turn < blocks; turn++) {
        const block = backwards ? blocks - 1 - turn : turn;
        const line = panel + <usize>block * blockBytes;
        const gate = gates + ((<usize>block) << 6);
        const unit = (<usize>block) << 4;
        for (let row = 0; row < pairs; row += 2) {
          const at = <usize>row;
          const first = <usize>load<i32>(order + (at << 2));
          const second = <usize>load<i32>(order + (at << 2), 4);
          stepTwoRows(
            outputSize,
            line,
            hiddenBias + ((<usize>block) << 6),
            state + at * stateRow,
            stateRow,
            gate + first * gatesRow,
            gate + second * gatesRow,
            cells + at * cellRow + unit,
            hidden + at * cellRow + unit,
            cellRow,
            trace ? trace + first * (5 * cellRow) + unit : 0,
            trace ? trace + second * (5 * cellRow) + unit : 0,
          );
        }
      }
    }
    if (running & 1) {
      const at = <usize>pairs;
      const row = <usize>load<i32>(order + (at << 2));
      for (let turn = 0; turn < blocks; turn += 2) {
        const block = backwards ? (blocks - 1 - turn) & ~1 : turn;
        const second = <usize>(block + 1 < blocks);
        const offset = <usize>block * blockBytes;
        const line = panel + offset;
        const bias = hiddenBias + ((<usize>block) << 6);
        const gate = gates + row * gatesRow + ((<usize>block) << 6);
        const unit = (<usize>block) << 4;
        if (inputs > 0) {
          const lineOfInput = inputPanel + offset;
          const start = inputBias + ((<usize>block) << 6);
          projectBlocks(
            inputs,
            input,
            lineOfInput,
            lineOfInput + second * blockBytes,
            start,
            start + (second << 6),
            gate,
            gate + (second << 6),
          );
        }
        stepTwoBlocks(
          outputSize,
          line,
          line + second * blockBytes,
          bias,
          bias + (second << 6),
          state + at * stateRow,
          gate,
          gate + (second << 6),
          cells + at * cellRow + unit,
          hidden + at * cellRow + unit,
          second << 4,
          cellRow,
          trace ? trace + row * (5 * cellRow) + unit : 0,
        );
      }
    }

    if (reduction) {
      const reducedBlocks = (outputSize + 15) >> 4;
      project(
        running,
        hiddenSize,
        reducedBlocks,
        hidden,
        cellRow,
        reduction,
        reductionBlockBytes,
        reductionStart,
        0,
        state,
        stateRow,
      );
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

/** One block of four units for two rows: 2 rows x 4 gates. */
function stepTwoRows(
  count: i32,
  line: usize,
  bias: usize,
  valuesA: usize,
  stateRow: usize,
  gateA: usize,
  gateB: usize,
  cell: usize,
  hidden: usize,
  cellRow: usize,
  traceA: usize,
  traceB: usize,
): void {
  let iA = v128.load(bias);
  let fA = v128.load(bias, 16);
  let gA = v128.load(bias, 32);
  let oA = v128.load(bias, 48);
  let iB = iA;
  let fB = fA;
  let gB = gA;
  let oB = oA;
  let valuesB = valuesA + stateRow;
  for (let end = valuesA + ((<usize>count) << 2); valuesA < end; valuesA += 4) {
    const a = v128.load32_splat(valuesA);
    const b = v128.load32_splat(valuesB);
    let w = v128.load(line);
    iA = madd(a, w, iA);
    iB = madd(b, w, iB);
    w = v128.load(line, 16);
    fA = madd(a, w, fA);
    fB = madd(b, w, fB);
    w = v128.load(line, 32);
    gA = madd(a, w, gA);
    gB = madd(b, w, gB);
    w = v128.load(line, 48);
    oA = madd(a, w, oA);
    oB = madd(b, w, oB);
    valuesB += 4;
    line += 64;
  }
  iA = f32x4.add(v128.load(gateA), iA);
  fA = f32x4.add(v128.load(gateA, 16), fA);
  gA = f32x4.add(v128.load(gateA, 32), gA);
  oA = f32x4.add(v128.load(gateA, 48), oA);
  iB = f32x4.add(v128.load(gateB), iB);
  fB = f32x4.add(v128.load(gateB, 16), fB);
  gB = f32x4.add(v128.load(gateB, 32), gB);
  oB = f32x4.add(v128.load(gateB, 48), oB);
  const cA = nextCell(iA, fA, gA, v128.load(cell));
  const cB = nextCell(iB, fB, gB, v128.load(cell + cellRow));
  v128.store(hidden, nextHidden(oA, cA));
  v128.store(hidden + cellRow, nextHidden(oB, cB));
  v128.store(cell, cA);
  v128.store(cell + cellRow, cB);
  if (traceA) {
    storeTrace(traceA, cellRow, iA, fA, gA, oA, cA);
    storeTrace(traceB, cellRow, iB, fB, gB, oB, cB);
  }
}

/**
 * Two blocks for one row: eight chains hide the latency of a multiply-add. An odd last block is computed as both
 * (`second` is then 0): the stores agree.
 */
function stepTwoBlocks(
  count: i32,
  lineA: usize,
  lineB: usize,
  biasA: usize,
  biasB: usize,
  values: usize,
  gateA: usize,
  gateB: usize,
  cell: usize,
  hidden: usize,
  second: usize,
  cellRow: usize,
  trace: usize,
): void {
  let iA = v128.load(biasA);
  let fA = v128.load(biasA, 16);
  let gA = v128.load(biasA, 32);
  let oA = v128.load(biasA, 48);
  let iB = v128.load(biasB);
  let fB = v128.load(biasB, 16);
  let gB = v128.load(biasB, 32);
  let oB = v128.load(biasB, 48);
  for (let end = values + ((<usize>count) << 2); values < end; values += 4) {
    const x = v128.load32_splat(values);
    iA = madd(x, v128.load(lineA), iA);
    fA = madd(x, v128.load(lineA, 16), fA);
    gA = madd(x, v128.load(lineA, 32), gA);
    oA = madd(x, v128.load(lineA, 48), oA);
    iB = madd(x, v128.load(lineB), iB);
    fB = madd(x, v128.load(lineB, 16), fB);
    gB = madd(x, v128.load(lineB, 32), gB);
    oB = madd(x, v128.load(lineB, 48), oB);
    lineA += 64;
    lineB += 64;
  }
  iA = f32x4.add(v128.load(gateA), iA);
  fA = f32x4.add(v128.load(gateA, 16), fA);
  gA = f32x4.add(v128.load(gateA, 32), gA);
  oA = f32x4.add(v128.load(gateA, 48), oA);
  iB = f32x4.add(v128.load(gateB), iB);
  fB = f32x4.add(v128.load(gateB, 16), fB);
  gB = f32x4.add(v128.load(gateB, 32), gB);
  oB = f32x4.add(v128.load(gateB, 48), oB);
  const cA = nextCell(iA, fA, gA, v128.load(cell));
  const cB = nextCell(iB, fB, gB, v128.load(cell + second));
  v128.store(hidden, nextHidden(oA, cA));
  v128.store(hidden + second, nextHidden(oB, cB));
  v128.store(cell, cA);
  v128.store(cell + second, cB);
  if (trace) {
    storeTrace(trace, cellRow, iA, fA, gA, oA, cA);
    storeTrace(trace + second, cellRow, iB, fB, gB, oB, cB);
  }
}

/** c' = sigmoid(f) c + sigmoid(i) tanh(g), the last product over one denominator. */
export function nextCell(i: v128, f: v128, g: v128, c: v128): v128 {
  const ei = expNegative(i);
  const ef = expNegative(f);
  const mg = expm1Negative(g);
  const forget = f32x4.div(sigmoidNumerator(f, ef), sigmoidDenominator(ef));
  const write = f32x4.div(
    f32x4.mul(sigmoidNumerator(i, ei), tanhNumerator(g, mg)),
    f32x4.mul(sigmoidDenominator(ei), tanhDenominator(mg)),
  );
  return madd(forget, c, write);
}

/** h' = sigmoid(o) tanh(c'), over one denominator. */
export function nextHidden(o: v128, c: v128): v128 {
  const eo = expNegative(o);
  const mc = expm1Negative(c);
  return f32x4.div(
    f32x4.mul(sigmoidNumerator(o, eo), tanhNumerator(c, mc)),
    f32x4.mul(sigmoidDenominator(eo), tanhDenominator(mc)),
  );
}

/** The activated gates and c' of four units, each in a row of its own. */
export function storeTrace(trace: usize, cellRow: usize, i: v128, f: v128, g: v128, o: v128, c: v128): void {
  v128.store(trace, sigmoid4(i));
  v128.store(trace + cellRow, sigmoid4(f));
  v128.store(trace + 2 * cellRow, tanh4(g));
  v128.store(trace + 3 * cellRow, sigmoid4(o));
  v128.store(trace + 4 * cellRow, c);
}
