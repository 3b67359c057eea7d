/**
 * Whether it pays to share a layer's runs. Threads that the system gives one core between them make half of the parts each
 * and hardly wait, so that only a clock tells: now and then the caller makes a run alone, and compares.
 */

/** Runs that are shared before the first comparison, and at most; after one that tells against it, so many. */
const FIRST: i32 = 8;
const MOST: i32 = 1024;
const AGAIN: i32 = 4;
/** Runs of other layers after which the watched one is taken for gone. */
const GONE: i32 = 64;
/** A run moves the mean by so much of what it is apart, and counts as so many times the mean at most: some are held up. */
const GAIN: f32 = 0.25;
const LONGEST: f32 = 1.5;
/** Alone is faster where it takes less of a shared run's time than this. */
const FASTER: f32 = 0.9;

let watched: usize = 0;
let others: i32 = 0;
/** Ms of a shared run over those that it was held to take, the mean of the last ones. */
let pace: f32 = 0;
let every: i32 = FIRST;
let left: i32 = FIRST;

/** Whether the caller is to make this run of a layer alone, and to tell what it took. */
export function isComparison(layer: usize): bool {
  if (layer === watched) {
    others = 0;
    return left <= 0 && pace > 0;
  }
  if (watched && ++others < GONE) return false;
  watched = layer;
  others = 0;
  pace = 0;
  left = every;
  return false;
}

/** Tells what a shared run took, over what it was held to take. */
export function noteShared(layer: usize, taken: f32): void {
  if (layer !== watched) return;
  left--;
  pace = pace > 0 ? pace + GAIN * (min(taken, LONGEST * pace) - pace) : taken;
}

/** Tells what a run alone took. @returns whether it is faster */
export function noteAlone(taken: f32): bool {
  const isFaster = taken < FASTER * pace;
  every = isFaster ? AGAIN : min(max(2 * every, FIRST), MOST);
  left = every;
  return isFaster;
}
