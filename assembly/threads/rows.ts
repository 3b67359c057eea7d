/**
 * All steps of a range of a run's rows. Such parts do not meet, but each reads all weights. Where they are several, all rows
 * run at every step, in the caller's order.
 */

import { matmul, runLayer } from "../core";
import { Matrix, Run, Walk } from "../records";
import { runOf, walkOf } from "./layout";
import { Lane, Place } from "./records";
import { placeAt } from "./shares";
import { GATES, phasesOfSteps, setPhase } from "./steps";

export function runRows(lane: usize, index: i32, part: i32): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  if (fields.parts === 1) {
    runLayer(fields.layer, runOf(lane), fields.steps, fields.zigzag);
    return;
  }
  const place = changetype<Place>(placeAt(index, part));
  const from = place.from;
  run.batch = place.to - from;
  moveRows(lane, from);
  for (let phase = 0, phases = phasesOfSteps(lane); phase < phases; phase++) {
    setPhase(lane, phase);
    if (fields.stage === GATES) makeGates(lane, from);
    else {
      // As many rows run as there are.
      run.active = runOf(lane) + offsetof<Run>("batch");
      run.h = fields.evenH;
      run.nextH = fields.evenH;
      runLayer(fields.layer, runOf(lane), 1, fields.zigzag ^ (fields.turn & 1));
    }
  }
  moveRows(lane, -from);
}

/** The first row of state that the run has. */
function moveRows(lane: usize, rows: i32): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  const ofH = <usize>rows * run.hRow;
  const ofC = <usize>rows * run.cRow;
  run.order += (<usize>rows) << 2;
  run.sums += <usize>rows * fields.gatesRow;
  fields.evenH += ofH;
  run.keptH += ofH;
  run.resetH += ofH;
  run.unprojected += ofC;
  run.keptC += ofC;
  if (run.c) run.c += ofC;
}

/** The gates of a piece: step by step, since a step's rows are not one after the other with those of the next. */
function makeGates(lane: usize, from: i32): void {
  const fields = changetype<Lane>(lane);
  const walk = changetype<Walk>(walkOf(lane, 0));
  const blocks = fields.blocks;
  // A block stays in L1 for all steps. Rows of int8 are rounded anew for each range of blocks.
  const range = changetype<Matrix>(fields.weightInput).scales ? blocks : 1;
  for (walk.fromBlock = 0; walk.fromBlock < blocks; walk.fromBlock += range) {
    walk.toBlock = walk.fromBlock + range;
    for (let step = 0; step < fields.rows; step += fields.batch) {
      const row = <usize>(step + from);
      const input = fields.input + row * walk.inputRow;
      const gates = fields.output + row * fields.gatesRow;
      matmul(fields.weightInput, walkOf(lane, 0), changetype<Run>(runOf(lane)).batch, input, gates, 0);
    }
  }
}
