/**
 * The wire format of protobuf. A message is a list of fields. Each field is a tag (its number and wire type)
 * and a value. Every length is checked here: small libraries such as pbf read past the end of a truncated
 * message without an error. A file may have a million fields, so that a field is no object and no bigint.
 */

import { FormatError, unsupported, viewOf } from "../bytes.js";
import { decodeUtf8, shortAscii } from "../utf8.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A field may cost a hostile file only two bytes. A real model of 10,000 nodes has some 200,000 fields. */
const MOST_FIELDS = 1_000_000;

/** A file, and how many fields have been read of it over all its messages. */
export class Source {
  fields = 0;
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = viewOf(bytes);
  }
}

/**
 * A message, and one of its fields at a time, in order. Before the first {@link next} there is none. The methods
 * that read the field throw a FormatError if it has another wire type.
 */
export class Message {
  /** Of the field: its number and its wire type. */
  number = 0;
  wire = 0;
  /** The halves of a varint of 64 bits, each as a signed integer. */
  low = 0;
  high = 0;
  /** Where the field's value lies. */
  start: number;
  end: number;

  /** @param name what messages begin with */
  constructor(
    readonly source: Source,
    private readonly from: number,
    private readonly to: number,
    private readonly name: string,
  ) {
    this.start = from;
    this.end = from;
  }

  /**
   * Goes to the next field. False if there is none.
   * @throws FormatError for a message that is broken
   */
  next(): boolean {
    const { source, to, name } = this;
    if (this.end >= to) return false;
    if (++source.fields > MOST_FIELDS)
      throw new FormatError(`${name}: the file has more than ${MOST_FIELDS} fields`);
    let at = this.#varint(this.end, to);
    this.wire = this.low & 7;
    this.number = (this.high >>> 0) * 2 ** 29 + (this.low >>> 3);
    if (this.number < 1 || this.number > 0x1fffffff)
      throw new FormatError(`${this.label}: no such field number`);
    let length = 0;
    if (this.wire === VARINT) length = this.#varint(at, to) - at;
    else if (this.wire === FIXED64) length = 8;
    else if (this.wire === FIXED32) length = 4;
    else if (this.wire === BYTES) {
      at = this.#varint(at, to);
      length = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0);
    } else throw unsupported(`${this.label}: wire type ${this.wire} is not supported`);
    if (length > to - at) {
      const stated = this.wire === BYTES ? BigInt.asUintN(64, this.integer) : length;
      throw new FormatError(`${this.label}: ${stated} bytes, but ${to - at} are left`);
    }
    this.start = at;
    this.end = at + length;
    return true;
  }

  /** The same message from its first field on. Its fields are not counted once more. */
  again(): Message {
    const source = new Source(this.source.bytes);
    return new Message(source, this.from, this.to, this.name);
  }

  /** What messages call the field. */
  get label(): string {
    return `${this.name}: field ${this.number}`;
  }

  /** The signed integer whose halves were read last. */
  get integer(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  bytes(): Uint8Array {
    this.#expect(BYTES, "bytes");
    return this.source.bytes.subarray(this.start, this.end);
  }

  /** The field as a message of its own. */
  message(name: string): Message {
    this.#expect(BYTES, "bytes");
    return new Message(this.source, this.start, this.end, name);
  }

  text(): string {
    this.#expect(BYTES, "bytes");
    return shortAscii(this.source.bytes, this.start, this.end) ?? decodeUtf8(this.bytes(), this.label);
  }

  /** A signed integer; one of 2^53 or more as the nearest float. */
  number64(): number {
    this.#expect(VARINT, "an integer");
    return this.high * 2 ** 32 + (this.low >>> 0);
  }

  /** A signed integer below 2^53. */
  int(): number {
    const number = this.number64();
    if (!Number.isSafeInteger(number))
      throw new FormatError(`${this.label}: ${this.integer} is out of range`);
    return number;
  }

  float(): number {
    this.#expect(FIXED32, "a float");
    return this.source.view.getFloat32(this.start, true);
  }

  /** Visits a signed integer, or those of a packed list, by the halves that {@link low} and {@link high} give. */
  eachInt(visit: (low: number, high: number) => void): void {
    if (this.wire === VARINT) visit(this.low, this.high);
    else {
      this.#expect(BYTES, "bytes");
      for (let at = this.start; at < this.end; ) {
        at = this.#varint(at, this.end);
        visit(this.low, this.high);
      }
    }
  }

  /** How many numbers {@link eachInt} visits: the bytes that end a number are counted. */
  countInts(): number {
    if (this.wire === VARINT) return 1;
    this.#expect(BYTES, "bytes");
    const { bytes } = this.source;
    let count = 0;
    for (let at = this.start; at < this.end; at++) if (bytes[at]! < 0x80) count++;
    return count;
  }

  /** The bytes of one number of this width, or of a packed list of them. */
  packedBytes(width: 4 | 8): number {
    if (this.wire === (width === 4 ? FIXED32 : FIXED64)) return width;
    this.#expect(BYTES, "bytes");
    const length = this.end - this.start;
    if (length % width !== 0) {
      throw new FormatError(`${this.label}: ${length} bytes are no whole count of ${width}-byte numbers`);
    }
    return length;
  }

  #expect(wire: number, expected: string): void {
    if (this.wire !== wire)
      throw new FormatError(`${this.label}: expected ${expected}, got wire type ${this.wire}`);
  }

  /** Reads the halves of a number, and gives the index of the byte after it. */
  #varint(start: number, end: number): number {
    const { bytes } = this.source;
    this.high = 0;
    if (start < end && bytes[start]! < 0x80) {
      this.low = bytes[start]!;
      return start + 1;
    }
    this.low = 0;
    for (let at = start, shift = 0; shift < 70; at++, shift += 7) {
      if (at >= end) throw new FormatError(`${this.name}: the message ends within a number`);
      const byte = bytes[at]!;
      const bits = byte & 0x7f;
      if (shift < 32) this.low |= bits << shift;
      if (shift >= 28) this.high |= shift === 28 ? bits >> 4 : bits << (shift - 32);
      if (byte < 0x80) return at + 1;
    }
    throw new FormatError(`${this.name}: a number of more than 10 bytes`);
  }
}
