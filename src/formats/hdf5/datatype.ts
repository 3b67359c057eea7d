/** Data types and data spaces: what an element is, and how many there are. */

import { unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf } from "../dtype.js";
import type { Cursor } from "./cursor.js";

export interface Datatype {
  /** As messages have it. */
  readonly name: string;
  /** Bytes of one element. */
  readonly bytes: number;
  readonly dtype?: Dtype;
  readonly bigEndian?: boolean;
  /** Strings of a fixed length end with a 0, or are filled up with spaces. */
  readonly text?: "fixed" | "spaces" | "variable";
}

const CLASSES = [
  "integers",
  "floats",
  "times",
  "strings",
  "bit fields",
  "opaque bytes",
  "compounds",
  "references",
  "enumerations",
  "lists of variable length",
  "arrays",
  "complex numbers",
];

/** Sign, exponent and fraction as a data type states them: first bit and number of bits, then the bias. */
const FLOATS: Readonly<Record<string, Dtype>> = {
  "2 15 0,16 10,5 0,10 15": "F16",
  "2 15 0,16 7,8 0,7 127": "BF16",
  "4 31 0,32 23,8 0,23 127": "F32",
  "8 63 0,64 52,11 0,52 1023": "F64",
};

export function readDatatype(cursor: Cursor): Datatype {
  const head = cursor.uint(1);
  const bits = cursor.uint(3);
  const bytes = cursor.uint(4);
  const kind = head & 15;
  const version = head >> 4;
  const name = CLASSES[kind];
  if (name === undefined || version < 1 || version > 5)
    throw cursor.bad(`has data type ${kind} of version ${version}`);
  if (bytes === 0) throw cursor.bad("has elements of 0 bytes");
  const plain = { name, bytes };
  if (kind === 0) return { ...plain, ...integer(cursor, bits, bytes) };
  if (kind === 1) return { ...plain, ...float(cursor, bits, bytes) };
  if (kind === 3) return { ...plain, text: (bits & 15) === 2 ? "spaces" : "fixed" };
  if (kind === 8)
    return isBool(cursor, bits & 0xffff, version) && bytes === 1 ? { ...plain, dtype: "BOOL" } : plain;
  if (kind === 9 && (bits & 15) === 1) {
    if (bytes !== 8 + cursor.widths.address)
      throw cursor.bad(`has strings of variable length in ${bytes} bytes`);
    return { name: "strings", bytes, text: "variable" };
  }
  return plain;
}

function integer(cursor: Cursor, bits: number, bytes: number): Partial<Datatype> {
  const offset = cursor.uint(2);
  const dtype = `${bits & 8 ? "I" : "U"}${cursor.uint(2)}`;
  const known = offset === 0 && Object.hasOwn(DTYPES, dtype) && DTYPES[dtype as Dtype].bytes === bytes;
  return known ? { dtype: dtype as Dtype, bigEndian: (bits & 1) === 1 } : {};
}

function float(cursor: Cursor, bits: number, bytes: number): Partial<Datatype> {
  const [offset, precision] = [cursor.uint(2), cursor.uint(2)];
  const [exponent, exponentBits, fraction, fractionBits] = [1, 1, 1, 1].map((width) => cursor.uint(width));
  const key = `${bytes} ${bits >> 8} ${offset},${precision} ${exponent},${exponentBits} ${fraction},${fractionBits} ${cursor.uint(4)}`;
  // The fraction's first bit is implied, and the order is not VAX's.
  const known = Object.hasOwn(FLOATS, key) && (bits & 0x70) === 0x20;
  return known ? { dtype: FLOATS[key]!, bigEndian: (bits & 1) === 1 } : {};
}

/** Whether an enumeration is h5py's bool: FALSE and TRUE, 0 and 1, in a byte. */
function isBool(cursor: Cursor, members: number, version: number): boolean {
  const base = readBase(cursor);
  if (members !== 2 || !base) return false;
  const names = [0, 1].map(() => {
    const { at } = cursor;
    const name = cursor.terminated();
    if (version < 3) cursor.take((8 - ((cursor.at - at) % 8)) % 8);
    return name;
  });
  return `${names} ${cursor.take(2)}` === "FALSE,TRUE 0,1";
}

/** Whether the type below is integers of one byte. */
function readBase(cursor: Cursor): boolean {
  const integers = (cursor.uint(1) & 15) === 0;
  cursor.take(3);
  const bytes = cursor.uint(4);
  if (integers) cursor.take(4);
  return integers && bytes === 1;
}

export interface Dataspace {
  readonly shape: readonly number[];
  /** What each size may grow to; undefined without a limit. */
  readonly most: readonly (number | undefined)[];
  /** The product of the sizes. */
  readonly elements: number;
}

export function readDataspace(cursor: Cursor): Dataspace {
  const version = cursor.uint(1);
  const rank = cursor.uint(1);
  const flags = cursor.uint(1);
  if (version !== 1 && version !== 2) throw cursor.bad(`has a data space of version ${version}`);
  // The second version has a kind, of which 2 is "no data at all".
  const kind = cursor.uint(1);
  if (version === 2 && kind === 2) return { shape: [0], most: [0], elements: 0 };
  if (version === 1) cursor.take(4);
  const shape = Array.from({ length: rank }, () => cursor.length());
  const most = flags & 1 ? shape.map(() => cursor.optional(cursor.widths.length)) : shape;
  const elements = elementsOf(shape);
  if (elements === undefined || most.some((size, axis) => size !== undefined && size < shape[axis]!)) {
    throw cursor.bad(`has a shape that cannot be: [${shape}]`);
  }
  return { shape, most, elements };
}

/** The error for a type that is not read, in a tensor or an attribute. */
export function unread(what: string, { name, bytes }: Datatype) {
  return unsupported(`${what}: ${name} of ${bytes} bytes are not supported`);
}
