/** Small HDF5 files piece by piece, with superblock 2 and headers of the second version, for what h5py does not write. */
import { checksum } from "../../src/formats/hdf5/checksum.js";

const NONE = 2n ** 64n - 1n;

export const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
/** A little-endian number of so many bytes. */
export function little(value: number | bigint, width = 8): number[] {
  return Array.from({ length: width }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 255n));
}

/** Bytes with their checksum behind them. */
export function signed(bytes: readonly number[]): number[] {
  return [...bytes, ...little(checksum(Uint8Array.from(bytes)), 4)];
}

export function message(type: number, body: readonly number[]): number[] {
  return [type, ...little(body.length, 2), 0, ...body];
}

export function header(...messages: readonly number[][]): number[] {
  const all = messages.flat();
  return signed([...ascii("OHDR"), 2, 2, ...little(all.length, 4), ...all]);
}

export const hardLink = (name: string, address: number) =>
  message(6, [1, 0, name.length, ...ascii(name), ...little(address)]);
export const softLink = (name: string, path: string) =>
  message(6, [1, 8, 1, name.length, ...ascii(name), ...little(path.length, 2), ...ascii(path)]);
/** A header goes on in another block. */
export const continuation = (address: number, bytes: number) =>
  message(16, [...little(address), ...little(bytes)]);

/** A data set of one float32, in its header. */
export const SCALAR = [
  message(1, [2, 0, 0, 0]),
  message(3, [0x11, 0x20, 0x1f, 0, ...little(4, 4), ...[0, 0, 32, 0, 23, 8, 0, 23], ...little(127, 4)]),
  message(8, [3, 0, ...little(4, 2), 0, 0, 0x80, 0x3f]),
];

/** A file: `root` adds pieces, which gives their addresses, and returns the root's header. */
export function hdf5(root: (add: (bytes: readonly number[]) => number) => number[]): Uint8Array {
  const pieces: number[] = [];
  const add = (bytes: readonly number[]) => {
    const address = 48 + pieces.length;
    for (const byte of bytes) pieces.push(byte);
    return address;
  };
  const address = add(root(add));
  const start = [0x89, ...ascii("HDF\r\n\x1a\n"), 2, 8, 8, 0, ...little(0), ...little(NONE)];
  return Uint8Array.from([
    ...signed([...start, ...little(48 + pieces.length), ...little(address)]),
    ...pieces,
  ]);
}
