/**
 * The bytes of an HDF5 file behind its user block, and what reading them may cost. Each piece of metadata is read
 * once, so that all pieces together are about as long as the file. Pieces that overlap or form a circle exceed this
 * soon, and are refused.
 */

import { FormatError } from "../bytes.js";
import { checksum } from "./checksum.js";
import { Cursor, type Widths } from "./cursor.js";

const MOST_METADATA = 4;
const ALWAYS_ALLOWED_METADATA = 65536;

export const WRONG_CHECKSUM = "has a wrong checksum";

export class Hdf5File {
  #metadata: number;
  #allowed: number;

  /** @param allowed bytes that data sets and strings may take together */
  constructor(
    readonly bytes: Uint8Array,
    readonly widths: Widths,
    readonly label: string,
    allowed: number,
  ) {
    this.#metadata = MOST_METADATA * bytes.length + ALWAYS_ALLOWED_METADATA;
    this.#allowed = allowed;
  }

  bad(message: string): FormatError {
    return new FormatError(`${this.label}: ${message}`);
  }

  /** Counts bytes of metadata that are about to be read. */
  spend(bytes: number): void {
    this.#metadata -= bytes;
    if (this.#metadata < 0) throw this.bad("HDF5: the file's parts overlap or form a circle");
  }

  /** Counts bytes that are about to be allocated. */
  allow(bytes: number, what: string): void {
    if (bytes > this.#allowed) throw this.bad(`${what} takes ${bytes} bytes, more than the file may become`);
    this.#allowed -= bytes;
  }

  /** A view of bytes of the file. @throws FormatError if they do not lie in it */
  view(address: number | undefined, bytes: number, what: string): Uint8Array {
    if (address === undefined) throw this.bad(`${what} is missing: it has no address`);
    if (bytes > this.bytes.length - address) {
      throw this.bad(`${what} at ${address} reaches past the file's end`);
    }
    return this.bytes.subarray(address, address + bytes);
  }

  /** The same as a piece of metadata, which counts. */
  piece(address: number | undefined, bytes: number, what: string): Cursor {
    const view = this.view(address, bytes, what);
    this.spend(bytes);
    return this.cursor(view, `${what} at ${address}`);
  }

  /** A piece that ends with a checksum, which is verified and cut off. */
  checked(address: number | undefined, bytes: number, what: string): Cursor {
    const all = this.piece(address, bytes, what);
    const content = all.take(bytes - 4);
    all.check(all.uint(4) === checksum(content), WRONG_CHECKSUM);
    return this.cursor(content, `${what} at ${address}`);
  }

  cursor(bytes: Uint8Array, what: string): Cursor {
    return new Cursor(bytes, this.widths, `${this.label}: ${what}`);
  }
}
