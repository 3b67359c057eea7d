/** Malformed and hostile .pt files of before PyTorch 1.6. */
import { call, dict, type LegacyOptions, legacy, legacyTensor, op, tuple } from "../torch-writer.js";
import type { HostileFile } from "./readers.js";

const legacyKeys = (...keys: string[]) => [
  ...op.emptyList,
  ...keys.flatMap((key) => [...op.text(key), ...op.append]),
];
const LEGACY_PARTS: [string, LegacyOptions, string][] = [
  ["a legacy file of another protocol", { protocol: op.int(5) }, "protocol version: expected 1001, got 5"],
  [
    "a legacy file whose protocol is a storage",
    { protocol: [...op.emptyTuple, ...op.persistentId] },
    "a persistent id in a plain pickle",
  ],
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

export const LEGACY: Omit<HostileFile, "reader">[] = [
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
