/**
 * A thread's way through a lane: phase after phase, its own part of each first and then what others have not begun. Each
 * thread has a copy of the lane's records, where it puts the ranges of the part that it makes.
 *
 * The phases of STEPS are the products of a piece of the input, then its steps, in two phases where threads meet within
 * a step. A step reads h and writes another h (`otherH`), since others may still read the first.
 */

import { AFTER, BEFORE, Run, TRACE_ROWS, Walk, WHOLE } from "../records";
import { matmul, runLayer } from "./core";
import { addDone, awaitDone, control, me } from "./place";
import { APART, BEGUN, DONE, LANE, LANE_ROOM, Lane, MOST_THREADS, PRODUCT, STEPS } from "./records";

/** What a phase makes, besides the stages of a step (../records.ts): gates, a product, a whole run. */
const GATES: i32 = 3;
const MULTIPLY: i32 = 4;
const WHOLE_RUN: i32 = 5;

const RUN_PLACE: usize = (offsetof<Lane>() + 15) & ~15;
const WALK_PLACE: usize = RUN_PLACE + ((offsetof<Run>() + 15) & ~15);

/** A lane of the job, as the caller writes it. */
export function laneAt(index: i32): usize {
  return control + LANE + <usize>(index * LANE_ROOM);
}

/** The lane's copy of a Run. */
export function runOf(lane: usize): usize {
  return lane + RUN_PLACE;
}

/** And of its walks: 0 over the inputs' weights, 1 over those of h, 2 over the projection. */
export function walkOf(lane: usize, which: i32): usize {
  return lane + WALK_PLACE + <usize>which * offsetof<Walk>();
}

function doneOf(index: i32): usize {
  return control + DONE + <usize>index * APART;
}

/** Parts that were begun at a place of a lane. */
function begunAt(index: i32, place: i32): usize {
  return control + BEGUN + <usize>(index * MOST_THREADS + place) * APART;
}

/** Before a lane is written anew: the counters stand where the last job in it has left them. */
export function openLane(lane: usize, parts: i32): void {
  const fields = changetype<Lane>(lane);
  const index = lane === laneAt(0) ? 0 : 1;
  fields.begun += fields.phases;
  fields.done += fields.phases * fields.parts;
  for (let place = 0; place < parts; place++) atomic.store<i32>(begunAt(index, place), fields.begun);
}

/** How often all parts are begun. */
export function countPhases(lane: usize): i32 {
  const fields = changetype<Lane>(lane);
  if (fields.work !== STEPS) return 1;
  const steps = fields.steps;
  const stages = fields.meets ? 2 * steps : steps;
  if (isTogether(lane)) return stages;
  const gateSteps = changetype<Run>(runOf(lane)).gateSteps;
  return stages + (steps + gateSteps - 1) / gateSteps;
}

/** One step of one row makes its gates together with its sums, as in ../layer.ts. */
function isTogether(lane: usize): bool {
  return changetype<Lane>(lane).steps === 1 && changetype<Run>(runOf(lane)).batch === 1;
}

/** Makes what this thread can of a lane, of which it has its own copy. */
export function takeLane(lane: usize, index: i32, place: i32): void {
  const fields = changetype<Lane>(lane);
  // More threads than parts would only take each other's.
  if (place >= fields.parts) return;
  if (fields.work === PRODUCT) {
    takePhase(lane, index, place, 0, MULTIPLY);
    return;
  }
  const run = changetype<Run>(runOf(lane));
  run.inputWalk = walkOf(lane, 0);
  run.hiddenWalk = walkOf(lane, 1);
  run.projectionWalk = walkOf(lane, 2);
  const thread = <usize>me;
  changetype<Walk>(walkOf(lane, 0)).rounded += thread * fields.roundedInput;
  changetype<Walk>(walkOf(lane, 1)).rounded += thread * fields.rounded;
  changetype<Walk>(walkOf(lane, 2)).rounded += thread * fields.rounded;
  if (fields.work === STEPS) takeSteps(lane, index, place);
  else takePhase(lane, index, place, 0, WHOLE_RUN);
}

/** All steps, in the pieces whose gates are made at once. */
function takeSteps(lane: usize, index: i32, place: i32): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  const steps = fields.steps;
  const reverse = fields.reverse;
  const batch = <usize>run.batch;
  const inputStep = batch * changetype<Walk>(walkOf(lane, 0)).inputRow;
  const gatesStep = batch * fields.gatesRow;
  const outputStep = batch * run.outputRow;
  const traceStep = run.trace ? batch * TRACE_ROWS * run.cRow : 0;
  const maskStep = run.mask ? batch << 2 : 0;
  const input = run.input;
  const gates = run.gates;
  const output = run.output;
  const trace = run.trace;
  const mask = run.mask;
  const active = run.active;
  const together = isTogether(lane);
  const piece = together ? 1 : run.gateSteps;
  if (!together) run.gateSteps = 0;
  run.nextH = run.otherH;
  let zigzag = fields.zigzag;
  let phase = 0;
  for (let done = 0; done < steps; done += piece) {
    const count = min(piece, steps - done);
    const first = reverse ? steps - done - count : done;
    if (!together) {
      fields.input = input + <usize>first * inputStep;
      fields.output = gates;
      fields.rows = count * run.batch;
      takePhase(lane, index, place, phase++, GATES);
    }
    for (let turn = 0; turn < count; turn++) {
      const at = reverse ? count - 1 - turn : turn;
      const step = <usize>(first + at);
      run.input = input + step * inputStep;
      run.gates = gates + <usize>at * gatesStep;
      run.output = output + step * outputStep;
      run.trace = trace + step * traceStep;
      run.mask = mask + step * maskStep;
      run.active = active + (step << 2);
      fields.zigzag = zigzag;
      if (fields.meets) takePhase(lane, index, place, phase++, BEFORE);
      takePhase(lane, index, place, phase++, fields.meets ? AFTER : WHOLE);
      const h = run.h;
      run.h = run.nextH;
      run.nextH = h;
      zigzag ^= 1;
    }
  }
}

/** One piece of work for each part: this place's own first, then what others have not begun. */
function takePhase(lane: usize, index: i32, place: i32, phase: i32, work: i32): void {
  const fields = changetype<Lane>(lane);
  const parts = fields.parts;
  const done = doneOf(index);
  const begun = fields.begun + phase;
  awaitDone(done, fields.done + phase * parts);
  if (work <= AFTER) touchH(runOf(lane));
  for (let turn = 0; turn < parts; turn++) {
    const part = place + turn < parts ? place + turn : place + turn - parts;
    const counter = begunAt(index, part);
    if (atomic.load<i32>(counter) !== begun) continue;
    if (atomic.cmpxchg<i32>(counter, begun, begun + 1) !== begun) continue;
    makePart(lane, part, work);
    fields.made++;
    addDone(done);
  }
}

function makePart(lane: usize, part: i32, work: i32): void {
  const fields = changetype<Lane>(lane);
  const parts = fields.parts;
  const run = changetype<Run>(runOf(lane));
  if (work === WHOLE_RUN) {
    runLayer(fields.layer, runOf(lane), fields.steps, fields.zigzag);
    return;
  }
  if (work === MULTIPLY) {
    const walk = changetype<Walk>(walkOf(lane, 0));
    const from = walk.fromBlock;
    const to = walk.toBlock;
    walk.fromBlock = from + (fields.blocks * part) / parts;
    walk.toBlock = from + (fields.blocks * (part + 1)) / parts;
    matmul(fields.layer, walkOf(lane, 0), fields.steps, fields.input, fields.output, fields.zigzag);
    walk.fromBlock = from;
    walk.toBlock = to;
    return;
  }
  const from = (fields.groups * part) / parts;
  const to = (fields.groups * (part + 1)) / parts;
  const walk = changetype<Walk>(work === GATES ? walkOf(lane, 0) : walkOf(lane, 1));
  walk.fromBlock = from * fields.groupBlocks;
  walk.toBlock = min(to * fields.groupBlocks, fields.blocks);
  if (work === GATES) {
    matmul(fields.weightInput, walkOf(lane, 0), fields.rows, fields.input, fields.output, 0);
    return;
  }
  run.fromUnit = min(from * fields.groupUnits, fields.units);
  run.toUnit = min(to * fields.groupUnits, fields.units);
  run.fromOutput = run.fromUnit;
  run.toOutput = run.toUnit;
  if (fields.projectionBlocks) {
    const walk = changetype<Walk>(walkOf(lane, 2));
    walk.fromBlock = (fields.projectionBlocks * part) / parts;
    walk.toBlock = (fields.projectionBlocks * (part + 1)) / parts;
    run.fromOutput = min(walk.fromBlock * fields.projectionUnits, fields.outputSize);
    run.toOutput = min(walk.toBlock * fields.projectionUnits, fields.outputSize);
  }
  run.stage = work;
  runLayer(fields.layer, runOf(lane), 1, fields.zigzag);
  if (work !== BEFORE) keepStopped(runOf(lane));
}

/** Rows that do not run keep their h, which the next step looks for in the other buffer. */
function keepStopped(address: usize): void {
  const run = changetype<Run>(address);
  const from = (<usize>run.fromOutput) << 2;
  const bytes = (<usize>(run.toOutput - run.fromOutput)) << 2;
  for (let row = load<i32>(run.active); row < run.batch; row++) {
    const at = <usize>row * run.hRow + from;
    memory.copy(run.nextH + at, run.h + at, bytes);
  }
}

/** Loads a word of each cache line of h, so that what others have written comes all at once: up to 5 % of a step. */
function touchH(address: usize): void {
  const run = changetype<Run>(address);
  for (let at = run.h, end = at + <usize>run.batch * run.hRow; at < end; at += 64) load<i32>(at);
}

/** The caller's end of a lane: waits for what others have begun, and brings h to where the run has it. */
export function finishLane(index: i32): void {
  const lane = laneAt(index);
  const fields = changetype<Lane>(lane);
  awaitDone(doneOf(index), fields.done + fields.phases * fields.parts);
  const run = changetype<Run>(runOf(lane));
  if (fields.work === STEPS && fields.steps & 1) memory.copy(run.h, run.otherH, <usize>run.batch * run.hRow);
}
