/**
 * What serves as a tensor: numbers with a shape, whoever made them. Checks of both, and room for them. Apart from the class
 * Tensor, of which formats' bundle has none of its own (build/bundle.js).
 */

import { checkInteger, showShape, wrongType, wrongValue } from "./checks.js";

export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What a tensor may hold. Modules compute on float32; integer tensors come out of files and stay as they are. */
export type TensorData = Float32Array | IntegerArray;

/** What a module's parameter may hold: float32 numbers, or int8 weights whose scales are a parameter of their own. */
export type ParameterData = Float32Array | Int8Array;

/** Any object with `data` and `shape` (or `dims`, as onnxruntime names it) serves as a tensor argument. */
export type TensorLike<Data = Float32Array | Float64Array | readonly number[]> =
  | { readonly data: Data; readonly shape: readonly number[] }
  | { readonly data: Data; readonly dims: readonly number[] };

/** A state dict as modules take it: a Map or a plain record. */
export type StateDictLike =
  | ReadonlyMap<string, TensorLike<unknown>>
  | Readonly<Record<string, TensorLike<unknown>>>;

/**
 * The names and tensors of a state dict. Any map serves, one of another realm or of one's own making too.
 * @throws TypeError for what is neither a map nor a record
 */
export function entriesOf(dict: StateDictLike): Iterable<readonly [string, TensorLike<unknown>]> {
  if (typeof dict !== "object" || dict === null || Array.isArray(dict)) {
    throw wrongType("dict", "a Map or a record of tensors", dict);
  }
  return typeof dict.get === "function"
    ? (dict as ReadonlyMap<string, TensorLike<unknown>>)
    : Object.entries(dict as Readonly<Record<string, TensorLike<unknown>>>);
}

/** PyTorch allows no more; an array that holds itself would have dimensions without end, and a file could state millions. */
export const MOST_DIMENSIONS = 64;

/** The number of elements of a shape. @throws TypeError or RangeError for a shape that is not one. */
export function sizeOf(shape: readonly number[], name = "shape"): number {
  if (!Array.isArray(shape)) throw wrongType(name, "an array of sizes", shape);
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    // The check by name only where it will throw: it builds its message's text first.
    if (!(Number.isInteger(length) && length >= 0)) checkInteger(`${name}[${axis}]`, length, 0);
    size *= length;
  }
  if (size > Number.MAX_SAFE_INTEGER) throw wrongValue(name, "fewer than 2^53 elements", showShape(shape));
  return size;
}

/** So many zeros. @throws RangeError, naming what asked for them, where the engine has no room. */
export function allocateFloats(count: number, name: string, got: unknown = count): Float32Array {
  try {
    return new Float32Array(count);
  } catch (cause) {
    throw noRoom(name, got, cause);
  }
}

function noRoom(name: string, got: unknown, cause: unknown): RangeError {
  return new RangeError(wrongValue(name, "numbers that fit in memory", got).message, { cause });
}

/**
 * A copy of `count` of `source`'s numbers from `at` on. Few are copied by a loop, since a view and a call cost more than
 * 64 numbers; many by the constructor, which does not clear the memory first.
 */
export function copyFloats(source: Float32Array, at: number, count: number, name: string): Float32Array {
  if (count > 64) {
    try {
      return new Float32Array(source.subarray(at, at + count));
    } catch (cause) {
      throw noRoom(name, count, cause);
    }
  }
  const copy = new Float32Array(count);
  for (let index = 0; index < count; index++) copy[index] = source[at + index]!;
  return copy;
}

/**
 * The argument as data, which `read` checks or converts, and a shape that fits it.
 * @throws TypeError or RangeError naming the argument.
 */
export function asShaped<Data extends ArrayLike<number>>(
  value: unknown,
  name: string,
  read: (data: unknown, name: string) => Data,
): { data: Data; shape: readonly number[] } {
  if (typeof value !== "object" || value === null)
    throw wrongType(name, "a Tensor or { data, shape }", value);
  const { data, shape, dims } = value as { data?: unknown; shape?: unknown; dims?: unknown };
  const sizes = (shape ?? dims) as readonly number[];
  if (sizes === undefined) throw wrongType(`${name}.shape`, "an array of sizes", sizes);
  const size = sizeOf(sizes, `${name}.shape`);
  const numbers = read(data, `${name}.data`);
  if (numbers.length !== size) {
    throw wrongValue(`${name}.data.length`, `${size} for shape ${showShape(sizes)}`, numbers.length);
  }
  return { data: numbers, shape: sizes };
}

/** The numbers as float32, without copying a Float32Array. @throws TypeError for what is not numbers. */
export function asFloat32(data: unknown, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (ArrayBuffer.isView(data) && !(data instanceof DataView) && !is64BitInteger(data)) {
    return Float32Array.from(data as unknown as ArrayLike<number>);
  }
  if (!Array.isArray(data)) throw wrongType(name, "a Float32Array", data);
  const at = data.findIndex((element) => typeof element !== "number");
  if (at >= 0) throw wrongType(`${name}[${at}]`, "a number", data[at]);
  return Float32Array.from(data);
}

function is64BitInteger(data: unknown): boolean {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
