/**
 * The bytes of a file, as every reader takes them, and the error for a file that is broken or not supported.
 */

import { wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { bytesOf, isArrayBuffer, isShared, kindOf } from "../tensor/typed-array.js";

/**
 * A file is malformed or hostile, or holds something that the reader does not support. The message names the
 * format and the place. A wrong argument, such as one that is not bytes at all, is a TypeError instead.
 */
export class FormatError extends RangeError {
  override readonly name = "FormatError";
  /** Whether the file is broken, or holds what the reader does not support. */
  declare readonly code: "LSTM_WASM_FORMAT" | "LSTM_WASM_UNSUPPORTED";

  constructor(message: string, kind: "FORMAT" | "UNSUPPORTED" = "FORMAT") {
    super(message);
    coded(kind, this);
  }
}

/** The error for what a file may hold and the reader does not support. */
export function unsupported(message: string): FormatError {
  return new FormatError(message, "UNSUPPORTED");
}

/** A name from a file as messages have it: without its end, if it is long. */
export function shorten(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}...` : name;
}

/** A file's content as readers take it. A Node Buffer is a Uint8Array. */
export type Bytes = Uint8Array | ArrayBuffer;

/**
 * The argument as a plain Uint8Array over the same memory. Its slices are copies, which those of a Node
 * Buffer are not. Bytes that other threads may write are copied: a reader relies on what it has checked.
 * @throws TypeError for anything else; Error for a buffer that was transferred
 */
export function asBytes(bytes: unknown, name = "bytes"): Uint8Array {
  if (!isBytes(bytes)) throw wrongType(name, "a Uint8Array or ArrayBuffer", bytes);
  try {
    if (isArrayBuffer(bytes)) return new Uint8Array(bytes);
    const view = bytesOf(bytes);
    return isShared(view) ? new Uint8Array(view) : view;
  } catch (cause) {
    throw coded("DISPOSED", new Error(`${name}: its buffer was transferred`, { cause }));
  }
}

/** Whether {@link asBytes} takes the value. */
export function isBytes(value: unknown): value is Bytes {
  return kindOf(value) === "Uint8Array" || isArrayBuffer(value);
}

/** A little-endian view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
