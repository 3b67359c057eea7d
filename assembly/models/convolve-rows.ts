/**
 * Convolution of few outputs and many channels, where reading the weights is what takes time: what each output sees
 * becomes a row, and the core's product reads the packed weights once for all rows.
 */

import { matmul } from "../core";
import { Matrix } from "../records";
import { unary } from "./unary";
import { PatchRows } from "./window-records";

/** All groups of some items of a batch, whose planes and outputs follow one another. */
export function convolveRows(record: usize, planes: usize, output: usize, items: i32): void {
  const fields = changetype<PatchRows>(record);
  const groups = fields.groups;
  const units = fields.units;
  const positions = fields.positions;
  let matrix = fields.matrices;
  let bias = fields.bias;
  const channelBytes = (<usize>positions) << 2;
  const groupOutput = <usize>units * channelBytes;
  const itemOutput = <usize>groups * groupOutput;
  for (let group = 0; group < groups; group++) {
    gather(record, planes, items);
    matmul(matrix, fields.walk, items * positions, fields.patches, fields.sums, 0);
    let sums = fields.sums;
    const row = changetype<Matrix>(matrix).outputRow;
    let target = output + <usize>group * groupOutput;
    for (let item = 0; item < items; item++) {
      for (let position = 0; position < positions; position++) {
        let to = target + ((<usize>position) << 2);
        let add = bias;
        for (let from = sums, end = sums + ((<usize>units) << 2); from < end; from += 4) {
          f32.store(to, f32.load(from) + f32.load(add));
          add += 4;
          to += channelBytes;
        }
        sums += row;
      }
      target += itemOutput;
    }
    planes += fields.groupBytes;
    matrix += offsetof<Matrix>();
    bias += (<usize>units) << 2;
  }
  if (fields.activation < 0) return;
  unary(fields.activation, output, output, items * groups * units * positions, fields.alpha, fields.beta);
}

/** The patches of one group. */
function gather(record: usize, planes: usize, items: i32): void {
  const fields = changetype<PatchRows>(record);
  const columns = fields.columns;
  let target = fields.patches;
  const end = fields.offsets + ((<usize>fields.taps) << 2);
  for (let item = 0; item < items; item++) {
    for (let position = 0; position < fields.positions; position++) {
      const place =
        planes +
        <usize>(position / columns) * fields.rowBytes +
        <usize>(position % columns) * fields.columnBytes;
      for (let offset = fields.offsets; offset < end; offset += 4) {
        f32.store(target, f32.load(place + <usize>load<u32>(offset)));
        target += 4;
      }
    }
    planes += fields.itemBytes;
  }
}
