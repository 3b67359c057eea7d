/**
 * What may differ between instances of the wasm over one memory. Globals are an instance's own, memory is not. So
 * the host tells each instance its scratch and its form of int8 groups by one call, before any other kernel but
 * allocate and dotIsOneInstruction.
 */

import { SCRATCH_BYTES } from "./records";

let scratch: usize = 0;
let planes: i32 = 0;

/**
 * @param scratchBlock  SCRATCH_BYTES that no other instance is given
 * @param groupsArePlanes  1 for planes, 0 for numbers (matmul/dot.ts). All instances over one memory are told the
 *   same: packed int8 weights are in that form
 */
export function configure(scratchBlock: usize, groupsArePlanes: i32): void {
  assert(scratchBlock % 16 === 0, "configure: scratch is not aligned");
  scratch = scratchBlock;
  planes = groupsArePlanes;
}

export function usesPlanes(): bool {
  return planes !== 0;
}

/** 96 bytes, the widest line of int8 weights. */
export function lineScratch(): usize {
  return scratch;
}

/** 96 bytes: sums of one line's outputs. */
export function sumsScratch(): usize {
  return scratch + 96;
}

/** 96 bytes: sums over more than SUM_COLUMNS inputs. */
export function totalsScratch(): usize {
  return scratch + 192;
}

/** 64 bytes: the last numbers of a row, filled up to sixteen. */
export function restScratch(): usize {
  assert(288 + 64 === SCRATCH_BYTES, "SCRATCH_BYTES is not what the parts add up to");
  return scratch + 288;
}
