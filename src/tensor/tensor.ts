/**
 * Tensor: numbers with a shape, row-major, in ordinary JavaScript memory. A tensor never points into the
 * memory of the wasm, so it stays valid when that memory grows or is freed.
 */

import { checkInteger, showShape, wrongShape, wrongType, wrongValue } from "./checks.js";
import {
  allocateFloats,
  asFloat32,
  asShaped,
  MOST_DIMENSIONS,
  type ParameterData,
  sizeOf,
  type TensorData,
  type TensorLike,
} from "./like.js";
import { normal } from "./random.js";

/** A state dict as readers return it: PyTorch's parameter names to tensors. */
export type StateDict = Map<string, Tensor<TensorData>>;

/** Nested arrays of numbers, as deep as the tensor has dimensions. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Spares a tensor of our own making the checks of its constructor: 60 ns, of which a small call has three. */
const CHECKED = Symbol("checked");

/** A tensor of numbers and a frozen shape that are known to fit; neither is copied. */
export function tensorOf(data: Float32Array, shape: readonly number[]): Tensor {
  return new Tensor(data, shape, CHECKED);
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

  /**
   * @throws TypeError if `data` is not a typed array; RangeError if its length is not the product of `shape`.
   */
  constructor(data: Data, shape: readonly number[]);
  /** @internal Of numbers and a frozen shape that are known to fit. */
  constructor(data: Data, shape: readonly number[], checked: typeof CHECKED);
  constructor(data: Data, shape: readonly number[], checked?: typeof CHECKED) {
    if (checked === CHECKED) {
      this.data = data;
      this.shape = shape;
      return;
    }
    if (!isTensorData(data)) throw wrongType("data", "a Float32Array or an integer typed array", data);
    const size = sizeOf(shape);
    if (data.length !== size) {
      throw wrongShape("data.length", `${size} for shape ${showShape(shape)}`, data.length);
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
  }

  /**
   * A tensor from nested arrays, a number, or anything with `data` and `shape` (or `dims`). The numbers are
   * copied.
   * @throws TypeError for anything but numbers; RangeError for arrays of unequal lengths or nested more than
   *   64 deep
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

  /**
   * Standard normal numbers. A seed gives the same tensor on every engine; without one they are random.
   * @throws TypeError or RangeError for a `seed` that is not an integer of at least 0, or a shape that does
   *   not fit in memory
   */
  static randn(shape: readonly number[], seed?: number): Tensor {
    const tensor = Tensor.zeros(shape);
    const next = normal(seed === undefined ? undefined : checkInteger("seed", seed, 0));
    for (let index = 0; index < tensor.data.length; index++) tensor.data[index] = next();
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
 * The numbers of nested arrays and their shape. Messages begin with `name` and the place.
 * @throws TypeError for anything but numbers; RangeError for arrays of unequal lengths or nested more than 64
 *   deep
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
  const fill = (part: unknown, axis: number, place: string): void => {
    if (axis === shape.length) {
      if (typeof part !== "number") throw wrongType(place, "a number", part);
      data[next++] = part;
      return;
    }
    if (!Array.isArray(part)) throw wrongType(place, `an array of length ${shape[axis]}`, part);
    if (part.length !== shape[axis]) throw wrongShape(`${place}.length`, String(shape[axis]), part.length);
    for (let index = 0; index < part.length; index++) fill(part[index], axis + 1, `${place}[${index}]`);
  };
  fill(value, 0, name);
  return { data, shape };
}

/**
 * A tensor argument as float32 data and a shape. A Float32Array is not copied; other arrays of numbers are
 * converted.
 * @throws TypeError for the wrong kind of value, RangeError for a wrong shape; both name the argument
 */
export function asTensor(value: unknown, name: string): { data: Float32Array; shape: readonly number[] } {
  if (value instanceof Tensor && isIntact(value)) return value;
  return asShaped(value, name, asFloat32);
}

/** The same for a parameter, whose data may also be an Int8Array. */
export function asParameter(value: unknown, name: string): { data: ParameterData; shape: readonly number[] } {
  if (value instanceof Tensor && isIntact(value)) return value;
  return asShaped(value, name, (data, dataName) =>
    data instanceof Int8Array ? data : asFloat32(data, dataName),
  );
}

/**
 * Whether a tensor still has the float32 numbers of its shape. Its data may have been replaced or
 * transferred.
 */
function isIntact(tensor: Tensor<TensorData>): tensor is Tensor {
  const { data, shape } = tensor;
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return data instanceof Float32Array && data.length === size;
}

function isTensorData(data: unknown): data is TensorData {
  return ArrayBuffer.isView(data) && !(data instanceof DataView) && !(data instanceof Float64Array);
}
