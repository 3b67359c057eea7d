/** How threads come to be members of a pool, and leave it. A thread's number is how many were ready before it. */

import { control, setPlace } from "./place";
import { BROKEN, DECIDED, JOB, LANES, LEAVE, LEFT, PACE, READY } from "./records";

/** Some 40 us. */
const TURNS: i32 = 32768;
/** So many looks, some 10 s, workers have for a part that they are in: a direction of a long sequence is one. */
const LONGEST_PART: i64 = 4_000_000_000;

let sink: i32 = 1;

/** Counts in PACE turns of a loop that depend on one another. */
export function pace(shared: usize): void {
  let value = sink;
  for (let left = TURNS; left > 0; left--) value = value * 1664525 + 1013904223;
  sink = value;
  atomic.add<i32>(shared, 1, PACE);
}

/** A worker's first call. @returns the thread's number */
export function join(shared: usize): i32 {
  return atomic.add<i32>(shared, 1, READY) + 1;
}

/**
 * Returns how many threads there are, when the host has decided on it: those of higher numbers leave. Meanwhile it counts
 * in PACE if it is asked to. A call of its own: in Node.js 20 `join` gave 0 when it had waited within.
 */
export function awaitDecided(shared: usize): i32 {
  let decided = atomic.load<i32>(shared, DECIDED);
  while (decided <= 0) {
    if (decided < 0) pace(shared);
    else atomic.wait<i32>(shared + DECIDED, 0, -1);
    decided = atomic.load<i32>(shared, DECIDED);
  }
  return decided;
}

/** So many threads there are, the caller among them; or below 0 all are to count in PACE. */
export function decide(shared: usize, count: i32): void {
  atomic.store<i32>(shared, count, DECIDED);
  atomic.notify(shared + DECIDED, -1);
}

/** All workers leave, and the caller goes on alone. A job without lanes wakes those that sleep. */
export function dismiss(): void {
  atomic.store<i32>(control, 1, LEAVE);
  // It is odd already where the caller was thrown out while it wrote a job.
  atomic.or<i32>(control, 1, JOB);
  atomic.store<i32>(control, 0, LANES);
  atomic.add<i32>(control, 1, JOB);
  atomic.notify(control + JOB, -1);
  setPlace(0, 1, control, 0, 0);
}

/** Says that a job will never be done, so that nobody waits for it. */
export function fail(shared: usize): void {
  atomic.store<i32>(shared, 1, BROKEN);
}

/**
 * Ends all threads after such a job, and returns when none of them writes any more. It calls no host: the stack may be
 * full. One that somebody else has ended never says that it leaves.
 */
export function abandon(): void {
  fail(control);
  dismiss();
  for (let left = LONGEST_PART; left > 0; left--) {
    if (atomic.load<i32>(control, LEFT) >= atomic.load<i32>(control, READY)) return;
  }
}

/** A worker's last call. */
export function leave(shared: usize): void {
  atomic.add<i32>(shared, 1, LEFT);
}
