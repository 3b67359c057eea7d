/**
 * LSTM: i, f, o = sigmoid, g = tanh of gates + sums;  c' = f c + i g;  h' = o tanh(c').
 *
 * Rows of gates and sums hold 64 bytes i f g o for every four units. Rows of c and h are whole vectors of four units.
 */

import {
  activate4,
  SIGMOID,
  sigmoidDenominator,
  TANH,
  tanhDenominator,
  tanhMagnitude,
  tanhNumerator,
} from "../activation";
import { callerRow } from "../memory";
import { Layer, Matrix, Run, TRACE_C, TRACE_G, TRACE_I, TRACE_O, TRACE_ROWS } from "../records";

/** The kind of a layer of this cell. */
export const LSTM: i32 = 0;

/** With a projection, o tanh(c') goes to `unprojected` in place of h'. */
export function updateLstm(layer: usize, run: usize, running: i32, gates: usize, trace: usize): void {
  const fields = changetype<Run>(run);
  const gatesRow = changetype<Matrix>(changetype<Layer>(layer).weightHidden).outputRow;
  const projected = changetype<Layer>(layer).weightProjection !== 0;
  const order = fields.order;
  const units = fields.toUnit - fields.fromUnit;
  const firstUnit = (<usize>fields.fromUnit) << 2;
  const cRow = fields.cRow;
  const hRow = projected ? cRow : fields.hRow;
  const sums = fields.sums + 4 * firstUnit;
  const c = fields.c + firstUnit;
  const h = (projected ? fields.unprojected : fields.nextH) + firstUnit;
  gates += 4 * firstUnit;
  updateRows(running, units, order, gates, sums, gatesRow, c, cRow, h, hRow);
  if (!trace) return;
  for (let row = 0; row < running; row++) {
    const place = <usize>row;
    const caller = callerRow(order, row);
    const target = trace + caller * TRACE_ROWS * cRow + firstUnit;
    traceUnits(units, gates + caller * gatesRow, sums + place * gatesRow, c + place * cRow, target, cRow);
  }
}

/** c' and h' of the rows that run. */
export function updateRows(
  running: i32,
  units: i32,
  order: usize,
  gates: usize,
  sums: usize,
  gatesRow: usize,
  c: usize,
  cRow: usize,
  h: usize,
  hRow: usize,
): void {
  // c' of all rows before h' of any: the CPU overlaps what is independent, 1.28x for H = 3 and N = 4.
  let sum = sums;
  let cRows = c;
  for (let row = 0; row < running; row++) {
    updateC(units, gates + callerRow(order, row) * gatesRow, sum, cRows);
    sum += gatesRow;
    cRows += cRow;
  }
  sum = sums;
  cRows = c;
  for (let row = 0; row < running; row++) {
    updateH(units, gates + callerRow(order, row) * gatesRow, sum, cRows, h);
    sum += gatesRow;
    cRows += cRow;
    h += hRow;
  }
}

/**
 * c' of one row. h' has a loop of its own: two short chains of dependent instructions overlap better than a long
 * one, 14.1 against 17.4 ns for four units.
 */
function updateC(units: i32, gate: usize, sum: usize, c: usize): void {
  for (; units > 0; units -= 4) {
    const i = f32x4.add(v128.load(gate), v128.load(sum));
    const f = f32x4.add(v128.load(gate, 16), v128.load(sum, 16));
    const g = f32x4.add(v128.load(gate, 32), v128.load(sum, 32));
    v128.store(c, nextC(i, f, g, v128.load(c)));
    gate += 64;
    sum += 64;
    c += 16;
  }
}

/** c' = sigmoid(f) c + sigmoid(i) tanh(g), the last product over one denominator. */
function nextC(i: v128, f: v128, g: v128, c: v128): v128 {
  const m = tanhMagnitude(g);
  const write = f32x4.div(tanhNumerator(g, m), f32x4.mul(sigmoidDenominator(i), tanhDenominator(m)));
  return f32x4.add(f32x4.div(c, sigmoidDenominator(f)), write);
}

/** h' of one row. */
function updateH(units: i32, gate: usize, sum: usize, c: usize, h: usize): void {
  for (; units > 0; units -= 4) {
    const o = f32x4.add(v128.load(gate, 48), v128.load(sum, 48));
    v128.store(h, nextH(o, v128.load(c)));
    gate += 64;
    sum += 64;
    c += 16;
    h += 16;
  }
}

/** h' = sigmoid(o) tanh(c'), over one denominator. */
function nextH(o: v128, c: v128): v128 {
  const m = tanhMagnitude(c);
  return f32x4.div(tanhNumerator(c, m), f32x4.mul(sigmoidDenominator(o), tanhDenominator(m)));
}

/** The activated gates and c' of one row's units, each in a row of its own, `row` bytes apart. */
function traceUnits(units: i32, gate: usize, sum: usize, c: usize, trace: usize, row: usize): void {
  for (; units > 0; units -= 4) {
    // One place that activates: four would be 1 KB more.
    for (let which = TRACE_I; which <= TRACE_O; which++) {
      const x = f32x4.add(v128.load(gate), v128.load(sum));
      v128.store(trace + which * row, activate4(which === TRACE_G ? TANH : SIGMOID, x));
      gate += 16;
      sum += 16;
    }
    v128.store(trace + TRACE_C * row, v128.load(c));
    c += 16;
    trace += 16;
  }
}
