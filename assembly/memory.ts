/** The heap (TLSF, blocks aligned to 16 bytes), and copies between rows of different strides. */

import { forgetBlock, noteBlock, refuse } from "./debug";

/** `bytes` of memory, not cleared. The host has checked the size; the heap traps where memory cannot grow. */
export function allocate(bytes: usize): usize {
  refuse();
  const block = heap.alloc(bytes);
  noteBlock(block, bytes);
  return block;
}

export function free(block: usize): void {
  forgetBlock(block);
  heap.free(block);
}

/** Copies `count` floats; neither side needs alignment, and nothing past the last float is written. */
export function copyFloats(target: usize, source: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, v128.load(source));
    target += 16;
    source += 16;
  }
  if (count & 2) {
    store<u64>(target, load<u64>(source));
    target += 8;
    source += 8;
  }
  if (count & 1) store<u32>(target, load<u32>(source));
}

/** Copies `rows` rows of `count` floats between two buffers; row strides in bytes. */
export function copyRows(
  target: usize,
  targetRow: usize,
  source: usize,
  sourceRow: usize,
  rows: i32,
  count: i32,
): void {
  for (; rows > 0; rows--) {
    copyFloats(target, source, count);
    target += targetRow;
    source += sourceRow;
  }
}

/** The caller's number of a row of state, given the `order` of those. */
export function callerRow(order: usize, row: i32): usize {
  return <usize>load<i32>(order + ((<usize>row) << 2));
}

/** Sets `count` floats to zero. */
export function clearFloats(target: usize, count: i32): void {
  memory.fill(target, 0, (<usize>count) << 2);
}
