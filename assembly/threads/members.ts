/** How threads come to be members of a pool, and leave it. A thread's number is how many were ready before it. */

import { control, now, setPlace } from "./place";
import { BROKEN, DECIDED, JOB, LANES, LEAVE, LEFT, PACE, PACED, READY } from "./records";

/** About 2 ms, longer than threads take to wake. */
const TURNS: i32 = 2_000_000;
/** How long workers have for a part that they are in, in ms. */
const LONGEST_PART: f64 = 1000;
/** PACE counts turns of the loop in a microsecond, in 1/1000. */
const SCALE: f64 = 1000;

let sink: i32 = 1;

/** How fast this thread is now: turns of a loop that depend on one another. */
export function pace(): i32 {
  const start = now();
  let value = sink;
  for (let left = TURNS; left > 0; left--) value = value * 1664525 + 1013904223;
  sink = value;
  return <i32>((<f64>TURNS * SCALE) / (1000 * max(0.01, now() - start)));
}

/**
 * A worker's first call. It waits until the host has decided how many threads there are, and says how fast it is as often
 * as it is asked to.
 *
 * @returns the thread's number, or 0 if it is to leave
 */
export function join(shared: usize): i32 {
  const me = atomic.add<i32>(shared, 1, READY) + 1;
  let last = 0;
  let decided = atomic.load<i32>(shared, DECIDED);
  while (decided <= 0) {
    if (decided !== last) {
      last = decided;
      atomic.add<i32>(shared, pace(), PACE);
      atomic.add<i32>(shared, 1, PACED);
    } else atomic.wait<i32>(shared + DECIDED, decided, -1);
    decided = atomic.load<i32>(shared, DECIDED);
  }
  return me < decided ? me : 0;
}

/** So many threads there are, the caller among them; or below 0 a round of `pace`. */
export function decide(shared: usize, count: i32): void {
  atomic.store<i32>(shared, 0, PACE);
  atomic.store<i32>(shared, 0, PACED);
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

/** Ends all threads after such a job, and returns when none of them writes any more. */
export function abandon(): void {
  fail(control);
  dismiss();
  const start = now();
  while (atomic.load<i32>(control, LEFT) < atomic.load<i32>(control, READY)) {
    if (now() - start > LONGEST_PART) return;
  }
}

/** A worker's last call. */
export function leave(shared: usize): void {
  atomic.add<i32>(shared, 1, LEFT);
}
