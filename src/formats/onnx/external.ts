/** Files beside a model that hold its weights. They exist because a protobuf message ends at 2 GB. */

import { isArray, reading, show, wrongType } from "../../tensor/checks.js";
import { MOST_EXPANSION } from "../allowance.js";
import { asBytes, FormatError } from "../bytes.js";

/** The files that a caller gives, by the names that the model has for them. */
export class ExternalFiles {
  /** Bytes of all files. */
  readonly size: number;
  readonly #files = new Map<string, Uint8Array>();
  /** Tensors may share bytes, within limits. */
  #bytesLeft: number;

  /** @throws TypeError for anything but a record of bytes. */
  constructor(files: unknown = {}) {
    const expected = "a record of files by name";
    if (typeof files !== "object" || files === null || isArray(files)) {
      throw wrongType("options.externalData", expected, files);
    }
    for (const [name, content] of reading("options.externalData", expected, () => Object.entries(files))) {
      this.#files.set(name, asBytes(content, `options.externalData[${show(name)}]`));
    }
    this.size = [...this.#files.values()].reduce((sum, { length }) => sum + length, 0);
    this.#bytesLeft = MOST_EXPANSION * this.size;
  }

  /**
   * What a tensor's external_data points at: `length` bytes from `offset` of the file `location`, or all from
   * there on. Undefined if that file was not given.
   * @throws FormatError if the file has no such bytes
   */
  read(place: ReadonlyMap<string, string>, label: string): Uint8Array | undefined {
    const location = place.get("location");
    const file = this.#files.get(location ?? "");
    if (file === undefined) return undefined;
    const number = (key: string, missing: number): number => {
      const text = place.get(key);
      if (text === undefined) return missing;
      if (!/^\d{1,15}$/.test(text)) throw new FormatError(`${label}: external data: ${key} is ${show(text)}`);
      return Number(text);
    };
    const offset = number("offset", 0);
    const length = number("length", file.length - offset);
    if (length < 0 || offset + length > file.length) {
      throw new FormatError(
        `${label}: external data: ${length} bytes at ${offset} of ${show(location)}, which has ${file.length}`,
      );
    }
    this.#bytesLeft -= length;
    if (this.#bytesLeft < 0) throw new FormatError(`${label}: external data: tensors share bytes too often`);
    return file.subarray(offset, offset + length);
  }
}
