/**
 * What serves as a tensor argument: any object with numbers and a shape. Its checks, and memory for numbers.
 */

import { checkInteger, showShape, wrongShape, wrongType, wrongValue } from "./checks.js";
import { coded } from "./errors.js";

export type IntegerArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * What a tensor may hold. Modules compute on float32; integer tensors come out of files and stay as they are.
 */
export type TensorData = Float32Array | IntegerArray;

/**
 * What a module's parameter may hold: float32 numbers, or int8 weights whose scales are a parameter of their
 * own.
 */
export type ParameterData = Float32Array | Int8Array;

/**
 * An object with `data` and `shape` (or `dims`, as onnxruntime names it): what every tensor argument takes.
 */
export type TensorLike<Data = Float32Array | Float64Array | readonly number[]> =
  | { readonly data: Data; readonly shape: readonly number[] }
  | { readonly data: Data; readonly dims: readonly number[] };

/** A state dict as modules take it: a Map or a plain record. */
export type StateDictLike =
  | ReadonlyMap<string, TensorLike<unknown>>
  | Readonly<Record<string, TensorLike<unknown>>>;

/**
 * The names and tensors of a state dict. A map is told by its method `get`: it may be of another realm or a
 * user's class.
 * @throws TypeError for anything but a map or a record
 */
export function entriesOf(dict: StateDictLike): Iterable<readonly [string, TensorLike<unknown>]> {
  if (typeof dict !== "object" || dict === null || Array.isArray(dict)) {
    throw wrongType("dict", "a Map or a record of tensors", dict);
  }
  return typeof dict.get === "function"
    ? (dict as ReadonlyMap<string, TensorLike<unknown>>)
    : Object.entries(dict as Readonly<Record<string, TensorLike<unknown>>>);
}

/** As many as PyTorch allows. Without a limit, an array that holds itself would never end. */
export const MOST_DIMENSIONS = 64;

/**
 * The number of elements of a shape.
 * @throws TypeError unless it is an array of numbers; RangeError for a size that is no integer of at least 0,
 *   and for 2^53 elements or more
 */
export function sizeOf(shape: readonly number[], name = "shape"): number {
  if (!Array.isArray(shape)) throw wrongType(name, "an array of sizes", shape);
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    // checkInteger builds the name's text before it checks, so it is called only where it will throw.
    if (!(Number.isInteger(length) && length >= 0)) checkInteger(`${name}[${axis}]`, length, 0);
    size *= length;
  }
  if (size > Number.MAX_SAFE_INTEGER) throw wrongValue(name, "fewer than 2^53 elements", showShape(shape));
  return size;
}

/** `count` zeros. @throws RangeError that names the argument `name` where the engine has no room for them. */
export function allocateFloats(count: number, name: string, got: unknown = count): Float32Array {
  try {
    return new Float32Array(count);
  } catch (cause) {
    throw noRoom(name, got, cause);
  }
}

function noRoom(name: string, got: unknown, cause: unknown): RangeError {
  const { message } = wrongValue(name, "numbers that fit in memory", got);
  return coded("MEMORY", new RangeError(message, { cause }));
}

/**
 * A copy of `count` numbers of `source`, from index `begin` on. Up to 64 numbers are copied by a loop, which
 * is faster than a view and a call. More are copied by the constructor, which does not clear the memory
 * first.
 * @throws RangeError that names the argument `name` where the engine has no room for them
 */
export function copyFloats(source: Float32Array, begin: number, count: number, name: string): Float32Array {
  if (count > 64) {
    try {
      return new Float32Array(source.subarray(begin, begin + count));
    } catch (cause) {
      throw noRoom(name, count, cause);
    }
  }
  const copy = new Float32Array(count);
  for (let index = 0; index < count; index++) copy[index] = source[begin + index]!;
  return copy;
}

/**
 * A tensor argument as data and a shape that fits it. `read` checks or converts the data.
 * @throws TypeError for the wrong kind of value, RangeError for a wrong shape; both name the argument
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
    throw wrongShape(`${name}.data.length`, `${size} for shape ${showShape(sizes)}`, numbers.length);
  }
  return { data: numbers, shape: sizes };
}

/** The numbers as float32; a Float32Array is not copied. @throws TypeError for anything but numbers. */
export function asFloat32(data: unknown, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (ArrayBuffer.isView(data) && !(data instanceof DataView) && !is64BitInteger(data)) {
    return Float32Array.from(data as unknown as ArrayLike<number>);
  }
  if (!Array.isArray(data)) throw wrongType(name, "a Float32Array", data);
  const index = data.findIndex((element) => typeof element !== "number");
  if (index >= 0) throw wrongType(`${name}[${index}]`, "a number", data[index]);
  return Float32Array.from(data);
}

function is64BitInteger(data: unknown): boolean {
  return data instanceof BigInt64Array || data instanceof BigUint64Array;
}
