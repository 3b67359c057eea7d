/** Data types and data spaces: what an element is, and how many there are. */

import { unsupported } from "../bytes.js";
import { DTYPES, type Dtype, elementsOf, isDtype } from "../dtype.js";
import type { Cursor } from "./cursor.js";

export interface Datatype {
  /** As messages have it. */
  readonly name: string;
  /** Bytes of one element. */
  readonly bytes: number;
  readonly dtype: Dtype | undefined;
  readonly bigEndian: boolean;
  /** Strings of a fixed length end with a 0, or are filled up with spaces. */
  readonly text: "fixed" | "spaces" | "variable" | undefined;
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

/** By the bits and properties of a type but for the order of bytes: where sign, exponent and fraction are, the bias. */
const FLOATS: Readonly<Record<string, Dtype>> = {
  "3872 0,0,16,0,10,5,0,10,15,0,0,0": "F16",
  "3872 0,0,16,0,7,8,0,7,127,0,0,0": "BF16",
  "7968 0,0,32,0,23,8,0,23,127,0,0,0": "F32",
  "16160 0,0,64,0,52,11,0,52,255,3,0,0": "F64",
};

/** The members of h5py's bool, an enumeration of a byte: names, perhaps filled up to 8 bytes, then 0 and 1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the format has
const BOOL = /^FALSE\0+TRUE\0+\x01\0*$/;

export function readDatatype(cursor: Cursor): Datatype {
  const head = cursor.uint(1);
  const bits = cursor.uint(3);
  const bytes = cursor.uint(4);
  const kind = head & 15;
  const name = CLASSES[kind];
  if (name === undefined || head < 16 || bytes === 0) throw cursor.bad("has a damaged data type");
  let dtype: string | undefined;
  let text: Datatype["text"];
  if (kind === 0) {
    // No bits are left over.
    if (cursor.uint(2) === 0 && cursor.uint(2) === 8 * bytes) dtype = `${bits & 8 ? "I" : "U"}${8 * bytes}`;
  } else if (kind === 1) {
    dtype = FLOATS[`${bits & ~1} ${cursor.take(12)}`];
  } else if (kind === 8 && bytes === 1) {
    cursor.take(12);
    if (BOOL.test(String.fromCharCode(...cursor.take(Math.min(cursor.left, 32))))) dtype = "BOOL";
  } else if (kind === 3) text = (bits & 15) === 2 ? "spaces" : "fixed";
  else if (kind === 9 && (bits & 15) === 1 && bytes === 8 + cursor.widths.address) text = "variable";
  const known = isDtype(dtype) && DTYPES[dtype].bytes === bytes ? dtype : undefined;
  return {
    name: text === undefined ? name : "strings",
    bytes,
    dtype: known,
    bigEndian: (bits & 1) === 1,
    text,
  };
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
  cursor.check(version === 1 || version === 2, "has a damaged data space");
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
