/** Batch rows of unequal lengths: the order that the workspace has them in, and how many still run at a step. */
import type { Sequence } from "./sequence.js";

/** The caller's row in each place, by falling length, so that the rows which still run come first. */
export class RowOrder {
  declare readonly rows: Int32Array;
  declare readonly lengths: Int32Array;

  private constructor(rows: Int32Array, lengths: Int32Array) {
    this.rows = rows;
    this.lengths = lengths;
  }

  /** Undefined where all rows have all steps. */
  static of({ lengths, batch, steps }: Sequence): RowOrder | undefined {
    if (lengths === undefined || lengths.every((length) => length === steps)) return undefined;
    const rows = Int32Array.from({ length: batch }, (_, row) => row);
    return new RowOrder(
      rows.sort((a, b) => lengths[b]! - lengths[a]! || a - b),
      lengths,
    );
  }

  /** How many rows run at each of `count` steps from step `start` on. */
  running(start: number, count: number): Int32Array {
    const { rows, lengths } = this;
    let running = rows.length;
    return Int32Array.from({ length: count }, (_, place) => {
      while (running > 0 && lengths[rows[running - 1]!]! <= start + place) running--;
      return running;
    });
  }
}
