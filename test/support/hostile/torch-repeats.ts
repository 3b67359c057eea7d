/** Pickles of a megabyte or less that make much of little: one tensor, module or opcode over and over. */
import { dict, join, legacy, op, repeat, saved, tensor, tuple } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

/** What pushes the remembered value 1 under as many names. */
const names = (count: number, length = 0) =>
  join(
    op.emptyDict,
    op.mark,
    ...Array.from({ length: count }, (_, at) => [...shortText(`${at}`.padEnd(length, "n")), 0x68, 1]),
    op.setItems,
  );
const shortText = (text: string) =>
  text.length < 256 ? [0x8c, text.length, ...op.text(text).slice(5)] : op.text(text);
/** Remembers what the opcodes push as the value 1. */
const remembered = (value: ArrayLike<number>) => join(value, [0x71, 1], op.pop);
const module = (part: string, parts: ArrayLike<number>) =>
  join(
    op.global("my", "Module"),
    [...op.emptyTuple, ...op.newObject, ...op.emptyDict, ...op.text(part)],
    parts,
    [...op.setItem, ...op.build],
  );
const ones = tuple(...Array.from({ length: 64 }, () => op.int(1)));
/** What is wanted, and dicts that are dropped. */
const dicts = (value: readonly number[]) => [...value, ...op.mark, ...repeat(150_000, op.emptyDict), 0x31];

export const REPEATS: Omit<HostileFile, "reader">[] = [
  {
    name: "a tensor under 90,000 names",
    make: () => saved(join(remembered(tensor()), names(90_000))),
    message: "tensors take more than 67108864 bytes",
  },
  {
    name: "a tensor of 64 axes under 50,000 names",
    make: () => saved(join(remembered(tensor({ size: ones, stride: ones })), names(50_000))),
    message: "tensors take more than 67108864 bytes",
  },
  {
    name: "a module of a thousand tensors under a hundred names of a kilobyte",
    make: () => {
      const inner = remembered(module("_parameters", names(1000)));
      return saved(join(remembered(tensor()), inner, module("_modules", names(100, 1000))));
    },
    message: "names of tensors of more than 8000000 characters",
  },
  {
    name: "a million byte strings",
    make: () => saved(join(op.emptyList, op.mark, repeat(1e6, [0x43, 0]), op.appends)),
    message: "more than 500000 objects",
  },
  {
    name: "a million byte strings of Python 2",
    make: () => saved(join(op.emptyList, op.mark, repeat(1e6, [0x55, 1, 0xff]), op.appends)),
    message: "more than 500000 objects",
  },
  {
    name: "150,000 dicts in each pickle of a legacy file",
    make: () =>
      legacy(dicts(dict({ weight: tensor() })), {
        magic: dicts(op.long(0x1950a86a20f9469cfc6cn, 10)),
        protocol: dicts([0x4d, 0xe9, 0x03]),
        system: dicts(dict({ little_endian: op.true })),
      }),
    message: "more than 500000 objects",
  },
];
