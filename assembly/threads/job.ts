/**
 * How a job is cut into parts, and when it is worth it. A cell reads all gates of a unit, so that a part begins and ends at
 * whole units: a group is the fewest blocks that do, and two of them where there are enough, since 16 units are a cache
 * line of h.
 */

import { resetsBefore } from "../cells/general";
import { GRU } from "../cells/gru";
import { LSTM } from "../cells/lstm";
import { roundedRow } from "../core";
import { tilesOf } from "../models/tiles";
import { allRun } from "../narrow";
import { Layer, Matrix, Run, Walk } from "../records";
import { convolutionNanoseconds } from "./convolution";
import { openLane } from "./lanes";
import { laneAt, runOf, walkOf } from "./layout";
import { CONVOLUTION, Lane, MOST_THREADS, PRODUCT, ROWS, STEPS } from "./records";
import { cutForFirst, cutGroups } from "./shares";
import { phasesOfSteps } from "./steps";

/** A part of a step takes at least so many ns: with two parts, LSTMs from 64 units on in float32 and from 128 in int8. */
const STEP_NANOSECONDS: u64 = 750;
/** A part of a product or a convolution, which pays for a whole job. */
const PRODUCT_NANOSECONDS: u64 = 10_000;
/** A part has at least so many blocks: fewer make uneven parts. */
const LEAST_BLOCKS: i32 = 4;
/**
 * Each thread has several parts of rows where they have at least so many as a mean. An int8 product takes less time for each
 * weight that it reads: int8-batch-256 is 1.1x with 16 rows beside 8.
 */
const LEAST_ROWS: i32 = 4;
const LEAST_INT8_ROWS: i32 = 16;
/** A thread has at least so many rows: a tile of a product. */
const PART_ROWS: i32 = 2;
/** The longest part of rows has at most 1 / so many more than the mean. */
const UNEVEN: i32 = 7;
/**
 * Bytes of weights, of which each thread reads half at each step of its rows: more do not fit an L2 of 2 MB. By rows 256 units
 * are 1.1x, 320 units 1.05 to 1.2x, 384 units 0.9 to 1.2x, 512 units 0.8 to 1.15x.
 */
const MOST_ROWS_BYTES: u64 = 2 ** 22;
/** So many parts of rows, of a convolution or of a long step for each thread, so that the faster one takes more. */
const PARTS_EACH: i32 = 2;
/** A thread's own part is whole tiles of rows: the tallest of a product (../matmul/f32-tiles.ts). */
const TILE_ROWS: i32 = 6;
/** Each part of a convolution has at least so many tiles. */
const LEAST_TILES: i32 = 2;
/**
 * A long step has so many ns of work for each thread, and so many rows: batch-512 is 1.15x. With 50 us it is 0.98x, and one row
 * of 1024 units 0.93x, since the weights that threads take in turn are in the cache of neither.
 */
const LONG_NANOSECONDS: u64 = 250_000;
const LONG_ROWS: i32 = 16;

/** How many threads of `most` are to share a layer's run. One where the run has no room for several. */
export function threadsOfLayer(layer: usize, run: usize, steps: i32, most: i32): i32 {
  if (!changetype<Run>(run).otherH) return 1;
  return max(threadsOfRows(layer, run, steps, most), partsOfSteps(layer, run, steps, most));
}

/** How many parts of `most` a layer's steps are worth. */
function partsOfSteps(layer: usize, run: usize, steps: i32, most: i32): i32 {
  const matrix = changetype<Layer>(layer).weightHidden;
  const blocks = changetype<Matrix>(matrix).blocks;
  const worth = stepNanoseconds(layer, run, steps) / STEP_NANOSECONDS;
  return max(1, min(min(most, blocks / max(LEAST_BLOCKS, groupBlocks(layer))), <i32>min<u64>(worth, 64)));
}

/**
 * How many threads of `most` may have rows of a run. Their parts do not meet, so that one pays for the whole run. One where
 * weights are too many for each to read them all, or parts too uneven.
 */
function threadsOfRows(layer: usize, run: usize, steps: i32, most: i32): i32 {
  const shape = changetype<Layer>(layer);
  const batch = changetype<Run>(run).batch;
  const bytes = bytesOf(shape.weightInput) + bytesOf(shape.weightHidden);
  const cost = <u64>steps * stepNanoseconds(layer, run, steps);
  const threads = min(min(most, batch / PART_ROWS), <i32>min<u64>(cost / PRODUCT_NANOSECONDS, 64));
  // Fewer than four units lie otherwise (../narrow.ts).
  if (threads < 2 || bytes > MOST_ROWS_BYTES || shape.units < 4 || !allRun(run, steps)) return 1;
  const longest = (batch + threads - 1) / threads;
  return UNEVEN * longest * threads <= (UNEVEN + 1) * batch ? threads : 1;
}

/** Into how many parts so many threads cut the rows. */
function partsOfRows(layer: usize, run: usize, threads: i32): i32 {
  const least = changetype<Matrix>(changetype<Layer>(layer).weightHidden).scales
    ? LEAST_INT8_ROWS
    : LEAST_ROWS;
  const each = changetype<Run>(run).batch >= PARTS_EACH * least * threads ? PARTS_EACH : 1;
  return min(each * threads, MOST_THREADS);
}

/** Into how many parts so many threads cut the groups of a step. */
function partsOfGroups(layer: usize, run: usize, steps: i32, groups: i32, threads: i32): i32 {
  const isLong = stepNanoseconds(layer, run, steps) >= LONG_NANOSECONDS * <u64>threads;
  const isMany = changetype<Run>(run).batch >= LONG_ROWS && groups >= LEAST_BLOCKS * threads;
  return isLong && isMany ? min(PARTS_EACH * threads, MOST_THREADS) : threads;
}

/** How many parts of `most` a product is worth. Rows of int8 inputs are rounded once, which is not shared. */
export function partsOfProduct(matrix: usize, walk: usize, rows: i32, most: i32): i32 {
  if (changetype<Matrix>(matrix).scales) return 1;
  const blocks = changetype<Walk>(walk).toBlock - changetype<Walk>(walk).fromBlock;
  const worth = nanoseconds(matrix, rows) / PRODUCT_NANOSECONDS;
  return max(1, min(min(most, blocks / LEAST_BLOCKS), <i32>min<u64>(worth, 64)));
}

/** How many parts a convolution of one item is worth. */
export function partsOfConvolution(record: usize, threads: i32): i32 {
  const worth = convolutionNanoseconds(record) / PRODUCT_NANOSECONDS;
  const most = min(PARTS_EACH * threads, MOST_THREADS);
  return max(1, min(min(most, tilesOf(record) / LEAST_TILES), <i32>min<u64>(worth, 64)));
}

/** About what `steps` steps take on one thread, in us. */
export function microseconds(layer: usize, run: usize, steps: i32): i32 {
  const rows = steps * changetype<Run>(run).batch;
  const input = steps === 1 ? <u64>0 : nanoseconds(changetype<Layer>(layer).weightInput, rows);
  return <i32>((<u64>steps * stepNanoseconds(layer, run, steps) + input) / 1000);
}

function stepNanoseconds(layer: usize, run: usize, steps: i32): u64 {
  const batch = changetype<Run>(run).batch;
  const hidden = nanoseconds(changetype<Layer>(layer).weightHidden, batch);
  return steps > 1 ? hidden : hidden + nanoseconds(changetype<Layer>(layer).weightInput, batch);
}

/** What a product takes by the bandwidth of an L2, 40 GB/s, or by the arithmetic of a core, 54 GFLOP/s. */
export function nanoseconds(matrix: usize, rows: i32): u64 {
  return (bytesOf(matrix) * max<u64>(27, 10 * <u64>rows)) / 1080;
}

function bytesOf(matrix: usize): u64 {
  const fields = changetype<Matrix>(matrix);
  return (<u64>fields.columns * fields.outputRow) >> (fields.scales ? 2 : 0);
}

/** The fewest blocks that begin and end at whole units. */
function groupBlocks(layer: usize): i32 {
  const gates = gatesOf(changetype<Layer>(layer).kind);
  const vectors = blockVectors(changetype<Layer>(layer).weightHidden);
  let blocks = 1;
  while ((blocks * vectors) % gates !== 0) blocks++;
  return blocks;
}

function gatesOf(kind: i32): i32 {
  return kind === LSTM ? 4 : kind === GRU ? 3 : 1;
}

/** Vectors of four outputs in a block. */
function blockVectors(matrix: usize): i32 {
  return <i32>(changetype<Matrix>(matrix).outputRow >> 4) / changetype<Matrix>(matrix).blocks;
}

/** A lane whose parts are ranges of the layer's units, at each step. */
function fillSteps(
  index: i32,
  lanes: i32,
  layer: usize,
  run: usize,
  steps: i32,
  zigzag: i32,
  threads: i32,
): void {
  const lane = laneAt(index);
  const fields = changetype<Lane>(lane);
  const shape = changetype<Layer>(layer);
  const blocks = changetype<Matrix>(shape.weightHidden).blocks;
  const vectors = blockVectors(shape.weightHidden);
  const gates = gatesOf(shape.kind);
  let group = groupBlocks(layer);
  const units = (group * vectors * 4) / gates;
  if (units % 16 === 8 && blocks >= 2 * group * LEAST_BLOCKS * threads) group *= 2;
  const groups = (blocks + group - 1) / group;
  const parts = partsOfGroups(layer, run, steps, groups, threads);
  fillLane(lane, STEPS, layer, steps, zigzag, parts);
  fields.groups = groups;
  fields.groupBlocks = group;
  fields.groupUnits = (group * vectors * 4) / gates;
  fields.blocks = blocks;
  if (parts > threads) cutForFirst(index, threads, groups, 1);
  else cutGroups(index, lanes);
  fillRun(lane, layer, run);
  fields.phases = phasesOfSteps(lane);
}

/** A lane that so many threads are to share, by rows where as many may have them as by units, or where it is one. */
export function fillLayer(
  index: i32,
  lanes: i32,
  layer: usize,
  run: usize,
  steps: i32,
  zigzag: i32,
  most: i32,
): void {
  const threads = threadsOfRows(layer, run, steps, most);
  const parts = partsOfSteps(layer, run, steps, most);
  if (parts > threads) fillSteps(index, lanes, layer, run, steps, zigzag, parts);
  else fillRows(index, layer, run, steps, zigzag, threads);
}

/** A lane whose parts are ranges of the run's rows, at all steps. */
function fillRows(index: i32, layer: usize, run: usize, steps: i32, zigzag: i32, threads: i32): void {
  const lane = laneAt(index);
  const parts = threads > 1 ? partsOfRows(layer, run, threads) : 1;
  fillLane(lane, ROWS, layer, steps, zigzag, parts);
  fillRun(lane, layer, run);
  changetype<Lane>(lane).blocks = changetype<Matrix>(changetype<Layer>(layer).weightHidden).blocks;
  changetype<Lane>(lane).meets = 0;
  cutForFirst(index, threads, changetype<Lane>(lane).batch, TILE_ROWS);
}

function fillRun(lane: usize, layer: usize, run: usize): void {
  const fields = changetype<Lane>(lane);
  const shape = changetype<Layer>(layer);
  const numbers = changetype<Run>(run);
  const batch = numbers.batch;
  const projection = shape.weightProjection;
  fields.batch = batch;
  // One step of one row makes its gates together with its sums, as in ../layer.ts.
  fields.piece = fields.steps === 1 && batch === 1 ? 0 : numbers.gateSteps;
  fields.units = shape.units;
  fields.outputSize = shape.outputSize;
  fields.reverse = shape.reverse;
  fields.meets = i32(projection !== 0 || resetsBefore(layer));
  fields.weightInput = shape.weightInput;
  fields.gatesRow = changetype<Matrix>(shape.weightHidden).outputRow;
  fields.projectionBlocks = projection ? changetype<Matrix>(projection).blocks : 0;
  fields.projectionUnits = projection ? 4 * blockVectors(projection) : 0;
  fields.rounded = 0;
  fields.roundedInput = 0;
  if (changetype<Matrix>(shape.weightHidden).scales) {
    const columns = max(shape.outputSize, projection ? shape.units : 0);
    fields.rounded = <usize>batch * roundedRow(columns);
    const inputRows = <usize>(numbers.gateSteps * batch);
    fields.roundedInput = inputRows * roundedRow(changetype<Matrix>(shape.weightInput).columns);
  }
  memory.copy(runOf(lane), run, offsetof<Run>());
  memory.copy(walkOf(lane, 0), numbers.inputWalk, offsetof<Walk>());
  memory.copy(walkOf(lane, 1), numbers.hiddenWalk, offsetof<Walk>());
  if (projection) memory.copy(walkOf(lane, 2), numbers.projectionWalk, offsetof<Walk>());
}

/** A lane whose parts are ranges of a matrix's blocks. */
export function fillProduct(
  lane: usize,
  matrix: usize,
  walk: usize,
  rows: i32,
  zigzag: i32,
  parts: i32,
): void {
  const fields = changetype<Lane>(lane);
  fillLane(lane, PRODUCT, matrix, rows, zigzag, parts);
  memory.copy(walkOf(lane, 0), walk, offsetof<Walk>());
  fields.blocks = changetype<Walk>(walk).toBlock - changetype<Walk>(walk).fromBlock;
  fields.groups = fields.blocks;
  cutGroups(0, 1);
}

/** A lane whose parts are ranges of a convolution's tiles. */
export function fillConvolution(lane: usize, record: usize, planes: usize, output: usize, parts: i32): void {
  const fields = changetype<Lane>(lane);
  fillLane(lane, CONVOLUTION, record, 1, 0, parts);
  fields.blocks = tilesOf(record);
  fields.input = planes;
  fields.output = output;
}

function fillLane(lane: usize, work: i32, layer: usize, steps: i32, zigzag: i32, parts: i32): void {
  const fields = changetype<Lane>(lane);
  openLane(lane, parts);
  fields.work = work;
  fields.layer = layer;
  fields.steps = steps;
  fields.zigzag = zigzag;
  fields.parts = parts;
  fields.phases = 1;
  fields.made = 0;
}
