/**
 * A thread's way through a lane: phase after phase, its own part of each first and then what others have not begun. Each
 * thread has a copy of the lane's records, where it puts the ranges of the part that it makes.
 *
 * The phases of STEPS are the products of a piece of the input, then its steps, in two phases where threads meet within
 * a step. A step reads h and writes another h (`otherH`), since others may still read the first.
 */

import { matmul, runLayer } from "../core";
import { AFTER, BEFORE, Run, TRACE_ROWS, Walk, WHOLE } from "../records";
import { convolvePart, hasConvolutions } from "./convolution";
import { addDone, awaitDone, control, me } from "./place";
import {
  APART,
  BEGUN,
  CONVOLUTION,
  DONE,
  LANE,
  LANE_ROOM,
  Lane,
  MOST_THREADS,
  PRODUCT,
  STEPS,
} from "./records";

/** What a phase makes, besides the stages of a step (../records.ts): gates, a product, a whole run, a convolution. */
const GATES: i32 = 3;
const MULTIPLY: i32 = 4;
const WHOLE_RUN: i32 = 5;
const CONVOLVE: i32 = 6;

const RUN_PLACE: usize = (offsetof<Lane>() + 15) & ~15;
/** Looks, about 1 us, before a thread whose part is done looks for parts that nobody has begun. */
const PATIENCE: i32 = 400;

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
  fields.part = -1;
  if (fields.work === PRODUCT) {
    takePhase(lane, index, place, 0, MULTIPLY);
    return;
  }
  if (fields.work === CONVOLUTION) {
    if (hasConvolutions()) takePhase(lane, index, place, 0, CONVOLVE);
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

/** Whether others began their own parts of the last phase, so that they are likely to be here. */
let isJoined: bool = false;

/** One piece of work for each part: this place's own first, then what others have not begun. */
function takePhase(lane: usize, index: i32, place: i32, phase: i32, work: i32): void {
  const fields = changetype<Lane>(lane);
  const parts = fields.parts;
  const done = doneOf(index);
  const goal = fields.done + (phase + 1) * parts;
  awaitDone(done, goal - parts);
  if (work <= AFTER) touchH(runOf(lane));
  takePart(lane, index, place, phase, work);
  // To look at a counter that another thread counts up costs both of them 0.1 us.
  if (isJoined) {
    for (let left = PATIENCE; left > 0; left--) if (atomic.load<i32>(done) - goal >= 0) return;
  }
  isJoined = true;
  for (let part = place + 1; part < place + parts; part++) {
    if (takePart(lane, index, part < parts ? part : part - parts, phase, work)) isJoined = false;
  }
}

/** Makes a part, unless another thread has begun it. */
function takePart(lane: usize, index: i32, part: i32, phase: i32, work: i32): bool {
  const counter = begunAt(index, part);
  const begun = changetype<Lane>(lane).begun + phase;
  if (atomic.load<i32>(counter) !== begun) return false;
  if (atomic.cmpxchg<i32>(counter, begun, begun + 1) !== begun) return false;
  makePart(lane, part, work);
  changetype<Lane>(lane).made++;
  addDone(doneOf(index));
  return true;
}

function makePart(lane: usize, part: i32, work: i32): void {
  const fields = changetype<Lane>(lane);
  if (work === WHOLE_RUN) {
    runLayer(fields.layer, runOf(lane), fields.steps, fields.zigzag);
  } else if (work === MULTIPLY) {
    multiplyPart(lane, part);
  } else if (work === CONVOLVE) {
    convolvePart(lane, part);
  } else if (work === GATES && fields.rounded) {
    makeRowsOfGates(lane, part);
  } else {
    if (fields.part !== part) setRanges(lane, part);
    if (work === GATES) {
      matmul(fields.weightInput, walkOf(lane, 0), fields.rows, fields.input, fields.output, 0);
      return;
    }
    changetype<Run>(runOf(lane)).stage = work;
    runLayer(fields.layer, runOf(lane), 1, fields.zigzag);
    if (work !== BEFORE) keepStopped(runOf(lane));
  }
}

/** A range of the blocks that the caller's walk has. */
function multiplyPart(lane: usize, part: i32): void {
  const fields = changetype<Lane>(lane);
  const walk = changetype<Walk>(walkOf(lane, 0));
  const from = walk.fromBlock;
  const to = walk.toBlock;
  walk.fromBlock = from + (fields.blocks * part) / fields.parts;
  walk.toBlock = from + (fields.blocks * (part + 1)) / fields.parts;
  matmul(fields.layer, walkOf(lane, 0), fields.steps, fields.input, fields.output, fields.zigzag);
  walk.fromBlock = from;
  walk.toBlock = to;
}

/** int8: gates are cut by rows, since each thread would round all of them. */
function makeRowsOfGates(lane: usize, part: i32): void {
  const fields = changetype<Lane>(lane);
  const walk = changetype<Walk>(walkOf(lane, 0));
  const from = (fields.rows * part) / fields.parts;
  const rows = (fields.rows * (part + 1)) / fields.parts - from;
  const input = fields.input + <usize>from * walk.inputRow;
  const output = fields.output + <usize>from * fields.gatesRow;
  walk.fromBlock = 0;
  walk.toBlock = fields.blocks;
  if (rows > 0) matmul(fields.weightInput, walkOf(lane, 0), rows, input, output, 0);
}

/** The blocks and units of a part, and the outputs that it writes. */
function setRanges(lane: usize, part: i32): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  const from = (fields.groups * part) / fields.parts;
  const to = (fields.groups * (part + 1)) / fields.parts;
  for (let which = 0; which < 2; which++) {
    const walk = changetype<Walk>(walkOf(lane, which));
    walk.fromBlock = from * fields.groupBlocks;
    walk.toBlock = min(to * fields.groupBlocks, fields.blocks);
  }
  run.fromUnit = min(from * fields.groupUnits, fields.units);
  run.toUnit = min(to * fields.groupUnits, fields.units);
  run.fromOutput = run.fromUnit;
  run.toOutput = run.toUnit;
  if (fields.projectionBlocks) {
    const walk = changetype<Walk>(walkOf(lane, 2));
    walk.fromBlock = (fields.projectionBlocks * part) / fields.parts;
    walk.toBlock = (fields.projectionBlocks * (part + 1)) / fields.parts;
    run.fromOutput = min(walk.fromBlock * fields.projectionUnits, fields.outputSize);
    run.toOutput = min(walk.toBlock * fields.projectionUnits, fields.outputSize);
  }
  fields.part = part;
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
