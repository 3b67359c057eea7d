/**
 * The two containers of torch.save. Since PyTorch 1.6 it is a zip with `NAME/data.pkl` and `NAME/data/KEY`.
 * Before, it was a stream of five pickles (magic number, protocol, system, the object, storage keys), then
 * the storages, each after its count.
 */

import { show } from "../../tensor/checks.js";
import type { ModuleMetadata } from "../../tensor/metadata.js";
import { unsupported, viewOf } from "../bytes.js";
import { decodeUtf8 } from "../utf8.js";
import { isZip, Zip } from "../zip.js";
import { bad } from "./error.js";
import { folderOfProgram, OLD_GRAPH, OLD_STATE_DICT, openExported } from "./exported.js";
import type { ReadCode } from "./module-options.js";
import type { Calls } from "./pickle/globals.js";
import { readPickle } from "./pickle/index.js";
import { Spent } from "./pickle/machine.js";
import { layersOfGraph } from "./program.js";
import { QUANTISED_CALLS } from "./quantised.js";
import { type ReadStorage, Storage, storageOf, TENSOR_CALLS, UnsupportedTensor } from "./rebuild-tensor.js";

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;
/** The first bytes of a pickled magic number, without the protocol's number: PROTO, LONG1, ten bytes. */
const LEGACY_START = [0x80, 0x8a, 0x0a];

/** Of a file. Not made when the module is read: what is made then stays in bundles that call no reader of PyTorch. */
const callsOf = (): Calls => new Map([...TENSOR_CALLS, ...QUANTISED_CALLS]);

/** What torch.save was given, with descriptions in place of tensors, and how to read their numbers. */
export interface Archive {
  readonly root: unknown;
  readonly read: ReadStorage;
  /** The layers of a program of torch.export by their prefixes. With several programs: of the one that the path names. */
  layers?(path: readonly string[]): ReadonlyMap<string, ModuleMetadata>;
  /** The code of modules of TorchScript. */
  readonly code?: ReadCode;
}

/**
 * Opens a file of torch.save, or the state dict within a program of torch.export.
 *
 * @throws FormatError for anything but the two containers, and for a container that is broken
 */
export function openArchive(file: Uint8Array, mostBytes: number): Archive {
  if (isZip(file)) {
    const zip = new Zip(file, mostBytes, "torch");
    const folder = folderOfProgram(zip);
    if (folder !== undefined) {
      checkByteOrder(zip, folder);
      return openExported(zip, folder);
    }
    if (!zip.has(OLD_STATE_DICT)) return openZip(zip);
    const inner = zip.read(OLD_STATE_DICT);
    if (!isZip(inner)) throw bad(`${OLD_STATE_DICT}: expected a zip of torch.save`);
    const layers = () =>
      zip.has(OLD_GRAPH) ? layersOfGraph(zip.read(OLD_GRAPH)) : new Map<string, ModuleMetadata>();
    return { ...openZip(new Zip(inner, mostBytes - inner.length, "torch")), layers };
  }
  const frame = file[2] === 0x95 ? 9 : 0; // From protocol 4 on, a frame comes before the number.
  if (
    file[0] === LEGACY_START[0] &&
    file[2 + frame] === LEGACY_START[1] &&
    file[3 + frame] === LEGACY_START[2]
  ) {
    return openLegacy(file);
  }
  if (file.length > 262 && String.fromCharCode(...file.subarray(257, 262)) === "ustar") {
    throw unsupported(
      "torch: a tar file, as PyTorch wrote before 0.1.10, is not supported; load and save it with a newer PyTorch",
    );
  }
  throw bad("neither a zip nor the legacy format of torch.save");
}

function openZip(zip: Zip): Archive {
  const pickles = [...zip.names()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw bad(`zip: expected one entry NAME/data.pkl, got ${pickles.length}`);
  const name = pickles[0]!;
  const folder = name.slice(0, -"data.pkl".length);
  checkByteOrder(zip, folder);
  const pickle = zip.read(name);
  const { value, end } = readPickle(pickle, 0, new Spent("torch"), callsOf(), readId);
  if (end !== pickle.length)
    throw bad(`zip: ${show(name)} has ${pickle.length - end} bytes after its pickle`);
  const contents = new Map<string, Uint8Array>();
  return {
    root: value,
    code(path) {
      const entry = `${folder}code/${path}.py`;
      return zip.has(entry) ? zip.read(entry) : undefined;
    },
    read(storage) {
      let content = contents.get(storage.key);
      if (content === undefined) {
        content = zip.read(`${folder}data/${storage.key}`);
        contents.set(storage.key, content);
      }
      if (content.length !== storage.bytes) {
        throw bad(`storage ${show(storage.key)}: expected ${storage.bytes} bytes, got ${content.length}`);
      }
      return content;
    },
  };
}

function checkByteOrder(zip: Zip, folder: string): void {
  if (!zip.has(`${folder}byteorder`)) return;
  const order = decodeUtf8(zip.read(`${folder}byteorder`).subarray(0, 16), "torch: byteorder");
  if (order.trim() !== "little")
    throw unsupported(`torch: byteorder ${show(order)} is not supported; supported is "little"`);
}

function openLegacy(file: Uint8Array): Archive {
  const spent = new Spent("torch");
  const magic = readPickle(file, 0, spent);
  if (magic.value !== MAGIC_NUMBER)
    throw bad(`magic number: expected ${MAGIC_NUMBER}, got ${show(magic.value)}`);
  const protocol = readPickle(file, magic.end, spent);
  if (protocol.value !== PROTOCOL_VERSION) {
    throw bad(`protocol version: expected ${PROTOCOL_VERSION}, got ${show(protocol.value)}`);
  }
  const system = readPickle(file, protocol.end, spent);
  if (!(system.value instanceof Map) || system.value.get("little_endian") !== true) {
    throw unsupported("torch: the file was not written on a little-endian machine");
  }
  const storages = new Map<string, Storage>();
  const object = readPickle(file, system.end, spent, callsOf(), (id) => {
    const storage = readId(id);
    if (storage instanceof Storage) {
      const known = storages.get(storage.key);
      if (known !== undefined && (known.type !== storage.type || known.elements !== storage.elements)) {
        throw bad(`storage ${show(storage.key)} occurs with two types or counts`);
      }
      storages.set(storage.key, storage);
    }
    return storage;
  });
  const keys = readPickle(file, object.end, spent);
  if (!Array.isArray(keys.value)) throw bad("no list of storage keys after the object");
  const contents = locate(file, keys.end, keys.value, storages);
  return {
    root: object.value,
    read(storage) {
      const content = contents.get(storage.key);
      if (content === undefined) throw bad(`storage ${show(storage.key)} is missing`);
      return content;
    },
  };
}

/** Finds the numbers of each storage. An element count of 8 bytes comes before them. */
function locate(
  file: Uint8Array,
  start: number,
  keys: readonly unknown[],
  storages: ReadonlyMap<string, Storage>,
): Map<string, Uint8Array> {
  const view = viewOf(file);
  const contents = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys) {
    const storage = storages.get(key as string);
    if (storage === undefined || contents.has(storage.key)) {
      throw bad(
        `storage key ${show(key)} ${storage === undefined ? "belongs to no tensor" : "occurs twice"}`,
      );
    }
    const label = `storage ${show(key)}`;
    if (at + 8 > file.length) throw bad(`${label}: the file is truncated before its count`);
    const count = view.getBigUint64(at, true);
    if (count !== BigInt(storage.elements)) {
      throw bad(`${label}: expected ${storage.elements} elements, got a count of ${count}`);
    }
    const { type } = storage;
    if (type instanceof UnsupportedTensor && Number.isNaN(storage.bytes)) {
      throw unsupported(`torch: ${label}: ${type.reason}`);
    }
    const end = at + 8 + storage.bytes;
    if (end > file.length)
      throw bad(`${label}: ends at byte ${end} of ${file.length}; the file is truncated`);
    contents.set(storage.key, file.subarray(at + 8, end));
    at = end;
  }
  if (at !== file.length) throw bad(`${file.length - at} bytes after the last storage belong to none`);
  return contents;
}

/** A storage, or the class of a saved module. Its source code, which is saved with it, is passed over. */
function readId(id: unknown): unknown {
  if (!Array.isArray(id)) throw bad(`a persistent id that is ${show(id)}`);
  if (id[0] === "module") return id[1];
  if (id[0] !== "storage") throw bad(`a persistent id of kind ${show(id[0])}`);
  if (id.length > 5 && id[5] !== null)
    throw unsupported("torch: a view of a storage, as PyTorch wrote before 0.4, is not supported");
  return storageOf(id);
}
