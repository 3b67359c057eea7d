/**
 * The bytes of a file, as every reader takes them, and the error for a file that is broken or not supported.
 */

import { wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";

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

/** A file's content as readers take it. A Node Buffer is a Uint8Array. */
export type Bytes = Uint8Array | ArrayBuffer;

/**
 * The argument as a plain Uint8Array over the same memory. Its slices are copies, which those of a Node
 * Buffer are not. The type is told by its tag, since classes differ between realms (frames, Node's vm, Jest).
 * @throws TypeError for anything else
 */
export function asBytes(bytes: unknown, name = "bytes"): Uint8Array {
  if (tagOf(bytes) === "Uint8Array" && ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (tagOf(bytes) === "ArrayBuffer") return new Uint8Array(bytes as ArrayBuffer);
  throw wrongType(name, "a Uint8Array or ArrayBuffer", bytes);
}

/** Whether {@link asBytes} takes the value. */
export function isBytes(value: unknown): value is Bytes {
  return tagOf(value) === "ArrayBuffer" || (tagOf(value) === "Uint8Array" && ArrayBuffer.isView(value));
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A little-endian view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
