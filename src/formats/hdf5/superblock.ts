/** The superblock: where the file begins, how wide its addresses are, and where its root group is. */

import { FormatError, unsupported } from "../bytes.js";
import { Hdf5File } from "./file.js";

/** As text its first byte and 0x1a would be others in a page of another encoding, where bundlers write them as they are. */
const SIGNATURE: readonly number[] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** A user block before the superblock takes 512 bytes, or twice as many, and so on. */
const LEAST_USER_BLOCK = 512;

/** Where the superblock begins; undefined if the bytes are no HDF5 file. */
function findSuperblock(bytes: Uint8Array): number | undefined {
  for (let at = 0; at + 8 <= bytes.length; at = Math.max(LEAST_USER_BLOCK, 2 * at)) {
    if (SIGNATURE.every((byte, place) => bytes[at + place] === byte)) return at;
  }
  return undefined;
}

/** The file and the address of its root group. Addresses count from the superblock. */
export function readSuperblock(
  all: Uint8Array,
  label: string,
  allowed: number,
): { file: Hdf5File; root: number | undefined } {
  const start = findSuperblock(all);
  if (start === undefined) throw new FormatError(`${label}: not an HDF5 file: it has no signature`);
  const bytes = all.subarray(start);
  const what = `${label}: superblock`;
  if (bytes.length < 16) throw new FormatError(`${what} is cut off`);
  const version = bytes[8]!;
  if (version > 3) throw unsupported(`${what}: version ${version} is not supported; supported are 0 to 3`);
  const old = version < 2;
  const [address, length] = bytes.subarray(old ? 13 : 9) as unknown as [number, number];
  if (![address, length].every((width) => width === 2 || width === 4 || width === 8)) {
    throw unsupported(`${what}: addresses of ${address} bytes are not supported; supported are 2, 4 and 8`);
  }
  const file = new Hdf5File(bytes, { address, length }, label, allowed);
  const before = old ? (version === 1 ? 28 : 24) : 12;
  const piece = old
    ? file.piece(0, before + 6 * address, "superblock")
    : file.checked(0, before + 4 * address + 4, "superblock");
  piece.skip(before);
  const base = piece.address() ?? 0;
  piece.address();
  const end = (piece.address() ?? Number.POSITIVE_INFINITY) - base;
  if (end > bytes.length)
    throw piece.bad(`states ${end} bytes, but the file has ${bytes.length}; it is truncated`);
  if (old) piece.skip(2 * address);
  return { file, root: piece.address() };
}
