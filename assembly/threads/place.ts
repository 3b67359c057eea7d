/** What differs from thread to thread. Globals are an instance's own, memory is not. */

import { BROKEN, MOST_THREADS, RESTING } from "./records";

/** Milliseconds, of the host. */
export declare function now(): f64;
/** Throws: the job that this thread waits for will never be done. */
export declare function broken(): void;
/** 1 where this thread has the kernels of whole models: it makes them of their binary when it is first asked. */
export declare function hasModels(binary: usize, bytes: i32): i32;
/** The one of ../models/convolve.ts. */
export declare function convolveTiles(
  record: usize,
  planes: usize,
  output: usize,
  from: i32,
  to: i32,
  sums: usize,
): void;

/** 0 the caller, 1 and on the workers. */
export let me: i32 = 0;
export let threads: i32 = 1;
/** The block that all threads share (records.ts). */
export let control: usize = 0;
/** This thread's copy of a job's lanes, where control has them. */
export let mine: usize = 0;
/** Milliseconds that this thread has waited for others, without what took less than 20 to 50 us. */
export let waited: f64 = 0;
/** How often this thread has looked in vain for what others make in this job, or could have while it waited. */
export let looked: i32 = 0;
let mayWait: i32 = 0;

export function setPlace(index: i32, count: i32, shared: usize, own: usize, waits: i32): void {
  me = index;
  threads = count;
  control = shared;
  mine = own;
  mayWait = waits;
}

/** So many looks, 20 to 50 us, before a thread gives its core away: as long as waking it would take. */
const LOOKS_WITHIN: i32 = 20_000;
/** So many ms of a wait, at most, are counted as looks. */
const LONGEST: f64 = 1000;
/** Ms of a look: 1 to 2.5 ns. */
export const LOOK: f64 = 1e-6;
const MILLISECOND: i64 = 1_000_000;

/** Whether the counter at `done` reaches `goal` within so many looks. */
export function lookFor(done: usize, goal: i32, most: i32): bool {
  for (let left = most; left > 0; left--) {
    if (atomic.load<i32>(done) - goal >= 0) {
      looked += most - left;
      return true;
    }
  }
  looked += most;
  return false;
}

/** Before a job. */
export function clearLooks(): void {
  looked = 0;
}

/** Returns when the counter at `done` has reached `goal`. */
export function awaitDone(done: usize, goal: i32): void {
  if (lookFor(done, goal, LOOKS_WITHIN)) return;
  // What is missing was begun by a thread that does not run now.
  const start = now();
  for (;;) {
    const seen = atomic.load<i32>(done);
    if (seen - goal >= 0) break;
    if (atomic.load<i32>(control, BROKEN)) broken();
    if (!mayWait) continue;
    atomic.add<i32>(control, 1, RESTING);
    atomic.wait<i32>(done, seen, MILLISECOND);
    atomic.sub<i32>(control, 1, RESTING);
  }
  const ms = now() - start;
  waited += ms;
  looked += <i32>(min(ms, LONGEST) / LOOK);
}

/** One part more is done. */
export function addDone(done: usize): void {
  atomic.add<i32>(done, 1);
  if (atomic.load<i32>(control, RESTING)) atomic.notify(done, MOST_THREADS);
}
