/**
 * What an output takes of one input where it lies at regular distances: transposes, slices, repeats. Where it lies there
 * just as it is wanted, nothing has to be moved.
 */

import { elementsIn, stridesOf } from "../../graph/shapes.js";

/** Places of numbers in an input, counted in its elements. A step may be 0 or negative. */
export interface Strided {
  /** Of the first number. */
  readonly start: number;
  readonly shape: readonly number[];
  /** From one number to the next along each axis. */
  readonly steps: readonly number[];
}

/** Where in the input the numbers lie in order, one beside the other; undefined if they do not. */
export function offsetOf({ start, shape, steps }: Strided): number | undefined {
  if (elementsIn(shape) === 0) return 0;
  const dense = stridesOf(shape);
  const isDense = shape.every((size, axis) => size === 1 || steps[axis] === dense[axis]);
  return isDense ? start : undefined;
}

/** The steps between numbers along each axis of their list; undefined if they are not regular. */
export function stepsOf(numbers: ArrayLike<number>, shape: readonly number[]): number[] | undefined {
  const strides = stridesOf(shape);
  const steps = strides.map((stride, axis) => (shape[axis]! > 1 ? numbers[stride]! - numbers[0]! : 0));
  for (let at = 0; at < numbers.length; at++) {
    let expected = numbers[0]!;
    for (const [axis, stride] of strides.entries()) {
      expected += (Math.floor(at / stride) % shape[axis]!) * steps[axis]!;
    }
    if (numbers[at] !== expected) return undefined;
  }
  return steps;
}
