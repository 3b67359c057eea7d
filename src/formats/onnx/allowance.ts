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
/** Of an attribute of a listed node. Nodes of functions are listed once for each call. */
const ATTRIBUTE_BYTES = 256;
/** Of a tensor besides its numbers, and of each of its axes. A file of 2 MB may have 190,000 of them. */
const TENSOR_BYTES = 1024;
const TENSOR_AXIS_BYTES = 32;
/** A character of a name that is joined takes 8 ns to join and to compare, as long as 8 bytes of numbers. */
const CHARACTER_BYTES = 8;
/** Of an evaluated node, and of each axis or integer that it looks at: they take 5 us and 0.3 us. */
const NODE_BYTES = 1024;
export const AXIS_BYTES = 256;

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

  /** @throws FormatError if they are too many for the file */
  spendAttributes(count: number): void {
    this.spend(ATTRIBUTE_BYTES * count, "attributes");
  }

  /**
   * Counts a tensor with so many bytes of numbers.
   * @throws FormatError if it is too large for the file
   */
  spendTensor(bytes: number, axes: number): void {
    this.spend(TENSOR_BYTES + TENSOR_AXIS_BYTES * axes + bytes);
  }

  /**
   * Counts the characters of a name that is joined from others.
   * @throws FormatError if they are too many for the file
   */
  spendName(characters: number, what: string): void {
    this.spend(CHARACTER_BYTES * characters, what);
  }

  /**
   * Counts the evaluation of a node whose inputs have so many axes.
   * @throws FormatError if they are too many for the file
   */
  spendNode(axes: number): void {
    this.spend(NODE_BYTES + AXIS_BYTES * axes);
  }
}
