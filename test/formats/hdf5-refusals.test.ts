/** HDF5 files that are broken, hostile, or hold what is not read. */
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { checksum } from "../../src/formats/hdf5/checksum.js";
import { type Hdf5Dataset, type Hdf5Group, openHdf5 } from "../../src/formats/hdf5/index.js";

const fileOf = (name: string) => new Uint8Array(readFileSync(new URL(`files/hdf5/${name}`, import.meta.url)));

/** All that a file holds, each object once, by the first path to it: /alias is /lstm/kernel. */
function readAll(bytes: Uint8Array): Map<string, unknown> {
  const all = new Map<string, unknown>();
  const seen = new Set<number>();
  const visit = (object: Hdf5Group | Hdf5Dataset) => {
    if (seen.has(object.address)) return;
    seen.add(object.address);
    for (const name of object.attributeNames()) all.set(`${object.path}@${name}`, object.attribute(name));
    if (object.kind === "dataset") all.set(object.path, object.read());
    else {
      for (const name of object.names()) {
        const below = object.get(name);
        if (below !== undefined) visit(below);
      }
    }
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
    ["loop", "test: /loop: its soft links do not end"],
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

const latin = new TextDecoder("latin1");
/** Where the last piece with a signature begins. */
const find = (bytes: Uint8Array, text: string) => latin.decode(bytes).lastIndexOf(text);

/** A file that was changed by its view. */
function changed(name: string, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = fileOf(name);
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

const addressOf = (bytes: Uint8Array, path: string) => openHdf5(bytes, "test").get(path)!.address;

/** Where the content of an old header's first message of a kind begins. */
function messageAt(view: DataView, header: number, type: number): number {
  for (let at = header + 16; ; at += 8 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === type) return at + 8;
  }
}

const setAddress = (view: DataView, at: number, value: number | bigint) =>
  view.setBigUint64(at, BigInt(value), true);

/** Gives a piece the checksum that it should have. */
function sign(view: DataView, bytes: Uint8Array, start: number, length: number): void {
  view.setUint32(start + length, checksum(bytes.subarray(start, start + length)), true);
}

const KERNEL = "lstm/kernel";
/** A change of the kernel's message of a kind in an old file. */
const inKernel = (type: number, change: (view: DataView, at: number) => void, name = "earliest.h5") =>
  changed(name, (view, bytes) => change(view, messageAt(view, addressOf(bytes, KERNEL), type)));
/** A change of the node that leads to the kernel's chunks: its entries begin at byte 24, a key takes 32 bytes. */
const inChunks = (change: (view: DataView, node: number, bytes: Uint8Array) => void) =>
  changed("gzip.h5", (view, bytes) => {
    const layout = messageAt(view, addressOf(bytes, KERNEL), 8);
    change(view, Number(view.getBigUint64(layout + 3, true)), bytes);
  });
const CHUNK_STRIDE = 40;

describe("hostile HDF5 files", () => {
  it.each<[string, () => Uint8Array, string]>([
    [
      "a B-tree that holds itself",
      () =>
        changed("earliest.h5", (view, bytes) => {
          const tree = find(bytes, "TREE");
          view.setUint8(tree + 5, 1);
          setAddress(view, tree + 32, tree);
        }),
      "is damaged",
    ],
    [
      "a header that continues in itself",
      () =>
        changed("earliest.h5", (view, bytes) => {
          const next = messageAt(view, openHdf5(bytes, "test").address, 16);
          const block = Number(view.getBigUint64(next, true));
          bytes.copyWithin(block, next - 8, next + 16);
        }),
      "occurs twice",
    ],
    [
      "a header with too many messages",
      () =>
        changed("earliest.h5", (view, bytes) => view.setUint16(addressOf(bytes, KERNEL) + 2, 0xffff, true)),
      "messages, but states 65535",
    ],
    [
      "dimensions whose product is too large",
      () =>
        inKernel(1, (view, at) => {
          setAddress(view, at + 8, 2n ** 33n);
          setAddress(view, at + 16, 2n ** 33n);
        }),
      "test: /alias has a shape that cannot be: [8589934592,8589934592]",
    ],
    [
      "more elements than are stored",
      () =>
        inKernel(1, (view, at) => {
          view.setUint8(at + 2, 0);
          setAddress(view, at + 8, 4);
        }),
      "test: /alias takes 128 bytes, but 96 are stored",
    ],
    [
      "more elements than the file may become",
      () =>
        inKernel(1, (view, at) => {
          view.setUint8(at + 2, 0);
          setAddress(view, at + 8, 2n ** 40n);
        }),
      "test: /alias takes 35184372088832 bytes, more than the file may become",
    ],
    [
      "data past the file's end",
      () => inKernel(8, (view, at) => setAddress(view, at + 2, 2 ** 20)),
      "test: /alias at 1048576 reaches past the file's end",
    ],
    [
      "data that was never written",
      () => inKernel(8, (view, at) => setAddress(view, at + 2, 2n ** 64n - 1n)),
      "test: /alias has no data: it was never written",
    ],
    [
      "a chunk that inflates to more than it should",
      () => inKernel(8, (view, at) => view.setUint32(at + 11, 1, true), "gzip.h5"),
      "chunk 0 inflates to more than the 12 bytes it states",
    ],
    [
      "a deflate bomb",
      () => {
        const bomb = deflateSync(new Uint8Array(2 ** 24));
        const start = fileOf("gzip.h5").length;
        const file = inChunks((view, node) => {
          view.setUint32(node + 24, bomb.length, true);
          view.setUint32(node + 28, 0b101, true);
          setAddress(view, node + 24 + 32, start);
          setAddress(view, 40, start + bomb.length);
        });
        const whole = new Uint8Array(start + bomb.length);
        whole.set(file);
        whole.set(bomb, start);
        return whole;
      },
      "chunk 0",
    ],
    [
      "chunks that overlap",
      () =>
        inChunks((view, node) => {
          const first = node + 24 + 32;
          setAddress(view, first + CHUNK_STRIDE, view.getBigUint64(first, true) + 1n);
        }),
      "has chunks that overlap",
    ],
    [
      "a chunk in two places",
      () =>
        inChunks((_, node, bytes) =>
          bytes.copyWithin(node + 24 + CHUNK_STRIDE, node + 24, node + 24 + CHUNK_STRIDE),
        ),
      "is damaged",
    ],
    [
      "a chunk that is missing",
      () => inChunks((view, node) => view.setUint16(node + 6, view.getUint16(node + 6, true) - 1, true)),
      "test: /alias has no data: chunk 2 of 3 was never written",
    ],
    [
      "far more chunks than bytes",
      () =>
        inKernel(
          1,
          (view, at) => {
            view.setUint8(at + 2, 0);
            setAddress(view, at + 8, 2 ** 20);
          },
          "gzip.h5",
        ),
      "has 1048578 chunks",
    ],
    [
      "a name that is not in its heap",
      () => changed("earliest.h5", (view, bytes) => setAddress(view, find(bytes, "SNOD") + 8, 2 ** 30)),
      "has a name without an end",
    ],
    [
      "a heap without ends of names",
      () =>
        changed("earliest.h5", (view, bytes) => {
          const heap = find(bytes, "HEAP");
          const start = Number(view.getBigUint64(heap + 24, true));
          bytes.fill(0x61, start, start + Number(view.getBigUint64(heap + 8, true)));
        }),
      "has a name without an end",
    ],
    [
      "a name that occurs twice",
      () =>
        changed("earliest.h5", (view, bytes) => {
          const node = find(bytes, "SNOD");
          setAddress(view, node + 8, view.getBigUint64(node + 48, true));
        }),
      "occurs twice",
    ],
    [
      "a string that is longer than its heap's",
      () =>
        changed("earliest.h5", (view, bytes) => {
          const object = find(bytes, "GCOL") + 16;
          setAddress(view, object + 8, view.getBigUint64(object + 8, true) - 1n);
        }),
      "has a string that its heap at",
    ],
    [
      "a heap's object that is longer than the heap",
      () => changed("earliest.h5", (view, bytes) => setAddress(view, find(bytes, "GCOL") + 24, 2 ** 20)),
      "is cut off",
    ],
    [
      "a heap that is longer than the file",
      () => changed("earliest.h5", (view, bytes) => setAddress(view, find(bytes, "GCOL") + 8, 2 ** 20)),
      "reaches past the file's end",
    ],
    [
      "a fractal heap of another owner",
      () =>
        changed("dense.h5", (view, bytes) => {
          const block = find(bytes, "FHDB");
          setAddress(view, block + 5, 0);
        }),
      "is damaged",
    ],
    [
      "an ID that leads out of its fractal heap",
      () =>
        changed("dense.h5", (view, bytes) => {
          // The tree of links. A record has a hash of 4 bytes, then the ID: its kind and the offset.
          const head = find(bytes, "BTHD\0\x05");
          const leaf = Number(view.getBigUint64(head + 16, true));
          const [recordBytes, count] = [view.getUint16(head + 10, true), view.getUint16(head + 24, true)];
          view.setUint16(leaf + 6 + 5, 0xffff, true);
          sign(view, bytes, leaf, 6 + count * recordBytes);
        }),
      "is damaged",
    ],
    [
      "a B-tree that is deeper than it is",
      () =>
        changed("dense.h5", (view, bytes) => {
          const head = find(bytes, "BTHD");
          view.setUint16(head + 12, 1, true);
          sign(view, bytes, head, 34);
        }),
      "B-tree node",
    ],
    [
      "metadata with a wrong checksum",
      () => changed("latest.h5", (view, bytes) => view.setUint8(addressOf(bytes, KERNEL) + 20, 99)),
      "has a wrong checksum",
    ],
  ])("refuses %s", (_, make, message) => {
    const bytes = make();
    expect(() => readAll(bytes)).toThrow(FormatError);
    expect(() => readAll(bytes)).toThrow(message);
  });
});

describe("damaged HDF5 files", () => {
  it.each(["earliest.h5", "latest.h5", "gzip.h5"])("no beginning of %s is read", (name) => {
    const whole = fileOf(name);
    const passed: number[] = [];
    for (let length = 0; length < whole.length; length += length < 1000 ? 1 : 13) {
      if (!refuses(whole.subarray(0, length))) passed.push(length);
    }
    expect(passed).toEqual([]);
  });

  it.each(["earliest.h5", "dense.h5", "gzip.h5", "chunks.h5"])(
    "of %s any bit may be wrong: it is refused or read, and nothing else happens",
    (name) => {
      let refused = 0;
      for (let at = 0; at < fileOf(name).length; at += 41) {
        const bytes = fileOf(name);
        bytes[at]! ^= 1 << (at % 8);
        if (refuses(bytes)) refused++;
      }
      expect(refused).toBeGreaterThan(30);
    },
  );

  it("numbers are right or refused where the file has checksums", () => {
    const pristine = readAll(fileOf("gzip-latest.h5"));
    const names = ["/alias", "/lstm/bias", "/lstm/half"];
    for (let at = 0; at < fileOf("gzip-latest.h5").length; at += 17) {
      const bytes = fileOf("gzip-latest.h5");
      bytes[at]! ^= 1 << (at % 8);
      try {
        const all = readAll(bytes);
        for (const name of names) expect(all.get(name)).toEqual(pristine.get(name));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
  });
});
