/**
 * Tensor: numbers with a shape, row-major, in ordinary JavaScript memory. A tensor never points into the
 * memory of the wasm, so it stays valid whatever happens there.
 */

import { checkInteger, showShape, wrongType, wrongValue } from "./checks.js";
import { normal } from "./random.js";

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

/** A state dict as readers return it: PyTorch's parameter names to tensors. */
export type StateDict = Map<string, Tensor<TensorData>>;

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

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedNumbers = number | readonly NestedNumbers[];

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
 * Row-major numbers with a shape; float32 unless the type says otherwise.
 * `data.length` is the product of `shape`; a scalar has the shape `[]`.
 */
export class Tensor<Data extends TensorData = Float32Array> {
  /** Kept where a bundler shortens the names of classes. */
  static readonly name: string = "Tensor";
  readonly data: Data;
  readonly shape: readonly number[];

  /** @throws TypeError if `data` is not a typed array; RangeError if its length is not the product of `shape`. */
  constructor(data: Data, shape: readonly number[]);
  /** @internal With a shape that is frozen already, and is taken as it is. */
  constructor(data: Data, shape: readonly number[], frozenShape: true);
  constructor(data: Data, shape: readonly number[], frozenShape = false) {
    if (!isTensorData(data)) throw wrongType("data", "a Float32Array or an integer typed array", data);
    const size = sizeOf(shape);
    if (data.length !== size) {
      throw wrongValue("data.length", `${size} for shape ${showShape(shape)}`, data.length);
    }
    this.data = data;
    this.shape = frozenShape ? shape : Object.freeze([...shape]);
  }

  /**
   * A tensor from nested arrays, a number, or anything with `data` and `shape` (or `dims`). The numbers are copied.
   * @throws TypeError for anything that is not a number; RangeError for arrays of unequal lengths or more than 64 deep.
   */
  static from(value: NestedNumbers | TensorLike): Tensor {
    if (typeof value === "object" && value !== null && "data" in value) {
      const view = asTensor(value, "value");
      return new Tensor(view.data === value.data ? view.data.slice() : view.data, view.shape);
    }
    const { data, shape } = nested(value as NestedNumbers, "value");
    return new Tensor(data, shape);
  }

  /** A tensor of zeros. @throws RangeError for a shape that does not fit in memory. */
  static zeros(shape: readonly number[]): Tensor {
    return new Tensor(allocateFloats(sizeOf(shape), "shape", showShape(shape)), shape);
  }

  /** Standard normal numbers. The same integer `seed` gives the same tensor on every engine; without one they are random. */
  static randn(shape: readonly number[], seed?: number): Tensor {
    const tensor = Tensor.zeros(shape);
    const next = normal(seed === undefined ? undefined : checkInteger("seed", seed, 0));
    for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = next();
    return tensor;
  }

  /** The numbers as nested arrays; a scalar gives one number. 64-bit integers come as bigint. */
  toArray(): Data extends BigInt64Array | BigUint64Array ? unknown : NestedNumbers {
    let next = 0;
    const build = (axis: number): unknown =>
      axis === this.shape.length
        ? this.data[next++]
        : Array.from({ length: this.shape[axis]! }, () => build(axis + 1));
    return build(0) as ReturnType<Tensor<Data>["toArray"]>;
  }
}

/**
 * The numbers of nested arrays and their shape.
 * @throws TypeError for anything that is not a number; RangeError for arrays of unequal lengths.
 */
export function nested(value: NestedNumbers, name: string): { data: Float32Array; shape: number[] } {
  const shape: number[] = [];
  for (let probe: unknown = value; Array.isArray(probe); probe = probe[0]) {
    if (shape.length === MOST_DIMENSIONS)
      throw wrongValue(name, `at most ${MOST_DIMENSIONS} dimensions`, "more");
    shape.push(probe.length);
  }
  const data = allocateFloats(sizeOf(shape), name, showShape(shape));
  let next = 0;
  const fill = (part: unknown, axis: number, at: string): void => {
    if (axis === shape.length) {
      if (typeof part !== "number") throw wrongType(at, "a number", part);
      data[next++] = part;
      return;
    }
    if (!Array.isArray(part)) throw wrongType(at, `an array of length ${shape[axis]}`, part);
    if (part.length !== shape[axis]) throw wrongValue(`${at}.length`, String(shape[axis]), part.length);
    for (let index = 0; index < part.length; index++) fill(part[index], axis + 1, `${at}[${index}]`);
  };
  fill(value, 0, name);
  return { data, shape };
}

/**
 * The argument as float32 data and a shape, without copying a Float32Array. Other arrays of numbers are converted.
 * @throws TypeError or RangeError naming the argument.
 */
export function asTensor(value: unknown, name: string): { data: Float32Array; shape: readonly number[] } {
  if (value instanceof Tensor && isIntact(value)) return value;
  return asShaped(value, name, asFloat32);
}

/** As asTensor, but int8 data stays as it is. */
export function asParameter(value: unknown, name: string): { data: ParameterData; shape: readonly number[] } {
  if (value instanceof Tensor && isIntact(value)) return value;
  return asShaped(value, name, (data, dataName) =>
    data instanceof Int8Array ? data : asFloat32(data, dataName),
  );
}

/** Whether a tensor has the float32 numbers of its shape: its data may have been replaced, or its buffer transferred. */
function isIntact(tensor: Tensor<TensorData>): tensor is Tensor {
  const { data, shape } = tensor;
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return data instanceof Float32Array && data.length === size;
}

function asShaped<Data extends ArrayLike<number>>(
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

function asFloat32(data: unknown, name: string): Float32Array {
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

function isTensorData(data: unknown): data is TensorData {
  return ArrayBuffer.isView(data) && !(data instanceof DataView) && !(data instanceof Float64Array);
}
