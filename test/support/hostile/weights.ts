/** Files that make it hard to tell what they are. */
import { type HostileFile, text } from "./readers.js";

const latin1 = (content: string) => Uint8Array.from(content, (character) => character.charCodeAt(0));
const little = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) & 255);

/** A zip whose directory has an entry of this many names. */
function directory(count: number, name: string): Uint8Array {
  const entry = [
    0x50,
    0x4b,
    1,
    2,
    ...little(0, 24),
    ...little(name.length, 2),
    ...little(0, 16),
    ...latin1(name),
  ];
  const end = [0x50, 0x4b, 5, 6, ...little(0, 12), ...little(4, 4), 0, 0];
  const bytes = new Uint8Array(4 + count * entry.length + end.length);
  bytes.set([0x50, 0x4b, 3, 4]);
  for (let at = 0; at < count; at++) bytes.set(entry, 4 + at * entry.length);
  bytes.set(end, bytes.length - end.length);
  return bytes;
}

export const WEIGHTS: readonly Omit<HostileFile, "reader">[] = [
  {
    name: "a zip of a million names",
    make: () => directory(1e6, "abcdefgh"),
    message: 'weights: got a zip of "abcdefgh"',
  },
  {
    name: "a zip of names of 60 KB",
    make: () => directory(400, "\x1b".repeat(60_000)),
    message: "weights: got a zip of",
  },
  {
    name: "a directory that points at itself",
    make: () => {
      const bytes = directory(0, "");
      return Uint8Array.from([...bytes, ...bytes]);
    },
    message: "weights: got a zip that is empty or cut off",
  },
  {
    name: "a tar of a million empty files",
    make: () => {
      const bytes = new Uint8Array(512 * 2e4).fill(0x61);
      bytes.set(latin1("ustar"), 257);
      return bytes;
    },
    message: "weights: got a tar archive of",
  },
  {
    name: "a pickle of 20 MB without a line's end",
    make: () => new Uint8Array(20e6).fill(0x63).fill(0x80, 0, 1).fill(2, 1, 2),
    message: "weights: got a pickle that torch.save did not write",
  },
  {
    name: "a pickle of strings that are longer than the file",
    make: () => latin1(`\x80\x04${"\x8d\xff\xff\xff\xff\xff\xff\xff\xff".repeat(1e5)}`),
    message: "weights: got a pickle that torch.save did not write",
  },
  {
    name: "a pickle of 10 million steps",
    make: () => new Uint8Array(10e6).fill(0x29).fill(0x80, 0, 1).fill(2, 1, 2),
    message: "weights: got a pickle that torch.save did not write",
  },
  { name: "JSON that nests", make: () => text("[".repeat(1e6)), message: "nests deeper than 64" },
  { name: "JSON of 10 MB of keys", make: () => text(`{${'"a":1,'.repeat(1.6e6)}`), message: "occurs twice" },
  {
    name: "varints of 20 MB",
    make: () => new Uint8Array(20e6).fill(0xff),
    message:
      "weights: expected a file of PyTorch, safetensors, ONNX, Keras, NumPy, NAM, GuitarML or RTNeural, got bytes of no known format: ff ff ff ff ff ff ff ff...",
  },
  {
    name: "spaces of 20 MB",
    make: () => new Uint8Array(20e6).fill(0x20),
    message: "weights: expected a file of PyTorch",
  },
];
