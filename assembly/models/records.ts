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
