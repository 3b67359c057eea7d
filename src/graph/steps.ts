/** How much a run, or a pass that evaluates constants, may compute: a file that never ends is told, and not waited for. */

import type { Call } from "./operator.js";

/** Those of loops counted for every iteration. What makes many numbers counts as several. */
const MOST_STEPS = 250_000;
const NUMBERS_PER_STEP = 512;

export class Steps {
  #left = MOST_STEPS;

  /** How many making so many numbers counts as. */
  static of(numbers: number): number {
    return numbers / NUMBERS_PER_STEP;
  }

  /** @throws FormatError that names the node at which they are used up */
  spend(call: Call, steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw call.broken(`more than ${MOST_STEPS} steps`);
  }
}
