/**
 * Planes: an image with its padding, dealt out so that a stride is no stride any more. With strides of `rowPhases` and
 * `columnPhases`, number (y, x) of a padded channel lies in plane (y mod rowPhases, x mod columnPhases), at row
 * y / rowPhases and column x / columnPhases. There a tap reads numbers side by side for outputs side by side.
 */

import { assertNumbers } from "../debug";
import { copyFloats } from "../memory";
import { Planes } from "./window-records";

/** Fills the planes of all channels: [channels, rowPhases, columnPhases, rows, columns]. */
export function fillPlanes(record: usize, source: usize, planes: usize): void {
  const fields = changetype<Planes>(record);
  const rowPhases = fields.rowPhases;
  const columnPhases = fields.columnPhases;
  const channelBytes = fields.channelBytes;
  const planeBytes = (<usize>(fields.rows * fields.columns)) << 2;
  const imageBytes = (<usize>(fields.height * fields.width)) << 2;
  assertNumbers(source, fields.channels * fields.height * fields.width);
  assertNumbers(planes, <i32>((<usize>fields.channels * channelBytes) >> 2));
  // Many small fills take longer than one: 17 ns each.
  const clearsEach = fields.padded && channelBytes > 2048;
  if (fields.padded && !clearsEach) memory.fill(planes, 0, <usize>fields.channels * channelBytes);
  for (let channel = fields.channels; channel > 0; channel--) {
    if (clearsEach) memory.fill(planes, 0, channelBytes);
    let plane = planes;
    for (let y = 0; y < rowPhases; y++) {
      for (let x = 0; x < columnPhases; x++) {
        fillPlane(record, source, plane, y - fields.top, x - fields.left);
        plane += planeBytes;
      }
    }
    planes += channelBytes;
    source += imageBytes;
  }
}

/** One plane, whose first number is number (y, x) of the image, where there is one. */
function fillPlane(record: usize, source: usize, plane: usize, y: i32, x: i32): void {
  const fields = changetype<Planes>(record);
  const height = fields.height;
  const width = fields.width;
  const columns = fields.columns;
  const step = fields.columnPhases;
  // A division takes as long as copying 24 numbers.
  const isWhole = step === 1;
  const first = x < 0 ? (isWhole ? -x : (step - 1 - x) / step) : 0;
  x += first * step;
  const left = isWhole ? width - x : (width - x + step - 1) / step;
  const count = x < width ? min(columns - first, left) : 0;
  const bytes = (<usize>step) << 2;
  plane += (<usize>first) << 2;
  for (let row = fields.rows; row > 0; row--) {
    if (y >= 0 && y < height) {
      let from = source + ((<usize>(y * width + x)) << 2);
      if (step === 1) copyFloats(plane, from, count);
      else {
        for (let to = plane, end = plane + ((<usize>count) << 2); to < end; to += 4) {
          f32.store(to, f32.load(from));
          from += bytes;
        }
      }
    }
    y += fields.rowPhases;
    plane += (<usize>columns) << 2;
  }
}
