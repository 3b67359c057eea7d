/**
 * How much a run, or a pass that evaluates constants, may compute on the host: a file that never ends is told, and not
 * waited for. A file of a few KB is refused within a second, and with 256 MB.
 */

import type { Call } from "./operator.js";

/** Nodes, those of loops counted for every iteration. What makes or visits many numbers counts as several. */
const MOST_STEPS = 250_000;
const VALUES_PER_STEP = 16;
/** Making one takes up to 50 ns, and 4 or 8 bytes. */
const NUMBERS_PER_STEP = 64;
/** One takes about 2 ns. */
const PRODUCTS_PER_STEP = 2048;
/** What a large file, or a long input, may take beside. */
const STEPS_PER_BYTE = 1 / 16;
const STEPS_PER_NUMBER = 2;
/** What the values of a plan may take, and more of a large file, or a long input. */
const ROOM_BYTES = 2 ** 28;
const ROOM_PER_BYTE = 64;

export class Steps {
  /** What a node takes with so many values, numbers to make and products. */
  static of(values: number, numbers: number, products: number): number {
    return 1 + values / VALUES_PER_STEP + numbers / NUMBERS_PER_STEP + products / PRODUCTS_PER_STEP;
  }

  /** Bytes that a plan's values may take together. */
  readonly roomBytes: number;
  readonly #most: number;
  #left: number;

  /**
   * @param fileBytes the size of the file
   * @param given how many numbers the inputs have
   */
  constructor(fileBytes = 0, given = 0) {
    this.#most = Math.floor(MOST_STEPS + STEPS_PER_BYTE * fileBytes + STEPS_PER_NUMBER * given);
    this.#left = this.#most;
    this.roomBytes = ROOM_BYTES + ROOM_PER_BYTE * (fileBytes + 4 * given);
  }

  /**
   * Counts the making of numbers, before they are made.
   * @throws FormatError that names the node at which the steps are used up
   */
  make(call: Call, numbers: number): void {
    this.spend(call, numbers / NUMBERS_PER_STEP);
  }

  /** Counts a node, or an iteration of a loop, with how many values it has. @throws FormatError as {@link make} does */
  take(call: Call, values: number): void {
    this.spend(call, 1 + values / VALUES_PER_STEP);
  }

  /** Counts products, or what takes as long. @throws FormatError as {@link make} does */
  compute(call: Call, products: number): void {
    this.spend(call, products / PRODUCTS_PER_STEP);
  }

  /** All are there again. */
  restart(): void {
    this.#left = this.#most;
  }

  /** @throws FormatError as {@link make} does */
  spend(call: Call, steps: number): void {
    if (!(steps <= this.#left)) throw call.broken(`more than ${this.#most} steps`);
    this.#left -= steps;
  }
}
