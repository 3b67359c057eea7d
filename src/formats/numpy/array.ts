/** NumPy's arrays: element types by NumPy's codes, and numbers in either byte order, by rows or by columns. */

import { showShape } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import type { Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf, takeTensor } from "../dtype.js";
import { visitStrided } from "../strided.js";

/** By NumPy's letter and the bytes of one number. */
const TYPES: ReadonlyMap<string, Dtype> = new Map<string, Dtype>([
  ["f2", "F16"],
  ["f4", "F32"],
  ["f8", "F64"],
  ["i1", "I8"],
  ["i2", "I16"],
  ["i4", "I32"],
  ["i8", "I64"],
  ["u1", "U8"],
  ["u2", "U16"],
  ["u4", "U32"],
  ["u8", "U64"],
  ["b1", "BOOL"],
]);

/** Letters of NumPy for what is no array of numbers. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ["c", "complex numbers"],
  ["f", "floats of more than 8 bytes"],
  ["O", "Python objects"],
  ["U", "text"],
  ["S", "text"],
  ["T", "text"],
  ["M", "dates"],
  ["m", "time spans"],
  ["V", "raw bytes, as of bfloat16"],
]);

/** What to do with those that a dict of arrays is often saved as. */
const ADVICE: ReadonlyMap<string, string> = new Map([["O", "; save arrays with np.savez(file, **arrays)"]]);

/** An element type and the order of its bytes. */
export interface ElementType {
  readonly dtype: Dtype;
  readonly isBigEndian: boolean;
}

/** An array as a file states it. Nothing of it is checked until {@link arrayTensor}. */
export interface NumpyArray {
  readonly type: ElementType;
  readonly shape: readonly unknown[];
  /** Whether the first axis is the fastest. */
  readonly isFortran: boolean;
  readonly bytes: Uint8Array;
}

/**
 * An element type by its code: `"<f4"`, `"|b1"`.
 * @throws FormatError for any that is not read
 */
export function elementType(code: string, label: string): ElementType {
  const [, order, name] = /^([<>|=]?)([a-zA-Z]\d*)$/.exec(code) ?? [];
  const dtype = TYPES.get(name ?? "");
  if (dtype !== undefined) return { dtype, isBigEndian: order === ">" };
  const letter = code.replace(/^[<>|=]/, "")[0] ?? "";
  const what = OTHERS.get(letter);
  const known = [...TYPES.keys()].join(", ");
  throw unsupported(
    `${label}: dtype ${code.slice(0, 40)}${what === undefined ? "" : `, ${what},`} is not supported; ` +
      `supported are ${known} of either byte order${ADVICE.get(letter) ?? ""}`,
  );
}

/** The bytes that an array takes as a tensor. @throws FormatError unless its numbers are as many as its shape says */
export function checkArray({ type, shape, bytes }: NumpyArray, label: string): number {
  const elements = elementsOf(shape);
  if (elements === undefined) {
    const sizes = shape.slice(0, 8).map((size) => (typeof size === "number" ? size : Number.NaN));
    throw new FormatError(`${label}: expected a shape, got ${showShape(sizes)}`);
  }
  const width = DTYPES[type.dtype].bytes;
  if (bytes.length !== elements * width) {
    const expected = `${elements * width} bytes for shape ${showShape(shape as number[])}`;
    throw new FormatError(`${label}: expected ${expected}, got ${bytes.length}`);
  }
  return elements * Math.max(width, 4);
}

/** A tensor of a copy of the numbers, by rows. @throws FormatError as checkArray does */
export function arrayTensor(array: NumpyArray, label: string): Tensor<TensorData> {
  checkArray(array, label);
  const { type, isFortran, bytes } = array;
  const shape = array.shape as readonly number[];
  const { dtype } = type;
  const own = new Uint8Array(bytes);
  if (type.isBigEndian) swapBytes(own, DTYPES[dtype].bytes);
  if (!isFortran || shape.length < 2) return takeTensor(own.buffer, dtype, shape);
  const from = new DTYPES[dtype].array(own.buffer);
  const turned = new DTYPES[dtype].array(from.length);
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape) {
    strides.push(stride);
    stride *= size;
  }
  visitStrided(shape, strides, 0, (at, to) => {
    turned[to] = from[at]!;
  });
  return takeTensor(turned.buffer as ArrayBuffer, dtype, shape);
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) {
    for (let low = start, high = start + width - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}
