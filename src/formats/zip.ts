/**
 * The zip container of `.pt`, `.keras` and `.npz` files, stored or deflated, with or without zip64 records. The
 * directory is checked before any entry is read. Names must be unique. Every entry must lie in the file, and none may
 * overlap another. All entries must inflate to no more than the caller allows, so a zip bomb is refused
 * before it is unpacked. Checksums are not compared, since PyTorch can be told to write none. Messages begin with the
 * format that the zip belongs to.
 */

import { show } from "../tensor/checks.js";
import { FormatError, unsupported, viewOf } from "./bytes.js";
import { inflateExactly } from "./inflate.js";
import { decodeUtf8 } from "./utf8.js";

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_END = 0x06064b50;
const DIRECTORY_END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly name: string;
  readonly method: number;
  /** Index of the first byte of its local header, and of its content. */
  readonly header: number;
  readonly start: number;
  readonly compressedBytes: number;
  readonly bytes: number;
}

/** Whether the bytes begin as a zip does. */
export function isZip(file: Uint8Array): boolean {
  return file.length >= 4 && viewOf(file).getUint32(0, true) === LOCAL_HEADER;
}

/** The entries of a zip by name. Each is inflated when it is asked for. */
export class Zip {
  readonly #file: Uint8Array;
  readonly #entries = new Map<string, Entry>();
  readonly #format: string;

  /**
   * @param format begins the messages: `"torch"`
   * @throws FormatError for a malformed directory, or one whose entries inflate to more than `mostBytes`.
   */
  constructor(file: Uint8Array, mostBytes: number, format: string) {
    this.#file = file;
    this.#format = format;
    const entries = readDirectory(file, format);
    let total = 0;
    let covered = 0;
    for (const entry of [...entries].sort((a, b) => a.header - b.header)) {
      const label = `entry ${show(entry.name)}`;
      if (this.#entries.has(entry.name)) throw bad(format, `${label} occurs twice`);
      if (entry.header < covered) throw bad(format, `${label} overlaps another entry`);
      covered = entry.start + entry.compressedBytes;
      total += entry.bytes;
      if (total > mostBytes) throw bad(format, `entries inflate to more than ${mostBytes} bytes`);
      this.#entries.set(entry.name, entry);
    }
  }

  names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The bytes of an entry's content. @throws FormatError if it is missing */
  sizeOf(name: string): number {
    return this.#entry(name).bytes;
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw bad(this.#format, `entry ${show(name)} is missing`);
    return entry;
  }

  /**
   * The content of an entry, a view of the file if it is stored. @throws FormatError if it is missing or
   * broken
   */
  read(name: string): Uint8Array {
    const entry = this.#entry(name);
    const content = this.#file.subarray(entry.start, entry.start + entry.compressedBytes);
    if (entry.method === STORED) return content;
    return inflateExactly(content, entry.bytes, `${this.#format}: zip: entry ${show(name)}`);
  }
}

function readDirectory(file: Uint8Array, format: string): Entry[] {
  const view = viewOf(file);
  const { count, start, end } = findDirectory(view, format);
  const entries: Entry[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) {
      throw bad(format, `directory entry ${index} of ${count} is missing`);
    }
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > end) throw bad(format, `directory entry ${index} reaches past the directory`);
    const nameEnd = at + 46 + nameBytes;
    const name = decodeUtf8(file.subarray(at + 46, nameEnd), `${format}: zip: name of entry ${index}`);
    const record = viewOf(file.subarray(at, next));
    const extra = viewOf(file.subarray(nameEnd, nameEnd + extraBytes));
    entries.push(readEntry(file.subarray(0, start), name, record, extra, format));
    at = next;
  }
  if (at !== end) throw bad(format, `the directory has ${end - at} bytes after its ${count} entries`);
  return entries;
}

/**
 * Reads an entry from its record in the directory and the extra field of the record. `data` is all that comes
 * before the directory.
 */
function readEntry(data: Uint8Array, name: string, record: DataView, extra: DataView, format: string): Entry {
  const view = viewOf(data);
  const label = `entry ${show(name)}`;
  if (name.startsWith("/") || name.split("/").includes("..")) {
    throw bad(format, `${label}: the name leads out of the archive`);
  }
  if (record.getUint16(8, true) & 0x2041) throw unsupported(`${format}: zip: ${label} is encrypted`);
  const method = record.getUint16(10, true);
  if (method !== STORED && method !== DEFLATED) {
    throw unsupported(
      `${format}: zip: ${label}: compression method ${method} is not supported; supported are stored and deflated`,
    );
  }
  const sizes = [24, 20, 42].map((at) => record.getUint32(at, true));
  const [bytes, compressedBytes, header] = widen(sizes, extra, label, format) as [number, number, number];
  if (method === STORED && bytes !== compressedBytes) {
    throw bad(format, `${label} is stored in ${compressedBytes} bytes, but states ${bytes}`);
  }
  // A local header before the content repeats name and extra field, perhaps with other lengths.
  if (header + 30 > data.length || view.getUint32(header, true) !== LOCAL_HEADER) {
    throw bad(format, `${label}: no local header at ${header}`);
  }
  const localNameBytes = view.getUint16(header + 26, true);
  const start = header + 30 + localNameBytes + view.getUint16(header + 28, true);
  if (start + compressedBytes > data.length) {
    throw bad(
      format,
      `${label}: ${compressedBytes} bytes at ${start} reach past the data, which end at ${data.length}`,
    );
  }
  const localName = data.subarray(header + 30, header + 30 + localNameBytes);
  if (decodeUtf8(localName, `${format}: zip: local name of ${label}`) !== name) {
    throw bad(format, `${label} has another name in its local header`);
  }
  return { name, method, header, start, compressedBytes, bytes };
}

/**
 * The sizes as they are, but a size of 0xffffffff is replaced by the next 64-bit number of the extra field of
 * kind 1.
 */
function widen(sizes: readonly number[], extra: DataView, label: string, format: string): number[] {
  let at = 0;
  let end = 0;
  while (end + 4 <= extra.byteLength) {
    const kind = extra.getUint16(end, true);
    at = end + 4;
    end = at + extra.getUint16(end + 2, true);
    if (kind === 1) break;
    at = end;
  }
  return sizes.map((size) => {
    if (size !== 0xffffffff) return size;
    if (at + 8 > Math.min(end, extra.byteLength)) throw bad(format, `${label}: a 64-bit size is missing`);
    at += 8;
    return safe(extra.getBigUint64(at - 8, true), label, format);
  });
}

function findDirectory(view: DataView, format: string): { count: number; start: number; end: number } {
  const last = view.byteLength - DIRECTORY_END_BYTES;
  let at = last;
  // A comment of up to 65,535 bytes may follow the end record, up to the end of the file.
  while (at >= 0 && at >= last - 0xffff) {
    if (view.getUint32(at, true) === DIRECTORY_END && view.getUint16(at + 20, true) === last - at) break;
    at--;
  }
  if (at < 0 || at < last - 0xffff) throw bad(format, "no directory at the end; the file is truncated");
  let count = view.getUint16(at + 10, true);
  let bytes = view.getUint32(at + 12, true);
  let start = view.getUint32(at + 16, true);
  let end = at;
  if (at >= 20 && view.getUint32(at - 20, true) === ZIP64_LOCATOR) {
    end = safe(view.getBigUint64(at - 12, true), "zip64 record", format);
    if (end + 56 > at - 20 || view.getUint32(end, true) !== ZIP64_END) {
      throw bad(format, `no zip64 record at ${end}`);
    }
    // In several zips one after the other, it may be the record of another one.
    const after = end + 12 + safe(view.getBigUint64(end + 4, true), "zip64 record", format);
    if (after !== at - 20)
      throw bad(format, `the zip64 record at ${end} ends at ${after}, not at ${at - 20}`);
    count = safe(view.getBigUint64(end + 32, true), "zip64 count", format);
    bytes = safe(view.getBigUint64(end + 40, true), "zip64 directory size", format);
    start = safe(view.getBigUint64(end + 48, true), "zip64 directory offset", format);
  }
  if (start + bytes !== end)
    throw bad(format, `the directory of ${bytes} bytes at ${start} does not end at ${end}`);
  return { count, start, end };
}

function safe(size: bigint, label: string, format: string): number {
  if (size > Number.MAX_SAFE_INTEGER) throw bad(format, `${label}: ${size} is more than any file holds`);
  return Number(size);
}

function bad(format: string, message: string): FormatError {
  return new FormatError(`${format}: zip: ${message}`);
}
