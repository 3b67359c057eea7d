/**
 * Element types of files, and how their raw little-endian numbers become the data of a Tensor. Floats of any
 * width become float32. Integers keep their type. Booleans become one byte each. Typed arrays are
 * little-endian wherever WebAssembly with SIMD runs.
 */

import { reading, wrongType } from "../tensor/checks.js";
import { MOST_DIMENSIONS, type TensorData, type TensorDtype } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import { kindOf } from "../tensor/typed-array.js";
import { bfloat16ToFloat32, float16ToFloat32 } from "./half.js";

/** An element type, by the name that safetensors has for it. */
export type Dtype = keyof typeof DTYPES;

interface DtypeInfo {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** Turns a buffer into tensor data, which may keep the buffer. */
  readonly read: (buffer: ArrayBuffer) => TensorData;
}

export const DTYPES = {
  F64: { bytes: 8, read: (buffer) => Float32Array.from(new Float64Array(buffer)) },
  F32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer) => float16ToFloat32(new Uint16Array(buffer)) },
  BF16: { bytes: 2, read: (buffer) => bfloat16ToFloat32(new Uint16Array(buffer)) },
  I64: { bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  U64: { bytes: 8, read: (buffer) => new BigUint64Array(buffer) },
  I32: { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  U32: { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  I16: { bytes: 2, read: (buffer) => new Int16Array(buffer) },
  U16: { bytes: 2, read: (buffer) => new Uint16Array(buffer) },
  I8: { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  U8: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  BOOL: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
} satisfies Record<string, DtypeInfo>;

/** Whether `name` is an element type. Names in Object.prototype are not. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}

/** A tensor of a copy of the numbers in `bytes`, which must be as many as `shape` says. */
export function readTensor(bytes: Uint8Array, dtype: Dtype, shape: readonly number[]): Tensor<TensorData> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return takeTensor(copy.buffer, dtype, shape);
}

/** The same of the numbers in a buffer that nothing else uses, which the tensor may keep. */
export function takeTensor(buffer: ArrayBuffer, dtype: Dtype, shape: readonly number[]): Tensor<TensorData> {
  const data = DTYPES[dtype].read(buffer);
  stored.set(data, dtype);
  return new Tensor(data, shape, dtype === "BOOL" ? { dtype: "bool" } : {});
}

/** The element type that data had in its file. */
const stored = new WeakMap<TensorData, Dtype>();

const TORCH_NAMES = {
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
