/** The heap (TLSF, blocks aligned to 16 bytes) and the copies between rows of different strides. */

/** `bytes` of memory, not cleared. The host has checked the size; the heap traps where memory cannot grow. */
export function allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function free(block: usize): void {
  heap.free(block);
}

/** Copies `count` floats; neither side needs alignment, and nothing past the last float is written. */
export function copyFloats(target: usize, source: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, v128.load(source));
    target += 16;
    source += 16;
  }
  for (; count > 0; count--) {
    f32.store(target, f32.load(source));
    target += 4;
    source += 4;
  }
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

/** The caller's number of a row, given the order that rows of state are in. */
export function callerRow(order: usize, row: i32): usize {
  return <usize>load<i32>(order + ((<usize>row) << 2));
}

/**
 * One step's outputs: h of the rows that run, in the order of `order`, to the caller's rows, and zeros to the others.
 */
export function writeOutputs(
  rows: i32,
  running: i32,
  order: usize,
  state: usize,
  stateRow: usize,
  count: i32,
  output: usize,
  outputRow: usize,
): void {
  for (let row = 0; row < rows; row++) {
    const target = output + callerRow(order, row) * outputRow;
    if (row < running) copyFloats(target, state + <usize>row * stateRow, count);
    else clearFloats(target, count);
  }
}

/** Sets `count` floats to zero. */
export function clearFloats(target: usize, count: i32): void {
  memory.fill(target, 0, (<usize>count) << 2);
}
