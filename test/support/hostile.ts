/**
 * The corpus of malformed and hostile files: for each reader, what the file tries and what the reader says of it.
 * Files are made when they are asked for, so that none of the large ones outlives its test.
 */

import { deflateSync } from "fflate";
import * as formats from "../../src/formats/index.js";
import * as onnx from "./onnx-writer.js";
import {
  call,
  dict,
  join,
  type LegacyOptions,
  legacy,
  legacyTensor,
  op,
  pt,
  repeat,
  saved,
  tensor,
  tuple,
  zip,
} from "./torch-writer.js";

/** Readers by name; each throws a FormatError or gives what it read. */
export const READERS = {
  readSafetensors: formats.readSafetensors,
  readTorch: (bytes: Uint8Array) => formats.readTorch(bytes),
  readOnnx: (bytes: Uint8Array) => formats.readOnnx(bytes),
  listOnnxNodes: formats.listOnnxNodes,
  readNam: (bytes: Uint8Array) => formats.readNam(bytes),
  readGuitarML: (bytes: Uint8Array) => formats.readGuitarML(bytes),
  readRTNeural: (bytes: Uint8Array) => formats.readRTNeural(bytes),
} satisfies Record<string, (bytes: Uint8Array) => unknown>;

export interface HostileFile {
  readonly reader: keyof typeof READERS;
  readonly name: string;
  readonly make: () => Uint8Array;
  /** Part of the message that the reader has to give. */
  readonly message: string;
}

const text = (content: string) => new TextEncoder().encode(content);
const times = (count: number, bytes: readonly number[]): number[] =>
  Array.from({ length: count }, () => bytes).flat();
const good = dict({ weight: tensor() });
const pickle = (value: readonly number[]) => Uint8Array.from([...op.proto(), ...value, ...op.stop]);
const goodEntry = { name: "m/data.pkl", content: pickle(good) };
const storage = { name: "m/data/0", content: new Uint8Array(16) };

/** A file of `length` header bytes stated, and this text after them. */
const safetensors = (length: number | bigint, header: string, data = 0) => {
  const bytes = new Uint8Array(8 + header.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text(header), 8);
  return bytes;
};

/** Modules nested by `levels`, each of which holds the next one `copies` times. */
const modules = (levels: number, copies: number) => {
  const bytes: number[] = [];
  for (let level = 0; level < levels; level++) {
    const parts = Array.from({ length: copies }, (_, at) => [
      ...op.text(`p${at}`),
      ...(level === 0 ? op.none : op.get(level - 1)),
      ...op.setItem,
    ]);
    const state = [...op.emptyDict, ...op.text("_modules"), ...op.emptyDict, ...parts.flat(), ...op.setItem];
    bytes.push(
      ...op.global("my", "Module"),
      ...op.emptyTuple,
      ...op.newObject,
      ...state,
      ...op.build,
      ...op.put(level),
    );
    if (level < levels - 1) bytes.push(0x30);
  }
  return saved(bytes);
};

const empty = [...tensor({ size: tuple(op.int(0)) }), ...op.put(2)];

/** A module that holds the same value, memo entry 1 or 2, under many names. */
const holder = (count: number, key: string, value: readonly number[], group = "_modules") => {
  const get = op.get(group === "_modules" ? 1 : 2);
  const rest = Array.from({ length: count - 1 }, (_, at) => [...op.text(`${key}${at + 1}`), ...get]).flat();
  const items = [...op.mark, ...op.text(`${key}0`), ...value, ...rest, ...op.setItems];
  const state = [...op.emptyDict, ...op.text(group), ...op.emptyDict, ...items, ...op.setItem];
  return [...op.global("my", "Module"), ...op.emptyTuple, ...op.newObject, ...state, ...op.build];
};

const SAFETENSORS: Omit<HostileFile, "reader">[] = [
  {
    name: "a header of 2^53 bytes",
    make: () => safetensors(1n << 53n, "{}"),
    message: "at most 100000000 bytes",
  },
  {
    name: "a header of 2^64 - 1 bytes",
    make: () => safetensors((1n << 64n) - 1n, "{}"),
    message: "at most 100000000",
  },
  {
    name: "a header of 99 MB in a file of 10 bytes",
    make: () => safetensors(99_000_000, "{}"),
    message: "the file is truncated",
  },
  {
    name: "a million open brackets",
    make: () => safetensors(1e6 + 5, `{"a":${"[".repeat(1e6)}`),
    message: "nests deeper than 64",
  },
  {
    name: "a million open objects",
    make: () => safetensors(5e6, '{"a":'.repeat(1e6)),
    message: "nests deeper than 64",
  },
  {
    name: "a million sizes",
    make: () => {
      const header = `{"a":{"dtype":"U8","shape":[${"1,".repeat(1e6)}1],"data_offsets":[0,1]}}`;
      return safetensors(header.length, header, 1);
    },
    message: "shape: expected up to 64 sizes",
  },
  {
    name: "a tensor of 2^50 bytes",
    make: () => {
      const header = `{"a":{"dtype":"F32","shape":[${2 ** 48}],"data_offsets":[0,${2 ** 50}]}}`;
      return safetensors(header.length, header);
    },
    message: "reach past the data of 0 bytes; the file is truncated",
  },
  {
    name: "fifty thousand tensors on the same bytes",
    make: () => {
      const one = '{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}';
      const header = `{${Array.from({ length: 5e4 }, (_, at) => `"t${at}":${one}`).join(",")}}`;
      return safetensors(header.length, header, 4000);
    },
    message: "overlap the tensor that ends at 4000",
  },
  {
    name: "metadata of half a million texts",
    make: () => {
      const texts = Array.from({ length: 5e5 }, (_, at) => `"k${at}":"v"`);
      const header = `{"__metadata__":{${texts.join(",")}}}`;
      return safetensors(header.length, header);
    },
    message: "safetensors: header: more than 250000 keys",
  },
];

/** Pickles that would run something, in the ways a pickle can. */
const RUNS: [string, readonly number[], string][] = [
  ["os.system by GLOBAL", call("os", "system", op.text("id")), "os.system"],
  ["posix.system", call("posix", "system", op.text("id")), "posix.system"],
  [
    "nt.system by STACK_GLOBAL",
    [...op.stackGlobal("nt", "system"), ...tuple(op.text("id")), ...op.reduce],
    "nt.system",
  ],
  ["builtins.eval", call("builtins", "eval", op.text("1")), "builtins.eval"],
  ["__builtin__.exec", call("__builtin__", "exec", op.text("1")), "__builtin__.exec"],
  ["builtins.__import__", call("builtins", "__import__", op.text("os")), "builtins.__import__"],
  ["eval by a dotted name", call("builtins", "eval.__call__", op.text("1")), "builtins.eval.__call__"],
  [
    "subprocess.Popen by NEWOBJ",
    [...op.global("subprocess", "Popen"), ...tuple(op.text("id")), ...op.newObject],
    "subprocess.Popen",
  ],
  ["os.path by a submodule", call("os.path", "join", op.text("id")), "os.path.join"],
  [
    "runpy beside a good state dict",
    dict({ weight: tensor(), x: call("runpy", "run_path", op.text("x")) }),
    "runpy.run_path",
  ],
];

const TORCH: Omit<HostileFile, "reader">[] = [
  ...RUNS.map(([name, value, called]) => ({
    name,
    make: () => saved(value),
    message: `the file wants to call ${called}; nothing of it is run, and it is refused`,
  })),
  {
    name: "an unknown call",
    make: () => saved(call("evil", "run", op.text("x"))),
    message: "the file holds an object of evil.run without parameters",
  },
  {
    name: "a call of a value",
    make: () => saved([...op.text("x"), ...op.emptyTuple, ...op.reduce]),
    message: "a call of something that is no global",
  },
  {
    name: "a class named as Object.prototype's",
    make: () => saved(call("constructor", "__proto__")),
    message: "an object of constructor.__proto__",
  },
  {
    name: "a dict keyed __proto__",
    make: () =>
      saved(
        dict(
          Object.fromEntries([
            ["__proto__", op.none],
            ["constructor", op.emptyDict],
          ]),
        ),
      ),
    message: "no state dict at the top",
  },
  {
    name: "INST, which makes instances",
    make: () => saved([...op.mark, 0x69, ...op.global("os", "system").slice(1)]),
    message: "opcode 0x69 (INST) is not supported",
  },
  { name: "an extension", make: () => saved([0x82, 1]), message: "opcode 0x82 (EXT1) is not supported" },
  { name: "an unknown opcode", make: () => saved([0xff]), message: "unknown opcode 0xff" },
  {
    name: "protocol 9",
    make: () => pt([...op.proto(9), ...op.none, ...op.stop]),
    message: "protocol 9 is not supported",
  },
  {
    name: "bytes after STOP",
    make: () => pt([...op.proto(), ...good, ...op.stop, 0]),
    message: 'zip: "m/data.pkl" has 1 bytes after its pickle',
  },
  {
    name: "no STOP",
    make: () => pt([...op.proto(), ...op.none]),
    message: "1 bytes are due at 3, but 0 are left",
  },
  { name: "an empty pickle", make: () => pt([]), message: "1 bytes are due at 0, but 0 are left" },
  { name: "an empty stack", make: () => pt(op.stop), message: "the stack is empty" },
  {
    name: "values left",
    make: () => saved([...op.none, ...op.none]),
    message: "STOP leaves 1 values on the stack",
  },
  { name: "a mark as the value", make: () => saved(op.mark), message: "a mark where a value is due" },
  { name: "no mark", make: () => saved([...op.none, ...op.tuple]), message: "no mark on the stack" },
  { name: "an unknown memo", make: () => saved(op.get(7)), message: "memo entry 7 is missing" },
  {
    name: "a text of 2^32 - 1 bytes",
    make: () => saved([0x58, 255, 255, 255, 255]),
    message: "4294967295 bytes are due",
  },
  {
    name: "a text of 2^63 bytes",
    make: () => saved([0x8d, 0, 0, 0, 0, 0, 0, 0, 128]),
    message: "9223372036854776000 bytes are due",
  },
  {
    name: "a frame of 2^63 bytes",
    make: () => saved([0x95, 0, 0, 0, 0, 0, 0, 0, 128]),
    message: "a frame of 9223372036854776000 bytes",
  },
  {
    name: "an integer of 2^31 bytes",
    make: () => saved([0x8b, 0, 0, 0, 128]),
    message: "an integer of 2147483648 bytes",
  },
  {
    name: "a global that does not end",
    make: () => saved([0x63, ...times(5000, [65])]),
    message: "a global whose name does not end",
  },
  {
    name: "a text that is no UTF-8",
    make: () => saved([0x58, 1, 0, 0, 0, 255]),
    message: "byte 0 is not valid UTF-8",
  },
  {
    name: "an odd number of items",
    make: () => saved([...op.emptyDict, ...op.mark, ...op.none, ...op.setItems]),
    message: "a key without a value",
  },
  {
    name: "items for a text",
    make: () => saved([...op.text("x"), ...op.none, ...op.append]),
    message: "APPENDS to something that is no list",
  },
  {
    name: "a million lists in each other",
    make: () => saved(join(repeat(1e6, op.emptyList), repeat(1e6 - 1, op.append))),
    message: "more than 500000 objects",
  },
  {
    name: "400,000 tuples in each other",
    make: () => saved(join(op.none, repeat(4e5, op.tuple1))),
    message: "no state dict at the top",
  },
  {
    name: "five million steps",
    make: () => saved(repeat(2_500_000, [...op.none, 0x30])),
    message: "more than 1500000 steps",
  },
  {
    name: "two million memo entries",
    make: () => saved(join(op.none, repeat(2e6, op.memoize))),
    message: "more than 1000000 memo entries",
  },
  {
    name: "modules in each other by the thousand",
    make: () => modules(1000, 1),
    message: "modules nest deeper than 64",
  },
  {
    name: "modules that double at every level",
    make: () => modules(40, 2),
    message: "modules of more than 1000000 parts",
  },
  ...["builtins.set", "collections.OrderedDict"].map((callee) => ({
    name: `a long list made into ${callee} a thousand times`,
    make: () => {
      const list = [...op.mark, ...times(50_000, [...op.none, ...op.none, ...op.tuple2]), ...op.appends];
      const [module, name] = callee.split(".") as [string, string];
      const made = [...op.global(module, name), ...op.get(0), ...op.reduce];
      return saved([
        ...[...op.emptyList, ...list, ...op.tuple1, ...op.put(0), ...op.pop],
        ...[...op.mark, ...times(1000, made), ...op.tuple],
      ]);
    },
    message: "more than 1500000 steps",
  })),
  {
    name: "ten thousand modules that share a hundred empty tensors",
    make: () => saved(holder(10_000, "m", [...holder(100, "p", empty, "_parameters"), ...op.put(1)])),
    message: "more than 100000 tensors",
  },
  {
    name: "ten thousand modules that share a thousand numbers",
    make: () =>
      saved(
        holder(10_000, "m", [...holder(1000, "p", [...op.none, ...op.put(2)], "_parameters"), ...op.put(1)]),
      ),
    message: "modules of more than 1000000 parts",
  },
  {
    name: "a name of a million characters before each tensor's",
    make: () => saved(holder(1, "m".repeat(1e6), holder(1000, "p", empty, "_parameters"))),
    message: "a name of 1000001 characters",
  },
  {
    name: "a hundred and fifty thousand tensors in one place",
    make: () =>
      saved([
        ...[...op.emptyDict, ...tensor(), ...op.put(1), ...op.pop, ...op.mark],
        ...Array.from({ length: 150_000 }, (_, at) => [...op.text(`t${at}`), ...op.get(1)]).flat(),
        ...op.setItems,
      ]),
    message: "more than 100000 tensors",
  },
  {
    name: "a module that holds itself",
    make: () =>
      saved([
        ...op.global("my", "M"),
        ...op.emptyTuple,
        ...op.newObject,
        ...op.put(0),
        ...dict({ _modules: dict({ a: op.get(0) }) }),
        ...op.build,
      ]),
    message: "modules nest deeper than 64",
  },
  {
    name: "a state_dict that holds itself",
    make: () => saved([...op.emptyDict, ...op.put(0), ...op.text("state_dict"), ...op.get(0), ...op.setItem]),
    message: "no state dict at the top",
  },
  ...(
    [
      ["a stride past the end", { stride: tuple(op.int(2)) }, "reach element 6 of a storage of 4"],
      ["an offset past the end", { offset: op.int(1) }, "reach element 4 of a storage of 4"],
      [
        "an offset of 2^62",
        { offset: op.long(1n << 62n) },
        "storage offset: expected an integer of at least 0, got 4611686018427387904n",
      ],
      [
        "a negative offset",
        { offset: op.int(-1) },
        "storage offset: expected an integer of at least 0, got -1",
      ],
      [
        "a negative stride",
        { stride: tuple(op.int(-1)) },
        "stride: expected 1 integers of at least 0, got [-1]",
      ],
      [
        "a negative size",
        { size: tuple(op.int(-4)) },
        "size: expected up to 64 integers of at least 0, got [-4]",
      ],
      [
        "a size of 2^63",
        { size: tuple(op.long(1n << 63n)) },
        "size: expected up to 64 integers of at least 0, got [9223372036854775808n]",
      ],
      [
        "a size that is true",
        { size: tuple(op.true) },
        "size: expected up to 64 integers of at least 0, got [true]",
      ],
      [
        "a size that is no tuple",
        { size: op.text("4") },
        'size: expected up to 64 integers of at least 0, got "4"',
      ],
      ["strides of another length", { stride: tuple() }, "stride: expected 1 integers of at least 0, got []"],
      [
        "65 dimensions",
        {
          size: tuple(...times(65, [1]).map(() => op.int(1))),
          stride: tuple(...times(65, [1]).map(() => op.int(1))),
        },
        "up to 64 integers",
      ],
      [
        "sizes that overflow",
        { size: tuple(op.long(1n << 40n), op.long(1n << 40n)), stride: tuple(op.int(0), op.int(0)) },
        "size: expected up to 64 integers",
      ],
      [
        "2^40 numbers out of one",
        { size: tuple(op.long(1n << 40n)), stride: tuple(op.int(0)) },
        "tensors take more than 67108864 bytes",
      ],
      [
        "a storage of 2^40 elements",
        { elements: op.long(1n << 40n) },
        'storage "0": expected 4398046511104 bytes, got 16',
      ],
      ["a storage of -1 elements", { elements: op.int(-1) }, 'storage "0": a count of -1 elements'],
      ["a missing storage", { key: "7" }, 'entry "m/data/7" is missing'],
      ["a storage outside", { key: "../../etc/passwd" }, 'entry "m/data/../../etc/passwd" is missing'],
      ["a storage of no type", { type: op.none }, "storage type null is not supported"],
      [
        "a storage of another type",
        { type: op.global("torch", "QInt8Storage") },
        "it is quantised; save tensor.dequantize()",
      ],
      [
        "a storage type of Object.prototype",
        { type: op.global("torch", "constructor") },
        "storage type torch.constructor is not supported",
      ],
    ] as const
  ).map(([name, options, message]) => ({
    name,
    make: () => saved(dict({ weight: tensor(options) })),
    message,
  })),
  {
    name: "a tensor of no storage",
    make: () =>
      saved(
        dict({ weight: call("torch._utils", "_rebuild_tensor_v2", op.none, op.int(0), tuple(), tuple()) }),
      ),
    message: "a tensor of something that is no storage (null)",
  },
  {
    name: "a persistent id of another kind",
    make: () => saved([...tuple(op.text("file")), ...op.persistentId]),
    message: 'a persistent id of kind "file"',
  },
  {
    name: "a persistent id that is text",
    make: () => saved([...op.text("x"), ...op.persistentId]),
    message: 'a persistent id that is "x"',
  },
  {
    name: "ten thousand tensors of one storage of 1 MB",
    make: () => {
      const storage = { elements: op.int(2 ** 18), size: tuple(op.int(2 ** 18)) };
      const one = [...tensor(storage), ...op.put(1)];
      const pickled = [...op.proto(), ...op.emptyDict, ...op.text("t"), ...one, ...op.setItem];
      for (let at = 0; at < 10_000; at++) pickled.push(...op.text(`t${at}`), ...op.get(1), ...op.setItem);
      return pt([...pickled, ...op.stop], new Uint8Array(2 ** 20));
    },
    message: "tensors take more than 67108864 bytes",
  },
  {
    name: "a zip without data.pkl",
    make: () => zip([storage]),
    message: "zip: expected one entry NAME/data.pkl, got 0",
  },
  {
    name: "a zip with two",
    make: () => zip([goodEntry, { ...goodEntry, name: "n/data.pkl" }]),
    message: "expected one entry NAME/data.pkl, got 2",
  },
  {
    name: "an entry twice",
    make: () => zip([goodEntry, goodEntry]),
    message: 'zip: entry "m/data.pkl" occurs twice',
  },
  {
    name: "an entry that leads out",
    make: () => zip([goodEntry, { ...storage, name: "../evil" }]),
    message: 'entry "../evil": the name leads out of the archive',
  },
  {
    name: "an absolute entry",
    make: () => zip([goodEntry, { ...storage, name: "/etc/passwd" }]),
    message: "the name leads out of the archive",
  },
  {
    name: "an encrypted entry",
    make: () => zip([{ ...goodEntry, flags: 1 }]),
    message: 'entry "m/data.pkl" is encrypted',
  },
  {
    name: "another compression",
    make: () => zip([{ ...goodEntry, method: 14 }]),
    message: "compression method 14 is not supported",
  },
  {
    name: "another name in the local header",
    make: () => zip([{ ...goodEntry, localName: "m/data.pkx" }]),
    message: "has another name in its local header",
  },
  {
    name: "a stored entry of two sizes",
    make: () => zip([{ ...goodEntry, bytes: 5 }]),
    message: "is stored in",
  },
  {
    name: "an entry past the end",
    make: () => zip([{ ...goodEntry, bytes: 1e6, compressedBytes: 1e6 }]),
    message: "reach past the data",
  },
  {
    name: "an entry of 2^53 bytes",
    make: () => zip([{ ...goodEntry, bytes: 1n << 53n, compressedBytes: 1n << 53n }]),
    message: "9007199254740992 is more than any file holds",
  },
  {
    name: "an entry at 2^63",
    make: () => zip([{ ...goodEntry, header: 1n << 63n }]),
    message: "is more than any file holds",
  },
  {
    name: "an entry at another's data",
    make: () => zip([goodEntry, { ...goodEntry, name: "m/data.pkl", header: 0 }]),
    message: "occurs twice",
  },
  {
    name: "overlapping entries",
    make: () => {
      const bytes = goodEntry.content.length + 20;
      return zip([{ ...goodEntry, bytes, compressedBytes: bytes }, storage]);
    },
    message: "overlaps another entry",
  },
  {
    name: "a directory of too many",
    make: () => zip([goodEntry], { count: 65_535 }),
    message: "directory entry 1 of 65535 is missing",
  },
  {
    name: "a directory of too few",
    make: () => zip([goodEntry, storage], { count: 1 }),
    message: "bytes after its 1 entries",
  },
  {
    name: "a bomb that says so",
    make: () =>
      zip([{ ...goodEntry, method: 8, content: deflateSync(new Uint8Array(2 ** 20)), bytes: 2 ** 31 }]),
    message: "entries inflate to more than 67108864 bytes",
  },
  {
    name: "a bomb that says less",
    make: () =>
      zip([{ ...goodEntry, method: 8, content: deflateSync(new Uint8Array(2 ** 23)), bytes: 1000 }]),
    message: "inflates to more than the 1000 bytes it states",
  },
  {
    name: "an entry that inflates to less",
    make: () => zip([{ ...goodEntry, method: 8, content: deflateSync(new Uint8Array(10)), bytes: 1000 }]),
    message: "inflates to 10 bytes, but states 1000",
  },
  {
    name: "a truncated deflated entry",
    make: () =>
      zip([{ ...goodEntry, method: 8, content: deflateSync(goodEntry.content).subarray(0, 20), bytes: 300 }]),
    message: 'zip: entry "m/data.pkl"',
  },
  {
    name: "a deflated entry of noise",
    make: () => zip([{ ...goodEntry, method: 8, content: new Uint8Array(100).fill(0xff), bytes: 300 }]),
    message: "does not inflate: ",
  },
  {
    name: "a tar file",
    make: () => {
      const bytes = new Uint8Array(512);
      bytes.set(text("ustar"), 257);
      return bytes;
    },
    message: "a tar file",
  },
  { name: "no file at all", make: () => new Uint8Array(0), message: "neither a zip nor the legacy format" },
  { name: "a plain pickle", make: () => pickle(good), message: "neither a zip nor the legacy format" },
  {
    name: "another magic number",
    make: () => Uint8Array.from([...op.proto(), ...op.long(5n, 10), ...op.stop]),
    message: "magic number: expected 119547037146038801333356, got 5",
  },
];

const legacyKeys = (...keys: string[]) => [
  ...op.emptyList,
  ...keys.flatMap((key) => [...op.text(key), ...op.append]),
];
const LEGACY_PARTS: [string, LegacyOptions, string][] = [
  ["a legacy file of another protocol", { protocol: op.int(5) }, "protocol version: expected 1001, got 5"],
  ["a legacy file without a system", { system: op.none }, "not written on a little-endian machine"],
  [
    "a big-endian legacy file",
    { system: dict({ little_endian: op.none }) },
    "not written on a little-endian machine",
  ],
  ["a legacy file without keys", { keys: op.none }, "no list of storage keys after the object"],
  ["a legacy file of no storages", { keys: op.emptyList, storages: [] }, 'storage "0" is missing'],
  ["a legacy key twice", { keys: legacyKeys("0", "0") }, 'storage key "0" occurs twice'],
  ["an unknown legacy key", { keys: legacyKeys("1") }, 'storage key "1" belongs to no tensor'],
  ["a legacy key that is no text", { keys: tuple(op.none) }, "storage key null belongs to no tensor"],
  [
    "a legacy file cut before its numbers",
    { storages: [] },
    'storage "0": the file is truncated before its count',
  ],
  [
    "a legacy storage of another count",
    { storages: new Uint8Array(24).fill(0xff) },
    'storage "0": expected 4 elements, got a count of 18446744073709551615',
  ],
  [
    "bytes after a legacy file",
    { storages: [4, ...new Uint8Array(24)] },
    "1 bytes after the last storage belong to none",
  ],
];

const LEGACY: Omit<HostileFile, "reader">[] = [
  ...LEGACY_PARTS.map(([name, parts, message]) => ({
    name,
    make: () => legacy(dict({ weight: legacyTensor() }), parts),
    message,
  })),
  {
    name: "a view of a storage in a legacy file",
    make: () => legacy(dict({ weight: legacyTensor(tuple(op.text("0"), op.int(0), op.int(4))) })),
    message: "a view of a storage, as PyTorch wrote before 0.4, is not supported",
  },
  {
    name: "a legacy storage of two counts",
    make: () => legacy(dict({ a: legacyTensor(), b: legacyTensor(op.none, op.int(3)) })),
    message: 'storage "0" occurs with two types or counts',
  },
  {
    name: "a legacy file that calls os.system",
    make: () => legacy(call("os", "system", op.text("id"))),
    message: "the file wants to call os.system",
  },
];

const attribute = { hidden_size: 1 };
const lstm = (w: string) => onnx.node("LSTM", ["x", w, "r"], ["y"], { attributes: attribute });
const chain = (op: string, count: number, inputs: (from: string) => string[], attributes = {}) =>
  Array.from({ length: count }, (_, at) => onnx.node(op, inputs(`v${at}`), [`v${at + 1}`], { attributes }));

const calls = (count: number) => Array.from({ length: count }, () => onnx.node("f", [], [], { domain: "d" }));
/** Bytes in messages in each other, the outermost field first; large ones as typed arrays. */
const wrap = (fields: readonly number[], content: Uint8Array): Uint8Array =>
  fields.reduceRight(
    (inner, field) => join(onnx.varint(field * 8 + 2), onnx.varint(inner.length), inner),
    content,
  );

const ONNX: Omit<HostileFile, "reader">[] = [
  {
    name: "no file at all",
    make: () => new Uint8Array(0),
    message: "onnx: model: no graph; this is not an ONNX model",
  },
  { name: "a safetensors file", make: () => safetensors(2, "{}"), message: "onnx: model" },
  {
    name: "a number of 11 bytes",
    make: () => Uint8Array.from([0x08, ...times(10, [0x80]), 1]),
    message: "a number of more than 10 bytes",
  },
  {
    name: "a number that does not end",
    make: () => Uint8Array.from([0x08, 0x80]),
    message: "the message ends within a number",
  },
  {
    name: "a message of 2^63 bytes",
    make: () => Uint8Array.from([0x3a, ...onnx.varint(1n << 63n)]),
    message: "field 7: 9223372036854775808 bytes, but 0 are left",
  },
  { name: "a group", make: () => Uint8Array.from([0x3b]), message: "wire type 3 is not supported" },
  { name: "field 0", make: () => Uint8Array.from([0x00, 0x00]), message: "no such field number" },
  { name: "two graphs", make: () => Uint8Array.from([0x3a, 0, 0x3a, 0]), message: "a second graph" },
  {
    name: "a graph that is a number",
    make: () => Uint8Array.from([0x38, 1]),
    message: "expected bytes, got wire type 0",
  },
  {
    name: "a name that is no UTF-8",
    make: () => Uint8Array.from([0x3a, 3, 0x12, 1, 0xff]),
    message: "byte 0 is not valid UTF-8",
  },
  {
    name: "half a million nodes",
    make: () => {
      const nodes = repeat(5e5, [0x0a, 0x00]);
      return join([0x3a], onnx.varint(nodes.length), nodes);
    },
    message: "more than 100000 nodes",
  },
  {
    name: "two million fields",
    make: () => repeat(2e6, [0x08, 0x01]),
    message: "the file has more than 1000000 fields",
  },
  {
    name: "graphs in each other",
    make: () => {
      let inner = onnx.graph({});
      for (let depth = 0; depth < 100; depth++) {
        inner = onnx.graph({
          nodes: [onnx.node("If", [], [], { attributes: { then_branch: { graph: inner } } })],
        });
      }
      return Uint8Array.from(onnx.lengthDelimited(7, inner));
    },
    message: "graphs nest deeper than 32",
  },
  {
    name: "a function that calls itself",
    make: () =>
      onnx.model({ nodes: [onnx.node("f", [], [], { domain: "d" })] }, [
        onnx.func("d", "f", { nodes: [onnx.node("f", [], [], { domain: "d" })] }),
      ]),
    message: "calls and graphs nest deeper than 64",
  },
  {
    name: "functions that call the next one twice",
    make: () => {
      const twice = (at: number) => [1, 2].map(() => onnx.node(`f${at}`, [], [], { domain: "d" }));
      const functions = Array.from({ length: 40 }, (_, at) =>
        onnx.func("d", `f${at}`, { nodes: twice(at + 1) }),
      );
      return onnx.model({ nodes: twice(0) }, functions);
    },
    message: "more than 100000 nodes",
  },
  {
    name: "a function of ten thousand inputs called a thousand times",
    make: () => {
      const inputs = Array.from({ length: 10_000 }, (_, at) => `i${at}`);
      return onnx.model({ nodes: calls(1000) }, [onnx.func("d", "f", { inputs })]);
    },
    message: "more than 1000000 names",
  },
  {
    name: "a branch of five thousand weights in a function called a thousand times",
    make: () => {
      const initializers = Array.from({ length: 5000 }, (_, at) => onnx.floats(`w${at}`, [0], []));
      const attributes = { then_branch: { graph: onnx.graph({ initializers }) } };
      return onnx.model({ nodes: calls(1000) }, [
        onnx.func("d", "f", { nodes: [onnx.node("If", [], [], { attributes })] }),
      ]);
    },
    message: "more than 1000000 names",
  },
  ...[
    { attributes: Object.fromEntries(Array.from({ length: 1200 }, (_, at) => [`a${at}`, 1])) },
    { inputs: Array.from({ length: 1200 }, () => "x") },
  ].map(({ inputs = [], ...options }) => ({
    name: `a node of 1,200 ${inputs.length > 0 ? "inputs" : "attributes"} in a function called a thousand times`,
    make: () =>
      onnx.model({ nodes: calls(1000) }, [
        onnx.func("d", "f", { nodes: [onnx.node("LSTM", inputs, [], options)] }),
      ]),
    message: "more than 1000000 names",
  })),
  {
    name: "a name of a million characters before a function's nodes",
    make: () =>
      onnx.model({ nodes: [onnx.node("f", [], [], { domain: "d", name: "n".repeat(1e6) })] }, [
        onnx.func("d", "f", { nodes: Array.from({ length: 100 }, () => onnx.node("Add", [], [])) }),
      ]),
    message: "a node's name of 1000000 characters",
  },
  {
    name: "a weight of twelve million dims",
    make: () => wrap([7, 5, 1], new Uint8Array(12e6).fill(1)),
    message: "more than 64 dims",
  },
  {
    name: "a weight whose list of twelve million numbers is twelve million too long",
    make: () => {
      const fields = [onnx.integer(2, 7), onnx.lengthDelimited(8, "w"), wrap([7], new Uint8Array(12e6))];
      return wrap([7], join(wrap([5], join(...fields)), onnx.lengthDelimited(1, lstm("w"))));
    },
    message: "dims are of 1 numbers, got a list of 12000000",
  },
  {
    name: "a weight through ten thousand nodes",
    make: () =>
      onnx.model({
        nodes: [...chain("Identity", 10_000, (from) => [from]), lstm("v10000")],
        initializers: [onnx.floats("v0", [1], [1])],
      }),
    message: "passes through more than 200 nodes",
  },
  {
    name: "a weight that depends on itself",
    make: () =>
      onnx.model({
        nodes: [onnx.node("Identity", ["a"], ["b"]), onnx.node("Identity", ["b"], ["a"]), lstm("a")],
      }),
    message: "passes through more than 200 nodes",
  },
  {
    name: "a weight that doubles sixty times",
    make: () =>
      onnx.model({
        nodes: [...chain("Concat", 60, (from) => [from, from], { axis: 0 }), lstm("v60")],
        initializers: [onnx.floats("v0", [1], [1])],
      }),
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a weight given ten thousand times",
    make: () => {
      const inputs = Array.from({ length: 10_000 }, () => "w");
      const weight = onnx.tensor("w", { dims: [16384], raw: new Float32Array(16384) });
      return onnx.model({
        nodes: [onnx.node("Concat", inputs, ["c"], { attributes: { axis: 0 } }), lstm("c")],
        initializers: [weight],
      });
    },
    message: "constants take more memory than a file of this size may",
  },
  {
    name: "a weight of 10,000 dimensions",
    make: () =>
      onnx.model({
        nodes: [
          onnx.node("Unsqueeze", ["w"], ["u"], {
            attributes: { axes: Array.from({ length: 10_000 }, (_, at) => at) },
          }),
          lstm("u"),
        ],
        initializers: [onnx.floats("w", [1], [1])],
      }),
    message: "axes: 10000 numbers",
  },
  {
    name: "a weight of 2^62 numbers",
    make: () => onnx.model({ nodes: [lstm("w")], initializers: [onnx.tensor("w", { dims: [1n << 62n] })] }),
    message: "dims: expected up to 64 sizes of at least 0",
  },
  {
    name: "a weight of 2^40 numbers",
    make: () => onnx.model({ nodes: [lstm("w")], initializers: [onnx.tensor("w", { dims: [1n << 40n] })] }),
    message: "take 4398046511104 bytes, got 0",
  },
  {
    name: "a hidden size of 2^40",
    make: () =>
      onnx.model({
        inputs: ["x"],
        nodes: [onnx.node("LSTM", ["x", "w", "w"], ["y"], { attributes: { hidden_size: 2 ** 40 } })],
        initializers: [onnx.floats("w", [1, 4, 1], [1, 2, 3, 4])],
      }),
    message: "W: expected shape [1, 4398046511104, 1], got [1, 4, 1]",
  },
];

const nam = (config: string, weights: string) =>
  text(`{"version":"0.5.0","architecture":"LSTM","config":${config},"weights":${weights}}`);
const AMP: HostileFile[] = [
  {
    reader: "readNam",
    name: "a million open brackets",
    make: () => text("[".repeat(1e6)),
    message: "nam: nests deeper than 64",
  },
  {
    reader: "readNam",
    name: "NaN among the weights",
    make: () => nam("{}", "[NaN]"),
    message: "nam: not valid JSON",
  },
  {
    reader: "readNam",
    name: "config twice",
    make: () => text('{"config":1,"config":2}'),
    message: 'nam: key "config" occurs twice',
  },
  {
    reader: "readNam",
    name: "sizes of 65,536",
    make: () => nam('{"input_size":65536,"hidden_size":65536,"num_layers":1024}', "[1]"),
    message: "nam: weights: expected",
  },
  {
    reader: "readNam",
    name: "nested weights",
    make: () => nam('{"input_size":1,"hidden_size":1,"num_layers":1}', `${"[".repeat(20)}1${"]".repeat(20)}`),
    message: "nam: weights: expected fewer dimensions",
  },
  {
    reader: "readNam",
    name: "bytes that are no text",
    make: () => Uint8Array.of(0x7b, 0xff),
    message: "nam: byte 1 is not valid UTF-8",
  },
  {
    reader: "readNam",
    name: "a matrix that is wide in one row and high elsewhere",
    make: () =>
      nam('{"input_size":1,"hidden_size":1,"num_layers":1}', `[[${"1,".repeat(1e5)}1]${",0".repeat(1e5)}]`),
    message: "nam: weights[1]: expected an array of length 100001, got 0",
  },
  {
    reader: "readGuitarML",
    name: "a state_dict keyed __proto__",
    make: () =>
      text(
        '{"model_data":{"model":"SimpleRNN","unit_type":"LSTM","input_size":1,"hidden_size":1,"output_size":1,"skip":0},"state_dict":{"__proto__":[1]}}',
      ),
    message: 'tensor "__proto__" is unexpected',
  },
  {
    reader: "readGuitarML",
    name: "no file at all",
    make: () => new Uint8Array(0),
    message: "guitarml: not valid JSON",
  },
  {
    reader: "readRTNeural",
    name: "a thousand layers that are none",
    make: () => text(`{"in_shape":[1],"layers":[${"0,".repeat(1000)}0]}`),
    message: 'rtneural: layers[0].type: expected "lstm" or "gru", got undefined',
  },
  {
    reader: "readRTNeural",
    name: "layers that are a text",
    make: () => text('{"in_shape":[1],"layers":"x"}'),
    message: 'rtneural: layers: expected an array, got "x"',
  },
];

export const HOSTILE: readonly HostileFile[] = [
  ...SAFETENSORS.map((file) => ({ reader: "readSafetensors" as const, ...file })),
  ...[...TORCH, ...LEGACY].map((file) => ({ reader: "readTorch" as const, ...file })),
  ...ONNX.map((file) => ({ reader: "readOnnx" as const, ...file })),
  ...AMP,
];
