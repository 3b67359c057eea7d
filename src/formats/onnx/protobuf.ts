/**
 * The wire format of protobuf. A message is a list of fields. Each field is a tag (its number and wire type)
 * and a value. Every length is checked here: small libraries such as pbf read past the end of a truncated
 * message without an error.
 */

import { FormatError, unsupported, viewOf } from "../bytes.js";
import { decodeUtf8 } from "../utf8.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A field may cost a hostile file only two bytes. A real model of 10,000 nodes has some 200,000 fields. */
const MOST_FIELDS = 1_000_000;

/** Counts the fields of one file over all its messages. */
export interface Budget {
  fields: number;
}

/**
 * One field of a message. Each method throws a FormatError if the field has another wire type. A tensor may
 * keep a million fields of two bytes each, so a field has no view and no text until one is asked for.
 */
export class Field {
  constructor(
    readonly number: number,
    private readonly message: string,
    readonly wire: number,
    /** The value of a varint (64 bits, unsigned), else 0. */
    readonly varint: bigint,
    /** Where the bytes of any other value lie. */
    private readonly place: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
  ) {}

  /** What messages call the field. */
  get name(): string {
    return `${this.message}: field ${this.number}`;
  }

  get content(): Uint8Array {
    return this.place.bytes.subarray(this.place.start, this.place.end);
  }

  bytes(): Uint8Array {
    if (this.wire !== BYTES) throw this.#wrong("bytes");
    return this.content;
  }

  text(): string {
    return decodeUtf8(this.bytes(), this.name);
  }

  /** A signed integer below 2^53. */
  int(): number {
    if (this.wire !== VARINT) throw this.#wrong("an integer");
    const value = BigInt.asIntN(64, this.varint);
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new FormatError(`${this.name}: ${value} is out of range`);
    return number;
  }

  float(): number {
    if (this.wire !== FIXED32) throw this.#wrong("a float");
    return viewOf(this.content).getFloat32(0, true);
  }

  /**
   * A signed integer, or those of a packed list, one at a time. A list of bigints would take 24 times the
   * bytes.
   */
  *ints(): Generator<bigint> {
    if (this.wire === VARINT) {
      yield BigInt.asIntN(64, this.varint);
      return;
    }
    const content = this.bytes();
    for (let at = 0; at < content.length; ) {
      const { value, end } = readVarint(content, at, this.name);
      yield BigInt.asIntN(64, value);
      at = end;
    }
  }

  /** How many numbers {@link ints} gives: the bytes that end a number are counted. */
  countInts(): number {
    if (this.wire === VARINT) return 1;
    let count = 0;
    for (const byte of this.bytes()) if (byte < 0x80) count++;
    return count;
  }

  /** The bytes of one number of this width, or of a packed list of them. */
  packed(width: 4 | 8): Uint8Array {
    if (this.wire === (width === 4 ? FIXED32 : FIXED64)) return this.content;
    const content = this.bytes();
    if (content.length % width !== 0) {
      throw new FormatError(
        `${this.name}: ${content.length} bytes are no whole count of ${width}-byte numbers`,
      );
    }
    return content;
  }

  #wrong(expected: string): FormatError {
    return new FormatError(`${this.name}: expected ${expected}, got wire type ${this.wire}`);
  }
}

/**
 * The fields of a message in order.
 * @param name what messages begin with
 * @throws FormatError for a message that is broken
 */
export function* readMessage(bytes: Uint8Array, name: string, budget: Budget): Generator<Field> {
  let at = 0;
  while (at < bytes.length) {
    if (++budget.fields > MOST_FIELDS)
      throw new FormatError(`${name}: the file has more than ${MOST_FIELDS} fields`);
    const tag = readVarint(bytes, at, name);
    const number = Number(tag.value >> 3n);
    const wire = Number(tag.value & 7n);
    const label = () => `${name}: field ${number}`;
    if (number < 1 || number > 0x1fffffff) throw new FormatError(`${label()}: no such field number`);
    at = tag.end;
    let value = 0n;
    let length = 0;
    if (wire === VARINT) {
      const varint = readVarint(bytes, at, name);
      value = varint.value;
      length = varint.end - at;
    } else if (wire === FIXED64) length = 8;
    else if (wire === FIXED32) length = 4;
    else if (wire === BYTES) {
      const size = readVarint(bytes, at, name);
      at = size.end;
      // A size may be up to 2^64. It is compared as a bigint, and becomes a number once it is known to fit.
      if (size.value > BigInt(bytes.length - at)) {
        throw new FormatError(`${label()}: ${size.value} bytes, but ${bytes.length - at} are left`);
      }
      length = Number(size.value);
    } else throw unsupported(`${label()}: wire type ${wire} is not supported`);
    if (length > bytes.length - at) {
      throw new FormatError(`${label()}: ${length} bytes, but ${bytes.length - at} are left`);
    }
    yield new Field(number, name, wire, value, { bytes, start: at, end: at + length });
    at += length;
  }
}

function readVarint(bytes: Uint8Array, start: number, name: string): { value: bigint; end: number } {
  let low = 0;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) throw new FormatError(`${name}: the message ends within a number`);
    // Four bytes of seven bits fit in 32 bits. Nearly all numbers are that short.
    if (index < 4) low |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) {
      return { value: index < 4 ? BigInt(low) : longVarint(bytes, start, index), end: start + index + 1 };
    }
  }
  throw new FormatError(`${name}: a number of more than 10 bytes`);
}

function longVarint(bytes: Uint8Array, start: number, last: number): bigint {
  let value = 0n;
  for (let index = last; index >= 0; index--) value = (value << 7n) | BigInt(bytes[start + index]! & 0x7f);
  return BigInt.asUintN(64, value);
}
