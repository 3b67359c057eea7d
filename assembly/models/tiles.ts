/** How a convolution's outputs are cut (convolve.ts): what threads read of it, which have none of its code. */

import { Lanes } from "./window-records";

/** Outputs of a tile. */
export const TILE: i32 = 8;

/** Outputs of a group's channel, with what lies between rows. */
export function outputsOf(record: usize): i32 {
  const fields = changetype<Lanes>(record);
  return (fields.rows - 1) * fields.pitch + fields.columns;
}

/** Tiles of all groups. Each one's outputs are the same whichever tiles are made with it. */
export function tilesOf(record: usize): i32 {
  return changetype<Lanes>(record).groups * ((outputsOf(record) + TILE - 1) / TILE);
}
