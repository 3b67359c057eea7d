/**
 * How large a part each thread has. Cores are seldom equally fast: they are of two kinds, or have neighbours that take half
 * of their units. Threads that meet at each step go at the pace of the slowest. So each has as much as it made of the
 * last jobs in the time in which it did not look for others. Where parts take long, each has three quarters of an equal one,
 * and the rest is for who comes first.
 */

import { laneAt } from "./layout";
import { control, LOOK, looked, me, mine, threads } from "./place";
import { APART, Lane, MOST_THREADS, PLACES, Place, PRODUCT, STEPS } from "./records";

/** A job of so many ms would move shares to what it tells, a shorter one by its part of that, and none by more than a quarter. */
const MEMORY: f32 = 10;
const MOST_GAIN: f32 = 0.25;
/** Cores that differ by less are equally fast. */
const EVEN: f32 = 0.1;
/** A thread has at least a third of what it would have if all were equally fast, and at most three times as much. */
const LEAST_SHARE: f32 = -0.667;
const MOST_SHARE: f32 = 2;

export function placeAt(index: i32, place: i32): usize {
  return control + PLACES + <usize>(index * MOST_THREADS + place) * APART;
}

/** Tells how often this thread has looked in vain in this job. */
export function tellLooks(): void {
  changetype<Place>(placeAt(0, me)).looked = looked;
}

/** What is noted of the thread whose own part of a lane it is, where there are so many lanes. */
function threadOf(index: i32, part: i32, lanes: i32): Place {
  return changetype<Place>(placeAt(0, part * lanes + index));
}

function shareOf(index: i32, part: i32, lanes: i32): f32 {
  const share = threadOf(index, part, lanes).share;
  return abs(share) < EVEN ? 1 : 1 + share;
}

/** Cuts a lane's groups into parts, one at least for each. */
export function cutGroups(index: i32, lanes: i32): void {
  const lane = changetype<Lane>(laneAt(index));
  const parts = lane.parts;
  let all: f32 = 0;
  for (let part = 0; part < parts; part++) all += shareOf(index, part, lanes);
  let sum: f32 = 0;
  let from = 0;
  for (let part = 0; part < parts; part++) {
    sum += shareOf(index, part, lanes);
    const place = changetype<Place>(placeAt(index, part));
    place.from = from;
    const to = <i32>nearest((<f32>lane.groups * sum) / all);
    from = min(max(to, from + 1), lane.groups - (parts - 1 - part));
    place.to = from;
  }
}

/**
 * Cuts so many rows or groups: each thread has whole tiles of about three quarters, and who comes first more of what is left.
 * Where parts are no more than threads, all are equal.
 */
export function cutForFirst(index: i32, threads: i32, count: i32, tile: i32): void {
  const parts = changetype<Lane>(laneAt(index)).parts;
  const rest = parts - threads;
  let own = count / threads;
  if (rest) own = ((own * 3) / 4 / tile) * tile;
  for (let part = 0, from = 0; part < parts; part++) {
    const place = changetype<Place>(placeAt(index, part));
    place.from = from;
    if (rest === 0) from = (count * (part + 1)) / threads;
    else if (part < threads) from += own;
    else from = own * threads + ((count - own * threads) * (part + 1 - threads)) / rest;
    place.to = from;
  }
}

/** Moves the shares of threads to what they made of a job, whose records are there still, that took so many ms. */
export function learnShares(lanes: i32, took: f32): void {
  // What a thread made of others' parts is not told.
  const expected = changetype<Lane>(mine).phases;
  if (abs(changetype<Lane>(mine).made - expected) * 8 > expected) return;
  const gain = min(MOST_GAIN, took / MEMORY);
  for (let index = 0; index < lanes; index++) {
    const lane = changetype<Lane>(laneAt(index));
    const parts = lane.parts;
    // Several parts for each thread follow its speed by themselves.
    if ((lane.work !== STEPS && lane.work !== PRODUCT) || parts * lanes > threads) continue;
    let all: f32 = 0;
    for (let part = 0; part < parts; part++) all += speedOf(index, part, lanes, took);
    for (let part = 0; part < parts; part++) {
      const thread = threadOf(index, part, lanes);
      const share = (speedOf(index, part, lanes, took) * <f32>parts) / all - 1;
      thread.share = min(max(thread.share + gain * (share - thread.share), LEAST_SHARE), MOST_SHARE);
    }
  }
}

/** Groups in a ms in which the thread did not look for others. */
function speedOf(index: i32, part: i32, lanes: i32, took: f32): f32 {
  const place = changetype<Place>(placeAt(index, part));
  const looks = <f32>threadOf(index, part, lanes).looked;
  return <f32>(place.to - place.from) / max(took - <f32>LOOK * looks, took / 8);
}
