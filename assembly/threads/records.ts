/**
 * The block that all threads of a pool share, `control`, and the job in it.
 *
 *   0      number of the job: odd while it is written. What a thread reads counts only if the number is the same after it
 *   128    threads that sleep until the next job
 *   256    threads that sleep within a job
 *   384    1 when threads are to leave
 *   388    1 while a whole model runs
 *   512    workers that are ready
 *   516    threads that were decided on; 0 before, and below 0 while all count in the next word
 *   520    how often they have counted together
 *   528    workers that have left
 *   532    1 when a job will never be done: a thread was thrown out of a part that it had begun
 *   536    where the binary of the kernels of whole models lies, and its bytes; 0 before there is a model
 *   640    lanes of the job
 *   768    parts done, of lane 0, and 128 bytes on of lane 1
 *   1024   the job's lanes: a Lane, a Run and its three Walks each, LANE_ROOM
 *   2048   a Place for each part: 128 bytes apart, lane 1 behind lane 0
 *
 * Words that several threads write are 128 bytes apart: caches fetch lines of 64 bytes in pairs. Counters only grow, over
 * all jobs, and are compared by their difference.
 */

export const JOB: usize = 0;
export const ASLEEP: usize = 128;
export const RESTING: usize = 256;
export const LEAVE: usize = 384;
export const HELD: usize = 388;
export const READY: usize = 512;
export const DECIDED: usize = 516;
export const PACE: usize = 520;
export const LEFT: usize = 528;
export const BROKEN: usize = 532;
export const MODELS: usize = 536;
export const LANES: usize = 640;
export const DONE: usize = 768;
export const LANE: usize = 1024;
export const PLACES: usize = 2048;

/** Bytes from one word that threads write to the next. */
export const APART: usize = 128;
export const MOST_THREADS: i32 = 64;
export const MOST_LANES: i32 = 2;
/** A Lane, a Run and three Walks. */
export const LANE_ROOM: i32 = 384;
/** Bytes of `control`: 2048 + 2 x 64 x 128. */
export const CONTROL_BYTES: i32 = 18432;

/**
 * What a part is: a range of a layer's units at each step, a range of a product's blocks, a range of a run's rows at all
 * steps, or a range of a convolution's tiles.
 */
export const STEPS: i32 = 0;
export const PRODUCT: i32 = 1;
export const ROWS: i32 = 2;
export const CONVOLUTION: i32 = 3;

/** A place of a lane, and with those of lane 0 what is noted of the thread of that number. */
@unmanaged
export class Place {
  /** Parts begun. */
  begun: i32;
  /** Groups of the part, or rows. */
  from: i32;
  to: i32;
  /** How often the thread has looked in vain for what others make, in its last job. */
  looked: i32;
  /** How much more of a job it has than if all were equally fast: 1 is twice as much. */
  share: f32;
}

/** What several threads make together, in parts, and all that a thread needs to know of it: it reads no other record. */
@unmanaged
export class Lane {
  /** STEPS, PRODUCT, ROWS or CONVOLUTION. */
  work: i32;
  /** Layer, the Matrix of a product, or the Lanes of a convolution (../models/window-records.ts). */
  layer: usize;
  /** Steps; rows of a product. */
  steps: i32;
  zigzag: i32;
  parts: i32;
  /** How often all parts are begun. */
  phases: i32;
  /** Parts done, and begun at each place, before this job. */
  done: i32;
  begun: i32;
  /** Groups of blocks that begin at whole units, of a product single blocks, and what one has. */
  groups: i32;
  groupBlocks: i32;
  groupUnits: i32;
  /** Of the whole; tiles of a convolution. */
  blocks: i32;
  units: i32;
  reverse: i32;
  /** 1 where threads meet within a step (BEFORE and AFTER of ../records.ts). */
  meets: i32;
  /** Matrix. */
  weightInput: usize;
  /** Bytes of a row of gates. */
  gatesRow: usize;
  /** R, and blocks and their outputs of a projection; 0 blocks without one. */
  outputSize: i32;
  projectionBlocks: i32;
  projectionUnits: i32;
  /** int8: bytes of rounded rows of h and of inputs that each thread has. */
  rounded: usize;
  roundedInput: usize;
  /** N, the rows of a step. */
  batch: i32;
  /** Steps whose gates are made at once; 0 where one step makes its own. */
  piece: i32;
  /** In a thread's own copy: the parts that it has made, and the part that the records are set to. */
  made: i32;
  part: i32;
  /** The phase that they are set to: its step in the order of computing, and GATES (steps.ts), WHOLE, BEFORE or AFTER. */
  turn: i32;
  stage: i32;
  /** Of a product: rows of inputs, and where they and its outputs are. Of a convolution: planes and outputs. */
  rows: i32;
  input: usize;
  output: usize;
  /** Of a run: what its record has for all steps. */
  inputs: usize;
  gates: usize;
  outputs: usize;
  trace: usize;
  mask: usize;
  active: usize;
  evenH: usize;
  oddH: usize;
}
