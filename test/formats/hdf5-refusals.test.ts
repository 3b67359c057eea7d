/** HDF5 files that are broken, hostile, or hold what is not read. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { type Hdf5Dataset, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/index.js";

const fileOf = (name: string) => new Uint8Array(readFileSync(new URL(`files/hdf5/${name}`, import.meta.url)));

/** All that a file holds, each object once. */
function readAll(bytes: Uint8Array): Map<string, unknown> {
  const all = new Map<string, unknown>();
  const seen = new Set<number>();
  const visit = (object: Hdf5Group | Hdf5Dataset) => {
    if (seen.has(object.address)) return;
    seen.add(object.address);
    for (const name of object.attributeNames()) all.set(`${object.path}@${name}`, object.attribute(name));
    if (object.kind === "dataset") all.set(object.path, object.read());
    else for (const name of object.names()) visit(object.get(name)!);
  };
  visit(openHdf5(bytes, "test"));
  return all;
}

/** Reads all of the file. @returns whether it was refused; what else is thrown goes on */
function refuses(bytes: Uint8Array): boolean {
  try {
    readAll(bytes);
    return false;
  } catch (error) {
    if (error instanceof FormatError) return true;
    throw error;
  }
}

describe("HDF5 files that hold what is not read", () => {
  const root = openHdf5(fileOf("refused.h5"), "test");
  it.each([
    ["lzf", "test: /lzf: filter lzf is not supported; repack the file with h5repack -f GZIP=4"],
    ["scaleoffset", "test: /scaleoffset: filter scaleoffset is not supported"],
    ["compound", "test: /compound: compounds of 8 bytes are not supported"],
    ["opaque", "test: /opaque: opaque bytes of 2 bytes are not supported"],
    ["text", "test: /text: strings of 16 bytes are not supported"],
    ["lists", "test: /lists: lists of variable length of 16 bytes are not supported"],
    ["reference", "test: /reference: references of 8 bytes are not supported"],
    ["complex", "test: /complex: compounds of 8 bytes are not supported"],
    ["quad", "test: /quad: floats of 16 bytes are not supported"],
    ["outside", "test: /outside: data in other files are not supported"],
    ["virtual", "test: /virtual: virtual data sets are not supported"],
    ["external", "test: /external: links to other files are not supported"],
    ["type", "test: /type is neither a group nor a data set"],
  ])("refuses %s by name, and only when it is asked for", (path, message) => {
    let error: unknown;
    try {
      (root.get(path) as Hdf5Dataset).read();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({ code: "LSTM_WASM_UNSUPPORTED" });
    expect((error as Error).message).toContain(message);
  });

  it.each([
    ["unwritten", "test: /unwritten has no data: it was never written"],
    ["unwritten-chunks", "test: /unwritten-chunks has no data: chunk 0 of 3 was never written"],
    ["loop", "test: /loop: more than 16 soft links"],
  ])("refuses %s", (path, message) => {
    expect(() => (root.get(path) as Hdf5Dataset).read()).toThrow(new FormatError(message));
  });

  it("finds nothing behind a link that dangles", () => expect(root.get("dangling")).toBeUndefined());

  it("refuses attributes by name", () => {
    expect(() => root.attribute("grid")).toThrow(
      'test: attribute "grid": strings of shape [1,2] are not supported',
    );
    expect(() => root.attribute("pair")).toThrow(
      'test: attribute "pair": compounds of 4 bytes are not supported',
    );
    expect(root.attribute("spaces")).toBe("fixed");
  });
});

const SMALL = ["earliest.h5", "latest.h5", "gzip.h5"];

describe("HDF5 files that are damaged", () => {
  it.each(SMALL)("no beginning of %s is read", (name) => {
    const whole = fileOf(name);
    const passed: number[] = [];
    for (let length = 0; length < whole.length; length++) {
      if (!refuses(whole.subarray(0, length))) passed.push(length);
    }
    expect(passed).toEqual([]);
  });
});
