/**
 * A weight matrix as the host packs it (panel.ts). A block is what one walk over a part of the panel makes of a row of
 * inputs: 8 vectors of four outputs in float32, 4 or 6 in int8.
 */

import { groupVectors } from "./simd";

/** What the host writes into linear memory; kernels are given its address. */
@unmanaged
export class Matrix {
  /** Inputs. */
  columns: i32;
  /** Vectors of four outputs. */
  vectors: i32;
  panel: usize;
  blockBytes: usize;
  /** int8: f32 for each output; 0 in float32. */
  scales: usize;
  /** int8: i32 for each output, a row of outputs for each chunk of inputs. */
  corrections: usize;
}

/** Vectors in a whole block. */
export function blockVectors(matrix: usize): i32 {
  return changetype<Matrix>(matrix).scales ? groupVectors() : 8;
}

export function blockCount(matrix: usize): i32 {
  const width = blockVectors(matrix);
  return (changetype<Matrix>(matrix).vectors + width - 1) / width;
}
