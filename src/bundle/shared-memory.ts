/**
 * A binary for a shared memory, made of the one for a memory of its own: all that differs is what it says of the memory
 * that it imports. So threads need no second build of the kernels.
 */

import { coded } from "../tensor/errors.js";

/** Name and kind of the import, flags of a memory without a maximum, and its initial pages. */
const IMPORT = [6, ...Array.from("memory", (letter) => letter.charCodeAt(0)), 2, 0];
/** Flags of a shared memory with a maximum. */
const SHARED = 3;
/** 65536 pages, 4 GiB: as LEB128. */
const MAXIMUM = [0x80, 0x80, 0x04];
const IMPORTS = 2;
const HEADER_BYTES = 8;

/** @throws RangeError for bytes that import no memory as our binaries do */
export function forSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (let at = HEADER_BYTES; at < binary.length; ) {
    const kind = binary[at]!;
    const { value: size, next } = readNumber(binary, at + 1);
    if (kind !== IMPORTS) {
      at = next + size;
      continue;
    }
    const section = Array.from(binary.subarray(next, next + size));
    const found = section.findIndex((_, from) =>
      IMPORT.every((byte, index) => section[from + index] === byte),
    );
    if (found < 0) break;
    const flags = found + IMPORT.length - 1;
    section[flags] = SHARED;
    const { next: end } = readNumber(Uint8Array.from(section), flags + 1);
    section.splice(end, 0, ...MAXIMUM);
    const before = Array.from(binary.subarray(0, at + 1));
    return Uint8Array.from([
      ...before,
      ...number(section.length),
      ...section,
      ...binary.subarray(next + size),
    ]);
  }
  throw coded("RANGE", new RangeError("binary: expected an import of a memory without a maximum"));
}

/** LEB128. */
function readNumber(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 127) << shift;
    // Past the end there is no byte.
    if (!(byte >= 128)) return { value, next: at };
  }
}

function number(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)];
}
