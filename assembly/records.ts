/**
 * The records: what the host writes into linear memory and hands to kernels by address. This file is the one place
 * that says what they look like; `npm run build:wasm` makes the host's offsets from it (src/build/abi.js).
 *
 * A field is 4 bytes, aligned to 4. Sizes and strides that end in `Row` are bytes. Addresses are bytes, aligned to
 * 16. Buffers hold float32 unless the field says otherwise. N rows are a batch, C steps a chunk of time.
 */

/** A weight matrix in panels (matmul/pack.ts), and the bias that its product begins with. */
@unmanaged
export class Matrix {
  /** Inputs. */
  columns: i32;
  /** Vectors of four outputs. */
  vectors: i32;
  /** Blocks of outputs; the last may be part full. */
  blocks: i32;
  /** Bytes of a row of outputs: whole blocks. */
  outputRow: usize;
  /** The first block. */
  panel: usize;
  /** Bytes from one block to the next: more than the block where two matrices share them. */
  blockBytes: usize;
  /** One for each output, in the panel's order; zeros where there is none. */
  bias: usize;
  /** int8: one for each output; 0 in float32. */
  scales: usize;
  /** int8: i32 for each output, a row of outputs for every SUM_COLUMNS inputs. */
  corrections: usize;
}

/** How one thread walks over a matrix: which blocks of outputs it makes, and of what rows of inputs. */
@unmanaged
export class Walk {
  /** The first block; at the boundary of a unit, as toBlock. */
  fromBlock: i32;
  /** The block after the last one. */
  toBlock: i32;
  /** Bytes from one row of inputs to the next. */
  inputRow: usize;
  /** int8: room for every row rounded (matmul/round-inputs.ts); 0 in float32. */
  rounded: usize;
}

/** An activation of shaped.ts; what its constants mean is said at its base. */
@unmanaged
export class Activation {
  base: i32;
  /** PLAIN, TIMES or LESS. */
  use: i32;
  alpha: f32;
  beta: f32;
  low: f32;
  high: f32;
}

/** What PyTorch's cells do not have (cells/general.ts). */
@unmanaged
export class CellOptions {
  /** Activation of the gates: i, f, o or r, z. */
  recurrentActivation: usize;
  /** Activation of g, of n, of an RNN's h. */
  activation: usize;
  /** LSTM: Activation of c' in h'. */
  cellActivation: usize;
  /** Bound of what activations of gates are taken of, on both sides; Infinity where there is none. */
  clip: f32;
  /** LSTM: bound of c', the same. */
  cellClip: f32;
  /** LSTM: 1 where f is 1 - i. */
  inputForget: i32;
  /** GRU: 1 where r scales the product of h, 0 where it scales h before it. */
  resetAfter: i32;
  /** LSTM: [3, cRow], by which i and f see c, and o sees c'; or 0. */
  peepholes: usize;
}

/** One layer and direction of a network. */
@unmanaged
export class Layer {
  /** Which cell: LSTM, GRU or RNN (cells/). */
  kind: i32;
  /** RNN: which activation (activation.ts). */
  activation: i32;
  /** CellOptions, or 0 for PyTorch's cell. */
  options: usize;
  /** H, the numbers in c. */
  units: i32;
  /** R, the numbers in h: units, or the projection's size. */
  outputSize: i32;
  /** 1 to take the steps from the last to the first. */
  reverse: i32;
  /** Matrix [gates H, I]. */
  weightInput: usize;
  /** Matrix [gates H, R]. */
  weightHidden: usize;
  /** Matrix [R, H], or 0 without a projection. */
  weightProjection: usize;
}

/** A chunk of time: the buffers of one layer's steps. Rows of state are in `order`, all others the caller's. */
@unmanaged
export class Run {
  /** N. */
  batch: i32;
  /** i32 [N]: the caller's rows by falling length, so that those which still run come first. */
  order: usize;
  /** i32 [C]: rows that run at each step. */
  active: usize;
  /** i32 [C, N], the caller's rows: 0 where a step leaves a row's state as it was; or 0, and all steps count. */
  mask: usize;
  /** 1 where the output of a masked step is the row's last one, 0 where it is zeros. */
  repeat: i32;
  /** i32 [N], the caller's rows: 1 from a row's first step that counts on. There is nothing to repeat before it. */
  started: usize;
  /** [N, hRow]: h of masked rows during a step. */
  keptH: usize;
  /** [N, cRow]: LSTM: c of masked rows during a step. */
  keptC: usize;
  /** [C, N, I]. */
  input: usize;
  /** [C, N, outputRow]: h, the first R numbers of each row; 0 where a row does not run. */
  output: usize;
  /** Bytes from one row of outputs to the next. */
  outputRow: usize;
  /** [T, N, outputRow of weightInput]: what the inputs give to the gates. */
  gates: usize;
  /** T: steps whose gates are made at once; 0 where they are made already. */
  gateSteps: i32;
  /** [N, outputRow of weightHidden]: what h gives to the gates. */
  sums: usize;
  /** [N, hRow]: read by a step. */
  h: usize;
  /** Where a step writes h'. It is `h`, unless other threads still read that: then a call takes one step. */
  nextH: usize;
  /** [N, hRow]: room for another h where several threads may share the run (threads/); or 0. */
  otherH: usize;
  /** What a call makes of its step: WHOLE, or what comes BEFORE or AFTER the meeting of its threads. */
  stage: i32;
  /** Bytes of a row of h: whole vectors, whole blocks where a projection writes them. */
  hRow: usize;
  /** [N, cRow]: LSTM; updated. */
  c: usize;
  /** Bytes of a row of c: whole vectors. */
  cRow: usize;
  /** [N, cRow]: LSTM with a projection: o tanh c', of which the projection makes h'. */
  unprojected: usize;
  /** [N, hRow]: GRU whose reset comes before the product: r h. */
  resetH: usize;
  /** [N, R]: h in the caller's rows, for loadStates and storeStates. */
  callerH: usize;
  /** [N, H]: c, the same. */
  callerC: usize;
  /** [C, N, TRACE_ROWS, cRow]: LSTM: what the gates did; or 0. */
  trace: usize;
  /** The units whose state this thread updates, a multiple of four. */
  fromUnit: i32;
  /** The unit after the last one. */
  toUnit: i32;
  /** The numbers of h that this thread writes out: its units, or what its part of the projection makes. */
  fromOutput: i32;
  /** The number after the last one. */
  toOutput: i32;
  /** Walk over weightInput. */
  inputWalk: usize;
  /** Walk over weightHidden. */
  hiddenWalk: usize;
  /** Walk over weightProjection. */
  projectionWalk: usize;
}

/** A convolution over a run of output positions (conv1d.ts draws the buffers). Groups follow one another in them. */
@unmanaged
export class Convolution {
  groups: i32;
  /** Input channels of a group. */
  channels: i32;
  /** Output channels of a group. */
  units: i32;
  /** Taps. */
  kernelSize: i32;
  /** Input elements from one position to the next. */
  stride: i32;
  /** Input elements from one tap to the next. */
  dilation: i32;
  /** 1 to mirror the source in the padding, 0 for zeros. */
  reflect: i32;
  /** Output positions. */
  positions: i32;
  /** [groups x channels, length]. */
  source: usize;
  /** Elements of the source. */
  length: i32;
  /** The source's element that frame 0 is; negative in the padding before it. */
  first: i32;
  /** Frames. */
  span: i32;
  /** [span, channels]. */
  frames: usize;
  /** [positions, kernelSize x channels]; only used where dilation puts taps apart. */
  patches: usize;
  /** Matrix for each group, one after the other. */
  matrices: usize;
  /** Walk over each of them. */
  walk: usize;
  /** [positions, outputRow of a matrix]. */
  sums: usize;
  /** [groups x units, positions]. */
  output: usize;
}

/**
 * Stages of a step. Threads that share a layer have to meet within a step where something reads what all units have
 * become: a projection h', and a GRU whose reset comes before the product r h.
 */
export const WHOLE: i32 = 0;
export const BEFORE: i32 = 1;
export const AFTER: i32 = 2;

/** Bytes of a line of float32 weights: the outputs of a block. matmul/dot.ts says why so many. */
export const FLOAT_LINE_BYTES: usize = 128;

/** Inputs whose int8 products have a sum of 32 bits: 2048 x 128 x 8191 < 2^31. */
export const SUM_COLUMNS: i32 = 2048;

/** Bytes of scratch that every instance is given (instance.ts). */
export const SCRATCH_BYTES: i32 = 352;

/** The rows of a trace, in this order: activated gates, then c'. */
export const TRACE_I: usize = 0;
export const TRACE_F: usize = 1;
export const TRACE_G: usize = 2;
export const TRACE_O: usize = 3;
export const TRACE_C: usize = 4;
export const TRACE_ROWS: usize = 5;
