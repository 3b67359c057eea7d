import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.js";
import type { IntegerArray, TensorData } from "../../src/tensor/like.js";
import { Tensor } from "../../src/tensor/tensor.js";

/** A file with this header (JSON text or an object) and as many data bytes, counting up. */
function file(header: unknown, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  for (let at = 0; at < dataBytes; at++) bytes[8 + text.length + at] = at;
  return bytes;
}

function entry(dtype: unknown, shape: unknown, data_offsets: unknown) {
  return { dtype, shape, data_offsets };
}

const F32 = entry("F32", [1], [0, 4]);

describe("readSafetensors", () => {
  it("skips a tensor of any other dtype whose bytes are its own", () => {
    const header = {
      scales: entry("F8_E8M0", [3], [0, 3]),
      packed: entry("F4", [3, 2], [3, 6]),
      // Not known: how many bytes its elements take is not checked.
      later: entry("I4", [9], [6, 11]),
      w: entry("F32", [1], [11, 15]),
    };
    const dict = readSafetensors(file(header, 15));
    expect([...dict.keys()]).toEqual(["w"]);
    expect(dict.skipped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      "scales: its dtype F8_E8M0 is not supported; save tensor.float()",
      "packed: its dtype F4 is not supported; save tensor.float()",
      "later: its dtype I4 is not supported; save tensor.float()",
    ]);
    const refused = (change: object, message: string) =>
      expect(() => readSafetensors(file({ ...header, ...change }, 15))).toThrow(message);
    refused({ packed: entry("F4", [3], [3, 6]) }, "span 3 bytes, but F4 [3] takes 1.5");
    refused({ later: entry("I4", [9], [6, 12]) }, "overlap the tensor that ends at 12");
    refused({ later: entry("I4", [-9], [6, 11]) }, "shape: expected up to 64 sizes");
    refused({ later: entry("i4", [9], [6, 11]) }, 'dtype "i4" is not supported');
  });

  it("widens every float type to float32 and keeps integers as they are", () => {
    // 1.5 in each float type, 200 (or -56) in each integer type.
    const header = {
      f64: entry("F64", [], [0, 8]),
      f32: entry("F32", [1, 1], [8, 12]),
      f16: entry("F16", [1], [12, 14]),
      bf16: entry("BF16", [1], [14, 16]),
      i64: entry("I64", [1], [16, 24]),
      u64: entry("U64", [1], [24, 32]),
      i32: entry("I32", [1], [32, 36]),
      u32: entry("U32", [1], [36, 40]),
      i16: entry("I16", [1], [40, 42]),
      u16: entry("U16", [1], [42, 44]),
      i8: entry("I8", [1], [44, 45]),
      u8: entry("U8", [1], [45, 46]),
      bool: entry("BOOL", [2], [46, 48]),
    };
    const bytes = file(header, 48);
    const view = new DataView(bytes.buffer, bytes.length - 48);
    view.setFloat64(0, 1.5, true);
    view.setFloat32(8, 1.5, true);
    view.setUint16(12, 0x3e00, true);
    view.setUint16(14, 0x3fc0, true);
    view.setBigInt64(16, -56n, true);
    view.setBigUint64(24, 200n, true);
    view.setInt32(32, -56, true);
    view.setUint32(36, 200, true);
    view.setInt16(40, -56, true);
    view.setUint16(42, 200, true);
    view.setInt8(44, -56);
    view.setUint8(45, 200);
    view.setUint16(46, 1, true);
    const dict = readSafetensors(bytes);
    expect([...dict.values()].map(({ dtype }) => dtype)).toEqual([
      ...["float32", "float32", "float32", "float32", "int64", "uint64", "int32", "uint32"],
      ...["int16", "uint16", "int8", "uint8", "bool"],
    ]);
    expect([...dict].map(([name, { data, shape }]) => [name, data, shape])).toEqual([
      ["f64", Float32Array.of(1.5), []],
      ["f32", Float32Array.of(1.5), [1, 1]],
      ["f16", Float32Array.of(1.5), [1]],
      ["bf16", Float32Array.of(1.5), [1]],
      ["i64", BigInt64Array.of(-56n), [1]],
      ["u64", BigUint64Array.of(200n), [1]],
      ["i32", Int32Array.of(-56), [1]],
      ["u32", Uint32Array.of(200), [1]],
      ["i16", Int16Array.of(-56), [1]],
      ["u16", Uint16Array.of(200), [1]],
      ["i8", Int8Array.of(-56), [1]],
      ["u8", Uint8Array.of(200), [1]],
      ["bool", Uint8Array.of(1, 0), [2]],
    ]);
  });

  it("takes a padded header, data out of alignment, offsets in any order and empty tensors", () => {
    const header = {
      b: entry("F32", [1], [1, 5]),
      none: entry("F32", [0, 3], [1, 1]),
      a: entry("U8", [1], [0, 1]),
    };
    const bytes = file(`${JSON.stringify(header)}   `, 5);
    const dict = readSafetensors(bytes);
    expect([...dict.keys()]).toEqual(["b", "none", "a"]);
    expect(dict.get("b")?.data).toEqual(new Float32Array(Uint8Array.of(1, 2, 3, 4).buffer));
    expect(dict.get("none")?.shape).toEqual([0, 3]);
    expect(dict.get("a")?.data).toEqual(Uint8Array.of(0));
  });

  it("reads a file that lies anywhere in a buffer, and keeps nothing of it", () => {
    const bytes = file({ a: F32 }, 4);
    const buffer = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3);
    const a = readSafetensors(buffer).get("a")!;
    const before = a.data[0];
    buffer.fill(0xff);
    expect(a.data[0]).toBe(before);
    expect(a.data.buffer.byteLength).toBe(4);
    expect(readSafetensors(bytes.buffer as ArrayBuffer).get("a")).toEqual(a);
  });

  it("gives both names of a tied weight, which the metadata has as safetensors.torch.save_model writes it", () => {
    const weight = Tensor.from([[1, 2]]);
    const metadata = {
      "head.weight": "emb.weight",
      format: "pt",
      "emb.weight": "other",
      gone: "nowhere",
      other: "head.weight",
    };
    const dict = readSafetensors(writeSafetensors({ "emb.weight": weight }, { metadata }));
    expect([...dict.keys()]).toEqual(["emb.weight", "head.weight"]);
    expect(dict.get("head.weight")).toEqual(weight);
  });

  it("keeps names of Object.prototype as plain names, and metadata out of the tensors", () => {
    const header = `{"__proto__":${JSON.stringify(F32)},"__metadata__":{"format":"pt"}}`;
    const dict = readSafetensors(file(header, 4));
    expect([...dict.keys()]).toEqual(["__proto__"]);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });

  const whole = file({ a: F32 }, 4);
  const lying = (length: bigint) => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  const one = (value: unknown, dataBytes = 4) => file({ a: value }, dataBytes);

  it.each<[string, Uint8Array, string]>([
    ["no file", new Uint8Array(0), "safetensors: got an empty file"],
    ["a short file", new Uint8Array(7), "safetensors: expected at least 8 bytes of header length, got 7"],
    ["no header", new Uint8Array(8), 'safetensors: header: expected to begin with {, got ""'],
    [
      "a header past the end",
      whole.subarray(0, 20),
      `safetensors: header length: ${whole.length - 12} bytes, but 12 follow; the file is truncated`,
    ],
    [
      "a length of 2^53",
      lying(1n << 53n),
      "safetensors: header length: expected at most 100000000 bytes, got 9007199254740992",
    ],
    [
      "a length of 2^63",
      lying(1n << 63n),
      "safetensors: header length: expected at most 100000000 bytes, got 9223372036854776000",
    ],
    ["a header that is a list", file("[]"), 'safetensors: header: expected to begin with {, got "[]"'],
    ["a padded start", file(" {}"), 'safetensors: header: expected to begin with {, got " {}"'],
    ["broken JSON", file('{"a":}'), "safetensors: header: not valid JSON: "],
    ["a NUL after the JSON", file("{}\0"), "safetensors: header: not valid JSON: "],
    ["deep nesting", file(`{"a":${"[".repeat(100_000)}`), "safetensors: header: nests deeper than 64"],
    ["bytes that are not text", file("{}x").fill(0xff, 10), "safetensors: header: byte 2 is not valid UTF-8"],
    [
      "the same name twice",
      file(`{"a":${JSON.stringify(F32)},"a":${JSON.stringify(F32)}}`, 4),
      'safetensors: header: key "a" occurs twice',
    ],
    [
      "half a character as name",
      file('{"\\ud800":1}'),
      'safetensors: tensor "\\ud800": the name is not well-formed Unicode',
    ],
    [
      "metadata that is a list",
      file({ __metadata__: [] }),
      "safetensors: __metadata__: expected an object of strings, got an array of length 0",
    ],
    [
      "metadata that is a tensor",
      file({ __metadata__: F32 }, 4),
      'safetensors: __metadata__["shape"]: expected a string, got an array of length 1',
    ],
    [
      "a tensor that is null",
      one(null),
      'safetensors: tensor "a": expected an object with dtype, shape and data_offsets, got null',
    ],
    ["an unknown key", one({ ...F32, stride: [1] }), 'safetensors: tensor "a": unknown key "stride"'],
    [
      "an unsupported dtype",
      one(entry("F8_E4M3", [4], [0, 4])),
      'safetensors: tensor "a": its dtype F8_E4M3 is not supported; save tensor.float()',
    ],
    [
      "a dtype of Object.prototype",
      one(entry("constructor", [4], [0, 4])),
      'safetensors: tensor "a": dtype "constructor" is not supported',
    ],
    ["no dtype", one({ shape: [1], data_offsets: [0, 4] }), 'tensor "a": dtype undefined is not supported'],
    ["no shape", one(entry("F32", 1, [0, 4])), 'safetensors: tensor "a": shape: expected an array, got 1'],
    [
      "a negative size",
      one(entry("F32", [-1, -1], [0, 4])),
      'safetensors: tensor "a": shape: expected up to 64 sizes of at least 0 and a product below 2^53, got [-1, -1]',
    ],
    ["a broken size", one(entry("F32", [0.5, 2], [0, 4])), "a product below 2^53, got [0.5, 2]"],
    ["a text as size", one(entry("F32", ["1"], [0, 4])), 'a product below 2^53, got ["1"]'],
    ["a size of 2^53", one(entry("F32", [2 ** 53], [0, 4])), "below 2^53, got [9007199254740992]"],
    [
      "sizes that overflow",
      one(entry("F32", [2 ** 32, 2 ** 32], [0, 4])),
      "below 2^53, got [4294967296, 4294967296]",
    ],
    [
      "sizes that overflow beside a zero",
      one(
        entry(
          "F32",
          Array(40)
            .fill(2 ** 50)
            .concat(0),
          [0, 0],
        ),
        0,
      ),
      "a product below 2^53, got [1125899906842624,",
    ],
    [
      "65 dimensions",
      one(entry("F32", Array(65).fill(1), [0, 4])),
      'tensor "a": shape: expected up to 64 sizes of at least 0',
    ],
    [
      "three offsets",
      one(entry("F32", [1], [0, 4, 8])),
      'safetensors: tensor "a": data_offsets: expected [begin, end], got an array of length 3',
    ],
    [
      "offsets in reverse",
      one(entry("F32", [1], [4, 0])),
      'safetensors: tensor "a": data_offsets: expected integers 0 <= begin <= end, got [4, 0]',
    ],
    ["a negative offset", one(entry("F32", [1], [-4, 0])), "0 <= begin <= end, got [-4, 0]"],
    ["an offset of 2^53", one(entry("F32", [1], [0, 2 ** 53])), "got [0, 9007199254740992]"],
    [
      "a shape of more than its bytes",
      one(entry("F32", [2], [0, 4])),
      'safetensors: tensor "a": data_offsets [0, 4] span 4 bytes, but F32 [2] takes 8',
    ],
    [
      "truncated data",
      whole.subarray(0, whole.length - 1),
      'safetensors: tensor "a": data_offsets [0, 4] reach past the data of 3 bytes; the file is truncated',
    ],
    ["trailing data", one(F32, 5), "safetensors: 1 bytes after the last tensor belong to none"],
    ["data without tensors", file({}, 4), "safetensors: 4 bytes after the last tensor belong to none"],
    [
      "a gap",
      file({ a: F32, b: entry("F32", [1], [5, 9]) }, 9),
      'safetensors: tensor "b": data_offsets [5, 9] leave a gap after 4',
    ],
    [
      "an overlap",
      file({ a: F32, b: entry("F32", [1], [3, 7]) }, 7),
      'safetensors: tensor "b": data_offsets [3, 7] overlap the tensor that ends at 4',
    ],
    [
      "the same bytes twice",
      file({ a: F32, b: F32 }, 4),
      'safetensors: tensor "b": data_offsets [0, 4] overlap the tensor that ends at 4',
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(FormatError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  it("refuses what is not bytes", () => {
    expect(() => readSafetensors("{}" as never)).toThrow(TypeError);
    expect(() => readSafetensors([1] as never)).toThrow(
      "bytes: expected a Uint8Array or ArrayBuffer, got an array of length 1",
    );
  });

  it("refuses every truncation of a file", () => {
    const good = writeSafetensors({ a: Tensor.randn([2, 3], 1), b: Tensor.zeros([3]) });
    for (let length = 0; length < good.length; length++) {
      expect(() => readSafetensors(good.subarray(0, length))).toThrow(FormatError);
    }
  });
});

const tensorData: fc.Arbitrary<TensorData> = fc.oneof(
  fc.float32Array({ maxLength: 24 }),
  fc.int8Array({ maxLength: 24 }),
  fc.uint8Array({ maxLength: 24 }),
  fc.int16Array({ maxLength: 24 }),
  fc.uint16Array({ maxLength: 24 }),
  fc.int32Array({ maxLength: 24 }),
  fc.uint32Array({ maxLength: 24 }),
  fc.bigInt64Array({ maxLength: 24 }),
  fc.bigUint64Array({ maxLength: 24 }),
);

const tensors = tensorData.chain((data) =>
  fc
    .tuple(fc.constantFrom([data.length], [1, data.length, 1]), fc.boolean())
    .map(
      ([shape, told]) => new Tensor(data, shape, told && data instanceof Uint8Array ? { dtype: "bool" } : {}),
    ),
);

const names = fc.string({ unit: "grapheme" }).filter((name) => name !== "__metadata__");

describe("writeSafetensors", () => {
  it("is read back as it was, bit by bit", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, tensors)), (pairs) => {
        const dict = new Map(pairs);
        const bytes = writeSafetensors(dict);
        expect(new Map(readSafetensors(bytes))).toEqual(dict);
        expect(writeSafetensors(new Map([...dict].reverse()))).toEqual(bytes);
      }),
    );
  });

  it("writes BOOL what is told to be bool, and looks at no other name of an object", () => {
    const bytes = writeSafetensors({
      mask: { data: Uint8Array.of(1, 0), dims: [2], dtype: "bool" },
      plain: { data: Uint8Array.of(1, 0), shape: [2], dtype: "int64" },
      wide: { data: Float64Array.of(2), shape: [1], dtype: "float64" },
      floats: { data: Float32Array.of(2), shape: [1], dtype: "bool" },
    });
    const dtypes = Array.from(readSafetensors(bytes), ([name, { dtype }]) => [name, dtype]);
    expect(Object.fromEntries(dtypes)).toEqual({
      mask: "bool",
      plain: "uint8",
      wide: "float32",
      floats: "float32",
    });
  });

  it("aligns the data and ends the header on 8 bytes", () => {
    const bytes = writeSafetensors({ b: new Tensor(Int8Array.of(1), [1]), a: Tensor.from([1.5]) });
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(bytes.length).toBe(8 + headerBytes + 5);
    expect([...readSafetensors(bytes).keys()]).toEqual(["a", "b"]);
  });

  it("keeps the metadata of a state dict, beside text of the caller's", () => {
    const metadata = { "rnn.": { kind: "RNN", options: { nonlinearity: "relü", list: [1, null] } } };
    const dict = Object.assign(new Map([["rnn.w", Tensor.zeros([1])]]), { metadata });
    const bytes = writeSafetensors(dict, { metadata: { format: "pt" } });
    expect(readSafetensors(bytes).metadata).toEqual(metadata);
    expect(writeSafetensors(readSafetensors(bytes), { metadata: { format: "pt" } })).toEqual(bytes);
    expect(Object.keys(readSafetensors(bytes))).toEqual([]);
    const foreign = writeSafetensors({ metadata: Tensor.zeros([1]) }, { metadata: { format: "pt" } });
    expect(readSafetensors(foreign).metadata).toBeUndefined();
  });

  it.each([
    ["no JSON", "{", "not valid JSON"],
    ["a list", "[]", "expected an object, got an array of length 0"],
    ["a module that is none", '{"a.":{"kind":1}}', '["a."]: expected { kind, options }, got an Object'],
    ["deep nesting", "[".repeat(100), "nests deeper than 64"],
    ["much text", " ".repeat(2 ** 22 + 1), "expected at most 4194304 characters, got 4194305"],
  ])("refuses a file whose metadata of a state dict is %s", (_, text, message) => {
    const read = () => readSafetensors(file({ __metadata__: { "lstm-wasm": text } }));
    expect(read).toThrow(FormatError);
    expect(read).toThrow(message);
    expect(read).toThrow('safetensors: __metadata__["lstm-wasm"]');
  });

  it("takes records, dims, plain arrays and names outside ASCII, and keeps metadata", () => {
    const dict = JSON.parse('{"__proto__":{"data":[1,2],"dims":[2]}}');
    dict["größe 🎵"] = { data: new Float64Array([0.1]), shape: [1] };
    const bytes = writeSafetensors(dict, { metadata: { format: "pt", 'a"b': "ü" } });
    const read = readSafetensors(bytes);
    expect(read.get("__proto__")?.data).toEqual(Float32Array.of(1, 2));
    expect(read.get("größe 🎵")?.data).toEqual(Float32Array.of(0.1));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, bytes.length - 12)));
    expect(header.__metadata__).toEqual({ format: "pt", 'a"b': "ü" });
  });

  it.each<[string, () => unknown, ErrorConstructor, string]>([
    [
      "a dict that is none",
      () => writeSafetensors(1 as never),
      TypeError,
      "dict: expected a Map or a record of tensors, got 1",
    ],
    [
      "a value that is no tensor",
      () => writeSafetensors({ a: 1 } as never),
      TypeError,
      'dict["a"]: expected a Tensor or { data, shape }, got 1',
    ],
    [
      "integers of the wrong count",
      () => writeSafetensors({ a: { data: Int8Array.of(1) as IntegerArray, shape: [2] } }),
      RangeError,
      'dict["a"].data.length: expected 2 for shape [2], got 1',
    ],
    [
      "the reserved name",
      () => writeSafetensors({ __metadata__: Tensor.zeros([1]) }),
      RangeError,
      'dict: expected names of well-formed Unicode other than __metadata__, got "__metadata__"',
    ],
    [
      "half a character as name",
      () => writeSafetensors({ "\ud800": Tensor.zeros([1]) }),
      RangeError,
      'other than __metadata__, got "\\ud800"',
    ],
    [
      "a name that is no text",
      () => writeSafetensors(new Map([[1, Tensor.zeros([1])]]) as never),
      TypeError,
      "dict: expected names that are strings, got 1",
    ],
    [
      "metadata that is no text",
      () => writeSafetensors({}, { metadata: { a: 1 } as never }),
      TypeError,
      'options.metadata["a"]: expected a string, got 1',
    ],
    [
      "the key that the dict's own metadata has",
      () => writeSafetensors({}, { metadata: { "lstm-wasm": "" } }),
      RangeError,
      'options.metadata["lstm-wasm"]: expected no such key, which holds dict.metadata, got ',
    ],
    [
      "metadata of a dict that is a function",
      () => writeSafetensors(Object.assign(new Map(), { metadata: () => 1 })),
      TypeError,
      "dict.metadata: expected an object of { kind, options }, got null",
    ],
    [
      "metadata of a dict that takes more than 4 MB",
      () => {
        const metadata = { "": { kind: "LSTM", options: { activation: "x".repeat(2 ** 22) } } };
        return writeSafetensors(Object.assign(new Map(), { metadata }));
      },
      RangeError,
      "dict.metadata: expected at most 4194304 characters of JSON, got 4194352",
    ],
    [
      "metadata of a dict that is no metadata",
      () => writeSafetensors(Object.assign(new Map(), { metadata: { a: { kind: 1 } } })),
      TypeError,
      'dict.metadata["a"]: expected { kind, options }, got an Object',
    ],
    [
      "metadata of a dict that is a circle",
      () => {
        const metadata: Record<string, unknown> = {};
        writeSafetensors(
          Object.assign(new Map(), { metadata: Object.assign(metadata, { a: metadata }) }) as never,
        );
      },
      TypeError,
      "dict.metadata: expected an object of { kind, options } that is plain JSON data, got an object that",
    ],
    [
      "half a character in metadata",
      () => writeSafetensors({}, { metadata: { a: "\udc00" } }),
      RangeError,
      'options.metadata["a"]: expected well-formed Unicode, got "\\udc00"',
    ],
    [
      "an unknown option",
      () => writeSafetensors({}, { meta: {} } as never),
      TypeError,
      "options.meta: unknown option; known are metadata",
    ],
  ])("refuses %s", (_, write, type, message) => {
    expect(write).toThrow(type);
    expect(write).toThrow(message);
  });
});
