/**
 * The records of this binary's kernels, as ../records.ts has those of the core: fields of 4 bytes, addresses and
 * strides in bytes. `npm run build:wasm` makes the host's offsets from them (build/records/).
 */

/** A product of two matrices: alpha A B + beta C (matmul.ts). Strides are bytes. */
@unmanaged
export class Product {
  rows: i32;
  /** Columns of A, rows of B. */
  depth: i32;
  columns: i32;
  aRow: usize;
  /** From one column of A to the next. */
  aStep: usize;
  bRow: usize;
  bStep: usize;
  /** Columns of the output follow one another. */
  outputRow: usize;
  alpha: f32;
  beta: f32;
  /** 0 where C is one row. */
  cRow: usize;
  /** 0 where C is one column. */
  cStep: usize;
}

/** A copy between numbers that lie at regular distances in both places (copy.ts). A CopyAxis for each of `axes` follows. */
@unmanaged
export class Copy {
  source: usize;
  target: usize;
  /** What is copied at once: COPY_RUNS, or a unit. */
  kind: i32;
  rows: i32;
  /** Bytes from one row to the next; these may go back, or be 0 in the source. */
  sourceRow: i32;
  targetRow: i32;
  /** Units of a row; of COPY_RUNS bytes. */
  columns: i32;
  /** Bytes from one unit of a row to the next. */
  sourceColumn: i32;
  targetColumn: i32;
  /** Axes around the rows, of which each is walked for each place of those before it. */
  axes: i32;
}

@unmanaged
export class CopyAxis {
  size: i32;
  /** Bytes from one place to the next. */
  sourceStep: i32;
  targetStep: i32;
  /** The place; 0 before and after a copy. */
  at: i32;
}
