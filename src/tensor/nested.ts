/** Nested arrays: those that a tensor is made from, and the types of those that it gives. */

import { isArray, reading, showShape, wrongShape, wrongType, wrongValue } from "./checks.js";
import { allocateFloats, MOST_DIMENSIONS, sizeOf, type TensorData } from "./like.js";

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** One element of a tensor's data. */
export type ElementOf<Data extends TensorData> = Data extends BigInt64Array | BigUint64Array
  ? bigint
  : number;

/** Arrays as deep as `Rank` says: 2 gives `number[][]`, 0 a number. */
export type ArraysOf<
  Element,
  Rank extends number,
  Depth extends readonly 0[] = [],
> = Depth["length"] extends Rank ? Element : ArraysOf<Element, Rank, [...Depth, 0]>[];

export const EXPECTED_VALUE = "nested arrays of numbers or { data, shape }";

/**
 * The numbers of nested arrays, each read once, and their shape. Messages begin with `name` and the place.
 * @param View the kind of array that takes the numbers
 * @throws TypeError for anything but numbers; RangeError for arrays of unequal lengths or nested more than 64
 *   deep
 */
export function nested<Data extends Float32Array | Float64Array = Float32Array>(
  value: unknown,
  name: string,
  View?: new (count: number) => Data,
): { data: Data; shape: number[] } {
  return reading(name, EXPECTED_VALUE, () => fromNested(value, name, View));
}

function fromNested<Data extends Float32Array | Float64Array>(
  value: unknown,
  name: string,
  View?: new (count: number) => Data,
): { data: Data; shape: number[] } {
  const shape: number[] = [];
  let data: Data | undefined;
  let next = 0;
  const fill = (part: unknown, axis: number, place: string): void => {
    const length = isArray(part) ? part.length : undefined;
    if (data === undefined) {
      // The way down to the first number, or to an array without any, tells the shape.
      if (axis === MOST_DIMENSIONS && length !== undefined)
        throw wrongValue(name, `at most ${MOST_DIMENSIONS} dimensions`, "more");
      if (length !== undefined) shape.push(length);
      if (!length) data = allocateFloats(sizeOf(shape), name, showShape(shape), View);
    }
    if (axis === shape.length) {
      if (typeof part !== "number") throw wrongType(place, "a number", part);
      data![next++] = part;
      return;
    }
    if (length === undefined) throw wrongType(place, `an array of length ${shape[axis]}`, part);
    if (length !== shape[axis]) throw wrongShape(`${place}.length`, String(shape[axis]), length);
    for (let index = 0; index < length; index++) {
      const item = (part as readonly unknown[])[index];
      // The place is spelt out only where it may be needed.
      if (data !== undefined && axis + 1 === shape.length && typeof item === "number") data[next++] = item;
      else fill(item, axis + 1, `${place}[${index}]`);
    }
  };
  fill(value, 0, name);
  return { data: data!, shape };
}
