/**
 * Convolutions of whole models, cut by tiles of outputs: a kernel of the second binary (../models/convolve.ts), which the
 * host calls for this program. Workers make an instance of that binary when they are first asked for a part.
 */

import { tilesOf } from "../models/tiles";
import { Lanes } from "../models/window-records";
import { control, convolveTiles, hasModels, me } from "./place";
import { Lane, MODELS } from "./records";

/** What it takes by the arithmetic of a core: a tile is 8 outputs of each of a group's channels. */
export function convolutionNanoseconds(record: usize): u64 {
  const fields = changetype<Lanes>(record);
  return (<u64>tilesOf(record) * 8 * fields.units * fields.taps) / 27;
}

/** What a thread has no kernel for it does not begin. */
export function hasConvolutions(): bool {
  const binary = atomic.load<usize>(control, MODELS);
  return hasModels(binary, atomic.load<i32>(control, MODELS + 4)) !== 0;
}

/** A range of a convolution's tiles, with room for sums of this thread's own. */
export function convolvePart(lane: usize, part: i32): void {
  const fields = changetype<Lane>(lane);
  const record = fields.layer;
  const shape = changetype<Lanes>(record);
  const from = (fields.blocks * part) / fields.parts;
  const to = (fields.blocks * (part + 1)) / fields.parts;
  const sums = shape.sums + ((<usize>(me * shape.units * shape.lanes)) << 2);
  convolveTiles(record, fields.input, fields.output, from, to, sums);
}

/** All of it, by this thread. */
export function convolveWhole(record: usize, planes: usize, output: usize): void {
  convolveTiles(record, planes, output, 0, tilesOf(record), changetype<Lanes>(record).sums);
}
