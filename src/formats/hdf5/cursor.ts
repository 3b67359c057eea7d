/** A place in a piece of the file that moves as numbers are read. It never leaves the piece. */

import { FormatError } from "../bytes.js";
import { decodeUtf8 } from "../utf8.js";

/** The bytes of an address and of a length, which the superblock states. */
export interface Widths {
  readonly address: number;
  readonly length: number;
}

const CUT_OFF = "is cut off";

export class Cursor {
  at = 0;

  /** @param what begins messages: the format, and what the piece is */
  constructor(
    readonly bytes: Uint8Array,
    readonly widths: Widths,
    readonly what: string,
  ) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  bad(message = "is damaged"): FormatError {
    return new FormatError(`${this.what} ${message}`);
  }

  check(isRight: boolean, message?: string): void {
    if (!isRight) throw this.bad(message);
  }

  /** A view of the next bytes. */
  take(count: number): Uint8Array {
    this.check(count <= this.left, CUT_OFF);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  skip(count: number): void {
    this.at += count;
  }

  /** A little-endian number of so many bytes. */
  uint(width: number): number {
    const start = this.at;
    this.skip(width);
    this.check(this.at <= this.bytes.length, CUT_OFF);
    let value = 0;
    for (let at = this.at; at-- > start; ) value = value * 256 + this.bytes[at]!;
    this.check(value <= Number.MAX_SAFE_INTEGER, "has a number of 2^53 or more");
    return value;
  }

  length(): number {
    return this.uint(this.widths.length);
  }

  /** A number of so many bytes; undefined where all bits are ones, which stands for none. */
  optional(width: number): number | undefined {
    const end = this.at + width;
    let at = this.at;
    while (at < end && this.bytes[at] === 0xff) at++;
    if (at < end) return this.uint(width);
    this.at = end;
    return undefined;
  }

  address(): number | undefined {
    return this.optional(this.widths.address);
  }

  /** Passes the letters that a piece begins with. */
  signature(letters: string): void {
    this.check(
      String.fromCharCode(...this.take(letters.length)) === letters,
      `does not begin with ${letters}`,
    );
  }

  /** The same, and its version. */
  expect(signature: string, version: number): void {
    this.signature(signature);
    this.check(this.uint(1) === version, `is not of version ${version}`);
  }

  /** UTF-8 of so many bytes, up to the first 0. */
  text(count: number): string {
    const bytes = this.take(count);
    const end = bytes.indexOf(0);
    return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end), this.what);
  }

  /** UTF-8 up to a 0, which must come. */
  terminated(): string {
    const end = this.bytes.indexOf(0, this.at);
    this.check(end >= 0, "has a name without an end");
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }
}
