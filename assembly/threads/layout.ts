/** Where a lane has its records: a Lane, a Run and three Walks (records.ts). */

import { Run, Walk } from "../records";
import { control } from "./place";
import { LANE, LANE_ROOM, Lane } from "./records";

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
