/** readNumpy on files that NumPy wrote (make_numpy.py), and on hand-made ones that it would not. */
import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { dtypeOf } from "../../src/formats/dtype.js";
import { readNumpy } from "../../src/formats/numpy/index.js";
import { call, dict, op, tuple } from "../support/torch-writer.js";

const FOLDER = new URL("files/numpy/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, FOLDER)));
const EXPECTED: Record<string, { shape: number[]; data: number[] }> = JSON.parse(
  readFileSync(new URL("expected.json", FOLDER), "utf8"),
);
const DTYPES: Record<string, string> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  b1: "bool",
};

describe("readNumpy", () => {
  it.each([
    "stored.npz",
    "deflated.npz",
    "protocol-2.pkl",
    "protocol-3.pkl",
    "protocol-4.pkl",
    "protocol-5.pkl",
    "numpy-1-protocol-2.pkl",
    "numpy-1-protocol-3.pkl",
    "numpy-1-protocol-4.pkl",
  ])("reads every array of %s, of any type and order", (name) => {
    const arrays = readNumpy(file(name));
    expect([...arrays.keys()].sort()).toEqual(Object.keys(EXPECTED).sort());
    for (const [key, { shape, data }] of Object.entries(EXPECTED)) {
      const tensor = arrays.get(key)!;
      expect([key, tensor.shape, Array.from(tensor.data as ArrayLike<unknown>, Number)]).toEqual([
        key,
        shape,
        data,
      ]);
      const type = DTYPES[key.split("/")[1]!];
      if (type !== undefined) expect([key, dtypeOf(tensor)]).toEqual([key, type]);
    }
    expect(arrays.skipped).toEqual([]);
  });

  it("names the only array of a file `array`", () => {
    const { shape, data } = EXPECTED.fortran!;
    const tensor = readNumpy(file("array.npy")).get("array")!;
    expect([tensor.shape, [...tensor.data]]).toEqual([shape, data]);
    expect([...readNumpy(file("single.pkl"))].map(([name, { data }]) => [name, [...data]])).toEqual([
      ["array", [0, 1, 2]],
    ]);
  });

  it("leaves out numbers and texts beside the arrays of a pickle", () => {
    const arrays = readNumpy(file("beside.pkl"));
    expect([[...arrays.keys()], arrays.skipped]).toEqual([["weight"], []]);
  });

  it("lists arrays of other things as skipped, with what they are", () => {
    const arrays = readNumpy(file("others.npz"));
    expect([...arrays.keys()]).toEqual(["weight"]);
    const reasons = new Map(arrays.skipped.map(({ name, reason }) => [name, reason]));
    expect([...reasons.keys()]).toEqual(["objects", "text", "bytes", "complex", "dates", "records"]);
    const supported = "supported are f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8, b1 of either byte order";
    expect(reasons.get("objects")).toBe(
      `dtype |O, Python objects, is not supported; ${supported}; ` +
        "save arrays with np.savez(file, **arrays)",
    );
    expect(reasons.get("text")).toBe(`dtype <U2, text, is not supported; ${supported}`);
    expect(reasons.get("records")).toMatch(/^a structured dtype is not supported: /);
    const pickled = readNumpy(file("others.pkl"));
    expect([...pickled.keys()]).toEqual(["weight"]);
    expect(pickled.skipped.map(({ name, reason }) => [name, reason])).toEqual([
      ["text", `dtype <U2, text, is not supported; ${supported}`],
      ["records", "a structured dtype is not supported"],
    ]);
  });

  /** An .npy file of version 1 with this header. */
  const npy = (header: string, numbers: number, version = [1, 0]) => {
    const text = Uint8Array.from(header, (character) => character.charCodeAt(0));
    const size = [text.length & 255, text.length >> 8, ...(version[0] === 1 ? [] : [0, 0])];
    return Uint8Array.from([
      0x93,
      0x4e,
      0x55,
      0x4d,
      0x50,
      0x59,
      ...version,
      ...size,
      ...text,
      ...Array(numbers),
    ]);
  };
  const header = (shape: string, more = "") =>
    `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, ${more}}          \n`;

  it.each([
    ["Python 2", header("(2L, 1L)")],
    ["another writer", '{"shape": (2, 1), "fortran_order": True, "descr": "|f4"}'],
    ["spaces", " {  'descr' : '=f4' , 'fortran_order' : False , 'shape' : ( 2 , 1 ) } \n"],
  ])("understands a header of %s", (_, text) => {
    for (const version of [1, 2, 3]) {
      expect(readNumpy(npy(text, 8, [version, 0])).get("array")!.shape).toEqual([2, 1]);
    }
  });

  const dtype = (code: readonly number[], ...state: (readonly number[])[]) => [
    ...call("numpy", "dtype", code, op.true, op.true),
    ...(state.length === 0 ? [] : [...tuple(op.int(3), ...state), ...op.build]),
  ];
  const f4 = dtype(op.text("f4"));
  /** Protocol 4's bytes. */
  const raw = (count: number) => [0x43, count, ...Array(count).fill(0)];
  const array = (state: readonly number[], type = op.global("numpy", "ndarray")) => [
    ...call("numpy._core.multiarray", "_reconstruct", type, op.none, op.none),
    ...state,
    ...op.build,
  ];
  const state = (shape: readonly number[], type: readonly number[], data: readonly number[]) =>
    tuple(op.int(1), shape, type, op.none, data);
  const two = tuple(op.int(2));
  const pickle = (...value: readonly number[]) => Uint8Array.from([...op.proto(4), ...value, ...op.stop]);
  const item = (...value: readonly number[]) => pickle(...dict({ w: value }));

  it("reads what older and newer NumPy may write in a pickle", () => {
    const shapeOf = (bytes: Uint8Array) => readNumpy(bytes).get("w")?.shape;
    expect(shapeOf(item(...array(state(two, f4, raw(8)))))).toEqual([2]);
    // Without a version, as numpy.ndarray.__setstate__ takes it too.
    expect(shapeOf(item(...array(tuple(two, f4, op.none, raw(8)))))).toEqual([2]);
    // Python 2's bytes of zeros are a text.
    expect(shapeOf(item(...array(state(two, f4, [0x55, 8, ...Array(8).fill(0)]))))).toEqual([2]);
    expect(shapeOf(item(...call("numpy.core.multiarray", "scalar", f4, raw(4))))).toEqual([]);
    const order = dtype(op.text("f4"), op.text(">"), op.none, op.none, op.none);
    const one = [0x43, 4, 0x3f, 0x80, 0, 0];
    const big = readNumpy(item(...call("numpy.core.multiarray", "scalar", order, one)));
    expect([...big.get("w")!.data]).toEqual([1]);
    const buffer = call(
      "numpy._core.numeric",
      "_frombuffer",
      raw(16),
      f4,
      tuple(op.int(2), op.int(2)),
      op.text("F"),
    );
    expect(shapeOf(item(...buffer))).toEqual([2, 2]);
  });

  it.each<[string, Uint8Array, string]>([
    ["a list", pickle(...op.emptyList), "got a pickle that torch.save did not write"],
    [
      "a dict without arrays",
      pickle(...dict({ w: op.int(1) })),
      "got a pickle that torch.save did not write",
    ],
    [
      "an object of another class",
      pickle(...dict({ v: array(state(two, f4, raw(8))), w: call("sklearn.svm", "SVC") })),
      "got a pickle of more than NumPy arrays; save a dict of the arrays alone; it wants sklearn.svm.SVC",
    ],
    ["code", pickle(...call("os", "system", op.text("ls"))), "got a pickle that torch.save did not write"],
    [
      "a subclass of arrays",
      item(...array(state(two, f4, raw(8)), op.global("numpy", "matrix"))),
      "numpy.matrix",
    ],
    ["a shape that is none", item(...array(state(op.int(2), f4, raw(8)))), "shape: expected a tuple, got 2"],
    [
      "a size that is text",
      item(...array(state(tuple(op.text("2")), f4, raw(8)))),
      "expected a shape, got [NaN]",
    ],
    ["a negative size", item(...array(state(tuple(op.int(-2)), f4, raw(8)))), "expected a shape, got [-2]"],
    [
      "bytes that are too few",
      item(...array(state(two, f4, raw(7)))),
      "expected 8 bytes for shape [2], got 7",
    ],
    ["bytes that are none", item(...array(state(two, f4, op.int(8)))), "expected bytes, got 8"],
    ["a state that is none", item(...array(op.int(8))), "state: expected a tuple, got 8"],
    ["a dtype that is none", item(...array(state(two, op.int(8), raw(8)))), "expected a numpy.dtype, got 8"],
    [
      "a dtype of nothing",
      item(...array(state(two, dtype(op.none), raw(8)))),
      "expected a numpy.dtype, got null",
    ],
    [
      "text that is no bytes",
      item(
        ...array(
          state(two, f4, call("_codecs", "encode", [0x58, 2, 0, 0, 0, 0xc4, 0x80], op.text("latin1"))),
        ),
      ),
      "character 0 of its bytes is no byte",
    ],
    [
      "text in another encoding",
      item(...array(state(two, f4, call("_codecs", "encode", op.text("a"), op.text("utf-8"))))),
      "expected bytes, got an object of _codecs.encode",
    ],
    [
      "bytes after the end",
      Uint8Array.from([...item(...array(state(two, f4, raw(8)))), 0]),
      "1 bytes after its e",
    ],
    [
      "a dict in the dict",
      item(...dict({ v: array(state(two, f4, raw(8))) })),
      "expected an array, got a dict",
    ],
    [
      "a number as key",
      pickle(...op.emptyDict, ...op.int(1), ...array(state(two, f4, raw(8))), ...op.setItem),
      "item 1: expected a text as key of an array",
    ],
    ["an opcode of protocol 0", item(0x49, 0x31, 0x0a), "got a pickle that torch.save did not write"],
  ])("refuses a pickle with %s", (_, bytes, message) => {
    expect(() => readNumpy(bytes)).toThrow(FormatError);
    expect(() => readNumpy(bytes)).toThrow(message);
  });

  it.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "numpy: got an empty file"],
    [
      "text",
      Uint8Array.of(1, 2, 3),
      "numpy: expected an .npz archive, an .npy array or a pickle of protocol 2",
    ],
    [
      "a file of PyTorch",
      new Uint8Array(readFileSync(new URL("../torch/zip.pt", FOLDER))),
      "readTorch takes it",
    ],
    ["an unknown version", npy(header("(1,)"), 4, [4, 0]), "numpy: version 4 is unknown"],
    ["a file without a version", npy("", 0).subarray(0, 6), "numpy: version that is missing is unknown"],
    ["a file without a header", npy("", 0).subarray(0, 9), "numpy: cut off within the header"],
    ["a header that is cut off", npy(header("(1,)"), 0).subarray(0, 30), "numpy: cut off within the header"],
    ["a long header", npy(" ".repeat(10_001), 0), "numpy: a header of 10001 bytes; expected at most 10000"],
    [
      "a key twice",
      npy("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}", 4),
      "numpy: header not understood",
    ],
    ["a fourth key", npy(header("(1,)", "'more': True"), 4), "numpy: header not understood"],
    ["a shape that is none", npy(header("[1]"), 4), "numpy: header not understood"],
    [
      "a header that is code",
      npy("{'descr': f(), 'fortran_order': False, 'shape': (1,)}", 4),
      "not understood",
    ],
    ["numbers that are too few", npy(header("(2,)"), 7), "numpy: expected 8 bytes for shape [2], got 7"],
    ["numbers that are too many", npy(header("(2,)"), 9), "numpy: expected 8 bytes for shape [2], got 9"],
    [
      "2^60 numbers",
      npy(header(`(${2 ** 30}, ${2 ** 30})`), 8),
      "numpy: expected a shape, got [1073741824, 107",
    ],
    ["65 axes", npy(header(`(${"1, ".repeat(65)})`), 4), "numpy: expected a shape, got [1, 1"],
    [
      "a text",
      npy("{'descr': '<U4', 'fortran_order': False, 'shape': ()}", 16),
      "numpy: dtype <U4, text, is not",
    ],
    [
      "an archive of one broken array",
      zipSync({ "w.npy": npy(header("(2,)"), 7) }),
      'numpy: array "w": expected 8 b',
    ],
    ["an archive of other files", zipSync({ "a.txt": Uint8Array.of(1) }), 'got a zip of "a.txt"'],
  ])("refuses %s", (_, bytes, message) => {
    let error: unknown;
    try {
      readNumpy(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(/^numpy: /);
    expect((error as Error).message).toContain(message);
  });

  it("takes no text", () => {
    expect(() => readNumpy("text" as never)).toThrow(TypeError);
  });
});
