/**
 * TensorFlow's weights_manifest.json, which is also a part of TensorFlow.js' model.json, and ml5's manifest.json. The
 * JSON says what lies where in files of raw little-endian numbers beside it:
 *
 *     [{ "paths": ["group1-shard1of1.bin"], "weights": [{ "name": "lstm/kernel", "shape": [3, 16], "dtype": "float32" }] }]
 *     { "lstm/kernel": { "filename": "lstm_kernel", "shape": [3, 16] } }
 *
 * The shards of a group are joined. Its weights follow one another in them, and one may cross a shard's end.
 */

import { isArray, reading, show, wrongType } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import { type SkippedTensor, withSkipped } from "../../tensor/skipped.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { kindOf } from "../../tensor/typed-array.js";
import { asBytes, type Bytes, FormatError, isBytes, unsupported, viewOf } from "../bytes.js";
import { DTYPES, type Dtype, readTensor } from "../dtype.js";
import type { FileDict } from "../file-dict.js";
import { isObject } from "../json.js";
import { knownJson } from "../recognise/json-kind.js";
import { filesOf, type Group, groupsOf, type Weight } from "./groups.js";
import { Joined } from "./joined.js";

/** A manifest as JSON.parse returns it: TensorFlow's array of groups, or ml5's object of files by tensor. */
export type Manifest = readonly unknown[] | Readonly<Record<string, unknown>>;

/** The numbers: all shards joined in the manifest's order, or an object of them by the manifest's paths. */
export type ManifestWeights = Bytes | Readonly<Record<string, Bytes>>;

const EXPECTED = "the array of a weights_manifest.json or the object of ml5's manifest.json, parsed";
const EXPECTED_WEIGHTS = "a Uint8Array or ArrayBuffer, or an object of them by the manifest's paths";
const COMPLEX_BYTES = 8;

/**
 * The tensors of a manifest, under its names: `rnn/basic_lstm_cell/kernel`. float32, int32 and bool are read, and
 * quantised numbers (uint8, uint16, float16) become float32 or int32 as they say. Files that the manifest does not
 * name are passed over. Text and complex numbers are left out and listed in `skipped`. {@link fromTensorFlow} makes
 * layers of what it returns.
 *
 * @param manifest parsed: the array of TensorFlow's `weights_manifest.json`, or the object of ml5's `manifest.json`
 * @param weights  all shards joined in the manifest's order, or an object from the manifest's paths to bytes
 * @throws TypeError for arguments of the wrong type; FormatError that names the weight or the file that is broken,
 *   missing, too short or too long, or of a type that is not supported
 */
export function readManifest(manifest: Manifest, weights: ManifestWeights): FileDict {
  if (isArray(manifest)) return readGroups(manifest, weights, "tensorflow");
  if (!isObject(manifest) || kindOf(manifest) !== undefined || isBytes(manifest)) {
    throw wrongType("manifest", EXPECTED, manifest);
  }
  const groups = reading("manifest", EXPECTED, () => {
    const other = knownJson(manifest);
    if (other !== undefined && other.described !== "readManifest")
      throw unsupported(`tensorflow: got ${other.name}; expected ${EXPECTED}`);
    return filesOf(manifest);
  });
  return readWeightsOf(groups, weights, "tensorflow");
}

/**
 * The same of the array of groups alone.
 * @param label begins the messages: `"tfjs"`
 */
export function readGroups(manifest: unknown, weights: unknown, label: string): FileDict {
  const groups = reading("manifest", EXPECTED, () => groupsOf(manifest, label));
  return readWeightsOf(groups, weights, label);
}

function readWeightsOf(groups: readonly Group[], weights: unknown, label: string): FileDict {
  const dict: StateDict = new Map();
  const skipped: SkippedTensor[] = [];
  const all = isBytes(weights) ? new Joined([asBytes(weights, "weights")]) : undefined;
  const shards = all === undefined ? shardsOf(groups, weights, label) : undefined;
  for (const group of groups) {
    const bytes = all ?? new Joined(group.paths.map((path) => shards!.get(path)!));
    for (const weight of group.weights) {
      const { name } = weight;
      if (weight.stored !== undefined) dict.set(name, readWeight(weight, weight.stored, bytes));
      else skipped.push({ name, reason: pass(weight, bytes) });
    }
    if (all === undefined) checkEnd(bytes, `${label}: ${group.paths.slice(0, 4).map(show).join(", ")}`);
  }
  if (all !== undefined) checkEnd(all, `${label}: weights`);
  if (dict.size === 0 && skipped.length > 0) {
    const [{ name, reason }] = skipped as [SkippedTensor];
    throw unsupported(`${label}: tensor ${show(name)}: ${reason}`);
  }
  return withSkipped(dict, skipped);
}

function checkEnd(bytes: Joined, label: string): void {
  if (bytes.left > 0) {
    throw new FormatError(`${label}: ${bytes.left} of ${bytes.length} bytes belong to no weight`);
  }
}

function readWeight(weight: Weight, stored: Dtype, bytes: Joined): Tensor<TensorData> {
  const { shape, elements, range, dtype, label } = weight;
  const tensor = readTensor(bytes.take(elements * DTYPES[stored].bytes, label), stored, shape);
  if (range === undefined) return tensor;
  // In double, as TensorFlow.js and its converter do. A float32 is rounded once.
  const value = (number: number) => number * range.scale + range.min;
  const data = tensor.data as Uint8Array | Uint16Array;
  if (dtype === "float32") return new Tensor(Float32Array.from(data, value), shape);
  const integers = Int32Array.from(data, (number) => {
    const integer = Math.round(value(number));
    if (integer !== (integer | 0)) throw new FormatError(`${label}: ${integer} is no int32`);
    return integer;
  });
  return new Tensor(integers, shape);
}

/** Passes over numbers that have no equal here. @returns why they are left out */
function pass({ elements, dtype, label }: Weight, bytes: Joined): string {
  if (dtype === "complex64") {
    bytes.take(elements * COMPLEX_BYTES, label);
    return "it is complex; save its real and imaginary parts";
  }
  // Each text stands after its length. There are no more texts than bytes, whatever the shape says.
  for (let text = 0; text < elements; text++) {
    bytes.take(viewOf(bytes.take(4, label)).getUint32(0, true), label);
  }
  return "it is text";
}

/** The files that the groups name. */
function shardsOf(groups: readonly Group[], weights: unknown, label: string): Map<string, Uint8Array> {
  if (!isObject(weights) || kindOf(weights) !== undefined) {
    throw wrongType("weights", EXPECTED_WEIGHTS, weights);
  }
  const shards = new Map<string, Uint8Array>();
  const missing: string[] = [];
  reading("weights", EXPECTED_WEIGHTS, () => {
    for (const { paths } of groups) {
      for (const path of paths) {
        if (Object.hasOwn(weights, path)) shards.set(path, asBytes(weights[path], `weights[${show(path)}]`));
        else missing.push(path);
      }
    }
  });
  if (missing.length > 0) {
    const more = missing.length > 8 ? ` and ${missing.length - 8} more` : "";
    const names = missing.slice(0, 8).map(show).join(", ");
    throw new FormatError(`${label}: missing of ${shards.size + missing.length} files: ${names}${more}`);
  }
  return shards;
}
