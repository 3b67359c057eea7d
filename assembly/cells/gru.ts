/**
 * GRU: r, z = sigmoid of gates + sums;  n = tanh(gates + r sums);  h' = (h - n) z + n.
 *
 * Rows of gates and sums hold 48 bytes r z n for every four units. Rows of h are whole vectors of four units.
 */

import { sigmoidDenominator, tanh4 } from "../activation";
import { callerRow } from "../memory";
import { Layer, Matrix, Run } from "../records";

/** The kind of a layer of this cell. */
export const GRU: i32 = 1;

export function updateGru(layer: usize, run: usize, running: i32, gates: usize): void {
  const fields = changetype<Run>(run);
  const gatesRow = changetype<Matrix>(changetype<Layer>(layer).weightHidden).outputRow;
  const order = fields.order;
  const units = fields.toUnit - fields.fromUnit;
  const firstUnit = (<usize>fields.fromUnit) << 2;
  const hRow = fields.hRow;
  const sums = fields.sums + 3 * firstUnit;
  const h = fields.h + firstUnit;
  const nextH = fields.nextH + firstUnit;
  gates += 3 * firstUnit;
  // r for all rows first, in a loop of its own: short chains of instructions overlap better, 1.04x at H = 128.
  for (let row = 0; row < running; row++) {
    resetSums(units, gates + callerRow(order, row) * gatesRow, sums + <usize>row * gatesRow);
  }
  for (let row = 0; row < running; row++) {
    const place = <usize>row;
    const gate = gates + callerRow(order, row) * gatesRow;
    updateH(units, gate, sums + place * gatesRow, h + place * hRow, nextH + place * hRow);
  }
}

/** The sums of n become what tanh is taken of: r times them, plus the gates. */
function resetSums(units: i32, gate: usize, sum: usize): void {
  for (; units > 0; units -= 4) {
    const r = sigmoidDenominator(f32x4.add(v128.load(gate), v128.load(sum)));
    v128.store(sum, f32x4.add(f32x4.div(v128.load(sum, 32), r), v128.load(gate, 32)), 32);
    gate += 48;
    sum += 48;
  }
}

/** h' = (h - n) z + n of one row. */
function updateH(units: i32, gate: usize, sum: usize, h: usize, nextH: usize): void {
  for (; units > 0; units -= 4) {
    const z = sigmoidDenominator(f32x4.add(v128.load(gate, 16), v128.load(sum, 16)));
    const n = tanh4(v128.load(sum, 32));
    v128.store(nextH, f32x4.add(f32x4.div(f32x4.sub(v128.load(h), n), z), n));
    gate += 48;
    sum += 48;
    h += 16;
    nextH += 16;
  }
}
