/**
 * How threads share a job. The caller writes it into `control` (records.ts draws it), and makes all of it that nobody else
 * begins; workers come when they can. Nobody waits for a thread that is not there, only for parts that one has begun:
 * 100 steps of 128 units by 7 threads on 2 cores took 462 us so, and 7272 where all meet at a barrier.
 *
 * A job is one or two lanes (directions), each a row of phases (lanes.ts), and a phase is one piece of work for each part.
 * A thread begins a part of a phase by a compare-and-exchange on that part's counter, its own part first, so that its
 * weights stay in its cache. A phase starts when all parts of the one before are done.
 *
 * A thread that comes late may have read a job that is over. All its parts are begun, so that it finds nothing to do.
 *
 * Plain stores may go before an atomic one on ARM, and plain loads after an atomic one. So the caller loads the number that
 * it has stored before it writes a job, and others read a job by atomic loads (asc 0.28.20 makes no valid fence).
 */

import { matmul as coreMatmul, runLayer as coreRunLayer } from "../core";
import { convolutionNanoseconds, convolveWhole } from "./convolution";
import {
  fillConvolution,
  fillLayer,
  fillProduct,
  microseconds,
  nanoseconds,
  partsOfConvolution,
  partsOfProduct,
  threadsOfLayer,
} from "./job";
import { finishLane, leaveLane, takeLane } from "./lanes";
import { laneAt } from "./layout";
import { abandon } from "./members";
import { isComparison, noteAlone, noteShared } from "./pays";
import { clearLooks, control, me, mine, now, setPlace, threads, waited } from "./place";
import { ASLEEP, HELD, JOB, LANE, LANE_ROOM, LANES, Lane, LEAVE } from "./records";
import { learnShares, tellLooks } from "./shares";

/** A look takes 1 to 2.5 ns: 50 to 100 us, as long as it may take to be woken. */
const LOOKS_BETWEEN: i32 = 40_000;
/** So many times as long within a run of a whole model, of which some nodes are not shared. */
const PATIENCE_WITHIN: i32 = 4;
/** With less work than this, in us, nobody shares a job: its beginning and end take 1. A step of 128 units has 13. */
const WORTH_SHARING: i32 = 10;
/** And with less than this, in us, threads that sleep are not woken for it: to wake one takes 2 to 90. */
const WORTH_WAKING: i32 = 100;
/**
 * They are for a burst: as much work, made by the caller alone in less than so many times as long. With 2, cores of half
 * the speed seldom saw one; with 8, calls that come 5 times as long apart as they take were 8 % slower.
 */
const BURST: f64 = 4;
/** Of a shorter job, in us, clocks tell too little: those of browsers go by 5 to 20. */
const WORTH_LEARNING: i32 = 100;
/** After two disturbed calls the next so many run on one thread; each time twice as many. */
const FIRST_REST: i32 = 16;
const LONGEST_REST: i32 = 64;

/** Work in us that the caller has made alone while the others slept, and since when in ms. */
let alone: i32 = 0;
let aloneSince: f64 = 0;
let strikes: i32 = 0;
let rest: i32 = FIRST_REST;
let resting: i32 = 0;
/** Ms of the last job; 0 of a short one. */
let took: f32 = 0;
/** Whether shares are learned of it: when the next one begins, since workers then have told all their looks. */
let isTold: bool = false;
/** Whether a job was begun and not ended. */
let isBusy: bool = false;
/** The odd number of the job that is written. */
let unpublished: i32 = 0;

/**
 * Says what this thread is, before anything else here.
 *
 * @param index  0 the caller, 1 and on the workers
 * @param count  of threads; 1 and the caller works alone
 * @param shared  CONTROL_BYTES, cleared before the first thread comes
 * @param own  MOST_LANES x LANE_ROOM that no other thread is given
 * @param mayWait  0 on a browser's page, where waiting is forbidden
 */
export function enlist(index: i32, count: i32, shared: usize, own: usize, mayWait: i32): void {
  setPlace(index, count, shared, own, mayWait);
}

/** The core's runLayer, by as many threads as are worth it. */
export function runLayer(layer: usize, run: usize, steps: i32, zigzag: i32): void {
  const sharers = isAlone() ? 1 : threadsOfLayer(layer, run, steps, threads);
  const cost = microseconds(layer, run, steps);
  if (sharers === 1 || !isShared(cost)) {
    coreRunLayer(layer, run, steps, zigzag);
    return;
  }
  if (cost >= WORTH_LEARNING && isComparison(layer)) {
    const start = now();
    coreRunLayer(layer, run, steps, zigzag);
    if (noteAlone(<f32>(now() - start) / <f32>cost)) takeRest();
    return;
  }
  beginJob();
  fillLayer(0, 1, layer, run, steps, zigzag, sharers);
  runJob(1, cost);
  if (took > 0) noteShared(layer, took / <f32>cost);
}

/** Two directions of a layer at once. Each is a lane; of four threads two take either. */
export function runPair(
  layer: usize,
  run: usize,
  second: usize,
  secondRun: usize,
  steps: i32,
  zigzag: i32,
): void {
  // Threads that are fewer than two a direction take a direction each.
  const sharers = isAlone() ? 0 : threadsOfLayer(layer, run, steps, max(1, threads / 2));
  const cost = 2 * microseconds(layer, run, steps);
  if (sharers === 0 || !isShared(cost)) {
    coreRunLayer(layer, run, steps, zigzag);
    coreRunLayer(second, secondRun, steps, zigzag);
    return;
  }
  beginJob();
  fillLayer(0, 2, layer, run, steps, zigzag, sharers);
  fillLayer(1, 2, second, secondRun, steps, zigzag, sharers);
  runJob(2, cost);
}

/** The core's matmul, the same. */
export function matmul(
  matrix: usize,
  walk: usize,
  rows: i32,
  input: usize,
  output: usize,
  zigzag: i32,
): void {
  const parts = isAlone() ? 1 : partsOfProduct(matrix, walk, rows, threads);
  const cost = <i32>min<u64>(nanoseconds(matrix, rows) / 1000, WORTH_WAKING);
  if (parts === 1 || !isShared(cost)) {
    coreMatmul(matrix, walk, rows, input, output, zigzag);
    return;
  }
  beginJob();
  const lane = laneAt(0);
  fillProduct(lane, matrix, walk, rows, zigzag, parts);
  changetype<Lane>(lane).input = input;
  changetype<Lane>(lane).output = output;
  runJob(1, cost);
}

/** The kernel of that name of whole models, the same. */
export function convolve(record: usize, planes: usize, output: usize): void {
  const parts = isAlone() ? 1 : partsOfConvolution(record, threads);
  const cost = <i32>min<u64>(convolutionNanoseconds(record) / 1000, WORTH_WAKING);
  if (parts === 1 || !isShared(cost)) {
    convolveWhole(record, planes, output);
    return;
  }
  beginJob();
  fillConvolution(laneAt(0), record, planes, output, parts);
  runJob(1, cost);
}

/** Says that a whole model runs, or no more: meanwhile its next job is likely to come soon. */
export function hold(isRunning: i32): void {
  atomic.store<i32>(control, isRunning, HELD);
}

/** A worker's life: it returns when it is to leave. */
export function work(): void {
  let last = 0;
  while (!atomic.load<i32>(control, LEAVE)) {
    const number = awaitJob(last);
    last = number;
    if (!(number & 1)) takeJob(number);
  }
}

function awaitJob(last: i32): i32 {
  for (let turns = PATIENCE_WITHIN; turns > 0; turns--) {
    for (let left = LOOKS_BETWEEN; left > 0; left--) {
      const number = atomic.load<i32>(control, JOB);
      if (number !== last) return number;
    }
    if (!atomic.load<i32>(control, HELD)) break;
  }
  atomic.add<i32>(control, 1, ASLEEP);
  // Whoever changes the number or asks threads to leave notifies after it.
  if (!atomic.load<i32>(control, LEAVE)) atomic.wait<i32>(control + JOB, last, -1);
  atomic.sub<i32>(control, 1, ASLEEP);
  return atomic.load<i32>(control, JOB);
}

/**
 * After a call that threw: the stack was full, say, and the caller was thrown out of its own part. Others still write the
 * rest of the job, and must not any more when the host writes states or frees blocks.
 */
export function settle(): void {
  if (!isBusy) return;
  abandon();
  isBusy = false;
}

/** Whether the caller is to work without the others. */
function isAlone(): bool {
  if (threads === 1) return true;
  if (isBusy) {
    settle();
    return true;
  }
  if (resting === 0) return false;
  resting--;
  return true;
}

/**
 * Whether others are to share a job of about `cost` us. The caller makes a small one alone while they sleep: it is faster
 * with all blocks in one walk, a step of 256 units 1.15x.
 */
function isShared(cost: i32): bool {
  if (cost < WORTH_SHARING) return false;
  if (cost >= WORTH_WAKING || atomic.load<i32>(control, ASLEEP) < threads - 1) return true;
  if (alone === 0) aloneSince = now();
  alone += cost;
  if (alone < WORTH_WAKING) return false;
  if (1000 * (now() - aloneSince) < BURST * <f64>alone) atomic.notify(control + JOB, threads);
  alone = 0;
  return false;
}

/** Nobody reads a job whose number is odd. */
function beginJob(): void {
  if (isTold) learnShares(atomic.load<i32>(control, LANES), took);
  isTold = false;
  isBusy = true;
  atomic.store<i32>(control, atomic.load<i32>(control, JOB) + 1, JOB);
  unpublished = atomic.load<i32>(control, JOB);
}

/** Publishes the lanes that are written, makes what nobody else does, and returns when all is done. */
function runJob(lanes: i32, cost: i32): void {
  const start = now();
  atomic.store<i32>(control, lanes, LANES);
  const number = unpublished + 1;
  atomic.store<i32>(control, number, JOB);
  const asleep = cost >= WORTH_WAKING ? atomic.load<i32>(control, ASLEEP) : 0;
  if (asleep) atomic.notify(control + JOB, threads);
  const before = waited;
  takeJob(number);
  for (let lane = 0; lane < lanes; lane++) finishLane(lane);
  tellLooks();
  isBusy = false;
  // Half of a disturbed call is waiting for a thread that does not run. Or the others have hardly come: to make all parts by
  // itself takes the caller 1.1 times as long as a call of its own.
  took = cost >= WORTH_LEARNING ? <f32>(now() - start) : 0;
  const waits = waited !== before && 2 * (waited - before) >= now() - start;
  if (!waits && !hadLittleHelp(lanes)) {
    strikes = 0;
    rest = FIRST_REST;
    isTold = took > 0 && !asleep;
    return;
  }
  if (++strikes < 2) return;
  // After a rest others sleep, and a short call is over before they come: the one after it tells more.
  strikes = 0;
  takeRest();
}

/** Each rest until a call is disturbed no more is twice as long. */
function takeRest(): void {
  resting = rest;
  rest = min(2 * rest, LONGEST_REST);
}

/** Whether the others have made less than an eighth of the parts of the job that this thread has taken. */
function hadLittleHelp(lanes: i32): bool {
  let made = 0;
  let all = 0;
  for (let at: usize = 0, end = <usize>(lanes * LANE_ROOM); at < end; at += LANE_ROOM) {
    const lane = changetype<Lane>(mine + at);
    made += lane.made;
    all += lane.phases * lane.parts;
  }
  return 8 * (all - made) < all;
}

/** Takes parts of all lanes of the job of that number, unless it is over. */
function takeJob(number: i32): void {
  const lanes = atomic.load<i32>(control, LANES);
  clearLooks();
  for (let at: usize = 0, end = <usize>(lanes * LANE_ROOM); at < end; at += 8) {
    store<u64>(mine + at, atomic.load<u64>(control + at, LANE));
  }
  if (atomic.load<i32>(control, JOB) !== number) return;
  for (let turn = 0; turn < lanes; turn++) {
    const lane = (me + turn) % lanes;
    takeLane(mine + <usize>(lane * LANE_ROOM), lane, me / lanes);
  }
  if (me === 0) return;
  for (let lane = 0; lane < lanes; lane++) leaveLane(mine + <usize>(lane * LANE_ROOM), lane);
  tellLooks();
}
