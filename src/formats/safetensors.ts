/**
 * safetensors: 8 bytes of header length (little-endian), a JSON header, then the data of all tensors.
 *
 *     { "name": { "dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end] },
 *       "__metadata__": { "key": "text" } }
 *
 * Offsets count from the end of the header. Every byte of the data must belong to exactly one tensor.
 * Everything is checked before the first tensor is made. All tensors together take at most twice the bytes of
 * the file.
 */

import { checkOptions, reading, show, wrongType, wrongValue } from "../tensor/checks.js";
import { entriesOf, type StateDictLike } from "../tensor/like.js";
import { withMetadata } from "../tensor/metadata.js";
import { type SkippedTensor, withSkipped } from "../tensor/skipped.js";
import { asAnyTensor, type StateDict } from "../tensor/tensor.js";
import { bytesOf } from "../tensor/typed-array.js";
import { type Bytes, FormatError, unsupported, viewOf } from "./bytes.js";
import { DTYPES, type Dtype, elementsOf, fileDtypeOf, isDtype, readTensor } from "./dtype.js";
import type { FileDict } from "./file-dict.js";
import { isObject, parseJson } from "./json.js";
import { METADATA_KEY, metadataText, readMetadataText } from "./metadata-text.js";
import { readAs } from "./recognise/index.js";
import { foldParts } from "./reparametrised.js";
import { filesOf, readShards, type Shards } from "./shards.js";
import { decodeUtf8 } from "./utf8.js";

/** The longest header that the reference implementation reads and writes. */
const MOST_HEADER_BYTES = 100_000_000;

/** Dtypes of the format that have no equal here, with the bits of an element. Later versions may have others. */
const OTHER_BITS = new Map<string, number>(
  Object.entries({
    C64: 64,
    F8_E4M3: 8,
    F8_E4M3FNUZ: 8,
    F8_E5M2: 8,
    F8_E5M2FNUZ: 8,
    F8_E8M0: 8,
    F6_E2M3: 6,
    F6_E3M2: 6,
    F4: 4,
  }),
);

/** The names of dtypes, of this version of the format and of later ones. */
const ANY_DTYPE = /^[A-Z][A-Z0-9_]{0,31}$/;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors of a safetensors file by name, in the order of its header. F32, F16, BF16 and F64 become
 * float32. Integers keep their type (I64 as BigInt64Array), and BOOL becomes a Uint8Array. `__metadata__` is
 * checked and left out. But where it maps a name that the file has not to one that it has, both names get this
 * tensor: so tied weights are kept, by `safetensors.torch.save_model` too. Weights in parts, as weight_norm keeps them,
 * are folded as by `readTorch`. The dict's own `metadata` comes back, where `writeSafetensors` wrote it.
 *
 * A tensor of another dtype (F8_E4M3, C64, one of a later version...) is left out and listed in `skipped`. A model that is cut into
 * shards is given as an object of files by name: its index and each file that this names.
 *
 * @throws TypeError if `bytes` is neither bytes nor such files; FormatError that names the tensor and what is wrong, or
 *   that no tensor has a dtype that is read
 */
export function readSafetensors(bytes: Bytes | Shards): FileDict {
  const readOne = (file: unknown) => readAs("readSafetensors", file, readFile);
  const files = filesOf(bytes);
  return foldParts(files === undefined ? readOne(bytes) : readShards(files, readOne));
}

function readFile(file: Uint8Array): FileDict {
  if (file.length < 8) throw bad(`expected at least 8 bytes of header length, got ${file.length}`);
  const headerBytes = Number(viewOf(file).getBigUint64(0, true));
  if (headerBytes > MOST_HEADER_BYTES) {
    throw bad(`header length: expected at most ${MOST_HEADER_BYTES} bytes, got ${headerBytes}`);
  }
  if (headerBytes > file.length - 8) {
    throw bad(`header length: ${headerBytes} bytes, but ${file.length - 8} follow; the file is truncated`);
  }
  const data = file.subarray(8 + headerBytes);
  const { entries, metadata } = readHeader(file.subarray(8, 8 + headerBytes));
  checkTiling(entries, data.length);
  const dict: StateDict = new Map();
  const skipped: SkippedTensor[] = [];
  for (const { name, dtype, shape, begin, end } of entries) {
    if (isDtype(dtype)) dict.set(name, readTensor(data.subarray(begin, end), dtype, shape));
    else
      skipped.push({
        name,
        reason: `its dtype ${dtype} is not supported${dtype === "C64" ? "; save torch.view_as_real(tensor)" : "; save tensor.float()"}`,
      });
  }
  if (dict.size === 0 && skipped.length > 0) {
    const [{ name, reason }] = skipped as [SkippedTensor];
    throw unsupported(`safetensors: tensor ${show(name)}: ${reason}`);
  }
  const tied = metadata.flatMap(([name, kept]) =>
    dict.has(name) || !dict.has(kept) ? [] : [[name, dict.get(kept)!] as const],
  );
  for (const [name, tensor] of tied) dict.set(name, tensor);
  const own = metadata.find(([key]) => key === METADATA_KEY);
  const label = `safetensors: __metadata__["${METADATA_KEY}"]`;
  withMetadata(dict, own && readMetadataText(own[1], label));
  return withSkipped(dict, skipped);
}

function readHeader(bytes: Uint8Array): { entries: Entry[]; metadata: [string, string][] } {
  const text = decodeUtf8(bytes, "safetensors: header");
  if (!text.startsWith("{")) throw bad(`header: expected to begin with {, got ${show(text.slice(0, 8))}`);
  const header = parseJson(text, "safetensors: header") as Record<string, unknown>;
  const entries: Entry[] = [];
  let metadata: [string, string][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (!isWellFormed(name)) throw bad(`tensor ${show(name)}: the name is not well-formed Unicode`);
    if (name === "__metadata__") metadata = checkMetadata(value);
    else entries.push(readEntry(name, value));
  }
  return { entries, metadata };
}

function checkMetadata(value: unknown): [string, string][] {
  if (!isObject(value)) throw bad(`__metadata__: expected an object of strings, got ${show(value)}`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string")
      throw bad(`__metadata__[${show(key)}]: expected a string, got ${show(text)}`);
  }
  return Object.entries(value) as [string, string][];
}

function readEntry(name: string, value: unknown): Entry {
  const label = `tensor ${show(name)}`;
  if (!isObject(value)) {
    throw bad(`${label}: expected an object with dtype, shape and data_offsets, got ${show(value)}`);
  }
  for (const key of Object.keys(value)) {
    if (key !== "dtype" && key !== "shape" && key !== "data_offsets") {
      throw bad(`${label}: unknown key ${show(key)}`);
    }
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !ANY_DTYPE.test(dtype)) {
    throw unsupported(
      `safetensors: ${label}: dtype ${show(dtype)} is not supported; supported are ${Object.keys(DTYPES).join(", ")}`,
    );
  }
  if (!Array.isArray(shape)) throw bad(`${label}: shape: expected an array, got ${show(shape)}`);
  const elements = elementsOf(shape);
  if (elements === undefined) {
    throw bad(
      `${label}: shape: expected up to 64 sizes of at least 0 and a product below 2^53, got ${listed(shape)}`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2) {
    throw bad(`${label}: data_offsets: expected [begin, end], got ${show(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0 || end < begin) {
    throw bad(`${label}: data_offsets: expected integers 0 <= begin <= end, got ${listed(offsets)}`);
  }
  const bits = isDtype(dtype) ? 8 * DTYPES[dtype].bytes : OTHER_BITS.get(dtype);
  const takes = bits === undefined ? end - begin : (elements * bits) / 8;
  if (end - begin !== takes) {
    throw bad(
      `${label}: data_offsets [${begin}, ${end}] span ${end - begin} bytes, but ${dtype} ${listed(shape)} takes ${takes}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkTiling(entries: readonly Entry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const label = `tensor ${show(name)}: data_offsets [${begin}, ${end}]`;
    if (end > dataBytes) {
      throw bad(`${label} reach past the data of ${dataBytes} bytes; the file is truncated`);
    }
    if (begin < covered) throw bad(`${label} overlap the tensor that ends at ${covered}`);
    if (begin > covered) throw bad(`${label} leave a gap after ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) throw bad(`${dataBytes - covered} bytes after the last tensor belong to none`);
}

/** Options of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** Text to keep in the header's `__metadata__`, for instance `{ format: "pt" }`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A safetensors file of a state dict. Float data is written as F32, integers in their own type, and as BOOL what has
 * the dtype "bool".
 * The largest elements come first, and tensors of one element size are ordered by name. So equal dicts give
 * equal bytes, and all data is aligned. The dict's own `metadata` is kept as JSON under the key `lstm-wasm` of
 * `__metadata__`.
 *
 * @throws TypeError or RangeError that names the tensor that is not one, or a name that is not well-formed
 *   Unicode or is `__metadata__`, which the format reserves.
 */
export function writeSafetensors(dict: StateDictLike, options?: WriteSafetensorsOptions): Uint8Array {
  const { metadata } = checkOptions("options", options, ["metadata"]);
  const named = entriesOf(dict);
  const tensors = named
    .map(([name, value]) => ({ name: checkName(name), ...asWritable(value, `dict[${show(name)}]`) }))
    .sort((a, b) => DTYPES[b.dtype].bytes - DTYPES[a.dtype].bytes || (a.name < b.name ? -1 : 1));
  const header: [string, unknown][] = [];
  const kept = metadataText(dict);
  if (metadata !== undefined || kept !== undefined) {
    const own = kept === undefined ? {} : { [METADATA_KEY]: kept };
    header.push(["__metadata__", { ...checkedMetadata(metadata ?? {}), ...own }]);
  }
  let dataBytes = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    const end = dataBytes + bytes.length;
    header.push([name, { dtype, shape, data_offsets: [dataBytes, end] }]);
    dataBytes = end;
  }
  const text = asciiJson(header);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + dataBytes).fill(0x20, 8, 8 + headerBytes);
  viewOf(file).setBigUint64(0, BigInt(headerBytes), true);
  for (let at = 0; at < text.length; at++) file[8 + at] = text.charCodeAt(at);
  let end = 8 + headerBytes;
  for (const { bytes } of tensors) {
    file.set(bytes, end);
    end += bytes.length;
  }
  return file;
}

/**
 * JSON of an object, with all other characters than ASCII escaped. Pairs are written one by one, since an
 * object would lose the key "__proto__".
 */
function asciiJson(pairs: readonly [string, unknown][]): string {
  const text = `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  return text.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function asWritable(
  value: unknown,
  name: string,
): { dtype: Dtype; bytes: Uint8Array; shape: readonly number[] } {
  const { data, shape, dtype } = asAnyTensor(value, name);
  return { dtype: fileDtypeOf(dtype), bytes: bytesOf(data), shape };
}

function checkName(name: unknown): string {
  if (typeof name !== "string") throw wrongType("dict", "names that are strings", name);
  if (name === "__metadata__" || !isWellFormed(name)) {
    throw wrongValue("dict", "names of well-formed Unicode other than __metadata__", show(name));
  }
  return name;
}

function checkedMetadata(metadata: unknown): Record<string, string> {
  if (!isObject(metadata)) throw wrongType("options.metadata", "an object of strings", metadata);
  const entries = reading("options.metadata", "an object of strings", () => Object.entries(metadata));
  for (const [key, text] of entries) {
    if (key === METADATA_KEY) {
      throw wrongValue(`options.metadata[${show(key)}]`, "no such key, which holds dict.metadata", text);
    }
    if (typeof text !== "string") throw wrongType(`options.metadata[${show(key)}]`, "a string", text);
    if (!isWellFormed(key + text)) {
      throw wrongValue(`options.metadata[${show(key)}]`, "well-formed Unicode", show(text));
    }
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Whether no surrogate stands alone. With the u flag, a pair is one code point, which is not a surrogate. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** A list as messages show it: its first 8 values. */
function listed(values: readonly unknown[]): string {
  const shown = values.slice(0, 8).map(show).join(", ");
  return `[${shown}${values.length > 8 ? ", ..." : ""}]`;
}

function bad(message: string): FormatError {
  return new FormatError(`safetensors: ${message}`);
}
