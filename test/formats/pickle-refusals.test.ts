/** What the machine of readTorch refuses in a pickle, opcode by opcode: no checkpoint of PyTorch has any of it. */
import { expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { readTorch } from "../../src/formats/index.js";
import { call, dict, op, saved, tensor, tuple } from "../support/torch-writer.js";

const addItems = [0x90];
const emptySet = [0x8f];
const newObjectWithKeywords = [0x92];
const stackGlobal = [0x93];
const shortText = (code: number, text: string) => [code, text.length, ...Buffer.from(text, "latin1")];

/** An nn.Module with these parts in `_parameters`. */
const moduleOf = (...parts: readonly number[][]) => [
  ...call("models", "Model"),
  ...dict({ _parameters: [...op.emptyDict, ...parts.flat()] }),
  ...op.build,
];

function refusal(value: readonly number[]): string {
  try {
    readTorch(saved(value));
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return (error as FormatError).message;
  }
  throw new Error("it was read");
}

it.each<[string, readonly number[], string]>([
  [
    "a call of a number",
    [...op.int(1), ...op.emptyTuple, ...op.reduce],
    "a call of something that is no global",
  ],
  [
    "a call without a tuple",
    [...op.global("models", "Model"), ...op.int(1), ...op.reduce],
    "a call of models.Model without a tuple of arguments",
  ],
  [
    "a state of a number",
    [...op.int(1), ...op.emptyDict, ...op.build],
    "BUILD on something that is no object",
  ],
  ["an item of a number", [...op.int(1), ...op.int(2), ...op.append], "APPENDS to something that is no list"],
  [
    "a key of a list",
    [...op.emptyList, ...op.int(1), ...op.int(2), ...op.setItem],
    "SETITEMS on something that is no dict",
  ],
  ["a key alone", [...op.emptyDict, ...op.mark, ...op.int(1), ...op.setItems], "a key without a value"],
  [
    "a member of a list",
    [...op.emptyList, ...op.mark, ...op.int(1), ...addItems],
    "ADDITEMS to something that is no set",
  ],
  [
    "a dict made from numbers",
    call("collections", "OrderedDict", [...op.emptyList, ...op.int(1), ...op.append]),
    "a dict is made from something else than pairs",
  ],
  [
    "a global whose name is a number",
    [...op.text("models"), ...op.int(1), ...stackGlobal],
    "a global without a name",
  ],
  [
    "a global with an endless name",
    op.stackGlobal("m".repeat(3000), "Model"),
    "a global with an overlong name",
  ],
  [
    "a storage whose key is a number",
    [
      ...tuple(op.text("storage"), op.global("torch", "FloatStorage"), op.int(0), op.text("cpu"), op.int(4)),
      ...op.persistentId,
    ],
    "a storage whose key is 0",
  ],
  [
    "a tensor whose key is a number",
    [...op.emptyDict, ...op.int(7), ...tensor(), ...op.setItem],
    "a tensor whose key is 7",
  ],
  [
    "a part whose key is a number",
    moduleOf([...op.int(7), ...tensor(), ...op.setItem]),
    "a part of a module whose key is 7",
  ],
  [
    "a part that occurs twice",
    [
      ...call("models", "Model"),
      ...dict({ _parameters: dict({ w: tensor() }), _buffers: dict({ w: tensor() }) }),
      ...op.build,
    ],
    'tensor "w" occurs twice',
  ],
  ["a set", emptySet, "the file holds no state dict but a set"],
  ["a number", op.int(3), "the file holds no state dict but 3"],
  [
    "a dtype that is no global",
    dict({
      x: call(
        ...(["torch._utils", "_rebuild_tensor_v3"] as const),
        [
          ...tuple(
            op.text("storage"),
            op.global("torch", "FloatStorage"),
            op.text("0"),
            op.text("cpu"),
            op.int(4),
          ),
          ...op.persistentId,
        ],
        ...[op.int(0), tuple(op.int(4)), tuple(op.int(1)), op.none, op.none, op.int(9)],
      ),
    }),
    "its dtype 9 is not supported",
  ],
  [
    "a subclass that is rebuilt by a number",
    dict({ x: call("torch._tensor", "_rebuild_from_type_v2", op.int(1), op.none, op.emptyTuple) }),
    "it is of a subclass of Tensor",
  ],
  [
    "a dict of many keys and no tensors",
    dict(Object.fromEntries(Array.from({ length: 13 }, (_, at) => [`key${at}`, op.int(at)]))),
    '"key11"...',
  ],
])("refuses %s", (_, value, message) => {
  expect(refusal(value)).toContain(message);
});

it("reads past objects that PyTorch's own calls never make", () => {
  const noList = call("builtins", "set", op.int(1));
  const withKeywords = [
    ...op.global("models", "Options"),
    ...op.emptyTuple,
    ...dict({ size: op.int(1) }),
    ...newObjectWithKeywords,
  ];
  const latin1 = shortText(0x55, "caf\xe9");
  const size = call("torch", "Size", op.int(4));
  const values = { noList, withKeywords, latin1, size, x: tensor() };
  expect([...readTorch(saved(dict(values))).keys()]).toEqual(["x"]);
});

it("leaves out the items of objects that are lists or dicts of their own kind", () => {
  const object = call("collections", "Counter");
  const items = [...op.mark, ...op.text("a"), ...op.int(1)];
  const counter = [...object, ...items, ...op.setItems];
  const list = [...object, ...items, ...op.appends];
  const ordered = [
    ...op.global("collections", "OrderedDict"),
    ...op.emptyTuple,
    ...op.emptyDict,
    ...newObjectWithKeywords,
  ];
  expect([...readTorch(saved(dict({ counter, list, ordered, x: tensor() }))).keys()]).toEqual(["x"]);
});
