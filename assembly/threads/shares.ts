/** How large the parts of a lane are. */

import { laneAt } from "./layout";
import { control } from "./place";
import { APART, Lane, MOST_THREADS, PLACES, Place } from "./records";

/** Rows of the tallest tile of a product (../matmul/f32-tiles.ts). */
const TILE_ROWS: i32 = 6;

export function placeAt(index: i32, place: i32): usize {
  return control + PLACES + <usize>(index * MOST_THREADS + place) * APART;
}

/** Cuts a lane's groups into equal parts. */
export function cutGroups(index: i32): void {
  const lane = changetype<Lane>(laneAt(index));
  for (let part = 0; part < lane.parts; part++) {
    const place = changetype<Place>(placeAt(index, part));
    place.from = (lane.groups * part) / lane.parts;
    place.to = (lane.groups * (part + 1)) / lane.parts;
  }
}

/** Cuts a run's rows: each thread has whole tiles of about three quarters, and who comes first more of what is left. */
export function cutRows(index: i32, threads: i32): void {
  const lane = changetype<Lane>(laneAt(index));
  const rest = lane.parts - threads;
  let own = lane.batch / threads;
  if (rest) own = ((own * 3) / 4 / TILE_ROWS) * TILE_ROWS;
  for (let part = 0, from = 0; part < lane.parts; part++) {
    const place = changetype<Place>(placeAt(index, part));
    place.from = from;
    if (rest === 0) from = (lane.batch * (part + 1)) / threads;
    else if (part < threads) from += own;
    else from = own * threads + ((lane.batch - own * threads) * (part + 1 - threads)) / rest;
    place.to = from;
  }
}
