/**
 * The cells with options that PyTorch's do not have: any activation, clipping, peepholes, a forget gate that is
 * 1 - i, a reset before the product. Layer.options says which. Rows lie as those of the other cells.
 *
 * They cost a call for each activation of four units, so PyTorch's own cells stay apart.
 */

import { callerRow } from "../memory";
import {
  CellOptions,
  Layer,
  Matrix,
  Run,
  TRACE_C,
  TRACE_F,
  TRACE_G,
  TRACE_I,
  TRACE_O,
  TRACE_ROWS,
} from "../records";
import { clip4, shape4 } from "../shaped";
import { GRU } from "./gru";
import { LSTM } from "./lstm";

/** One step of the rows that run, as updateCell. */
export function updateGeneral(layer: usize, run: usize, running: i32, gates: usize, trace: usize): void {
  const fields = changetype<Run>(run);
  const shape = changetype<Layer>(layer);
  const gatesRow = changetype<Matrix>(shape.weightHidden).outputRow;
  const kind = shape.kind;
  const cRow = fields.cRow;
  const projected = shape.weightProjection !== 0;
  const hRow = projected ? cRow : fields.hRow;
  const nextH = projected ? fields.unprojected : fields.nextH;
  for (let row = 0; row < running; row++) {
    const place = <usize>row;
    const caller = callerRow(fields.order, row);
    const gate = gates + caller * gatesRow;
    const sum = fields.sums + place * gatesRow;
    const target = nextH + place * hRow;
    if (kind === LSTM) {
      const traced = trace ? trace + caller * TRACE_ROWS * cRow : 0;
      updateLstmRow(layer, run, gate, sum, fields.c + place * cRow, target, traced);
    } else if (kind === GRU) updateGruRow(layer, run, gate, sum, fields.h + place * hRow, target);
    else updateRnnRow(layer, run, gate, sum, target);
  }
}

/** Whether a layer is a GRU whose reset comes before the product. */
export function resetsBefore(layer: usize): bool {
  const options = changetype<Layer>(layer).options;
  return options !== 0 && changetype<CellOptions>(options).resetAfter === 0;
}

/**
 * GRU whose reset comes before the product: r h of the rows that run to `resetH`. The sums of z go onto its gates,
 * since the product of r h overwrites the sums.
 */
export function resetRows(layer: usize, run: usize, running: i32, gates: usize): void {
  const fields = changetype<Run>(run);
  const options = changetype<CellOptions>(changetype<Layer>(layer).options);
  const gatesRow = changetype<Matrix>(changetype<Layer>(layer).weightHidden).outputRow;
  const hRow = fields.hRow;
  for (let row = 0; row < running; row++) {
    const place = <usize>row;
    const gate = gates + callerRow(fields.order, row) * gatesRow;
    const sum = fields.sums + place * gatesRow;
    const h = fields.h + place * hRow;
    const resetH = fields.resetH + place * hRow;
    for (let unit = fields.fromUnit; unit < fields.toUnit; unit += 4) {
      const at = (<usize>unit) << 2;
      const r = shape4(options.recurrentActivation, bound(options, add(gate + 3 * at, sum + 3 * at)));
      v128.store(resetH + at, f32x4.mul(r, v128.load(h + at)));
      const z = gate + 3 * at + 16;
      v128.store(z, f32x4.add(v128.load(z), v128.load(sum + 3 * at + 16)));
    }
  }
}

/** h' and c' of one row, and its trace. */
function updateLstmRow(
  layer: usize,
  run: usize,
  gate: usize,
  sum: usize,
  cells: usize,
  nextH: usize,
  trace: usize,
): void {
  const fields = changetype<Run>(run);
  const options = changetype<CellOptions>(changetype<Layer>(layer).options);
  const recurrentActivation = options.recurrentActivation;
  const cRow = fields.cRow;
  for (let unit = fields.fromUnit; unit < fields.toUnit; unit += 4) {
    const at = (<usize>unit) << 2;
    const ours = gate + 4 * at;
    const theirs = sum + 4 * at;
    const c = v128.load(cells + at);
    const i = shape4(recurrentActivation, peeped(options, add(ours, theirs), at, c));
    let f: v128;
    if (options.inputForget) f = f32x4.sub(f32x4.splat(1), i);
    else f = shape4(recurrentActivation, peeped(options, add(ours + 16, theirs + 16), at + cRow, c));
    const g = shape4(options.activation, bound(options, add(ours + 32, theirs + 32)));
    const next = clip4(f32x4.add(f32x4.mul(f, c), f32x4.mul(i, g)), -options.cellClip, options.cellClip);
    const o = shape4(recurrentActivation, peeped(options, add(ours + 48, theirs + 48), at + 2 * cRow, next));
    v128.store(cells + at, next);
    v128.store(nextH + at, f32x4.mul(o, shape4(options.cellActivation, next)));
    if (!trace) continue;
    v128.store(trace + at + TRACE_I * cRow, i);
    v128.store(trace + at + TRACE_F * cRow, f);
    v128.store(trace + at + TRACE_G * cRow, g);
    v128.store(trace + at + TRACE_O * cRow, o);
    v128.store(trace + at + TRACE_C * cRow, next);
  }
}

/** h' = (h - n) z + n of one row. */
function updateGruRow(layer: usize, run: usize, gate: usize, sum: usize, h: usize, nextH: usize): void {
  const fields = changetype<Run>(run);
  const options = changetype<CellOptions>(changetype<Layer>(layer).options);
  const recurrentActivation = options.recurrentActivation;
  for (let unit = fields.fromUnit; unit < fields.toUnit; unit += 4) {
    const at = (<usize>unit) << 2;
    const ours = gate + 3 * at;
    const theirs = sum + 3 * at;
    let z = v128.load(ours + 16);
    let ofH = v128.load(theirs + 32);
    if (options.resetAfter) {
      z = f32x4.add(z, v128.load(theirs + 16));
      ofH = f32x4.mul(shape4(recurrentActivation, bound(options, add(ours, theirs))), ofH);
    }
    z = shape4(recurrentActivation, bound(options, z));
    const n = shape4(options.activation, bound(options, f32x4.add(v128.load(ours + 32), ofH)));
    v128.store(nextH + at, f32x4.add(f32x4.mul(f32x4.sub(v128.load(h + at), n), z), n));
  }
}

/** h' of one row. */
function updateRnnRow(layer: usize, run: usize, gate: usize, sum: usize, nextH: usize): void {
  const fields = changetype<Run>(run);
  const options = changetype<CellOptions>(changetype<Layer>(layer).options);
  for (let unit = fields.fromUnit; unit < fields.toUnit; unit += 4) {
    const at = (<usize>unit) << 2;
    v128.store(nextH + at, shape4(options.activation, bound(options, add(gate + at, sum + at))));
  }
}

function add(gate: usize, sum: usize): v128 {
  return f32x4.add(v128.load(gate), v128.load(sum));
}

/** What an activation is taken of, within its bounds. */
function bound(options: CellOptions, x: v128): v128 {
  return clip4(x, -options.clip, options.clip);
}

/** The same of a gate that sees c by a weight of its own, `at` bytes from the first. */
function peeped(options: CellOptions, x: v128, at: usize, c: v128): v128 {
  const peepholes = options.peepholes;
  return bound(options, peepholes ? f32x4.add(x, f32x4.mul(v128.load(peepholes + at), c)) : x);
}
