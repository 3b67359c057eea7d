/**
 * A thread's way through a lane: phase after phase, its own part of each first and then what others have not begun. Each
 * thread has a copy of the lane's records, which it sets to the part that it makes.
 */

import { matmul, runLayer } from "../core";
import { AFTER, BEFORE, Run, Walk } from "../records";
import { convolvePart, hasConvolutions } from "./convolution";
import { laneAt, runOf, walkOf } from "./layout";
import { addDone, awaitDone, control, lookFor, me } from "./place";
import { APART, CONVOLUTION, DONE, Lane, Place, PRODUCT, ROWS, STEPS } from "./records";
import { runRows } from "./rows";
import { placeAt, tellLooks } from "./shares";
import { GATES, keepStopped, openSteps, setPart, setPhase } from "./steps";

/** Looks, 0.5 to 1 us, before a thread whose part is done looks for parts that nobody has begun. */
const PATIENCE: i32 = 400;
/** Looks, 50 to 100 us, of a thread that has nothing more to do in a job. */
const LOOKS_AFTER: i32 = 40_000;

function doneOf(index: i32): usize {
  return control + DONE + <usize>index * APART;
}

/** Before a lane is written anew: the counters stand where the last job in it has left them. */
export function openLane(lane: usize, parts: i32): void {
  const fields = changetype<Lane>(lane);
  const index = lane === laneAt(0) ? 0 : 1;
  fields.begun += fields.phases;
  fields.done += fields.phases * fields.parts;
  for (let place = 0; place < parts; place++) atomic.store<i32>(placeAt(index, place), fields.begun);
}

/** Makes what this thread can of a lane, of which it has its own copy. */
export function takeLane(lane: usize, index: i32, place: i32): void {
  const fields = changetype<Lane>(lane);
  // More threads than parts would only take each other's.
  if (place >= fields.parts) return;
  if (fields.work === CONVOLUTION && !hasConvolutions()) return;
  if (fields.work === STEPS || fields.work === ROWS) openRun(lane);
  for (let phase = 0; phase < fields.phases; phase++) takePhase(lane, index, place, phase);
}

/** Points the run's record at this thread's copies of its walks, and at its own room for rounded rows. */
function openRun(lane: usize): void {
  const fields = changetype<Lane>(lane);
  const run = changetype<Run>(runOf(lane));
  const thread = <usize>me;
  run.inputWalk = walkOf(lane, 0);
  run.hiddenWalk = walkOf(lane, 1);
  run.projectionWalk = walkOf(lane, 2);
  changetype<Walk>(walkOf(lane, 0)).rounded += thread * fields.roundedInput;
  changetype<Walk>(walkOf(lane, 1)).rounded += thread * fields.rounded;
  changetype<Walk>(walkOf(lane, 2)).rounded += thread * fields.rounded;
  if (fields.parts > 1) openSteps(lane);
}

/** Whether others began their own parts of the last phase, so that they are likely to be here. */
let isJoined: bool = false;

/** One piece of work for each part: this place's own first, then what others have not begun. */
function takePhase(lane: usize, index: i32, place: i32, phase: i32): void {
  const fields = changetype<Lane>(lane);
  const parts = fields.parts;
  const done = doneOf(index);
  const goal = fields.done + (phase + 1) * parts;
  const isSteps = fields.work === STEPS;
  if (isSteps) setPhase(lane, phase);
  awaitDone(done, goal - parts);
  if (isSteps && fields.stage <= AFTER) touchH(runOf(lane));
  takePart(lane, index, place, phase);
  // To look at a counter that another thread counts up costs both of them 0.1 us.
  if (isJoined && lookFor(done, goal, PATIENCE)) return;
  isJoined = true;
  for (let part = place + 1; part < place + parts; part++) {
    if (takePart(lane, index, part < parts ? part : part - parts, phase)) isJoined = false;
  }
}

/** Makes a part, unless another thread has begun it. */
function takePart(lane: usize, index: i32, part: i32, phase: i32): bool {
  const counter = placeAt(index, part);
  const begun = changetype<Lane>(lane).begun + phase;
  if (atomic.load<i32>(counter) !== begun) return false;
  if (atomic.cmpxchg<i32>(counter, begun, begun + 1) !== begun) return false;
  makePart(lane, index, part);
  changetype<Lane>(lane).made++;
  tellLooks();
  addDone(doneOf(index));
  return true;
}

function makePart(lane: usize, index: i32, part: i32): void {
  const work = changetype<Lane>(lane).work;
  if (work === STEPS) makeStep(lane, index, part);
  else if (work === ROWS) runRows(lane, index, part);
  else if (work === PRODUCT) multiplyPart(lane, part);
  else convolvePart(lane, part);
}

/** A phase of STEPS. */
function makeStep(lane: usize, index: i32, part: i32): void {
  const fields = changetype<Lane>(lane);
  const stage = fields.stage;
  if (stage === GATES && fields.rounded) {
    makeRowsOfGates(lane, index, part);
    return;
  }
  setPart(lane, index, part);
  if (stage === GATES) {
    matmul(fields.weightInput, walkOf(lane, 0), fields.rows, fields.input, fields.output, 0);
    return;
  }
  changetype<Run>(runOf(lane)).stage = stage;
  runLayer(fields.layer, runOf(lane), 1, fields.zigzag ^ (fields.turn & 1));
  if (stage !== BEFORE) keepStopped(runOf(lane));
}

/** A range of the blocks that the caller's walk has. */
function multiplyPart(lane: usize, part: i32): void {
  const fields = changetype<Lane>(lane);
  const walk = changetype<Walk>(walkOf(lane, 0));
  const from = walk.fromBlock;
  const to = walk.toBlock;
  const place = changetype<Place>(placeAt(0, part));
  walk.fromBlock = from + place.from;
  walk.toBlock = from + place.to;
  matmul(fields.layer, walkOf(lane, 0), fields.steps, fields.input, fields.output, fields.zigzag);
  walk.fromBlock = from;
  walk.toBlock = to;
}

/** int8: gates are cut by rows, since each thread would round all of them. */
function makeRowsOfGates(lane: usize, index: i32, part: i32): void {
  const fields = changetype<Lane>(lane);
  const walk = changetype<Walk>(walkOf(lane, 0));
  const place = changetype<Place>(placeAt(index, part));
  const from = (fields.rows * place.from) / fields.groups;
  const rows = (fields.rows * place.to) / fields.groups - from;
  const input = fields.input + <usize>from * walk.inputRow;
  const output = fields.output + <usize>from * fields.gatesRow;
  walk.fromBlock = 0;
  walk.toBlock = fields.blocks;
  fields.part = -1;
  if (rows > 0) matmul(fields.weightInput, walkOf(lane, 0), rows, input, output, 0);
}

/** Loads a word of each cache line of h, so that what others have written comes all at once: up to 5 % of a step. */
function touchH(address: usize): void {
  const run = changetype<Run>(address);
  for (let at = run.h, end = at + <usize>run.batch * run.hRow; at < end; at += 64) load<i32>(at);
}

/** A worker's end of a lane: it looks for the end as the caller does, so that both tell how long they had nothing to do. */
export function leaveLane(lane: usize, index: i32): void {
  const fields = changetype<Lane>(lane);
  lookFor(doneOf(index), fields.done + fields.phases * fields.parts, LOOKS_AFTER);
}

/** The caller's end of a lane: waits for what others have begun, and brings h to where the run has it. */
export function finishLane(index: i32): void {
  const lane = laneAt(index);
  const fields = changetype<Lane>(lane);
  awaitDone(doneOf(index), fields.done + fields.phases * fields.parts);
  const run = changetype<Run>(runOf(lane));
  if (fields.work === STEPS && fields.steps & 1) memory.copy(run.h, run.otherH, <usize>run.batch * run.hRow);
}
