/** The record of a walk over all blocks of a matrix. */
import * as Walk from "../../build/records/walk.js";
import type { Weights } from "./weights.js";

/**
 * Puts it into `words`, from number `at` on.
 *
 * @param inputRow bytes from one row of inputs to the next
 * @param rounded  int8: address of the room for rounded rows
 */
export function setWalk(
  words: Int32Array,
  at: number,
  { blocks }: Pick<Weights, "blocks">,
  inputRow: number,
  rounded: number,
): void {
  words[at + Walk.fromBlock] = 0;
  words[at + Walk.toBlock] = blocks;
  words[at + Walk.inputRow] = inputRow;
  words[at + Walk.rounded] = rounded;
}
