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

/** Indices that are to become distances in a tensor (rows.ts). For each of `depth`, its size and its step in bytes follow. */
@unmanaged
export class Locate {
  /** [count, depth]: i32, or f64. */
  indices: usize;
  /** 1 for f64. */
  wide: i32;
  count: i32;
  /** How many indices say a place together, one for each of so many axes. */
  depth: i32;
  /** i32 [count]: bytes. */
  offsets: usize;
}

/** Rows to be taken from places, or put there (rows.ts). */
@unmanaged
export class Rows {
  source: usize;
  target: usize;
  /** i32 [count]: where each row lies, in bytes: of the source where rows are taken, of the target where they are put. */
  offsets: usize;
  count: i32;
  /** Bytes. */
  width: i32;
  /** How often all rows are taken, each time from so many bytes further on. */
  times: i32;
  step: i32;
  /** What becomes of the numbers where rows are put: ROWS_SET, or a float32 made of both. */
  reduction: i32;
}

/**
 * Two or three tensors that are broadcast to one (binary.ts). Rows are walked along `axes` outer axes: for each an
 * AXIS_BYTES follows the record, the outermost first.
 */
@unmanaged
export class Broadcast {
  kind: i32;
  axes: i32;
  /** Numbers in a row of the output. */
  count: i32;
  /** Rows of the output. */
  rows: i32;
  a: usize;
  b: usize;
  /** SELECT: bytes, a where they are not 0. */
  c: usize;
  output: usize;
  /** 1 where a row's numbers follow one another, 0 where they are one number. */
  aRuns: i32;
  bRuns: i32;
  cRuns: i32;
  /** Room of 16 bytes for each operand. */
  rooms: usize;
  /** 0, or where numbers are of any types: those of a, b, c and the output, 4 bits each. */
  types: i32;
}

/** An outer axis of a Broadcast. */
@unmanaged
export class BroadcastAxis {
  size: i32;
  /** Where the walk is; 0 before and after it. */
  at: i32;
  /** Bytes from one row to the next along it. */
  aStride: usize;
  bStride: usize;
  cStride: usize;
}

/** An axis of a row-major tensor [outer, count, inner] (reduce.ts). */
@unmanaged
export class Reduction {
  /** Which reduction; 1 for running sums from the end. */
  kind: i32;
  outer: i32;
  count: i32;
  inner: i32;
  input: usize;
  output: usize;
  /** Of sums. */
  divisor: f32;
  /** 1 for the root of a sum; for the last of equal numbers; for running sums without the number itself. */
  root: i32;
}

/** Parts of a tensor that are normalised by themselves, one after the other (normalise.ts). */
@unmanaged
export class Normalisation {
  groups: i32;
  /** Numbers in a group. */
  count: i32;
  /** How many numbers in a row a scale and bias serve; they divide `count`. */
  run: i32;
  /** After so many scales the first one is next; at the end of a group. */
  scales: i32;
  input: usize;
  output: usize;
  scale: usize;
  /** 0 for none. */
  bias: usize;
  /** One for each scale, where they are not those of the numbers; a group is then one run. 0 for none. */
  means: usize;
  variances: usize;
  epsilon: f32;
}

/** Rows of float32 to be made of two each (blend.ts). */
@unmanaged
export class Blend {
  source: usize;
  target: usize;
  /** BlendTap for each row. */
  taps: usize;
  count: i32;
  /** Numbers of a row. */
  width: i32;
  /** How often all rows are made, each time of a source so many bytes further on. */
  times: i32;
  step: i32;
}

@unmanaged
export class BlendTap {
  /** Where the two rows begin in the source, in bytes. */
  low: i32;
  high: i32;
  lowWeight: f32;
  highWeight: f32;
}

/** Matrices of which one triangle is kept (triangle.ts). */
@unmanaged
export class Triangle {
  source: usize;
  target: usize;
  matrices: i32;
  rows: i32;
  /** Bytes of a row. */
  width: i32;
  /** Bytes of the first row before the boundary between the triangles; below 0 or past the row where there are none. */
  first: i32;
  /** Bytes of a number, by which the boundary goes on from row to row. */
  step: i32;
  /** 1 to keep what is from the boundary on, 0 what is before it. */
  upper: i32;
}

/** Rows of bytes that become rows of i16 (quantised.ts). */
@unmanaged
export class Widening {
  source: usize;
  target: usize;
  rows: i32;
  columns: i32;
  /** Bytes from one row to the next, and from one number to the next. */
  sourceRow: i32;
  sourceColumn: i32;
  /** Whole vectors. */
  targetRow: i32;
  /** CAST_INT8 or CAST_UINT8. */
  type: i32;
  /** Of a number that is taken away; 0 for none. */
  zero: usize;
  /** 1 where each row has its own. */
  zeroStep: i32;
}

/** Products of rows of i16, each of A by each of B (quantised.ts). */
@unmanaged
export class Dots {
  /** Of A. */
  rows: i32;
  /** Bytes of a row of A or B. */
  width: usize;
  /** Bytes from one row of the output to the next. */
  outputRow: usize;
}

/** What a window of bytes takes at each of its positions, as a row of i16 (quantised.ts). */
@unmanaged
export class BytePatches {
  target: usize;
  targetRow: i32;
  channels: i32;
  rows: i32;
  columns: i32;
  kernelRows: i32;
  kernelColumns: i32;
  rowStride: i32;
  columnStride: i32;
  rowDilation: i32;
  columnDilation: i32;
  /** Padding before. */
  top: i32;
  left: i32;
  /** Positions of the window in a row. */
  outputColumns: i32;
  /** CAST_INT8 or CAST_UINT8. */
  type: i32;
  /** Of a number that is taken away; 0 for none. */
  zero: usize;
}
