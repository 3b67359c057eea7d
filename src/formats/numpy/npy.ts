/**
 * NumPy's .npy: "\x93NUMPY", version, length of the header, header, numbers. The header is a Python dict as
 * text. Spaces pad it so that the numbers begin at a multiple of 64 bytes.
 */

import { show } from "../../tensor/checks.js";
import { FormatError, unsupported, viewOf } from "../bytes.js";
import { elementType, type NumpyArray } from "./array.js";

export const NPY_MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy reads 10,000 characters of a header, unless it is told that the file is trusted. */
const MOST_HEADER = 10_000;

/** One key of the header and its value, and what comes before the next. Python 2 wrote sizes as 3L. */
const ENTRY = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\dL, ]*)\))\s*(?:,|(?=\}))/y;

/** Whether the bytes begin as those of an .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return NPY_MAGIC.every((byte, at) => bytes[at] === byte);
}

/**
 * The array in an .npy file.
 * @param label begins the messages: `numpy`
 * @throws FormatError that says what is broken, or names the type of elements that is not read
 */
export function readNpyArray(file: Uint8Array, label: string): NumpyArray {
  if (!isNpy(file)) throw new FormatError(`${label}: no .npy file`);
  const version = file[6];
  if (version !== 1 && version !== 2 && version !== 3) {
    throw new FormatError(`${label}: version ${version ?? "that is missing"} is unknown`);
  }
  const start = version === 1 ? 10 : 12;
  if (file.length < start) throw new FormatError(`${label}: cut off within the header`);
  const length = version === 1 ? viewOf(file).getUint16(8, true) : viewOf(file).getUint32(8, true);
  if (length > file.length - start) throw new FormatError(`${label}: cut off within the header`);
  if (length > MOST_HEADER) {
    throw unsupported(`${label}: a header of ${length} bytes; expected at most ${MOST_HEADER}`);
  }
  const header = String.fromCharCode(...file.subarray(start, start + length));
  const { descr, order, sizes } = entriesOf(header, label);
  return {
    type: elementType(descr, label),
    shape: (sizes.match(/\d+/g) ?? []).map(Number),
    isFortran: order === "True",
    bytes: file.subarray(start + length),
  };
}

function entriesOf(header: string, label: string): { descr: string; order: string; sizes: string } {
  const entries = new Map<string, string>();
  let at = header.indexOf("{") + 1;
  while (entries.size < 3) {
    ENTRY.lastIndex = at;
    const found = ENTRY.exec(header);
    if (found === null) break;
    const [, , key, , text, flag, sizes] = found;
    entries.set(
      `${key}${text === undefined ? (flag === undefined ? "()" : "?") : ""}`,
      text ?? flag ?? sizes!,
    );
    at = ENTRY.lastIndex;
  }
  const [descr, order, sizes] = [entries.get("descr"), entries.get("fortran_order?"), entries.get("shape()")];
  const isWhole = /^\s*\{/.test(header) && /^\s*\}\s*$/.test(header.slice(at));
  if (descr === undefined || order === undefined || sizes === undefined || !isWhole) {
    const isRecord = /['"]descr['"]\s*:\s*[[(]/.test(header);
    const problem = isRecord ? "a structured dtype is not supported" : "header not understood";
    const message = `${label}: ${problem}: ${show(header.trim())}`;
    throw isRecord ? unsupported(message) : new FormatError(message);
  }
  return { descr, order, sizes };
}
