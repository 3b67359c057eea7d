/**
 * What a model may take in memory. Nodes may share a weight, repeat it, or ask for a state of a layer each, so
 * that a file of a megabyte could make gigabytes.
 */

import { FormatError } from "../bytes.js";

/** With the file itself and 192 MB for its nodes and names, a model stays below 256 MB + 8 times its size. */
const ALWAYS_ALLOWED_BYTES = 64 * 2 ** 20;
const MOST_EXPANSION = 7;
/** Of a layer without its numbers, or a listed node: maps, tensors and names take 2 KB of them. */
const LAYER_BYTES = 4096;

/** The bytes that are left to one model. Everything that is made of its numbers is counted before it is made. */
export class Allowance {
  #bytesLeft: number;

  constructor(fileBytes: number) {
    this.#bytesLeft = ALWAYS_ALLOWED_BYTES + MOST_EXPANSION * fileBytes;
  }

  /** @throws FormatError if fewer bytes are left */
  spend(bytes: number, what = "constants"): void {
    if (bytes > this.#bytesLeft) {
      throw new FormatError(`onnx: ${what} take more memory than a file of this size may`);
    }
    this.#bytesLeft -= bytes;
  }

  /**
   * Counts recurrent nodes. A function of a thousand of them may be called a hundred times.
   * @throws FormatError if they are too many for the file
   */
  spendLayers(count: number): void {
    this.spend(LAYER_BYTES * count, "recurrent nodes");
  }
}
