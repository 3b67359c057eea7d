/** Dimensions of row-major numbers, and copies of what lies along them. */

import { checkInteger } from "./checks.js";
import { roomFor, type TensorData } from "./like.js";
import { classOf } from "./typed-array.js";

/**
 * An index that may count from the end, as one from the start.
 * @throws TypeError for anything but a number; RangeError for one that is not there
 */
export function fromStart(name: string, index: unknown, size: number): number {
  const given = checkInteger(name, index, -size, size - 1);
  return given < 0 ? given + size : given;
}

/**
 * Where dimension `dim` of a shape is, its size, and how far apart its elements are. A scalar counts as a vector of one.
 * @throws TypeError or RangeError for a dimension that is not there
 */
export function along(shape: readonly number[], dim: unknown): { axis: number; size: number; inner: number } {
  const axis = fromStart("dim", dim, shape.length || 1);
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  return { axis, size: shape[axis] ?? 1, inner };
}

/** `count` zeros of the kind of `data`. @throws RangeError where the engine has no room for them */
export function zerosLike<Data extends TensorData>(data: Data, count: number): Data {
  return roomFor(() => new (classOf(data))(count), "tensor", count);
}
