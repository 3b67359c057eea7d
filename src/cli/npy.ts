/** Arrays of the command: any .npy file of numbers as float32, and float32 as .npy. */
import { Tensor, type TensorData, type TensorDtype } from "lstm-wasm";
import { arrayTensor } from "../formats/numpy/array.js";
import { isNpy, NPY_MAGIC, readNpyArray } from "../formats/numpy/npy.js";

export { isNpy };

/**
 * An array as its file has it; floats of any width as float32.
 * @throws RangeError that says what is broken, or names the dtype that is not supported
 */
export function readNpyNumbers(bytes: Uint8Array): Tensor<TensorData> {
  if (!isNpy(bytes))
    throw new RangeError("not an .npy file; a table is read from a file whose name ends with .csv");
  return arrayTensor(readNpyArray(bytes, "numpy"), "numpy");
}

/** An array of numbers as float32. @throws as {@link readNpyNumbers} does */
export function readNpy(bytes: Uint8Array): Tensor {
  const { data, shape } = readNpyNumbers(bytes);
  const floats = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<unknown>, Number);
  return new Tensor(floats, shape);
}

/** NumPy's codes of element types. */
const CODES: Readonly<Record<TensorDtype, string>> = {
  float32: "<f4",
  int64: "<i8",
  int32: "<i4",
  int16: "<i2",
  int8: "|i1",
  uint8: "|u1",
  uint16: "<u2",
  uint32: "<u4",
  uint64: "<u8",
  bool: "|b1",
};

/** A tensor as an .npy file of version 1. */
export function writeNpy({ data, shape, dtype }: Tensor<TensorData>): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${CODES[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(NPY_MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(Buffer.from(`${text.padEnd(start - 11)}\n`, "latin1"), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
