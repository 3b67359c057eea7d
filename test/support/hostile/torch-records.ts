/** Zips of a good .pt file with one record that is wrong: bytes are written over at a place in the file. */
import { dict, op, pt, tensor, zip } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

const END_BYTES = 22;
const pickle = Uint8Array.from([...op.proto(), ...dict({ weight: tensor() }), ...op.stop]);
const entry = { name: "m/data.pkl", content: pickle };
/** An entry whose size stands in a field of 64 bits. */
const wide = zip([{ ...entry, bytes: 0xffffffffn }]);

/** The bytes with `values` from `at` on, counted from the end where it is negative. */
function written(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  bytes.set(values, at < 0 ? bytes.length + at : at);
  return bytes;
}

/** Where the directory begins: the end record tells it. */
function directoryOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer).getUint32(bytes.length - END_BYTES + 16, true);
}

/** Where the extra field of the only entry begins. */
const extraOf = (bytes: Uint8Array) => directoryOf(bytes) + 46 + entry.name.length;

export const RECORDS: Omit<HostileFile, "reader">[] = [
  {
    name: "an entry whose name is longer than the directory",
    make: () => {
      const bytes = pt(pickle);
      return written(bytes, directoryOf(bytes) + 28, 0xff, 0xff);
    },
    message: "got a zip that is empty or cut off; copy or download it again",
  },
  {
    name: "an entry without a local header",
    make: () => zip([{ ...entry, header: 1 }]),
    message: 'entry "m/data.pkl": no local header at 1',
  },
  {
    name: "a size of 64 bits that is missing",
    make: () => written(wide.slice(), extraOf(wide), 2),
    message: 'entry "m/data.pkl": a 64-bit size is missing',
  },
  {
    name: "a size of 64 bits in a field that is too short",
    make: () => written(wide.slice(), extraOf(wide) + 2, 4),
    message: 'entry "m/data.pkl": a 64-bit size is missing',
  },
  {
    name: "a directory that ends elsewhere",
    make: () => written(pt(pickle), -END_BYTES + 12, 1),
    message: "does not end at",
  },
  {
    name: "a locator that leads to no zip64 record",
    make: () => {
      const bytes = new Uint8Array([...pt(pickle), ...new Uint8Array(20)]);
      bytes.copyWithin(bytes.length - END_BYTES, bytes.length - END_BYTES - 20, bytes.length - 20);
      return written(bytes, -END_BYTES - 20, 0x50, 0x4b, 6, 7);
    },
    message: "no zip64 record at",
  },
];
