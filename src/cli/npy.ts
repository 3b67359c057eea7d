/**
 * NumPy's .npy: "\x93NUMPY", version, length of the header, header, numbers. The header is a Python dict as
 * text. Spaces pad it so that the numbers begin at a multiple of 64 bytes. Read are floats, integers and bool, of either
 * byte order, in C or Fortran order.
 */
import { Tensor } from "lstm-wasm";
import { float16ToFloat32 } from "../formats/half.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const HEADER = /^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? *\}\s*$/;

/** By NumPy's letter and the bytes of one number, how little-endian numbers are read. */
const DTYPES: ReadonlyMap<string, (buffer: ArrayBuffer) => ArrayLike<number | bigint>> = new Map<
  string,
  (buffer: ArrayBuffer) => ArrayLike<number | bigint>
>([
  ["f2", (buffer) => float16ToFloat32(new Uint16Array(buffer))],
  ["f4", (buffer) => new Float32Array(buffer)],
  ["f8", (buffer) => new Float64Array(buffer)],
  ["i1", (buffer) => new Int8Array(buffer)],
  ["i2", (buffer) => new Int16Array(buffer)],
  ["i4", (buffer) => new Int32Array(buffer)],
  ["i8", (buffer) => new BigInt64Array(buffer)],
  ["u1", (buffer) => new Uint8Array(buffer)],
  ["u2", (buffer) => new Uint16Array(buffer)],
  ["u4", (buffer) => new Uint32Array(buffer)],
  ["u8", (buffer) => new BigUint64Array(buffer)],
  ["b1", (buffer) => new Uint8Array(buffer)],
]);

/** Letters of NumPy for what is no array of numbers. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ["c", "complex numbers"],
  ["f", "floats of more than 8 bytes"],
  ["O", "Python objects"],
  ["U", "text"],
  ["S", "text"],
  ["M", "dates"],
  ["m", "time spans"],
  ["V", "raw bytes, as of bfloat16"],
]);

/** Whether the bytes are those of an .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, at) => bytes[at] === byte);
}

/** @throws RangeError that says what is broken, or names the dtype or order that is not supported */
export function readNpy(bytes: Uint8Array): Tensor {
  if (!isNpy(bytes))
    throw new RangeError("not an .npy file; a table is read from a file whose name ends with .csv");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version !== 1 && version !== 2 && version !== 3)
    throw new RangeError(`npy: version ${version} is unknown`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new RangeError("npy: cut off within the header");
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > bytes.length - start) throw new RangeError("npy: cut off within the header");
  const header = Buffer.from(bytes.subarray(start, start + length)).toString("latin1");
  const [, descr, isFortran, sizes] = HEADER.exec(header) ?? [];
  if (sizes === undefined) {
    const isRecord = header.startsWith("{'descr': [");
    const problem = isRecord ? "a structured dtype is not supported" : "header not understood";
    throw new RangeError(`npy: ${problem}: ${JSON.stringify(header.slice(0, 80))}`);
  }
  const [, order, letter, digits] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr!) ?? [];
  const read = DTYPES.get(`${letter}${digits}`);
  if (read === undefined) {
    const what = OTHERS.get(descr!.replace(/^[<>|=]/, "")[0] ?? "");
    throw new RangeError(
      `npy: dtype ${descr}${what === undefined ? "" : `, ${what},`} is not supported; ` +
        `supported are ${[...DTYPES.keys()].join(", ")} of either byte order`,
    );
  }
  const shape = (sizes.match(/\d+/g) ?? []).map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const width = Number(digits);
  const data = bytes.subarray(start + length);
  if (data.length !== count * width) {
    throw new RangeError(`npy: expected ${count * width} bytes for shape (${sizes}), got ${data.length}`);
  }
  // Copied, since the numbers may not be aligned to their size.
  const own = new Uint8Array(data);
  if (order === ">") swapBytes(own, width);
  const numbers = read(own.buffer);
  const floats = numbers instanceof Float32Array ? numbers : Float32Array.from(numbers, Number);
  return new Tensor(isFortran === "True" ? toRowMajor(floats, shape) : floats, shape);
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
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
