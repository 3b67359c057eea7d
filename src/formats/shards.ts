/**
 * A model that is cut into several files, as transformers saves large ones. The index beside them says which tensor is
 * in which file:
 *
 *     { "metadata": { "total_size": 9 }, "weight_map": { "lstm.weight_ih_l0": "model-00001-of-00002.safetensors" } }
 */

import { isArray, reading, show } from "../tensor/checks.js";
import { type SkippedTensor, withSkipped } from "../tensor/skipped.js";
import type { StateDict } from "../tensor/tensor.js";
import { bytesOf, kindOf } from "../tensor/typed-array.js";
import { allowedBytes } from "./allowance.js";
import { asBytes, type Bytes, FormatError, isBytes } from "./bytes.js";
import type { FileDict } from "./file-dict.js";
import { isObject, parseJson } from "./json.js";
import { decodeUtf8 } from "./utf8.js";

/** The files of a model that is cut into shards, by their names: the index (`.index.json`) and each that it names. */
export type Shards = Readonly<Record<string, Bytes>>;

const INDEX = /\.index\.json$/;
const SHARD = /-\d{5}-of-\d{5}\.\w+$/;
/** Names that tell an object of files. */
const MARKS = [INDEX, SHARD];
const EXPECTED = "a Uint8Array or ArrayBuffer, or an object of files";
/** Files that an index may name. The largest models have some hundreds. */
const MOST_FILES = 10_000;

/**
 * The files of an argument that is an object with an index or shards among its names; undefined for anything else.
 * @param marks  what of its names tells an object of files
 * @throws TypeError for a file that is not bytes
 */
export function filesOf(
  value: unknown,
  marks: readonly RegExp[] = MARKS,
): Map<string, Uint8Array> | undefined {
  const isPlain = isObject(value) && !isBytes(value) && kindOf(value) === undefined;
  if (!isPlain || reading("bytes", EXPECTED, () => isArray(value))) return undefined;
  const entries = reading("bytes", EXPECTED, () => Object.entries(value));
  if (!entries.some(([name]) => marks.some((mark) => mark.test(name)))) return undefined;
  return new Map(entries.map(([name, file]) => [name, asBytes(file, `bytes[${show(name)}]`)]));
}

/** The same, also of an object with JSON among its names. */
export function filesWithJson(value: unknown): Map<string, Uint8Array> | undefined {
  return filesOf(value, [...MARKS, /\.json$/]);
}

/** Whether an index or shards are among the files. */
export function isSharded(files: ReadonlyMap<string, Uint8Array>): boolean {
  return [...files.keys()].some((name) => MARKS.some((mark) => mark.test(name)));
}

/** The shards that the index names, each with the names of its tensors. */
function shardsOf(files: ReadonlyMap<string, Uint8Array>): Map<string, Set<string>> {
  const indexes = [...files.keys()].filter((name) => INDEX.test(name));
  const [index] = indexes;
  if (index === undefined) {
    const shard = [...files.keys()].find((name) => SHARD.test(name))!;
    throw bad(
      `${show(shard)} is one of several shards; give ${show(indexOf(shard))} too, and each file that it names`,
    );
  }
  if (indexes.length > 1) throw bad(`expected one index, got ${indexes.slice(0, 4).map(show).join(", ")}`);
  const label = `shards: ${show(index)}`;
  const value = parseJson(decodeUtf8(files.get(index)!, label), label);
  const places = isObject(value) ? value.weight_map : undefined;
  if (!isObject(places)) throw bad(`${show(index)}: weight_map: expected an object, got ${show(places)}`);
  const shards = new Map<string, Set<string>>();
  for (const [tensor, file] of Object.entries(places)) {
    if (typeof file !== "string" || file === "" || /[/\\]/.test(file)) {
      throw bad(
        `weight_map[${show(tensor)}]: expected the name of a file beside the index, got ${show(file)}`,
      );
    }
    const names = shards.get(file);
    if (names !== undefined) names.add(tensor);
    else if (shards.size === MOST_FILES) throw bad(`more than ${MOST_FILES} files`);
    else shards.set(file, new Set([tensor]));
  }
  if (shards.size === 0) throw bad(`${show(index)}: weight_map names no files`);
  const missing = [...shards.keys()].filter((name) => !files.has(name));
  if (missing.length > 0) {
    const more = missing.length > 8 ? ` and ${missing.length - 8} more` : "";
    throw bad(`missing of ${shards.size} files: ${missing.slice(0, 8).map(show).join(", ")}${more}`);
  }
  return shards;
}

/** One of the shards: all are of one format. @throws FormatError for an index that is broken, or files that it misses */
export function firstShard(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const [name] = shardsOf(files).keys();
  return files.get(name!)!;
}

/**
 * The tensors of all shards. A tensor that the index does not name, as that of tied weights, comes too.
 *
 * @param read reads one file
 * @throws FormatError that names the file which is missing or broken, or the tensor which is not where the index has it
 */
export function readShards(
  files: ReadonlyMap<string, Uint8Array>,
  read: (file: Uint8Array) => FileDict,
): FileDict {
  const shards = shardsOf(files);
  const dict: StateDict = new Map();
  const skipped: SkippedTensor[] = [];
  let fileBytes = 0;
  for (const name of shards.keys()) fileBytes += files.get(name)!.length;
  let left = allowedBytes(fileBytes);
  for (const [file, names] of shards) {
    const part = readShard(file, files.get(file)!, read);
    const barred = new Set(part.skipped.map(({ name }) => name));
    for (const tensor of part.skipped) skipped.push(tensor);
    for (const name of names) {
      if (!part.has(name) && !barred.has(name))
        throw bad(`tensor ${show(name)} is not in ${show(file)}, where the index has it`);
    }
    for (const [name, tensor] of part) {
      if (dict.has(name)) throw bad(`tensor ${show(name)} of ${show(file)} is in another file too`);
      left -= bytesOf(tensor.data).length;
      if (left < 0) throw bad(`tensors take more than ${allowedBytes(fileBytes)} bytes`);
      dict.set(name, tensor);
    }
  }
  return withSkipped(dict, skipped);
}

function readShard(name: string, file: Uint8Array, read: (file: Uint8Array) => FileDict): FileDict {
  try {
    return read(file);
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    const kind = cause.code === "LSTM_WASM_UNSUPPORTED" ? "UNSUPPORTED" : "FORMAT";
    throw new FormatError(`shards: ${show(name)}: ${cause.message}`, kind);
  }
}

/** The index that belongs to a shard: `model-00001-of-00002.safetensors` has `model.safetensors.index.json`. */
function indexOf(shard: string): string {
  return `${shard.replace(/-\d{5}-of-\d{5}(\.\w+)$/, "$1")}.index.json`;
}

function bad(message: string): FormatError {
  return new FormatError(`shards: ${message}`);
}
