/**
 * The records of kernels that go over windows of an image: convolutions and pools. As those of records.ts, their fields are
 * of 4 bytes, addresses and strides in bytes.
 */

/** How channels of an image are laid out as planes, in which a tap lies at one distance for every output (planes.ts). */
@unmanaged
export class Planes {
  channels: i32;
  /** Rows and columns of a channel. */
  height: i32;
  width: i32;
  /** Numbers of padding before the first row, and before the first column. */
  top: i32;
  left: i32;
  /** Rows of an image are dealt out to so many planes, and columns. */
  rowPhases: i32;
  columnPhases: i32;
  /** Rows and columns of a plane. */
  rows: i32;
  columns: i32;
  /** 1 where there is padding, or a plane reaches past the image. */
  padded: i32;
  /** Bytes from one channel's first plane to the next one's. */
  channelBytes: usize;
}

/** A convolution, or a part of one, whose vectors are of outputs beside each other (convolve.ts). */
@unmanaged
export class Lanes {
  groups: i32;
  /** Output channels of a group. */
  units: i32;
  /** Products of an output: the group's channels times their taps. */
  taps: i32;
  /** i32 [taps]: bytes from an output's place in its group's planes to what each tap reads. */
  offsets: usize;
  /** [groups, units, taps], rows of fours interleaved. */
  weights: usize;
  /** [groups, units] */
  bias: usize;
  /** Bytes of a group's planes. */
  groupBytes: usize;
  /** Outputs of a channel: rows, columns, and how many numbers apart rows lie in the planes. */
  rows: i32;
  columns: i32;
  pitch: i32;
  /** Outputs that are made at once, a multiple of 8. */
  lanes: i32;
  /** [units, lanes], one after the other of each thread */
  sums: usize;
  /** Bytes of the output from one channel, row and column to the next. */
  channelRow: usize;
  outputRow: usize;
  outputColumn: usize;
  /** Activation of unary.ts, with its constants; -1 for none. */
  activation: i32;
  alpha: f32;
  beta: f32;
}

/** A convolution of few outputs and many channels: patches of the planes times a packed matrix (convolve-rows.ts). */
@unmanaged
export class PatchRows {
  groups: i32;
  /** Output channels of a group. */
  units: i32;
  /** Products of an output. */
  taps: i32;
  /** i32 [taps]: bytes from an output's place in its group's planes to what each tap reads. */
  offsets: usize;
  /** Outputs of a channel: all, and those of a row. */
  positions: i32;
  columns: i32;
  /** Bytes from one output's place in the planes to that of the next row and column. */
  rowBytes: usize;
  columnBytes: usize;
  /** Bytes of a group's planes, and of those of an item of the batch. */
  groupBytes: usize;
  itemBytes: usize;
  /** Matrix for each group, one after the other, and a walk over each. */
  matrices: usize;
  walk: usize;
  /** [groups, units] */
  bias: usize;
  /** [items, positions, taps] */
  patches: usize;
  /** [items, positions, outputRow of a matrix] */
  sums: usize;
  /** Activation of unary.ts, with its constants; -1 for none. */
  activation: i32;
  alpha: f32;
  beta: f32;
}

/** A pool over two axes (pool.ts). */
@unmanaged
export class Pool {
  /** Of all items. */
  channels: i32;
  height: i32;
  width: i32;
  /** Outputs of a channel. */
  rows: i32;
  columns: i32;
  kernelRows: i32;
  kernelColumns: i32;
  rowStride: i32;
  columnStride: i32;
  rowDilation: i32;
  columnDilation: i32;
  /** Numbers of padding before the first row, and before the first column. */
  top: i32;
  left: i32;
  /** Room for a row with its padding, and four numbers more; how many numbers it has. */
  line: usize;
  lineNumbers: i32;
  /** [rows, columns]: what sums are divided by; 0 for the largest numbers. */
  counts: usize;
}
