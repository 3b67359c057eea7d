/** Malformed and hostile files of NumPy: archives, arrays and pickles. */
import { zipSync } from "fflate";
import { call, dict, op, tuple, zip } from "../torch-writer.js";
import { type HostileFile, times } from "./readers.js";

const ascii = (content: string) => Uint8Array.from(content, (character) => character.charCodeAt(0));

/** An .npy file with this header. */
function npy(header: string, numbers: ArrayLike<number> = []): Uint8Array {
  const text = ascii(header);
  const bytes = new Uint8Array(10 + text.length + numbers.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(text, 10);
  bytes.set(numbers, 10 + text.length);
  return bytes;
}
const array = (shape: string, numbers?: ArrayLike<number>, descr = "<f4") =>
  npy(`{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`, numbers);

const text = (length: number) => [0x58, ...[0, 8, 16, 24].map((shift) => (length >> shift) & 255)];
const concat = (...parts: readonly ArrayLike<number>[]) => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};
const pickle = (...value: readonly ArrayLike<number>[]) => concat(op.proto(4), ...value, op.stop);
const type = (code: string) => call("numpy", "dtype", op.text(code), op.true, op.true);
const scalar = (dtype: readonly number[], data: readonly number[]) =>
  call("numpy.core.multiarray", "scalar", dtype, data);
const little = (value: number) => [0, 8, 16, 24].map((shift) => (value >> shift) & 255);

/** A dict of many items, each an array by `item`, which may take what is in the memo. */
function many(count: number, prepared: ArrayLike<number>, item: readonly number[]): Uint8Array {
  const items = Array.from({ length: count }, (_, at) => [...op.text(`${at}`), ...item, ...op.setItem]);
  return pickle(prepared, op.emptyDict, items.flat());
}

export const NUMPY: readonly Omit<HostileFile, "reader">[] = [
  {
    name: "2^52 numbers in 4 bytes",
    make: () => array(`(${2 ** 26}, ${2 ** 26})`, [0, 0, 0, 0]),
    message: `numpy: expected ${2 ** 54} bytes for shape [67108864, 67108864], got 4`,
  },
  {
    name: "sizes beyond any number",
    make: () => array(`(${"9".repeat(400)},)`, [0, 0, 0, 0]),
    message: "numpy: expected a shape, got [Infinity]",
  },
  {
    name: "a header of quotes",
    make: () => npy(`{'descr': ${"'".repeat(9000)}`),
    message: "numpy: header not understood",
  },
  {
    name: "a header of spaces",
    make: () => npy(`{${" ".repeat(9000)}'descr'${" ".repeat(900)}`),
    message: "numpy: header not understood",
  },
  {
    name: "a header of spaces between descr",
    make: () => npy(`{${"'descr' ".repeat(1200)}`),
    message: "numpy: header not understood",
  },
  {
    name: "a header of 60 KB",
    make: () => npy(" ".repeat(60_000)),
    message: "numpy: a header of 60000 bytes; expected at most 10000",
  },
  {
    name: "a deflate bomb of 500 MB",
    make: () => {
      const entry = zipSync({ "w.npy": new Uint8Array(1e6) }, { level: 9 });
      const view = new DataView(entry.buffer);
      view.setUint32(view.getUint32(entry.length - 6, true) + 24, 5e8, true);
      return entry;
    },
    message: "numpy: zip: entries inflate to more than 67108864 bytes",
  },
  {
    name: "an entry that inflates to more than it states",
    make: () => {
      const entry = zipSync({ "w.npy": new Uint8Array(1e6) }, { level: 9 });
      const view = new DataView(entry.buffer);
      view.setUint32(view.getUint32(entry.length - 6, true) + 24, 100, true);
      return entry;
    },
    message: 'numpy: zip: entry "w.npy" inflates to more than the 100 bytes it states',
  },
  {
    name: "arrays that overlap",
    make: () => {
      const content = array("(1,)", [0, 0, 0, 0]);
      return zip([
        { name: "a.npy", content },
        { name: "b.npy", content, header: 0, localName: "b.npy" },
      ]);
    },
    message: "numpy: zip: entry",
  },
  {
    name: "two arrays of one name",
    make: () => {
      const content = array("(1,)", [0, 0, 0, 0]);
      return zip([
        { name: "a.npy", content },
        { name: "a.npy", content },
      ]);
    },
    message: 'numpy: zip: entry "a.npy" occurs twice',
  },
  {
    name: "20,000 arrays of objects",
    make: () => {
      const content = array("()", [], "|O");
      return zip(Array.from({ length: 20_000 }, (_, at) => ({ name: `${at}.npy`, content })));
    },
    message: 'numpy: array "0": dtype |O, Python objects, is not supported',
  },
  {
    name: "60,000 pickled arrays of objects",
    make: () => many(60_000, [...type("O8"), ...op.put(1), ...op.pop], scalar(op.get(1), op.none)),
    message: "numpy: pickle: item",
  },
  {
    name: "a megabyte that a thousand arrays share",
    make: () => {
      const bytes = concat([0x42, ...little(1e6)], new Uint8Array(1e6), op.put(1), op.pop);
      const shared = call(
        "numpy._core.numeric",
        "_frombuffer",
        op.get(1),
        type("u1"),
        tuple(op.int(1e6)),
        op.text("C"),
      );
      return many(1000, bytes, shared);
    },
    message: "numpy: its arrays take more than 67108864 bytes",
  },
  {
    name: "a megabyte of text that a thousand arrays decode",
    make: () => {
      const bytes = concat(text(1e6), new Uint8Array(1e6).fill(0x61), op.put(1), op.pop);
      const encoded = call("_codecs", "encode", op.get(1), op.text("latin1"));
      return many(1000, bytes, scalar(type("f4"), encoded));
    },
    message: "expected 4 bytes for shape [], got 1000000",
  },
  {
    name: "a shape of 50,000 sizes that many arrays have",
    make: () => {
      const sizes = concat(op.mark, times(50_000, [0x4b, 1]), op.tuple, op.put(1), op.pop);
      const shaped = call(
        "numpy._core.numeric",
        "_frombuffer",
        [0x43, 0],
        type("u1"),
        op.get(1),
        op.text("C"),
      );
      return many(1000, sizes, shaped);
    },
    message: 'numpy: pickle: item "0": expected a shape, got [1, 1',
  },
  {
    name: "a dict that holds itself",
    make: () =>
      pickle(
        op.emptyDict,
        op.put(1),
        op.text("w"),
        scalar(type("f4"), [0x43, 4, 0, 0, 0, 0]),
        op.setItem,
        op.text("self"),
        op.get(1),
        op.setItem,
      ),
    message: 'numpy: pickle: item "self": expected an array, got a dict',
  },
  {
    name: "a state that is its own array",
    make: () => {
      const self = call("numpy.core.multiarray", "_reconstruct", op.global("numpy", "ndarray"));
      return pickle(self, op.put(1), tuple(op.get(1), op.get(1), op.none, op.get(1)), op.build);
    },
    message: "numpy: pickle",
  },
  {
    name: "an array beside a call of the shell",
    make: () =>
      pickle(dict({ w: scalar(type("f4"), [0x43, 4, 0, 0, 0, 0]), x: call("os", "system", op.text("ls")) })),
    message:
      "numpy: got a pickle of more than NumPy arrays; save a dict of the arrays alone; it wants os.system",
  },
];
