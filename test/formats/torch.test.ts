import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { dtypeOf } from "../../src/formats/dtype.js";
import { type ReadTorchOptions, readTorch } from "../../src/formats/torch/index.js";
import type { TensorData } from "../../src/tensor/like.js";
import type { StateDict } from "../../src/tensor/tensor.js";
import { call, dict, op, pt, saved, tensor, tuple, zip } from "../support/torch-writer.js";

/** Files and what they hold, both by make_torch.py. */
const FOLDER = new URL("files/torch/", import.meta.url);
const EXPECTED: Record<
  string,
  Record<string, { dtype: string; shape: number[]; data: number[] }>
> = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));

const ARRAYS: Record<string, new (data: never) => TensorData> = {
  float32: Float32Array,
  float64: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function file(name: string): Uint8Array {
  return readFileSync(new URL(name, FOLDER));
}

/** What differs between a state dict and the file's expected tensors: nothing, if all is well. */
function expectTensors(dict: StateDict, name: string): void {
  const expected = EXPECTED[name]!;
  expect([...dict.keys()].sort()).toEqual(Object.keys(expected).sort());
  for (const [key, { dtype, shape, data }] of Object.entries(expected)) {
    const tensor = dict.get(key)!;
    expect([key, tensor.shape]).toEqual([key, shape]);
    expect([key, tensor.data.constructor]).toEqual([key, ARRAYS[dtype]]);
    expect([key, dtypeOf(tensor)]).toEqual([key, dtype]);
    expect([key, tensor.dtype]).toEqual([key, dtype.includes("float") ? "float32" : dtype]);
    // Large 64-bit integers lose digits in JSON; Number() drops the same ones.
    expect([key, Array.from(tensor.data as Float32Array, Number)]).toEqual([key, data.map(rounded(dtype))]);
  }
}

const rounded = (dtype: string) => (value: number) =>
  dtype.startsWith("float") ? Math.fround(value) : value;

const PATHS: Record<string, ReadTorchOptions> = {
  "two.pt": { path: ["nets", "other"] },
  "list.pt": { path: ["0", "3", "0"] },
};
const REFUSED: Record<string, string> = {
  "tensor.pt": "torch: the file holds one tensor, not a state dict",
  "sparse.pt": 'torch: tensor "w": it is sparse; save tensor.to_dense()',
  "complex.pt": 'torch: tensor "w": it is complex; save torch.view_as_real(tensor)',
  "empty.pt":
    'torch: no state dict at the top nor under state_dict, model_state_dict, model_state, model; name one with { path }; its keys are "epoch", "history"',
};

describe("readTorch", () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".pt"));

  it("has an expectation for every file", () => {
    expect(files).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(files.filter((name) => !(name in REFUSED)))("reads %s as PyTorch does", (name) => {
    expectTensors(readTorch(file(name), PATHS[name]), name);
  });

  it.each(Object.entries(REFUSED))("refuses %s", (name, message) => {
    expect(() => readTorch(file(name))).toThrow(new FormatError(message));
  });

  it("follows a path through dicts and modules", () => {
    expectTensors(readTorch(file("two.pt"), { path: ["nets", "other"] }), "two.pt");
    const tagger = readTorch(file("two.pt"), { path: ["nets", "tagger"] });
    const encoder = readTorch(file("two.pt"), { path: ["nets", "tagger", "encoder", "rnn"] });
    expect([...encoder.keys()][0]).toBe("weight_ih_l0");
    expect(encoder.get("weight_ih_l0")).toEqual(tagger.get("encoder.rnn.weight_ih_l0"));
    expectTensors(readTorch(file("checkpoint.pt"), { path: "model_state_dict" }), "checkpoint.pt");
  });

  it.each<[ReadTorchOptions, string]>([
    [{ path: "" }, 'torch: path "": no such key; its keys are "nets", "step"'],
    [{ path: "gen" }, 'torch: path "gen": no such key; its keys are "nets", "step"'],
    [{ path: ["nets", "x"] }, 'torch: path "nets", "x": no such key; its keys are "tagger", "other"'],
    [{ path: "step" }, 'torch: path "step": no tensors there; it has no keys'],
    [{ path: [] }, 'torch: path : no tensors there; its keys are "nets", "step"'],
    [{ path: "__proto__" }, 'torch: path "__proto__": no such key'],
  ])("refuses %j", (options, message) => {
    expect(() => readTorch(file("two.pt"), options)).toThrow(FormatError);
    expect(() => readTorch(file("two.pt"), options)).toThrow(message);
  });

  it("says which keys there are when several might be meant", () => {
    expect(() => readTorch(file("two.pt"))).toThrow(
      'torch: no state dict at the top nor under state_dict, model_state_dict, model_state, model; name one with { path }; its keys are "nets", "step"',
    );
  });

  it("gives tensors that share nothing with the file or each other", () => {
    const bytes = file("views.pt");
    const dict = readTorch(bytes);
    const before = dict.get("base")!.data[0];
    bytes.fill(0xff);
    dict.get("expanded")!.data[0] = 7;
    expect(dict.get("base")!.data[0]).toBe(before);
  });

  const four = Float32Array.of(1, 2, 3, 4);
  const storage = new Uint8Array(four.buffer);
  const id = (type: readonly number[], elements: number) => [
    ...tuple(op.text("storage"), type, op.text("0"), op.text("cpu"), op.int(elements)),
    ...op.persistentId,
  ];
  const view = [op.int(0), tuple(op.int(4)), tuple(op.int(1)), op.none, op.none];

  it("reads how newer versions rebuild tensors", () => {
    const untyped = id(op.global("torch.storage", "UntypedStorage"), 16);
    const floats = op.global("torch", "float32");
    const subclass = op.global("torch._tensor", "_rebuild_from_type_v2");
    const known = op.global("torch._utils", "_rebuild_tensor_v2");
    const inner = tuple(id(op.global("torch", "FloatStorage"), 4), ...view);
    const value = dict({
      v3: call("torch._utils", "_rebuild_tensor_v3", untyped, ...view, floats),
      half: call("torch._utils", "_rebuild_tensor_v3", untyped, ...view, op.global("torch", "uint16")),
      subclass: [...subclass, ...tuple(known, op.global("my", "Tensor"), inner, op.none), ...op.reduce],
      parameter: call("torch._utils", "_rebuild_parameter_with_state", tensor(), op.true, op.none, op.none),
    });
    const dictionary = readTorch(pt([...op.proto(), ...value, ...op.stop], storage));
    for (const name of ["v3", "subclass", "parameter"]) expect(dictionary.get(name)?.data).toEqual(four);
    expect(dictionary.get("half")?.data).toEqual(new Uint16Array(four.buffer).slice(0, 4));
  });

  it("says which newer types it does not read", () => {
    const untyped = id(op.global("torch", "UntypedStorage"), 16);
    const float8 = call(
      "torch._utils",
      "_rebuild_tensor_v3",
      untyped,
      ...view,
      op.global("torch", "float8_e4m3fn"),
    );
    expect(() => readTorch(pt([...op.proto(), ...dict({ w: float8 }), ...op.stop], storage))).toThrow(
      new FormatError('torch: tensor "w": its dtype torch.float8_e4m3fn is not supported'),
    );
    const negative = call(
      "torch._utils",
      "_rebuild_tensor_v2",
      id(op.global("torch", "FloatStorage"), 4),
      ...view,
      dict({ neg: op.true }),
    );
    expect(() => readTorch(pt([...op.proto(), ...dict({ w: negative }), ...op.stop], storage))).toThrow(
      new FormatError('torch: tensor "w": it is stored with its sign inverted; save tensor.resolve_neg()'),
    );
    const unknown = call("torch._tensor", "_rebuild_from_type_v2", op.global("my", "make"), op.none, tuple());
    expect(() => readTorch(pt([...op.proto(), ...dict({ w: unknown }), ...op.stop]))).toThrow(
      new FormatError('torch: tensor "w": it is of a subclass of Tensor'),
    );
    const named = call(
      "torch._tensor",
      "_rebuild_from_type_v2",
      op.global("my", "make"),
      op.global("my", "Tensor"),
      tuple(),
    );

    const read = pt(
      [...op.proto(), ...dict({ named, good: tensor(), float8, negative }), ...op.stop],
      storage,
    );
    expect(readTorch(read).skipped).toEqual([
      { name: "named", reason: "it is of my.Tensor, a subclass of Tensor" },
      { name: "float8", reason: "its dtype torch.float8_e4m3fn is not supported" },
      { name: "negative", reason: "it is stored with its sign inverted; save tensor.resolve_neg()" },
    ]);
  });

  it("reads Python 2's text, and the byte order that newer versions state", () => {
    const key = [0x55, 1, 0x77];
    const pickle = Uint8Array.from([
      ...op.proto(),
      ...op.emptyDict,
      ...key,
      ...tensor(),
      ...op.setItem,
      ...op.stop,
    ]);
    const entries = [
      { name: "m/data.pkl", content: pickle },
      { name: "m/data/0", content: storage },
    ];
    const order = (text: string) => ({ name: "m/byteorder", content: new TextEncoder().encode(text) });
    expect(readTorch(zip([...entries, order("little")])).get("w")?.data).toEqual(four);
    expect(() => readTorch(zip([...entries, order("big")]))).toThrow(
      new FormatError('torch: byteorder "big" is not supported; supported is "little"'),
    );
  });

  it("passes over what newer versions put beside the tensors", () => {
    const text = (name: string, content: string) => ({
      name: `m/${name}`,
      content: new TextEncoder().encode(content),
    });
    const pickle = Uint8Array.from([...op.proto(), ...dict({ w: tensor() }), ...op.stop]);
    const file = zip([
      { name: "m/data.pkl", content: pickle },
      text(".format_version", "1"),
      text(".storage_alignment", "64"),
      text("byteorder", "little"),
      { name: "m/data/0", content: storage },
      text("version", "3\n"),
      text(".data/serialization_id", "0636067618914240052000000000000000000000"),
    ]);
    expect([...readTorch(file)].map(([name, { data }]) => [name, data])).toEqual([["w", four]]);
  });

  it.each([
    ["_rebuild_wrapper_subclass", "it is of a subclass of Tensor"],
    ["_rebuild_nested_tensor", "it is nested; save tensor.to_padded_tensor(0)"],
    ["_rebuild_device_tensor_from_numpy", "it is on another device; save tensor.cpu()"],
  ])("skips a tensor made by %s", (name, reason) => {
    const value = dict({ good: tensor(), w: call("torch._utils", name, op.none) });
    const dictionary = readTorch(pt([...op.proto(), ...value, ...op.stop], storage));
    expect([...dictionary.keys()]).toEqual(["good"]);
    expect(dictionary.skipped).toEqual([{ name: "w", reason }]);
  });

  it.each([
    ["0", op.int(0)],
    ["65535", op.int(65_535)],
    ["100000", op.int(100_000)],
    ["9007199254740993", op.long(2n ** 53n + 1n)],
  ])("finds the last value of key %s, a number", (path, key) => {
    const [other, found] = [dict({ other: tensor() }), dict({ w: tensor() })];
    const value = [op.int(7), other, key, other, key, found, op.long(2n ** 64n), other].flat();
    const bytes = saved([...op.emptyDict, ...op.mark, ...value, ...op.setItems]);
    expect([...readTorch(bytes, { path }).keys()]).toEqual(["w"]);
    expect(() => readTorch(bytes, { path: "9" })).toThrow(
      `path "9": no such key; its keys are 7, ${path === "0" || path === "65535" ? path : ""}`,
    );
  });

  it("finds the directory of a zip before a comment", () => {
    const entries = [
      { name: "m/data.pkl", content: Uint8Array.from([...op.proto(), ...dict({ w: tensor() }), ...op.stop]) },
      { name: "m/data/0", content: storage },
    ];
    expect(readTorch(zip(entries, { comment: "PK\x05\x06 is how a directory ends" })).get("w")?.data).toEqual(
      four,
    );
  });

  it("refuses arguments of the wrong type", () => {
    expect(() => readTorch("x" as never)).toThrow(TypeError);
    expect(() => readTorch(new Uint8Array(1), { path: 1 } as never)).toThrow(
      "options.path: expected a key or an array of keys, got 1",
    );
    expect(() => readTorch(new Uint8Array(1), { key: "x" } as never)).toThrow("options.key: unknown option");
  });
});
