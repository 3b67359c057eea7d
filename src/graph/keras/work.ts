/** What the layers of a model may make. */

/**
 * Numbers that the layers of a model may make: so many of a file of a few KB, which run within a second and 256 MB, and
 * more for each byte of the file and each number of an input.
 */
const LEAST = 2 ** 24;
const PER_BYTE = 64;
const PER_INPUT = 2 ** 13;

/** How many numbers a tensor has; open sizes count as 1. */
export const numbersIn = (shape: readonly (number | null)[]): number =>
  shape.reduce<number>((product, size) => product * Math.max(1, size ?? 1), 1);

export class Work {
  #left: number;

  constructor(fileBytes: number) {
    this.#left = LEAST + PER_BYTE * fileBytes;
  }

  /** Allows for an input of so many numbers. */
  allow(numbers: number): void {
    this.#left += PER_INPUT * numbers;
  }

  /** Counts numbers that are made, or what takes as long. @returns whether the model may make them */
  spend(numbers: number): boolean {
    this.#left -= numbers;
    return this.#left >= 0;
  }
}
