/**
 * Tensor: numbers with a shape, row-major, in ordinary JavaScript memory. A tensor never points into the
 * memory of the wasm, so it stays valid when that memory grows or is freed.
 */

import {
  checkInteger,
  checkOptions,
  reading,
  show,
  showShape,
  wrongShape,
  wrongType,
  wrongValue,
} from "./checks.js";
import {
  allocateFloats,
  asFloat32,
  asNumbers,
  asShaped,
  copyShape,
  type ParameterData,
  sizeOf,
  type TensorData,
  type TensorDtype,
  type TensorLike,
} from "./like.js";
import type { Described } from "./metadata.js";
import { type ArraysOf, type ElementOf, EXPECTED_VALUE, type NestedNumbers, nested } from "./nested.js";
import { normal } from "./random.js";
import { along, fromStart, zerosLike } from "./runs.js";
import type { Skipped } from "./skipped.js";
import { isInt8Array, isNumbers, kindOf, lengthOf, ofThisRealm, partOf } from "./typed-array.js";

/** A state dict as readers return it: PyTorch's parameter names to tensors, and what else the file tells. */
export type StateDict = Map<string, Tensor<TensorData>> & Partial<Skipped & Described>;

/** As long as V8's arrays may be before they turn into tables: 2^27 arrays take 2 GB. */
const MOST_ARRAYS = 2 ** 27;

/** Options of `new Tensor`. */
export interface TensorOptions {
  /** As `data` says when left out. A Uint8Array of 0 and 1 may be told to be `"bool"`. */
  dtype?: TensorDtype | undefined;
}

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
  declare readonly data: Data;
  declare readonly shape: readonly number[];

  /**
   * @throws TypeError if `data` is not a typed array; RangeError if its length is not the product of `shape`, or
   *   `dtype` is not that of its kind.
   */
  constructor(data: Data, shape: readonly number[], options?: TensorOptions);
  /** @internal Of numbers and a frozen shape that are known to fit. */
  constructor(data: Data, shape: readonly number[], checked: typeof CHECKED);
  constructor(data: Data, shape: readonly number[], options?: TensorOptions | typeof CHECKED) {
    if (options === CHECKED) {
      this.data = data;
      this.shape = shape;
      return;
    }
    if (!isNumbers(data)) throw wrongType("data", "a Float32Array or an integer typed array", data);
    const { dtype } = checkOptions<TensorOptions>("options", options, ["dtype"]);
    const sizes = Object.freeze(copyShape(shape));
    const size = sizeOf(sizes);
    const length = lengthOf(data);
    if (length !== size) throw wrongShape("data.length", `${size} for shape ${showShape(sizes)}`, length);
    this.data = ofThisRealm(data);
    this.shape = sizes;
    if (dtype === undefined) return;
    const own = this.dtype;
    if (dtype === own) return;
    const expected = `"${own}"${own === "uint8" ? ' or "bool"' : ""} for ${show(data)}`;
    if (typeof dtype !== "string") throw wrongType("dtype", expected, dtype);
    if (dtype !== "bool" || own !== "uint8") throw wrongValue("dtype", expected, show(dtype));
    // In place of the getter, which cannot see it.
    Object.defineProperty(this, "dtype", { value: dtype, enumerable: true });
  }

  /**
   * What the numbers are, by PyTorch's name: `"float32"` of a Float32Array, `"int64"` of a BigInt64Array, and so on;
   * `"bool"` of a Uint8Array that was told so.
   */
  get dtype(): TensorDtype {
    return kindOf(this.data)?.slice(0, -5).replace("Big", "").toLowerCase() as TensorDtype;
  }

  /**
   * A tensor from nested arrays, a number, or anything with `data` and `shape` (or `dims`). The numbers are
   * copied.
   * @throws TypeError for anything but numbers; RangeError for arrays of unequal lengths or nested more than
   *   64 deep
   */
  static from(value: NestedNumbers | TensorLike): Tensor {
    if (
      reading("value", EXPECTED_VALUE, () => typeof value === "object" && value !== null && "data" in value)
    ) {
      const { data, shape } = asTensor(value, "value");
      return new Tensor(new Float32Array(ofThisRealm(data)), shape);
    }
    const { data, shape } = nested(value, "value");
    return new Tensor(data, shape);
  }

  /** A tensor of zeros. @throws RangeError for a shape that does not fit in memory. */
  static zeros(shape: readonly number[]): Tensor {
    const sizes = copyShape(shape);
    return new Tensor(allocateFloats(sizeOf(sizes), "shape", showShape(sizes)), sizes);
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

  /**
   * The element at one index per dimension; negative ones count from the end. 64-bit integers come as bigint, and
   * truth values as 0 and 1.
   * @throws TypeError or RangeError for an index that is not there, or another number of indices than dimensions
   */
  at(...indices: readonly number[]): ElementOf<Data> {
    const { data, shape } = new Tensor(this.data, this.shape);
    if (indices.length !== shape.length) {
      throw wrongShape("indices.length", String(shape.length), indices.length);
    }
    const next = (position: number, size: number, axis: number) =>
      position * size + fromStart(`indices[${axis}]`, indices[axis], size);
    return data[shape.reduce(next, 0)] as ElementOf<Data>;
  }

  /**
   * A copy of what is at `index` of dimension `dim`, which its shape no longer has: of (L, N, H) `select(0, -1)` is the
   * last step, (N, H). Negative numbers count from the end.
   * @throws TypeError or RangeError for a dimension or an index that is not there
   */
  select(dim: number, index: number): Tensor<Data> {
    return part(this, dim, (size) => [fromStart("index", index, size), 1]);
  }

  /**
   * A copy of what is at `from` to before `to` of dimension `dim`: of (L, N, H) `slice(0, -2)` is (2, N, H). Negative
   * numbers count from the end, and what is beyond the ends is left out, as in an array's `slice`.
   * @throws TypeError or RangeError for a dimension that is not there, or a place that is not an integer
   */
  slice(dim: number, from = 0, to?: number): Tensor<Data> {
    return part(this, dim, (size) => {
      const place = (name: string, index: number) =>
        Math.min(Math.max(checkInteger(name, index, -Infinity) < 0 ? index + size : index, 0), size);
      const begin = place("from", from);
      const count = Math.max(place("to", to ?? size) - begin, 0);
      return [begin, count, count];
    });
  }

  /**
   * A copy with the same numbers in another shape, of which one size may be -1: what the others leave.
   * @throws TypeError or RangeError for a shape of another number of elements, or one that leaves -1 open
   */
  reshape(shape: readonly number[]): Tensor<Data> {
    const { data } = part(this, 0, (length) => [0, length, length]);
    const size = data.length;
    const sizes = copyShape(shape);
    const told = showShape(sizes);
    const free = sizes.indexOf(-1);
    if (free >= 0) sizes[free] = 1;
    const known = sizeOf(sizes);
    if ((free < 0 ? known - size : size % known) !== 0)
      throw wrongShape("shape", `one of ${size} elements`, told);
    if (free >= 0) sizes[free] = size / known;
    return new Tensor(data, sizes, { dtype: this.dtype });
  }

  /**
   * A copy in which two dimensions have changed places: of (N, C, L) `transpose(1, 2)` is (N, L, C). Negative numbers
   * count from the end.
   * @throws TypeError or RangeError for a dimension that is not there
   */
  transpose(dim0: number, dim1: number): Tensor<Data> {
    // A second tensor, since the fields of the first may have been written.
    const { data, shape, dtype } = new Tensor(this.data, this.shape, { dtype: this.dtype });
    const rank = shape.length || 1;
    const [first, second] = [fromStart("dim0", dim0, rank), fromStart("dim1", dim1, rank)];
    const [left, right] = [Math.min(first, second), Math.max(first, second)];
    if (left === right) return this.reshape(shape);
    const { size: rows, inner: row } = along(shape, left);
    const { size: columns, inner } = along(shape, right);
    const sizes = [...shape];
    sizes[left] = columns;
    sizes[right] = rows;
    const copy = zerosLike(data, data.length);
    let to = 0;
    for (let outer = 0; to < copy.length; outer += rows * row) {
      for (let column = 0; column < columns; column++) {
        for (let middle = column * inner; middle < row; middle += columns * inner) {
          for (let at = 0; at < rows; at++) {
            const from = outer + at * row + middle;
            for (let element = 0; element < inner; element++) copy[to++] = data[from + element]!;
          }
        }
      }
    }
    return new Tensor(copy, sizes, { dtype });
  }

  /**
   * The numbers as nested arrays; a scalar gives one number. 64-bit integers come as bigint. TypeScript believes what
   * it is told of the number of dimensions: `toArray<2>()` is a `number[][]`.
   * @throws RangeError for more than 2^27 arrays, as a tensor without numbers may have, and where `data` no longer has
   *   the numbers of the shape; TypeError where it is no typed array
   */
  toArray<Rank extends number = number>(): number extends Rank
    ? Data extends BigInt64Array | BigUint64Array
      ? unknown
      : NestedNumbers
    : ArraysOf<ElementOf<Data>, Rank> {
    const { data, shape } = asShaped(this, "tensor", (numbers, name) => {
      if (kindOf(numbers) === undefined) throw wrongType(`${name}.data`, "a typed array", numbers);
      return numbers as Data;
    });
    let arrays = 1;
    for (const size of shape.slice(0, -1)) arrays = Math.max(arrays, arrays * size);
    if (arrays > MOST_ARRAYS) throw wrongShape("shape", `at most ${MOST_ARRAYS} arrays`, showShape(shape));
    let next = 0;
    const build = (axis: number): unknown =>
      axis === shape.length ? data[next++] : Array.from({ length: shape[axis]! }, () => build(axis + 1));
    return build(0) as never;
  }
}

/**
 * A tensor argument as float32 data and a shape. A Float32Array is not copied; other arrays of numbers are
 * converted.
 * @throws TypeError for the wrong kind of value, RangeError for a wrong shape; both name the argument
 */
export function asTensor(value: unknown, name: string): { data: Float32Array; shape: readonly number[] } {
  return asShaped(value, name, asFloat32);
}

/**
 * The same with integers left what they are, and with the argument's `dtype` where that is "bool". Other names are
 * not looked at: readers of other files call a Float64Array "float64", which becomes float32 here.
 */
export function asAnyTensor(value: unknown, name: string): Tensor<TensorData> {
  const dtype = reading(name, "a Tensor or { data, shape }", () => (value as TensorLike | null)?.dtype);
  const { data, shape } = asShaped(value, name, asNumbers);
  return new Tensor(data, shape, dtype === "bool" && kindOf(data) === "Uint8Array" ? { dtype } : {});
}

/** The same for a parameter, whose data may also be an Int8Array. */
export function asParameter(value: unknown, name: string): { data: ParameterData; shape: readonly number[] } {
  return asShaped(value, name, (data, _, size) => {
    const numbers = isInt8Array(data) ? data : asFloat32(data, name, size);
    return partOf(numbers, 0, size);
  });
}

/** A copy of `count` elements of dimension `dim` from `begin` on; `left` is the size of that dimension, if it stays. */
function part<Data extends TensorData>(
  { data: given, shape, dtype }: Tensor<Data>,
  dim: number,
  range: (size: number) => readonly [begin: number, count: number, left?: number],
): Tensor<Data> {
  // A second tensor, since the fields of the first may have been written.
  const { data, shape: whole } = new Tensor(given, shape);
  const { axis, size, inner } = along(whole, dim);
  const [begin, count, ...left] = range(size) as [number, number, number];
  const sizes = [...whole];
  sizes.splice(axis, 1, ...left);
  const copy = zerosLike(data, sizeOf(sizes));
  let to = 0;
  for (let from = begin * inner; to < copy.length; from += size * inner) {
    for (let at = 0; at < count * inner; at++) copy[to++] = data[from + at]!;
  }
  return new Tensor(copy, sizes, { dtype });
}
