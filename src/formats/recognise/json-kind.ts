/** What a JSON file is, told by its keys. */
import { isObject, parseJson } from "../json.js";
import { decodeUtf8 } from "../utf8.js";
import { type FileKind, GIVE_FILES } from "./file-kind.js";

/** The kind of a file that begins as JSON does. */
export function jsonKind(file: Uint8Array): FileKind {
  let value: unknown;
  try {
    // Python writes NaN and Infinity as values. Its readers know; here keys are all that counts.
    value = parseJson(decodeUtf8(file, "text").replace(/([:[,]\s?)-?(NaN|Infinity)\b/g, "$1null"), "text");
  } catch (cause) {
    return { name: `broken JSON (${(cause as Error).message})`, isBroken: true };
  }
  const kind = knownJson(value);
  if (kind !== undefined) return kind;
  if (!isObject(value)) return { name: "JSON that is no object", advice: "which no reader takes" };
  const keys = Object.keys(value)
    .slice(0, 6)
    .map((key) => JSON.stringify(key.slice(0, 40)));
  const held = keys.length === 0 ? "an empty JSON object" : `JSON with the keys ${keys.join(", ")}`;
  return { name: held, advice: "which no reader takes" };
}

/** The kind of a parsed file; undefined for keys that say nothing. */
export function knownJson(value: unknown): FileKind | undefined {
  if (Array.isArray(value)) {
    const isManifest = isObject(value[0]) && "paths" in value[0] && "weights" in value[0];
    return isManifest ? described("TensorFlow's weights_manifest.json", "readManifest") : undefined;
  }
  if (!isObject(value)) return undefined;
  const has = (...keys: string[]) => keys.every((key) => Object.hasOwn(value, key));
  if (has("architecture", "weights")) return { name: "a Neural Amp Modeler file", reader: "readNam" };
  if (has("model_data", "state_dict")) return { name: "a GuitarML file", reader: "readGuitarML" };
  if (has("in_shape", "layers")) return { name: "an RTNeural file", reader: "readRTNeural" };
  if (has("modelTopology") || has("weightsManifest")) {
    return described("a TensorFlow.js model.json", "readTfjs");
  }
  if (has("class_name", "config")) {
    const advice = "which holds no weights";
    return { name: "the architecture of a Keras model (model.json)", advice, needsWeights: true };
  }
  if (hasRecurrentKeys(Object.keys(value))) {
    return { name: "a PyTorch state dict as JSON, as RTNeural takes it", reader: "readRTNeural" };
  }
  if (has("weight_map")) {
    return {
      name: "an index of shards (JSON)",
      advice: "give it with the files that it lists, as an object of files by name",
    };
  }
  const isFile = (entry: unknown) => isObject(entry) && "filename" in entry && "shape" in entry;
  const entries = Object.values(value);
  return entries.length > 0 && entries.every(isFile)
    ? described("ml5's manifest.json", "readManifest")
    : undefined;
}

function described(name: string, reader: "readTfjs" | "readManifest"): FileKind {
  return { name, described: reader, advice: `${GIVE_FILES}, or parse it for ${reader}` };
}

/** Whether the keys of an object are those of a PyTorch state dict with recurrent layers. */
export function hasRecurrentKeys(keys: readonly string[]): boolean {
  return keys.some((key) => /(^|\.)weight_ih_l0$/.test(key));
}
