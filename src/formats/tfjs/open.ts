/**
 * A layers model of TensorFlow.js opened: its config, and its layers with their arrays. The names of arrays tell who
 * wrote them: `lstm_LSTM1/kernel`, `lstm/lstm_cell/kernel`, or the folders of a `.keras` file,
 * `layers/lstm/cell/vars/0`.
 */
import { reading, show, wrongType } from "../../tensor/checks.js";
import type { Tensor } from "../../tensor/tensor.js";
import { kindOf } from "../../tensor/typed-array.js";
import { MOST_EXPANSION } from "../allowance.js";
import { FormatError, isBytes, unsupported } from "../bytes.js";
import { isObject, parseJson } from "../json.js";
import { byNumber } from "../keras/by-number.js";
import { field, type KerasConfig, layerOf } from "../keras/config.js";
import { type Folder, Folders } from "../keras/folders.js";
import { LayerList } from "../keras/layers.js";
import { Listed } from "../keras/listed.js";
import type { OpenedModel } from "../keras/open.js";
import { versionOf } from "../keras/version.js";
import { type ManifestWeights, readGroups } from "../tensorflow/manifest.js";

const EXPECTED = "the object of a model.json, parsed";

/** @throws as `readTfjs` does */
export function openTfjs(modelJson: object, weights: ManifestWeights): OpenedModel {
  if (!isObject(modelJson) || isBytes(modelJson) || kindOf(modelJson) !== undefined) {
    throw wrongType("modelJson", EXPECTED, modelJson);
  }
  const model = copyOf(modelJson);
  if (field(model, "format") === "graph-model" || hasGraph(model)) {
    throw unsupported(
      "tfjs: got a graph model, which has no layers; convert the Keras model with --output_format tfjs_layers_model",
    );
  }
  const topology = field(model, "modelTopology");
  const manifest = field(model, "weightsManifest");
  if (!isObject(topology))
    throw new FormatError(`tfjs: modelTopology: expected an object, got ${show(topology)}`);
  if (manifest === undefined) throw new FormatError("tfjs: weightsManifest is missing");
  const inner = field(topology, "model_config") ?? topology;
  const stated = field(topology, "keras_version") ?? field(model, "generatedBy");
  const version = versionOf(typeof stated === "string" ? stated : undefined);
  if (version === undefined)
    throw unsupported(`tfjs: keras_version: expected 1, 2 or 3, got ${show(stated)}`);
  const dict = readGroups(manifest, weights, "tfjs");
  let left =
    MOST_EXPANSION * Array.from(dict.values(), ({ data }) => data.byteLength).reduce((a, b) => a + b, 0);
  const list = new LayerList(version, (bytes) => {
    left -= bytes;
    if (left < 0) throw new FormatError("tfjs: its layers take more memory than a file of this size may");
  });
  const entries = Array.from(dict, ([path, tensor]) => ({ path, tensor: tensor as Tensor }));
  const isFolders =
    entries.length > 0 &&
    entries.every(({ path }) => /^(layers|_layer_checkpoint_dependencies)\//.test(path));
  const source = isFolders ? new Folders(foldersOf(entries)) : new Listed(entries, version);
  const root = layerOf(inner, "the model");
  list.addModel(root, source);
  list.warnOfOthers(entries);
  if (entries.length > 0 && list.layers.every((layer) => layer.weights.size === 0)) {
    throw new FormatError(
      `tfjs: weight ${show(entries[0]!.path)} and all others are named as no layer of the model`,
    );
  }
  for (const { name, reason } of dict.skipped) list.skipped.push({ name, reason });
  return { root, version, kerasVersion: version.text, list };
}

/** A copy without getters, as deep and large as a file may be. */
function copyOf(modelJson: object): KerasConfig {
  const text = reading("modelJson", EXPECTED, () => JSON.stringify(modelJson));
  const copy = text === undefined ? undefined : parseJson(text, "tfjs");
  if (!isObject(copy)) throw wrongType("modelJson", EXPECTED, modelJson);
  return copy;
}

function hasGraph(model: KerasConfig): boolean {
  const topology = field(model, "modelTopology");
  return isObject(topology) && Array.isArray(field(topology, "node"));
}

interface Branch {
  readonly folders: Map<string, Branch>;
  readonly arrays: Map<string, Tensor>;
}

/** Paths as folders. */
function foldersOf(entries: readonly { readonly path: string; readonly tensor: Tensor }[]): Folder {
  const root: Branch = { folders: new Map(), arrays: new Map() };
  for (const { path, tensor } of entries) {
    const parts = path.split("/");
    let at = root;
    for (const part of parts.slice(0, -1)) {
      const next = at.folders.get(part) ?? { folders: new Map(), arrays: new Map() };
      at.folders.set(part, next);
      at = next;
    }
    at.arrays.set(parts.at(-1)!, tensor);
  }
  return folderOf(root);
}

function folderOf({ folders, arrays }: Branch): Folder {
  return {
    names: () => [...folders.keys()].sort(byNumber),
    folder: (name) => {
      const inner = folders.get(name);
      return inner === undefined ? undefined : folderOf(inner);
    },
    arrayNames: () => [...arrays.keys()].sort(byNumber),
    array: (name) => arrays.get(name)!,
    label: undefined,
  };
}
