/**
 * RNN: h' = the layer's activation of gates + sums.
 *
 * Rows of gates and sums hold 16 bytes for every four units. Rows of h are whole vectors of four units.
 */

import { activate4 } from "../activation";
import { callerRow } from "../memory";
import { Layer, Matrix, Run } from "../records";

/** The kind of a layer of this cell. */
export const RNN: i32 = 2;

export function updateRnn(layer: usize, run: usize, running: i32, gates: usize): void {
  const fields = changetype<Run>(run);
  const gatesRow = changetype<Matrix>(changetype<Layer>(layer).weightHidden).outputRow;
  const activation = changetype<Layer>(layer).activation;
  const order = fields.order;
  const units = fields.toUnit - fields.fromUnit;
  const firstUnit = (<usize>fields.fromUnit) << 2;
  const hRow = fields.hRow;
  const sums = fields.sums + firstUnit;
  const nextH = fields.nextH + firstUnit;
  gates += firstUnit;
  for (let row = 0; row < running; row++) {
    const place = <usize>row;
    const gate = gates + callerRow(order, row) * gatesRow;
    updateH(units, gate, sums + place * gatesRow, nextH + place * hRow, activation);
  }
}

/** h' of one row. */
function updateH(units: i32, gate: usize, sum: usize, nextH: usize, activation: i32): void {
  for (; units > 0; units -= 4) {
    v128.store(nextH, activate4(activation, f32x4.add(v128.load(gate), v128.load(sum))));
    gate += 16;
    sum += 16;
    nextH += 16;
  }
}
