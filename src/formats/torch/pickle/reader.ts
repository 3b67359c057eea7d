/**
 * A position in the bytes of a pickle, and what can be read there. Numbers are little-endian unless stated.
 */

import { FormatError, unsupported, viewOf } from "../../bytes.js";
import { decodeUtf8 } from "../../utf8.js";

/** No checkpoint holds longer integers, and they are slow to print. */
const MOST_INTEGER_BYTES = 128;
const MOST_LINE_BYTES = 1024;

/** Widths of unsigned integers in bytes. */
export type Width = 1 | 2 | 4 | 8;

export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Index of the next byte. */
  position: number;
  /** Index of the opcode that is being carried out, for messages. */
  #opcodeStart = 0;

  /** @param format begins the messages: `"torch"` */
  constructor(
    bytes: Uint8Array,
    start: number,
    readonly format: string,
  ) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.position = start;
  }

  opcode(): number {
    this.#opcodeStart = this.position;
    return this.unsigned(1);
  }

  /** How many bytes are left. */
  left(): number {
    return this.#bytes.length - this.position;
  }

  /** Advances over `count` bytes and returns the index of the first. */
  #take(count: number): number {
    const start = this.position;
    if (count > this.left()) {
      throw this.error(`${count} bytes are due at ${start}, but ${this.left()} are left`);
    }
    this.position = start + count;
    return start;
  }

  unsigned(width: Width): number {
    const start = this.#take(width);
    if (width === 1) return this.#bytes[start]!;
    if (width === 2) return this.#view.getUint16(start, true);
    if (width === 4) return this.#view.getUint32(start, true);
    return Number(this.#view.getBigUint64(start, true));
  }

  /** The only number that is big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  /** An integer in two's complement; a bigint from 2^53 on. */
  integer(byteCount: number): number | bigint {
    if (byteCount > MOST_INTEGER_BYTES) throw this.error(`an integer of ${byteCount} bytes`);
    let value = 0n;
    for (const byte of this.binary(byteCount).slice().reverse()) value = (value << 8n) | BigInt(byte);
    const signed = BigInt.asIntN(8 * byteCount, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  binary(byteCount: number): Uint8Array {
    const start = this.#take(byteCount);
    return this.#bytes.subarray(start, start + byteCount);
  }

  text(byteCount: number): string {
    return decodeUtf8(this.binary(byteCount), `${this.format}: pickle: text at byte ${this.#opcodeStart}`);
  }

  /** Python 2's str: text if it is ASCII, bytes if not. */
  byteString(byteCount: number): string | Uint8Array {
    const binary = this.binary(byteCount);
    return binary.every((byte) => byte < 0x80) ? decodeUtf8(binary, `${this.format}: pickle`) : binary;
  }

  /** Text up to the next newline. */
  line(): string {
    const start = this.position;
    const length = this.#bytes.subarray(start, start + MOST_LINE_BYTES).indexOf(0x0a);
    if (length < 0) throw this.error("a global whose name does not end");
    this.position = start + length + 1;
    return decodeUtf8(
      this.#bytes.subarray(start, start + length),
      `${this.format}: pickle: name of a global`,
    );
  }

  error(message: string): FormatError {
    return new FormatError(`${this.format}: pickle: byte ${this.#opcodeStart}: ${message}`);
  }

  unsupported(message: string): FormatError {
    return unsupported(this.error(message).message);
  }
}
