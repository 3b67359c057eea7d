/** Malformed and hostile .pt files: archives, pickles and what they would call. */
import { deflateSync } from "fflate";
import { call, dict, join, op, pt, repeat, saved, tensor, tuple, zip } from "../torch-writer.js";
import { type HostileFile, text, times } from "./readers.js";
import { CALLS } from "./torch-calls.js";

const good = dict({ weight: tensor() });
const pickle = (value: readonly number[]) => Uint8Array.from([...op.proto(), ...value, ...op.stop]);
const goodEntry = { name: "m/data.pkl", content: pickle(good) };
const storage = { name: "m/data/0", content: new Uint8Array(16) };

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

export const TORCH: Omit<HostileFile, "reader">[] = [
  ...CALLS.map(([name, value, called]) => ({
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
    message: 'torch: got a zip of "m/data/0"; which holds no weight file',
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
    message: "a tar archive",
  },
  { name: "no file at all", make: () => new Uint8Array(0), message: "torch: got an empty file" },
  {
    name: "a plain pickle",
    make: () => pickle(good),
    message: "torch: got a pickle that torch.save did not write",
  },
  {
    name: "another magic number",
    make: () => Uint8Array.from([...op.proto(), ...op.long(5n, 10), ...op.stop]),
    message: "magic number: expected 119547037146038801333356, got 5",
  },
];
