/**
 * Copies between numbers that lie at regular distances: transposes, slices, joins, repeats, fills. The host has brought
 * them into few axes, and chosen what is copied at once.
 */

import { Copy, CopyAxis } from "./records";

/** Rows of bytes that lie one beside the other in both places. */
export const COPY_RUNS: i32 = 0;
/** Units of so many bytes. */
export const COPY_1: i32 = 1;
export const COPY_4: i32 = 2;
export const COPY_8: i32 = 3;
export const COPY_16: i32 = 4;
/** Units of 4 bytes: neighbours in a row of the target, and in a column of the source. */
export const COPY_TURNED: i32 = 5;

/** From so many bytes on a run goes by the engine's own copy: 59 against 45 GB/s there, and half as fast at 256 bytes. */
const LONG: usize = 2048;

/** Units of 4 bytes in a cache line. */
const LINE: i32 = 16;

/** `count` copies, whose records follow one another. */
export function copy(records: usize, count: i32): void {
  for (; count > 0; count--) {
    const fields = changetype<Copy>(records);
    const first = records + offsetof<Copy>();
    records = first + <usize>fields.axes * offsetof<CopyAxis>();
    walk(fields, first, records);
  }
}

/** Every plane of rows and columns, with the axes' records from `first` to `end`. */
function walk(fields: Copy, first: usize, end: usize): void {
  let source = fields.source;
  let target = fields.target;
  for (;;) {
    plane(fields, source, target);
    let record = end;
    for (;;) {
      if (record === first) return;
      record -= offsetof<CopyAxis>();
      const axis = changetype<CopyAxis>(record);
      source += <usize>axis.sourceStep;
      target += <usize>axis.targetStep;
      if (++axis.at < axis.size) break;
      source -= <usize>(axis.sourceStep * axis.size);
      target -= <usize>(axis.targetStep * axis.size);
      axis.at = 0;
    }
  }
}

function plane(fields: Copy, source: usize, target: usize): void {
  const kind = fields.kind;
  const columns = fields.columns;
  const sourceRow = <usize>fields.sourceRow;
  const targetRow = <usize>fields.targetRow;
  const sourceColumn = <usize>fields.sourceColumn;
  const targetColumn = <usize>fields.targetColumn;
  if (kind === COPY_TURNED) {
    // A cache line of each row of the target at a time: numbers 2 KB apart in the source share few lines of the cache.
    const block = fields.rows < 4 ? columns : LINE;
    for (let left = columns; left > 0; left -= block) {
      turn(target, targetRow, source, sourceColumn, fields.rows, min(left, block));
      source += <usize>block * sourceColumn;
      target += (<usize>block) << 2;
    }
    return;
  }
  for (let rows = fields.rows; rows > 0; rows--) {
    if (kind === COPY_RUNS) copyRun(target, source, columns);
    else if (kind === COPY_4) copyWords(target, targetColumn, source, sourceColumn, columns);
    else if (kind === COPY_8) copyUnits<u64>(target, targetColumn, source, sourceColumn, columns);
    else if (kind === COPY_1) copyUnits<u8>(target, targetColumn, source, sourceColumn, columns);
    else copyUnits<v128>(target, targetColumn, source, sourceColumn, columns);
    source += sourceRow;
    target += targetRow;
  }
}

/** Bytes one beside the other. Of the last vector some may be copied a second time, and nothing past the last byte. @inline */
export function copyRun(target: usize, source: usize, bytes: usize): void {
  if (bytes >= LONG) {
    memory.copy(target, source, bytes);
  } else if (bytes >= 16) {
    const last = bytes - 16;
    let at: usize = 0;
    for (; at + 48 < last; at += 64) {
      v128.store(target + at, v128.load(source + at));
      v128.store(target + at, v128.load(source + at, 16), 16);
      v128.store(target + at, v128.load(source + at, 32), 32);
      v128.store(target + at, v128.load(source + at, 48), 48);
    }
    for (; at < last; at += 16) v128.store(target + at, v128.load(source + at));
    v128.store(target + last, v128.load(source + last));
  } else if (bytes >= 8) {
    const last = bytes - 8;
    store<u64>(target, load<u64>(source));
    store<u64>(target + last, load<u64>(source + last));
  } else if (bytes >= 4) {
    const last = bytes - 4;
    store<u32>(target, load<u32>(source));
    store<u32>(target + last, load<u32>(source + last));
  } else {
    for (let at: usize = 0; at < bytes; at++) store<u8>(target + at, load<u8>(source + at));
  }
}

/** @inline */
function copyUnits<T>(
  target: usize,
  targetColumn: usize,
  source: usize,
  sourceColumn: usize,
  count: i32,
): void {
  for (; count > 0; count--) {
    store<T>(target, load<T>(source));
    source += sourceColumn;
    target += targetColumn;
  }
}

/**
 * Units of 4 bytes. Four at a time where they are one number again and again, every second one, or from the last to the
 * first. @inline
 */
function copyWords(target: usize, targetColumn: usize, source: usize, sourceColumn: usize, count: i32): void {
  if (targetColumn === 4) {
    if (sourceColumn === 0) {
      const repeated = v128.load_splat<u32>(source);
      for (; count >= 4; count -= 4) {
        v128.store(target, repeated);
        target += 16;
      }
    } else if (sourceColumn === -4) {
      for (; count >= 4; count -= 4) {
        const units = v128.load(source - 12);
        v128.store(target, v128.shuffle<u32>(units, units, 3, 2, 1, 0));
        source -= 16;
        target += 16;
      }
    } else if (sourceColumn === 8) {
      // The number after the last one is not to be read: it may be past the end of memory.
      for (; count > 4; count -= 4) {
        v128.store(target, v128.shuffle<u32>(v128.load(source), v128.load(source, 16), 0, 2, 4, 6));
        source += 32;
        target += 16;
      }
    }
  }
  copyUnits<u32>(target, targetColumn, source, sourceColumn, count);
}

/** A plane whose rows are the source's columns, in tiles of four by four. */
function turn(
  target: usize,
  targetRow: usize,
  source: usize,
  sourceColumn: usize,
  rows: i32,
  columns: i32,
): void {
  for (; rows >= 4; rows -= 4) {
    let from = source;
    let to = target;
    let left = columns;
    for (; left >= 4; left -= 4) {
      const a = v128.load(from);
      const b = v128.load(from + sourceColumn);
      const c = v128.load(from + 2 * sourceColumn);
      const d = v128.load(from + 3 * sourceColumn);
      const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
      const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
      const high = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
      const low = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2));
      v128.store(to + targetRow, v128.shuffle<u64>(ab, cd, 1, 3));
      v128.store(to + 2 * targetRow, v128.shuffle<u64>(high, low, 0, 2));
      v128.store(to + 3 * targetRow, v128.shuffle<u64>(high, low, 1, 3));
      from += 4 * sourceColumn;
      to += 16;
    }
    for (; left > 0; left--) {
      const units = v128.load(from);
      v128.store_lane<u32>(to, units, 0);
      v128.store_lane<u32>(to + targetRow, units, 1);
      v128.store_lane<u32>(to + 2 * targetRow, units, 2);
      v128.store_lane<u32>(to + 3 * targetRow, units, 3);
      from += sourceColumn;
      to += 4;
    }
    source += 16;
    target += 4 * targetRow;
  }
  for (; rows > 0; rows--) {
    copyWords(target, 4, source, sourceColumn, columns);
    source += 4;
    target += targetRow;
  }
}
