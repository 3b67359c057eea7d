/**
 * NumPy's .npy: "\x93NUMPY", version, length of the header, header, numbers. The header is a Python dict as
 * text. Spaces pad it so that the numbers begin at a multiple of 64 bytes. Read are little-endian floats and
 * integers, in C or Fortran order.
 */
import { Tensor } from "lstm-wasm";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const HEADER = /^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? *\}\s*$/;

/** By dtype, how its numbers are read from a buffer. */
const DTYPES: ReadonlyMap<string, (buffer: ArrayBuffer) => ArrayLike<number | bigint>> = new Map<
  string,
  (buffer: ArrayBuffer) => ArrayLike<number | bigint>
>([
  ["<f4", (buffer) => new Float32Array(buffer)],
  ["<f8", (buffer) => new Float64Array(buffer)],
  ["<i8", (buffer) => new BigInt64Array(buffer)],
  ["<i4", (buffer) => new Int32Array(buffer)],
  ["<i2", (buffer) => new Int16Array(buffer)],
  ["|i1", (buffer) => new Int8Array(buffer)],
  ["|u1", (buffer) => new Uint8Array(buffer)],
  ["|b1", (buffer) => new Uint8Array(buffer)],
]);

/** Whether the bytes are those of an .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** @throws RangeError that says what is broken, or names the dtype or order that is not supported */
export function readNpy(bytes: Uint8Array): Tensor {
  if (!isNpy(bytes)) throw new RangeError("not an .npy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version !== 1 && version !== 2 && version !== 3)
    throw new RangeError(`npy: version ${version} is unknown`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new RangeError("npy: cut off within the header");
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - start) throw new RangeError("npy: cut off within the header");
  const header = Buffer.from(bytes.subarray(start, start + length)).toString("latin1");
  const [, descr, order, sizes] = HEADER.exec(header) ?? [];
  if (sizes === undefined)
    throw new RangeError(`npy: header not understood: ${JSON.stringify(header.slice(0, 80))}`);
  const read = DTYPES.get(descr!);
  if (read === undefined) {
    throw new RangeError(
      `npy: dtype ${descr} is not supported; supported are ${[...DTYPES.keys()].join(", ")}`,
    );
  }
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const width = Number(descr!.slice(2));
  const data = bytes.subarray(start + length);
  if (data.length !== count * width) {
    throw new RangeError(`npy: expected ${count * width} bytes for shape (${sizes}), got ${data.length}`);
  }
  // Copied, since the numbers may not be aligned to their size.
  const numbers = read(new Uint8Array(data).buffer);
  const floats = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers, Number);
  return new Tensor(order === "True" ? toRowMajor(floats, shape) : floats, shape);
}

/**
 * Turns the order around: from the first axis fastest, as NumPy keeps transposed arrays, to the last axis
 * fastest.
 */
function toRowMajor(numbers: Float32Array, shape: readonly number[]): Float32Array {
  const result = new Float32Array(numbers.length);
  const index = shape.map(() => 0);
  for (const value of numbers) {
    result[index.reduce((at, place, axis) => at * shape[axis]! + place, 0)] = value;
    for (let axis = 0; axis < shape.length && ++index[axis]! === shape[axis]; axis++) index[axis] = 0;
  }
  return result;
}

/** A float32 tensor as an .npy file of version 1. */
export function writeNpy({ data, shape }: Tensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(Buffer.from(`${text.padEnd(start - 11)}\n`, "latin1"), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
