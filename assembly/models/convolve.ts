/**
 * Convolution whose vectors are of outputs beside each other, so that input and output keep ONNX's layout and no rows
 * of patches are made: a product's numbers are read where they lie in planes (planes.ts), by a table of offsets.
 *
 *   planes   [groups, channels, ...]     a group's outputs are `rows` rows of `columns`, `pitch` numbers apart
 *   sums     [units, lanes]              of outputs in the order of the planes, with what lies between rows
 *   output   [groups, units, ...]        without it; strides apart where outputs are those of a transposed convolution
 *
 * Products are taken in runs that stay in L1. What the sums are between runs lies in `sums`.
 */

import { FUSED } from "../build";
import { copyFloats } from "../memory";
import { fourChannels, oneChannel, oneChannelTiles, sixChannels } from "./convolve-tiles";
import { outputsOf, TILE, tilesOf } from "./tiles";
import { unary } from "./unary";
import { Lanes } from "./window-records";

/** Products of a run. */
const RUN: i32 = 256;

/** Channels of a tile whose weights stand side by side, where so many are `left`. The host packs them by it. */
export function channelsTogether(left: i32): i32 {
  if (FUSED && left >= 6 && left !== 8 && left !== 9) return 6;
  return left >= 4 ? 4 : 1;
}

/** All groups of one item of a batch. */
export function convolve(record: usize, planes: usize, output: usize): void {
  convolveTiles(record, planes, output, 0, tilesOf(record), changetype<Lanes>(record).sums);
}

/** The tiles `from` to before `to` of them, with `sums` for a room of sums. */
export function convolveTiles(
  record: usize,
  planes: usize,
  output: usize,
  from: i32,
  to: i32,
  sums: usize,
): void {
  const fields = changetype<Lanes>(record);
  const units = fields.units;
  const lanes = fields.lanes;
  const count = outputsOf(record);
  const tiles = (count + TILE - 1) / TILE;
  const group = from / tiles;
  const index = <usize>group;
  planes += index * fields.groupBytes;
  output += index * <usize>units * fields.channelRow;
  let weights = fields.weights + ((index * <usize>(units * fields.taps)) << 2);
  let bias = fields.bias + ((index * <usize>units) << 2);
  from -= group * tiles;
  to -= group * tiles;
  // Nothing lies between the outputs of a row, and one channel's runs are as long as its taps.
  const isPlain = units === 1 && fields.rows === 1 && fields.outputColumn === 4;
  for (; to > 0; to -= tiles) {
    const end = min(to * TILE, count);
    for (let at = from * TILE; at < end; at += lanes) {
      const some = min(lanes, end - at);
      const input = planes + ((<usize>at) << 2);
      if (isPlain) {
        multiplyOne(record, sums, input, weights, bias, output + ((<usize>at) << 2), at, some);
      } else {
        multiply(record, sums, input, weights, bias, at, some);
        finish(record, sums, output, at, some);
      }
    }
    from = 0;
    planes += fields.groupBytes;
    output += <usize>units * fields.channelRow;
    weights += (<usize>(units * fields.taps)) << 2;
    bias += (<usize>units) << 2;
  }
}

/**
 * Where the last tile of so many outputs begins: it ends where they end, be it over some that are in the tile before.
 * Negative where these are outputs before `from`.
 */
function lastPlace(from: i32, lanes: i32): i32 {
  return from + lanes >= TILE ? lanes - TILE : 0;
}

/** The sums of `lanes` outputs, the first of which is number `from`. */
function multiply(
  record: usize,
  sums: usize,
  input: usize,
  weights: usize,
  bias: usize,
  from: i32,
  lanes: i32,
): void {
  const fields = changetype<Lanes>(record);
  const units = fields.units;
  const taps = fields.taps;
  const row = (<usize>fields.lanes) << 2;
  const last = (lanes - 1) & ~(TILE - 1);
  const place = lastPlace(from, lanes);
  for (let run = 0; ; run += RUN) {
    const left = taps - run;
    const count = min(RUN, left);
    const offsets = fields.offsets + ((<usize>run) << 2);
    let matrix = weights;
    let begins: usize = run ? 0 : bias;
    let target = sums;
    for (let unit = 0; unit < units; ) {
      const together = channelsTogether(units - unit);
      const lines = matrix + ((<usize>(run * together)) << 2);
      for (let at = 0; at < lanes; at += TILE) {
        const x = input + ((<usize>(<isize>(at === last ? place : at))) << 2);
        const begin = target + ((<usize>at) << 2);
        const to = left <= RUN && at === last && place >= 0 ? target + ((<usize>place) << 2) : begin;
        if (together === 6) sixChannels(count, offsets, x, lines, begins, begin, row, to, row);
        else if (together === 4) fourChannels(count, offsets, x, lines, begins, begin, row, to, row);
        else oneChannel(count, offsets, x, lines, begins, begin, to);
      }
      unit += together;
      target += <usize>together * row;
      matrix += (<usize>(together * taps)) << 2;
      if (begins) begins += (<usize>together) << 2;
    }
    if (left <= RUN) return;
  }
}

/** The same of one channel, written where it belongs: at a depthwise convolution of 24 outputs it takes a fourth of the time. */
function multiplyOne(
  record: usize,
  sums: usize,
  input: usize,
  weights: usize,
  bias: usize,
  output: usize,
  from: i32,
  lanes: i32,
): void {
  const fields = changetype<Lanes>(record);
  const taps = fields.taps;
  const offsets = fields.offsets;
  const last = lanes & ~(TILE - 1);
  oneChannelTiles(taps, offsets, input, weights, bias, output, lanes / TILE);
  if (last < lanes) {
    const place = lastPlace(from, lanes);
    const begins = (<usize>(<isize>place)) << 2;
    oneChannelTiles(taps, offsets, input + begins, weights, bias, sums, 1);
    copyFloats(output + ((<usize>last) << 2), sums + ((<usize>(last - place)) << 2), lanes - last);
  }
  if (fields.activation >= 0) unary(fields.activation, output, output, lanes, fields.alpha, fields.beta);
}

/** Writes sums out, but for those between rows. */
function finish(record: usize, sums: usize, output: usize, from: i32, lanes: i32): void {
  const fields = changetype<Lanes>(record);
  const units = fields.units;
  const columns = fields.columns;
  const pitch = fields.pitch;
  const row = (<usize>fields.lanes) << 2;
  const step = fields.outputColumn;
  const place = lastPlace(from, lanes);
  if (place < 0) sums += (<usize>-place) << 2;
  if (fields.activation >= 0) {
    let data = sums;
    for (let unit = units; unit > 0; unit--) {
      unary(fields.activation, data, data, lanes, fields.alpha, fields.beta);
      data += row;
    }
  }
  let column = from % pitch;
  output += <usize>(from / pitch) * fields.outputRow;
  while (lanes > 0) {
    const count = min(columns - column, lanes);
    let source = sums;
    let target = output + <usize>column * step;
    for (let unit = count > 0 ? units : 0; unit > 0; unit--) {
      if (step === 4) copyFloats(target, source, count);
      else {
        let to = target;
        for (let at = source, end = source + ((<usize>count) << 2); at < end; at += 4) {
          f32.store(to, f32.load(at));
          to += step;
        }
      }
      source += row;
      target += fields.channelRow;
    }
    const passed = min(pitch - column, lanes);
    sums += (<usize>passed) << 2;
    lanes -= passed;
    column = 0;
    output += fields.outputRow;
  }
}
