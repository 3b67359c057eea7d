/** Arrays of the command: any .npy file of numbers as float32, and float32 as .npy. */
import { Tensor } from "lstm-wasm";
import { arrayTensor } from "../formats/numpy/array.js";
import { isNpy, NPY_MAGIC, readNpyArray } from "../formats/numpy/npy.js";

export { isNpy };

/** @throws RangeError that says what is broken, or names the dtype that is not supported */
export function readNpy(bytes: Uint8Array): Tensor {
  if (!isNpy(bytes))
    throw new RangeError("not an .npy file; a table is read from a file whose name ends with .csv");
  const { data, shape } = arrayTensor(readNpyArray(bytes, "numpy"), "numpy");
  const floats = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<unknown>, Number);
  return new Tensor(floats, shape);
}

/** A float32 tensor as an .npy file of version 1. */
export function writeNpy({ data, shape }: Tensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(NPY_MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(Buffer.from(`${text.padEnd(start - 11)}\n`, "latin1"), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
