/**
 * Element types of files, and how their raw little-endian numbers become the data of a Tensor. Floats of any
 * width become float32. Integers keep their type. Booleans become one byte each. Typed arrays are
 * little-endian wherever WebAssembly with SIMD runs.
 */

import { reading, wrongType } from "../tensor/checks.js";
import { MOST_DIMENSIONS, type TensorData, type TensorDtype } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import { kindOf } from "../tensor/typed-array.js";
import { getOrMake } from "./get-or-make.js";
import { bfloat16ToFloat32, float16ToFloat32 } from "./half.js";

/** An element type, by the name that safetensors has for it. */
export type Dtype = keyof typeof DTYPES;

interface DtypeInfo {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** The kind of array that has such elements. */
  readonly array: new (
    source: ArrayBuffer | number,
  ) => Float64Array | TensorData;
  /** What such an array becomes, where it is not tensor data already. */
  readonly widen?: (numbers: never) => TensorData;
}

export const DTYPES = {
  F64: { bytes: 8, array: Float64Array, widen: (numbers: Float64Array) => new Float32Array(numbers) },
  F32: { bytes: 4, array: Float32Array },
  F16: { bytes: 2, array: Uint16Array, widen: float16ToFloat32 },
  BF16: { bytes: 2, array: Uint16Array, widen: bfloat16ToFloat32 },
  I64: { bytes: 8, array: BigInt64Array },
  U64: { bytes: 8, array: BigUint64Array },
  I32: { bytes: 4, array: Int32Array },
  U32: { bytes: 4, array: Uint32Array },
  I16: { bytes: 2, array: Int16Array },
  U16: { bytes: 2, array: Uint16Array },
  I8: { bytes: 1, array: Int8Array },
  U8: { bytes: 1, array: Uint8Array },
  BOOL: { bytes: 1, array: Uint8Array },
} satisfies Record<string, DtypeInfo>;

/** Whether `name` is an element type. Names in Object.prototype are not. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}

/** A tensor of a copy of the numbers in `bytes`, which must be as many as `shape` says. */
export function readTensor(bytes: Uint8Array, dtype: Dtype, shape: readonly number[]): Tensor<TensorData> {
  return tensorOf(readNumbers(bytes, dtype), dtype, shape);
}

/** The same of the numbers in a buffer that nothing else uses, which the tensor may keep. */
export function takeTensor(buffer: ArrayBuffer, dtype: Dtype, shape: readonly number[]): Tensor<TensorData> {
  return tensorOf(takeNumbers(buffer, dtype), dtype, shape);
}

function tensorOf(data: TensorData, dtype: Dtype, shape: readonly number[]): Tensor<TensorData> {
  return new Tensor(data, shape, dtype === "BOOL" ? { dtype: "bool" } : {});
}

/**
 * Up to this many bytes V8 keeps an array's numbers beside it, as long as nobody asks for its buffer. A buffer of its
 * own takes a microsecond, and a file may have 100,000 tensors of one number.
 */
const SMALL_BYTES = 64;
const SMALL = new Uint8Array(SMALL_BYTES);

/** {@link SMALL} as arrays of each kind, made once. */
const SMALL_VIEWS = new Map<Dtype, Float64Array | TensorData>();

/** A copy of the numbers in `bytes`. The length of `bytes` must be a multiple of the element's size. */
function readNumbers(bytes: Uint8Array, dtype: Dtype): TensorData {
  const { length } = bytes;
  const { bytes: width, array, widen }: DtypeInfo = DTYPES[dtype];
  if (length > SMALL_BYTES) {
    const copy = new Uint8Array(length);
    copy.set(bytes);
    return takeNumbers(copy.buffer, dtype);
  }
  for (let at = 0; at < length; at++) SMALL[at] = bytes[at]!;
  const view = getOrMake(SMALL_VIEWS, dtype, () => new array(SMALL.buffer));
  const numbers = new array(length / width);
  for (let at = 0; at < numbers.length; at++) numbers[at] = view[at]!;
  return named(widen === undefined ? (numbers as TensorData) : widen(numbers as never), dtype);
}

/** The numbers in a buffer that nothing else uses, which they may keep. */
function takeNumbers(buffer: ArrayBuffer, dtype: Dtype): TensorData {
  const { array, widen }: DtypeInfo = DTYPES[dtype];
  const numbers = new array(buffer);
  return named(widen === undefined ? (numbers as TensorData) : widen(numbers as never), dtype);
}

/** Remembers the element type, where the data does not tell it: a weak map is slow to collect. */
function named(data: TensorData, dtype: Dtype): TensorData {
  if (dtype === "BOOL" || "widen" in DTYPES[dtype]) stored.set(data, dtype);
  return data;
}

/** The element type that data had in its file, if the data does not tell it. */
const stored = new WeakMap<TensorData, Dtype>();

/** PyTorch's names. */
export const TORCH_NAMES = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  U64: "uint64",
  I32: "int32",
  U32: "uint32",
  I16: "int16",
  U16: "uint16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
} satisfies Record<Dtype, string>;

/** The element type of a file that keeps a tensor's numbers as they are now. */
export function fileDtypeOf(dtype: TensorDtype): Dtype {
  return (Object.keys(TORCH_NAMES) as Dtype[]).find((name) => TORCH_NAMES[name] === dtype)!;
}

/**
 * The element type that a tensor had in its file, by PyTorch's name. `"float16"`, for example, has become a
 * Float32Array, whose `dtype` is `"float32"`. A tensor that was computed, not read as it is, has the type of its data.
 * @throws TypeError for anything but a tensor
 */
export function dtypeOf(tensor: { readonly data: TensorData; readonly dtype?: string | undefined }): string {
  const { data, told } = reading("tensor", "a tensor", () => ({ data: tensor.data, told: tensor.dtype }));
  const kind = kindOf(data);
  if (kind === undefined) throw wrongType("tensor.data", "a typed array", data);
  const dtype = stored.get(data);
  if (dtype !== undefined) return TORCH_NAMES[dtype];
  if (kind === "Uint8Array" && told === "bool") return told;
  return kind.slice(0, -5).replace("Big", "").toLowerCase();
}

/**
 * The number of elements of a shape that a file states. Undefined if the shape has more than 64 sizes, if a
 * size is not an integer of at least 0, or if the sizes other than 0 multiply to 2^53 or more.
 */
export function elementsOf(shape: readonly unknown[]): number | undefined {
  if (shape.length > MOST_DIMENSIONS) return undefined;
  let elements = 1;
  let empty = false;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) return undefined;
    if (size === 0) empty = true;
    else elements *= size as number;
    if (elements > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return empty ? 0 : elements;
}
