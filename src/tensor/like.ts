/**
 * What serves as a tensor argument: any object with numbers and a shape. Its checks, and memory for numbers.
 */

import {
  checkInteger,
  isArray,
  reading,
  showShape,
  unreadable,
  wrongShape,
  wrongType,
  wrongValue,
} from "./checks.js";
import { room } from "./errors.js";
import {
  isArrayBuffer,
  isFloat32Array,
  isNumbers,
  kindOf,
  lengthOf,
  ofThisRealm,
  partOf,
} from "./typed-array.js";

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

/** What the numbers of a tensor are, by PyTorch's names. */
export type TensorDtype =
  | "float32"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/**
 * What a module's parameter may hold: float32 numbers, or int8 weights whose scales are a parameter of their
 * own.
 */
export type ParameterData = Float32Array | Int8Array;

/**
 * An object with `data` and `shape` (or `dims`, as onnxruntime names it): what every tensor argument takes.
 * The `dtype` matters where a tensor keeps it: `"bool"` tells a Uint8Array of 0 and 1 from one of numbers.
 */
export type TensorLike<Data = Float32Array | Float64Array | readonly number[]> = {
  readonly data: Data;
  readonly dtype?: string | undefined;
} & ({ readonly shape: readonly number[] } | { readonly dims: readonly number[] });

/** What a tensor argument may hold where integers stay what they are. */
export type AnyData = TensorData | Float64Array | readonly number[];

/** A state dict as modules take it: a Map or a plain record. */
export type StateDictLike =
  | ReadonlyMap<string, TensorLike<unknown>>
  | Readonly<Record<string, TensorLike<unknown>>>;

/**
 * The names and tensors of a state dict. A map is told by its method `get`: it may be of another realm or a
 * user's class.
 * @throws TypeError for anything but a map or a record
 */
export function entriesOf(
  dict: StateDictLike,
  name = "dict",
): readonly (readonly [string, TensorLike<unknown>])[] {
  const isBytes = kindOf(dict) !== undefined || isArrayBuffer(dict);
  if (typeof dict !== "object" || dict === null || isArray(dict) || isBytes) {
    const readers = isBytes ? ", as readers of lstm-wasm/formats make of bytes" : "";
    throw wrongType(name, EXPECTED_DICT + readers, dict);
  }
  return reading(name, EXPECTED_DICT, () => {
    if (typeof dict.get !== "function") {
      return Object.entries(dict as Readonly<Record<string, TensorLike<unknown>>>);
    }
    const entries: [string, TensorLike<unknown>][] = [];
    for (const [key, tensor] of dict as ReadonlyMap<string, TensorLike<unknown>>) {
      if (entries.length === MOST_TENSORS) throw wrongValue(name, `at most ${MOST_TENSORS} tensors`, "more");
      entries.push([key, tensor]);
    }
    return entries;
  });
}

const EXPECTED_DICT = "a Map or a record of tensors";

/** Of a state dict. An iterator that never ends is told from a large one. */
export const MOST_TENSORS = 2 ** 22;

/** As many as PyTorch allows. Without a limit, an array that holds itself would never end. */
export const MOST_DIMENSIONS = 64;

/** The name of a shape in messages. Made where one is thrown: to join two texts takes as long as to check a shape. */
function shapeOf(owner: string | undefined): string {
  return owner === undefined ? "shape" : `${owner}.shape`;
}

/**
 * A copy of the shape of the argument `owner`, whose sizes are read once: what is checked is what is used.
 * @throws TypeError unless it is an array; RangeError for more than 64 dimensions
 */
export function copyShape(shape: unknown, owner?: string): number[] {
  if (!isArray(shape)) throw wrongType(shapeOf(owner), "an array of sizes", shape);
  try {
    const rank = shape.length;
    if (!(rank <= MOST_DIMENSIONS)) {
      throw wrongShape(shapeOf(owner), `at most ${MOST_DIMENSIONS} dimensions`, rank);
    }
    // Not by push, which makes room for 17 numbers at first.
    const sizes = new Array<number>(rank);
    for (let axis = 0; axis < rank; axis++) sizes[axis] = shape[axis] as number;
    return sizes;
  } catch (cause) {
    throw unreadable(shapeOf(owner), "an array of sizes", cause);
  }
}

/**
 * The number of elements of a shape.
 * @throws TypeError for a size that is no number; RangeError for one that is no integer of at least 0, and for
 *   2^53 elements or more
 */
export function sizeOf(shape: readonly number[], owner?: string): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (!(Number.isInteger(length) && length >= 0)) checkInteger(`${shapeOf(owner)}[${axis}]`, length, 0);
    size *= length;
  }
  if (size > Number.MAX_SAFE_INTEGER)
    throw wrongValue(shapeOf(owner), "fewer than 2^53 elements", showShape(shape));
  return size;
}

/** Numbers of a plain array, which are read one by one. */
const MOST_PLAIN_NUMBERS = 2 ** 27;

/** @throws RangeError that names the argument `name` where the engine has no room for what `make` makes */
export function roomFor<Made>(make: () => Made, name: string, got: unknown): Made {
  return room(make, () => wrongValue(name, "numbers that fit in memory", got).message);
}

/** `count` zeros. @throws RangeError that names the argument `name` where the engine has no room for them. */
export function allocateFloats<Data extends Float32Array | Float64Array = Float32Array>(
  count: number,
  name: string,
  got: unknown = count,
  View: new (count: number) => Data = Float32Array as never,
): Data {
  return roomFor(() => new View(count), name, got);
}

/** `count` zeros of int8. @throws RangeError as allocateFloats */
export function allocateBytes(count: number, name: string): Int8Array {
  return roomFor(() => new Int8Array(count), name, count);
}

/**
 * A copy of `count` numbers of `source`, from index `begin` on. The constructor copies a whole array fastest, since it
 * does not clear the memory first: 60 numbers in 0.32 us, where a loop takes 0.42. Of a part, up to 64 numbers are copied
 * by a loop, which is faster than a view and a call.
 * @throws RangeError that names the argument `name` where the engine has no room for them
 */
export function copyFloats(source: Float32Array, begin: number, count: number, name: string): Float32Array {
  const isWhole = begin === 0 && count === lengthOf(source);
  if (isWhole || count > 64) {
    return roomFor(() => new Float32Array(isWhole ? source : partOf(source, begin, count)), name, count);
  }
  const copy = new Float32Array(count);
  for (let index = 0; index < count; index++) copy[index] = source[begin + index]!;
  return copy;
}

/**
 * A tensor argument as data and a shape that fits it. `read` checks or converts the data.
 * @throws TypeError for the wrong kind of value, RangeError for a wrong shape; both name the argument
 */
export function asShaped<Data>(
  value: unknown,
  name: string,
  read: (data: unknown, name: string, size: number) => Data,
): { data: Data; shape: readonly number[] } {
  if (typeof value !== "object" || value === null)
    throw wrongType(name, "a Tensor or { data, shape }", value);
  try {
    const { data, shape, dims } = value as { data?: unknown; shape?: unknown; dims?: unknown };
    const given = shape ?? dims;
    if (given === undefined && lengthIn(value) !== undefined) {
      throw wrongType(name, "a Tensor, such as Tensor.from(nested), or { data, shape }", value);
    }
    const sizes = copyShape(given, name);
    const size = sizeOf(sizes, name);
    const length = lengthIn(data) ?? size;
    if (length !== size) {
      throw wrongShape(`${name}.data.length`, `${size} for shape ${showShape(sizes)}`, length);
    }
    return { data: read(data, name, size), shape: sizes };
  } catch (cause) {
    throw unreadable(name, "a Tensor or { data, shape }", cause);
  }
}

/** Elements of a typed array or an array. */
export function lengthIn(data: unknown): number | undefined {
  if (kindOf(data) !== undefined) return lengthOf(data as ArrayBufferView);
  return isArray(data) ? data.length : undefined;
}

/**
 * The `size` numbers of the argument `name` as float32; a Float32Array is not copied.
 * @throws TypeError for anything but numbers; RangeError for a plain array of more than 2^27
 */
export function asFloat32(data: unknown, name: string, size: number): Float32Array {
  return isFloat32Array(data) ? data : toFloat32(data, name, size);
}

/** A function of its own, so that engines inline the other. */
function toFloat32(data: unknown, name: string, size: number): Float32Array {
  const kind = kindOf(data);
  if (kind !== undefined && !kind.startsWith("Big")) {
    return new Float32Array(ofThisRealm(data as Float64Array) as ArrayLike<number>);
  }
  if (!isArray(data)) throw wrongType(`${name}.data`, "a Float32Array", data);
  if (size > MOST_PLAIN_NUMBERS)
    throw wrongValue(`${name}.data.length`, `at most ${MOST_PLAIN_NUMBERS}`, size);
  const numbers = allocateFloats(size, `${name}.data`);
  for (let index = 0; index < size; index++) {
    const element = data[index];
    if (typeof element !== "number") throw wrongType(`${name}.data[${index}]`, "a number", element);
    numbers[index] = element;
  }
  return numbers;
}

/** The same with integers left what they are. */
export function asNumbers(data: unknown, name: string, size: number): TensorData {
  return isNumbers(data) ? ofThisRealm(data as TensorData) : asFloat32(data, name, size);
}
