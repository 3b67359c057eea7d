/**
 * Small HDF5 files as h5py writes them for Keras: superblock 0, groups with one B-tree node, contiguous data sets, and
 * attributes that are strings or lists of them.
 */
import { strToU8 } from "fflate";

export interface Hdf5Data {
  readonly shape: readonly number[];
  /** Its kind is the type in the file. Zeros by default. */
  readonly data?: Float32Array | Float64Array | Int32Array | Int8Array;
}
export interface Hdf5Tree {
  /** An empty list is one of float64, as h5py makes it. */
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  readonly members?: ReadonlyMap<string, Hdf5Tree | Hdf5Data>;
}

const UNDEFINED = Array<number>(8).fill(255);
const bytesOf = (value: number, width: number): number[] =>
  Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** at) % 256);
const ascii = (text: string): number[] => [...strToU8(text)];
const padded = (bytes: readonly number[]): number[] => [
  ...bytes,
  ...Array<number>((8 - (bytes.length % 8)) % 8).fill(0),
];
/** No header or attribute holds more. */
const MOST_INLINE = 4000;

const FLOAT = (size: number) =>
  size === 4
    ? [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]
    : [0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0];
const INTEGER = (size: number) => [0x10, 8, 0, 0, size, 0, 0, 0, 0, 0, 8 * size, 0];
const FIXED = (size: number) => [0x13, 1, 0, 0, ...bytesOf(size, 4)];
const VARIABLE = [0x19, 1, 1, 0, ...bytesOf(16, 4), ...FIXED(1)];
const space = (shape: readonly number[]) => [
  1,
  shape.length,
  0,
  0,
  0,
  0,
  0,
  0,
  ...shape.flatMap((n) => bytesOf(n, 8)),
];

class Writer {
  readonly #parts: Uint8Array[] = [];
  length = 96;

  /** @returns the address */
  put(bytes: Uint8Array | readonly number[]): number {
    const address = this.length;
    const part = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
    part.set(bytes);
    this.#parts.push(part);
    this.length += part.length;
    return address;
  }

  message(type: number, body: readonly number[]): number[] {
    const data = padded(body);
    return [...bytesOf(type, 2), ...bytesOf(data.length, 2), 0, 0, 0, 0, ...data];
  }

  header(messages: readonly (readonly number[])[]): number {
    const bytes = messages.flat();
    return this.put([
      1,
      0,
      ...bytesOf(messages.length, 2),
      ...bytesOf(1, 4),
      ...bytesOf(bytes.length, 4),
      0,
      0,
      0,
      0,
      ...bytes,
    ]);
  }

  /** A string of variable length: its bytes in a heap of their own. */
  variable(text: string): number[] {
    const content = strToU8(text);
    const size = 16 + 16 + Math.ceil(content.length / 8) * 8 + 16;
    const heap = new Uint8Array(size);
    heap.set([
      ...ascii("GCOL"),
      1,
      0,
      0,
      0,
      ...bytesOf(size, 8),
      1,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      ...bytesOf(content.length, 8),
    ]);
    heap.set(content, 32);
    return [...bytesOf(content.length, 4), ...bytesOf(this.put(heap), 8), ...bytesOf(1, 4)];
  }

  attribute(name: string, value: string | readonly string[]): number[] {
    const list = typeof value === "string" ? [value] : value;
    const longest = Math.max(1, ...list.map((text) => strToU8(text).length));
    const isShort = longest * list.length < MOST_INLINE;
    const type = list.length === 0 ? FLOAT(8) : isShort ? FIXED(longest) : VARIABLE;
    const data = list.flatMap((text) => {
      if (!isShort) return this.variable(text);
      const content = ascii(text);
      return [...content, ...Array<number>(longest - content.length).fill(0)];
    });
    const shape = space(typeof value === "string" ? [] : [list.length]);
    const label = [...ascii(name), 0];
    const sizes = [label, type, shape].flatMap((part) => bytesOf(part.length, 2));
    return this.message(12, [1, 0, ...sizes, ...padded(label), ...padded(type), ...padded(shape), ...data]);
  }

  dataset({ shape, data }: Hdf5Data): number {
    const elements = shape.reduce((product, size) => product * size, 1);
    const numbers = data ?? new Float32Array(elements);
    const size = numbers.BYTES_PER_ELEMENT;
    const type =
      numbers instanceof Float32Array || numbers instanceof Float64Array ? FLOAT(size) : INTEGER(size);
    const address = this.put(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
    return this.header([
      this.message(1, space(shape)),
      this.message(3, type),
      this.message(8, [3, 1, ...bytesOf(address, 8), ...bytesOf(numbers.byteLength, 8)]),
    ]);
  }

  group({ attributes = {}, members = new Map() }: Hdf5Tree): number {
    const entries = [...members].map(([name, member]) => ({
      name,
      address: "shape" in member ? this.dataset(member) : this.group(member),
    }));
    const names: number[] = Array<number>(8).fill(0);
    const symbols = entries.flatMap(({ name, address }) => {
      const at = names.length;
      for (const byte of padded([...ascii(name), 0])) names.push(byte);
      return [...bytesOf(at, 8), ...bytesOf(address, 8), ...Array<number>(24).fill(0)];
    });
    const data = this.put(names);
    const heap = this.put([
      ...ascii("HEAP"),
      0,
      0,
      0,
      0,
      ...bytesOf(names.length, 8),
      ...bytesOf(1, 8),
      ...bytesOf(data, 8),
    ]);
    const node = this.put([...ascii("SNOD"), 1, 0, ...bytesOf(entries.length, 2), ...symbols]);
    const tree = this.put([
      ...[...ascii("TREE"), 0, 0, 1, 0, ...UNDEFINED, ...UNDEFINED],
      ...[...bytesOf(0, 8), ...bytesOf(node, 8), ...bytesOf(8, 8)],
    ]);
    return this.header([
      this.message(17, [...bytesOf(tree, 8), ...bytesOf(heap, 8)]),
      ...Object.entries(attributes).map(([name, value]) => this.attribute(name, value)),
    ]);
  }

  finish(root: number): Uint8Array {
    const file = new Uint8Array(this.length);
    file.set([
      0x89,
      ...ascii("HDF\r\n\x1a\n"),
      0,
      0,
      0,
      0,
      0,
      8,
      8,
      0,
      4,
      0,
      16,
      0,
      0,
      0,
      0,
      0,
      ...bytesOf(0, 8),
      ...UNDEFINED,
    ]);
    file.set([...bytesOf(this.length, 8), ...UNDEFINED, ...bytesOf(0, 8), ...bytesOf(root, 8)], 40);
    let at = 96;
    for (const part of this.#parts) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  }
}

/** A file of a root group. */
export function hdf5(root: Hdf5Tree): Uint8Array {
  const writer = new Writer();
  return writer.finish(writer.group(root));
}
