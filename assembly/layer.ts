/**
 * One layer and direction over a chunk of time, as PyTorch's nn.LSTM, GRU and RNN run it:
 *
 *   gates = W_ih x + b_ih    for many steps at once
 *   sums  = W_hh h + b_hh    step by step
 *   h'    = cell(gates, sums), and with a projection W_hr of it
 *
 * The two stay apart, as in PyTorch: summed onto the gates of a large input, h's part would be rounded away bit by
 * bit. A step makes all its sums, then updates its units: `sums` of one row are 16 H bytes, still in the
 * first-level cache.
 *
 * records.ts says what the buffers hold. Alignment is 16 bytes.
 */

import { resetRows, resetsBefore } from "./cells/general";
import { updateCell } from "./cells/index";
import { assertNumbers, assertRows, assertWalk } from "./debug";
import { multiplyRowPair } from "./matmul/f32";
import { multiplyInt8 } from "./matmul/i8";
import { matmul } from "./matmul/index";
import { roundInputs } from "./matmul/round-inputs";
import { callerRow, clearFloats, copyFloats } from "./memory";
import { isNarrow, runNarrow } from "./narrow";
import { AFTER, BEFORE, Layer, Matrix, Run, TRACE_ROWS, Walk } from "./records";

/**
 * Runs `steps` steps of `layer` on the buffers of `run`. `zigzag` 1 begins with the walk from the last block to the
 * first; every step turns it around.
 */
export function runLayer(layer: usize, run: usize, steps: i32, zigzag: i32): void {
  assertRun(layer, run, steps);
  if (isNarrow(layer, run, steps)) {
    runNarrow(layer, run, steps);
    return;
  }
  const fields = changetype<Run>(run);
  const batch = fields.batch;
  const made = fields.gateSteps === 0;
  const gateSteps = made ? steps : fields.gateSteps;
  const reverse = changetype<Layer>(layer).reverse;
  const weightInput = changetype<Layer>(layer).weightInput;
  const inputRow = changetype<Walk>(fields.inputWalk).inputRow;
  for (let done = 0; done < steps; done += gateSteps) {
    const count = min(gateSteps, steps - done);
    const first = reverse ? steps - done - count : done;
    const input = fields.input + <usize>(first * batch) * inputRow;
    // A step of one row makes its gates together with its sums.
    const makesGates = i32(count === 1 && batch === 1 && !made);
    if (!makesGates && !made) matmul(weightInput, fields.inputWalk, count * batch, input, fields.gates, 0);
    runSteps(layer, run, first, count, zigzag ^ (done & 1), makesGates);
  }
}

/** Steps `first` to `first + count - 1`, whose gates are made; or, with `makesGates`, one step that makes its own. */
function runSteps(layer: usize, run: usize, first: i32, count: i32, zigzag: i32, makesGates: i32): void {
  const fields = changetype<Run>(run);
  const weightHidden = changetype<Layer>(layer).weightHidden;
  const weightProjection = changetype<Layer>(layer).weightProjection;
  const reverse = changetype<Layer>(layer).reverse;
  const gatesStep = <usize>fields.batch * changetype<Matrix>(weightHidden).outputRow;
  const traceStep = <usize>fields.batch * TRACE_ROWS * fields.cRow;
  const h = fields.h;
  const nextH = fields.nextH;
  const sums = fields.sums;
  const stage = fields.stage;
  const resets = resetsBefore(layer);
  for (let turn = 0; turn < count; turn++) {
    const place = reverse ? count - 1 - turn : turn;
    const step = first + place;
    const running = load<i32>(fields.active + ((<usize>step) << 2));
    const gates = fields.gates + <usize>place * gatesStep;
    const trace = fields.trace ? fields.trace + <usize>step * traceStep : 0;
    if (stage !== AFTER) {
      if (fields.mask) copyMasked(run, step, running, true);
      if (makesGates) multiplyTogether(layer, run, step, zigzag);
      else matmul(weightHidden, fields.hiddenWalk, running, h, sums, zigzag);
      if (resets) resetRows(layer, run, running, gates);
    }
    if (resets && stage !== BEFORE) {
      matmul(weightHidden, fields.hiddenWalk, running, fields.resetH, sums, zigzag ^ 1);
    }
    if (stage !== (resets ? BEFORE : AFTER)) updateCell(layer, run, running, gates, trace);
    if (stage !== BEFORE) {
      if (weightProjection) {
        matmul(weightProjection, fields.projectionWalk, running, fields.unprojected, nextH, zigzag);
      }
      if (fields.mask) copyMasked(run, step, running, false);
      writeOutputs(run, step, running);
    }
    zigzag ^= 1;
  }
}

/** The gates and the sums of one row: W_ih and W_hh share their blocks, and are read in one walk. */
function multiplyTogether(layer: usize, run: usize, step: i32, zigzag: i32): void {
  const fields = changetype<Run>(run);
  const weightInput = changetype<Layer>(layer).weightInput;
  const weightHidden = changetype<Layer>(layer).weightHidden;
  const inputWalk = changetype<Walk>(fields.inputWalk);
  const walk = fields.hiddenWalk;
  const x = fields.input + <usize>step * inputWalk.inputRow;
  if (!changetype<Matrix>(weightInput).scales) {
    multiplyRowPair(weightInput, weightHidden, walk, x, fields.h, fields.gates, fields.sums, zigzag);
    return;
  }
  const roundedX = inputWalk.rounded;
  const roundedH = changetype<Walk>(walk).rounded;
  roundInputs(1, changetype<Matrix>(weightInput).columns, x, 0, roundedX);
  roundInputs(1, changetype<Matrix>(weightHidden).columns, fields.h, 0, roundedH);
  const from = changetype<Walk>(walk).fromBlock;
  const to = changetype<Walk>(walk).toBlock;
  for (let turn = from; turn < to; turn++) {
    const block = zigzag ? from + to - 1 - turn : turn;
    multiplyInt8(weightInput, block, 1, roundedX, 0, fields.gates);
    multiplyInt8(weightHidden, block, 1, roundedH, 0, fields.sums);
  }
}

/** This thread's part of the state of masked rows to where a step leaves it alone, or back. */
function copyMasked(run: usize, step: i32, running: i32, keep: bool): void {
  const fields = changetype<Run>(run);
  const fromH = (<usize>fields.fromOutput) << 2;
  const fromC = (<usize>fields.fromUnit) << 2;
  for (let row = 0; row < running; row++) {
    if (isCounted(run, step, row)) continue;
    const h = fromH + <usize>row * fields.hRow;
    const keptH = fields.keptH + h;
    const count = fields.toOutput - fields.fromOutput;
    if (keep) copyFloats(keptH, fields.h + h, count);
    else copyFloats(fields.nextH + h, keptH, count);
    if (!fields.c) continue;
    const offset = fromC + <usize>row * fields.cRow;
    const c = fields.c + offset;
    const keptC = fields.keptC + offset;
    copyFloats(keep ? keptC : c, keep ? c : keptC, fields.toUnit - fields.fromUnit);
  }
}

/** Whether a step counts for one of our rows. */
function isCounted(run: usize, step: i32, row: i32): bool {
  const fields = changetype<Run>(run);
  const at = <usize>(step * fields.batch) + callerRow(fields.order, row);
  return !fields.mask || load<i32>(fields.mask + (at << 2)) !== 0;
}

/** Marks a row as started by a step that counts. Returns whether it has an output: of a masked step the last, if asked. */
function markStarted(run: usize, step: i32, row: i32): bool {
  const fields = changetype<Run>(run);
  if (!fields.mask) return true;
  const started = fields.started + (callerRow(fields.order, row) << 2);
  if (isCounted(run, step, row)) store<i32>(started, 1);
  else if (!fields.repeat) return false;
  return load<i32>(started) !== 0;
}

/** One step's outputs: h of the rows that run to the caller's rows, and zeros to the others. */
function writeOutputs(run: usize, step: i32, running: i32): void {
  const fields = changetype<Run>(run);
  const batch = fields.batch;
  const outputRow = fields.outputRow;
  const order = fields.order;
  const hRow = fields.hRow;
  const from = (<usize>fields.fromOutput) << 2;
  const count = fields.toOutput - fields.fromOutput;
  const output = fields.output + <usize>(step * batch) * outputRow + from;
  let h = fields.nextH + from;
  for (let row = 0; row < batch; row++) {
    const target = output + callerRow(order, row) * outputRow;
    if (row < running && markStarted(run, step, row)) copyFloats(target, h, count);
    else clearFloats(target, count);
    h += hRow;
  }
}

/** The initial states of all rows: what is in callerH and callerC if `given`, else zeros. */
export function loadStates(layer: usize, run: usize, given: i32): void {
  assertRun(layer, run, 0);
  const fields = changetype<Run>(run);
  if (given) {
    copyStates(layer, run, true);
    return;
  }
  memory.fill(fields.h, 0, <usize>fields.batch * fields.hRow);
  if (fields.c) memory.fill(fields.c, 0, <usize>fields.batch * fields.cRow);
}

/** The states of all rows, to callerH and callerC. */
export function storeStates(layer: usize, run: usize): void {
  assertRun(layer, run, 0);
  copyStates(layer, run, false);
}

/** Copies h, and c where there is one, from the caller's rows to ours, or back. */
function copyStates(layer: usize, run: usize, toOurs: bool): void {
  const shape = changetype<Layer>(layer);
  const fields = changetype<Run>(run);
  copyStateRows(run, fields.h, fields.hRow, fields.callerH, shape.outputSize, toOurs);
  if (fields.c) copyStateRows(run, fields.c, fields.cRow, fields.callerC, shape.units, toOurs);
}

function copyStateRows(
  run: usize,
  ours: usize,
  ourRow: usize,
  callers: usize,
  count: i32,
  toOurs: bool,
): void {
  const batch = changetype<Run>(run).batch;
  const order = changetype<Run>(run).order;
  for (let row = 0; row < batch; row++) {
    const theirs = callers + ((callerRow(order, row) * <usize>count) << 2);
    copyFloats(toOurs ? ours : theirs, toOurs ? theirs : ours, count);
    ours += ourRow;
  }
}

/** In the debug build: every buffer that a call touches lies in a live block, and every range in its matrix. */
function assertRun(layer: usize, run: usize, steps: i32): void {
  if (ASC_NO_ASSERT) return;
  const shape = changetype<Layer>(layer);
  const fields = changetype<Run>(run);
  const batch = fields.batch;
  const running = steps * batch;
  assertNumbers(fields.order, batch);
  assertNumbers(fields.active, steps);
  assertRows(fields.h, batch, fields.hRow);
  assertRows(fields.nextH, batch, fields.hRow);
  if (fields.otherH) assertRows(fields.otherH, batch, fields.hRow);
  assertNumbers(fields.callerH, batch * shape.outputSize);
  if (fields.c) {
    assertRows(fields.c, batch, fields.cRow);
    assertNumbers(fields.callerC, batch * shape.units);
  }
  if (fields.mask) {
    assertNumbers(fields.mask, running);
    assertNumbers(fields.started, batch);
    assertRows(fields.keptH, batch, fields.hRow);
    if (fields.c) assertRows(fields.keptC, batch, fields.cRow);
  }
  if (resetsBefore(layer)) assertRows(fields.resetH, batch, fields.hRow);
  if (fields.trace) assertRows(fields.trace, running * <i32>TRACE_ROWS, fields.cRow);
  assertWalk(shape.weightInput, fields.inputWalk);
  assertWalk(shape.weightHidden, fields.hiddenWalk);
  if (shape.weightProjection) {
    assertWalk(shape.weightProjection, fields.projectionWalk);
    assertRows(fields.unprojected, batch, fields.cRow);
  }
  const inputWalk = changetype<Walk>(fields.inputWalk);
  const inputNumbers = <usize>(running - 1) * (inputWalk.inputRow >> 2);
  const gatesRow = changetype<Matrix>(shape.weightHidden).outputRow;
  assertNumbers(
    fields.input,
    running > 0 ? <i32>inputNumbers + changetype<Matrix>(shape.weightInput).columns : 0,
  );
  assertRows(fields.gates, min(steps, fields.gateSteps) * batch, gatesRow);
  assertRows(fields.sums, batch, gatesRow);
  assert(steps <= 1 || fields.nextH === fields.h, "several steps of a call need one h");
  assert(
    fields.fromUnit % 4 === 0 && fields.fromUnit <= fields.toUnit,
    "a range that splits a vector of units",
  );
  assert(
    fields.toUnit <= shape.units && fields.toOutput <= shape.outputSize,
    "a range past the layer's units",
  );
  assertNumbers(
    fields.output,
    running > 0 ? <i32>(<usize>(running - 1) * (fields.outputRow >> 2)) + shape.outputSize : 0,
  );
  for (let row = 0; row < batch; row++) {
    assert(callerRow(fields.order, row) < <usize>batch, "an order that names a row past the batch");
  }
  for (let step = 0; step < steps; step++) {
    const rows = load<i32>(fields.active + ((<usize>step) << 2));
    assert(0 <= rows && rows <= batch, "more rows that run than the batch has");
  }
}
