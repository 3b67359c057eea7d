/**
 * Arrays in a pickle, which NumPy describes as calls of functions of its own. The pickle is read as data, as that of a
 * checkpoint is, and the calls of these functions are the only ones that are understood:
 *
 *     numpy.core.multiarray._reconstruct    then a state (version, shape, dtype, is_fortran, bytes)
 *     numpy.core.numeric._frombuffer        (bytes, dtype, shape, order), protocol 5
 *     numpy.core.multiarray.scalar          (dtype, bytes)
 *     _codecs.encode                        (text, "latin1"), protocol 2: bytes
 *     __builtin__.bytes                     (), protocol 2: no bytes
 *
 * NumPy 2 calls its module numpy._core.
 */

import { show } from "../../tensor/checks.js";
import { FormatError, shorten, unsupported } from "../bytes.js";
import { Global, PyObject } from "../torch/pickle/globals.js";
import { readPickle } from "../torch/pickle/index.js";
import { Spent } from "../torch/pickle/machine.js";
import { type ElementType, elementType, type NumpyArray } from "./array.js";

/** Of a dict in a pickle. */
export interface PickledArray {
  readonly name: string;
  /** Begins its messages. */
  readonly label: string;
  /** Makes the array, whose bytes may have to be decoded. @throws FormatError for one that is not read */
  make(): NumpyArray;
  /** Bytes that it takes to make the array. */
  readonly cost: number;
}

const EXPECTED = "a dict of NumPy arrays";

/**
 * The arrays of a pickled dict by its keys, or a single array under the name `array`. Numbers, texts and None are
 * passed over.
 * @throws FormatError for anything else
 */
export function readPickled(file: Uint8Array): PickledArray[] {
  const { value, end } = readPickle(file, 0, new Spent("numpy"));
  if (end !== file.length) {
    throw new FormatError(`numpy: pickle: ${file.length - end} bytes after its end`);
  }
  if (value instanceof PyObject) return [arrayOf("array", value)];
  if (!(value instanceof Map))
    throw new FormatError(`numpy: pickle: expected ${EXPECTED}, got ${told(value)}`);
  const arrays: PickledArray[] = [];
  for (const [key, item] of value) {
    if (item === null || (typeof item !== "object" && typeof item !== "function")) continue;
    if (item instanceof Uint8Array || textIn(item) !== undefined) continue;
    const label = `numpy: pickle: item ${typeof key === "string" ? show(key) : told(key)}`;
    if (typeof key !== "string") throw unsupported(`${label}: expected a text as key of an array`);
    if (!(item instanceof PyObject)) {
      throw unsupported(`${label}: expected an array, got ${told(item)}; save a dict of arrays by text`);
    }
    arrays.push(arrayOf(key, item));
  }
  return arrays;
}

function told(value: unknown): string {
  if (value instanceof Map) return "a dict";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Set) return "a set";
  if (value instanceof Global) return value.name;
  if (value instanceof PyObject) return `an object of ${shorten(value.type.name)}`;
  return show(value);
}

/** A function of NumPy's, as both of its versions name it. */
function functionOf({ type }: PyObject): string {
  return type.name.replace(/^numpy\._core\./, "numpy.core.");
}

function arrayOf(name: string, object: PyObject): PickledArray {
  const label = name === "array" ? "numpy: pickle" : `numpy: pickle: item ${show(name)}`;
  const parts = partsOf(object, label);
  const { data } = parts;
  const cost = data instanceof Uint8Array ? 0 : textOf(data, label).length;
  return {
    name,
    label,
    cost,
    make: () => ({
      type: typeOf(parts.dtype, label),
      shape: listOf(parts.shape, `${label}: shape`),
      isFortran: parts.isFortran,
      bytes: data instanceof Uint8Array ? data : encode(textOf(data, label), label),
    }),
  };
}

interface Parts {
  readonly dtype: unknown;
  readonly shape: unknown;
  readonly isFortran: boolean;
  readonly data: unknown;
}

function partsOf(object: PyObject, label: string): Parts {
  const { args, state } = object;
  switch (functionOf(object)) {
    case "numpy.core.multiarray._reconstruct": {
      const [type] = args;
      const isArray = type instanceof Global && type.name === "numpy.ndarray";
      if (!isArray) throw unsupported(`${label}: expected an array, got an object of ${told(type)}`);
      const parts = listOf(state, `${label}: state`);
      const [shape, dtype, isFortran, data] = parts.slice(-4);
      return { dtype, shape, isFortran: isFortran === true || isFortran === 1, data };
    }
    case "numpy.core.numeric._frombuffer": {
      const [data, dtype, shape, order] = args;
      return { dtype, shape, isFortran: order === "F", data };
    }
    case "numpy.core.multiarray.scalar": {
      const [dtype, data] = args;
      return { dtype, shape: [], isFortran: false, data };
    }
    default:
      throw unsupported(
        `${label}: expected ${EXPECTED}, got an object of ${shorten(object.type.name)}; nothing of it is run`,
      );
  }
}

function listOf(value: unknown, label: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new FormatError(`${label}: expected a tuple, got ${told(value)}`);
  return value;
}

/** numpy.dtype("f4", False, True) with the state (version, order, subarray, names, fields...). */
function typeOf(dtype: unknown, label: string): ElementType {
  const isDtype = dtype instanceof PyObject && dtype.type.name === "numpy.dtype";
  const code = isDtype ? dtype.args[0] : undefined;
  if (!isDtype || typeof code !== "string") {
    throw unsupported(`${label}: expected a numpy.dtype, got ${told(isDtype ? code : dtype)}`);
  }
  const [, order, subarray, names] = dtype.state === undefined ? [] : listOf(dtype.state, `${label}: dtype`);
  if (subarray != null || names != null) throw unsupported(`${label}: a structured dtype is not supported`);
  return elementType(`${typeof order === "string" ? order : ""}${code}`, label);
}

/** Python 2 has text of ASCII for bytes. */
function textOf(data: unknown, label: string): string {
  const text = typeof data === "string" ? data : textIn(data);
  if (text === undefined) throw unsupported(`${label}: expected bytes, got ${told(data)}`);
  return text;
}

/** Python 3 writes bytes in protocol 2 as text that is to be encoded. */
function textIn(data: unknown): string | undefined {
  if (!(data instanceof PyObject)) return undefined;
  const [text, encoding] = data.args;
  if (data.type.name === "__builtin__.bytes" && data.args.length === 0) return "";
  const isText = data.type.name === "_codecs.encode" && typeof text === "string" && encoding === "latin1";
  return isText ? text : undefined;
}

function encode(text: string, label: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) throw new FormatError(`${label}: character ${at} of its bytes is no byte`);
    bytes[at] = code;
  }
  return bytes;
}
