/**
 * The phases of STEPS: the products of a piece of the input (GATES), then its steps, in two phases where threads meet within
 * a step. A step reads h and writes another h (`otherH`), since others may still read the first.
 *
 * A thread sets its copy of the lane's records to a phase, and to the part of it that it makes. One that has rows of its own
 * (rows.ts) goes through the same phases by itself.
 */

import { BEFORE, Run, TRACE_ROWS, Walk, WHOLE } from "../records";
import { runOf, walkOf } from "./layout";
import { Lane, Place } from "./records";
import { placeAt } from "./shares";

/** What a phase makes, besides the stages of a step (../records.ts). */
export const GATES: i32 = 3;

/** Notes what the run's record has for all steps. */
export function openSteps(lane: usize): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  fields.part = -1;
  fields.inputs = run.input;
  fields.gates = run.gates;
  fields.outputs = run.output;
  fields.trace = run.trace;
  fields.mask = run.mask;
  fields.active = run.active;
  fields.evenH = run.h;
  fields.oddH = run.otherH;
  if (fields.piece) run.gateSteps = 0;
}

/** All phases. */
export function phasesOfSteps(lane: usize): i32 {
  return phasesBefore(lane, changetype<Lane>(lane).steps - 1) + (changetype<Lane>(lane).meets ? 2 : 1);
}

/** Phases before step number `turn`, in the order of computing. */
export function phasesBefore(lane: usize, turn: i32): i32 {
  const fields = changetype<Lane>(lane);
  const stages = fields.meets ? 2 * turn : turn;
  return fields.piece ? stages + turn / fields.piece + 1 : stages;
}

/** The step that a phase belongs to, in the order of computing: of GATES the first of its piece. */
function turnOf(lane: usize, phase: i32): i32 {
  const fields = changetype<Lane>(lane);
  const stages = fields.meets ? 2 : 1;
  if (!fields.piece) return phase / stages;
  const each = 1 + stages * fields.piece;
  return (phase / each) * fields.piece + max(0, (phase % each) - 1) / stages;
}

/** Sets the records to a phase. */
export function setPhase(lane: usize, phase: i32): void {
  const fields = changetype<Lane>(lane);
  const turn = turnOf(lane, phase);
  const within = phase - phasesBefore(lane, turn);
  fields.turn = turn;
  fields.stage = within < 0 ? GATES : fields.meets ? BEFORE + within : WHOLE;
  const piece = max(1, fields.piece);
  const firstTurn = turn - (turn % piece);
  const count = min(piece, fields.steps - firstTurn);
  const first = fields.reverse ? fields.steps - firstTurn - count : firstTurn;
  const inPiece = fields.reverse ? count - 1 - (turn - firstTurn) : turn - firstTurn;
  if (fields.stage === GATES) setGates(lane, first, count);
  else setStep(lane, turn, first + inPiece, inPiece);
}

function setGates(lane: usize, first: i32, count: i32): void {
  const fields = changetype<Lane>(lane);
  const batch = fields.batch;
  fields.input = fields.inputs + <usize>(first * batch) * changetype<Walk>(walkOf(lane, 0)).inputRow;
  fields.output = fields.gates;
  fields.rows = count * batch;
}

/** Step `step` of the caller's, whose gates are number `inPiece`. */
function setStep(lane: usize, turn: i32, step: i32, inPiece: i32): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  const rows = <usize>(step * fields.batch);
  run.input = fields.inputs + rows * changetype<Walk>(walkOf(lane, 0)).inputRow;
  run.gates = fields.gates + <usize>(inPiece * fields.batch) * fields.gatesRow;
  run.output = fields.outputs + rows * run.outputRow;
  if (fields.trace) run.trace = fields.trace + rows * TRACE_ROWS * run.cRow;
  if (fields.mask) run.mask = fields.mask + (rows << 2);
  run.active = fields.active + ((<usize>step) << 2);
  run.h = turn & 1 ? fields.oddH : fields.evenH;
  run.nextH = turn & 1 ? fields.evenH : fields.oddH;
}

/** Sets the records to a part: its blocks and units, and the outputs that it writes. */
export function setPart(lane: usize, index: i32, part: i32): void {
  const fields = changetype<Lane>(lane);
  if (fields.part === part) return;
  fields.part = part;
  const run = changetype<Run>(runOf(lane));
  const place = changetype<Place>(placeAt(index, part));
  const from = place.from;
  const to = place.to;
  for (let which = 0; which < 2; which++) {
    const walk = changetype<Walk>(walkOf(lane, which));
    walk.fromBlock = from * fields.groupBlocks;
    walk.toBlock = min(to * fields.groupBlocks, fields.blocks);
  }
  run.fromUnit = min(from * fields.groupUnits, fields.units);
  run.toUnit = min(to * fields.groupUnits, fields.units);
  run.fromOutput = run.fromUnit;
  run.toOutput = run.toUnit;
  if (!fields.projectionBlocks) return;
  const walk = changetype<Walk>(walkOf(lane, 2));
  walk.fromBlock = (fields.projectionBlocks * from) / fields.groups;
  walk.toBlock = (fields.projectionBlocks * to) / fields.groups;
  run.fromOutput = min(walk.fromBlock * fields.projectionUnits, fields.outputSize);
  run.toOutput = min(walk.toBlock * fields.projectionUnits, fields.outputSize);
}

/** Rows that do not run keep their h, which the next step looks for in the other buffer. */
export function keepStopped(address: usize): void {
  const run = changetype<Run>(address);
  const from = (<usize>run.fromOutput) << 2;
  const bytes = (<usize>(run.toOutput - run.fromOutput)) << 2;
  for (let row = load<i32>(run.active); row < run.batch; row++) {
    const at = <usize>row * run.hRow + from;
    memory.copy(run.nextH + at, run.h + at, bytes);
  }
}
