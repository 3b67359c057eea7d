/**
 * A Keras file opened: its config, and its layers with their arrays. A `.keras` file is a zip of `config.json`,
 * `metadata.json` and `model.weights.h5`; the others are HDF5.
 */
import { show } from "../../tensor/checks.js";
import { allowedBytes } from "../allowance.js";
import { FormatError, unsupported } from "../bytes.js";
import { type Hdf5Group, openHdf5 } from "../hdf5/index.js";
import { isObject } from "../json.js";
import { parsePythonJson } from "../python-json.js";
import { decodeUtf8 } from "../utf8.js";
import { isZip, Zip } from "../zip.js";
import { type Vocabularies, vocabulariesOf } from "./assets.js";
import { field, innerLayers, type KerasConfig, type LayerConfig, layerOf } from "./config.js";
import { Folders } from "./folders.js";
import { folderOf, isListed, listWeights } from "./hdf5-source.js";
import { LayerList, type Spend, withoutLayers } from "./layers.js";
import { Listed } from "./listed.js";
import { type KerasVersion, versionOf } from "./version.js";
import { layersOfFolder } from "./without-config.js";

const SHARDED =
  "keras: its weights lie in several files (model.weights.json); save it without max_shard_size";

/** A config of 10,000 layers takes a quarter. Deflated spaces of the archive's allowance would take seconds to parse. */
const MOST_TEXT = 2 ** 24;

/** A model as a file has it. */
export interface OpenedModel {
  /** The config of the whole model; undefined for a file that has none, or whose model has no layers. */
  readonly root: LayerConfig | undefined;
  /** Of the version that the file states, which files of weights alone need not. */
  readonly version: KerasVersion;
  readonly kerasVersion: string | undefined;
  readonly list: LayerList;
  /** What a `.keras` file has beside its weights. */
  readonly vocabularies?: Vocabularies;
}

/** What counts the bytes of layers against what a file of this size may take. */
export function spendFor(bytes: number): Spend {
  let left = allowedBytes(bytes);
  return (more) => {
    left -= more;
    if (left < 0) throw new FormatError("keras: its layers take more memory than a file of this size may");
  };
}

/** @throws FormatError for a file that is broken, of another kind, or contradicts itself */
export function openKeras(file: Uint8Array): OpenedModel {
  const spend = spendFor(file.length);
  return isZip(file) ? openArchive(file, spend) : openH5(file, spend);
}

/** The version of a file of Keras 3 that states none, as `to_json()` of Keras 3 does not: that which was tried. */
const UNSTATED = "3.15.0";

function openArchive(file: Uint8Array, spend: Spend): OpenedModel {
  const zip = new Zip(file, allowedBytes(file.length), "keras");
  if (zip.has("model.weights.json")) throw unsupported(SHARDED);
  const text = (name: string): string => {
    const size = zip.sizeOf(name);
    if (size > MOST_TEXT)
      throw unsupported(`keras: ${name}: expected at most ${MOST_TEXT} bytes, got ${size}`);
    return decodeUtf8(zip.read(name), `keras: ${name}`);
  };
  const json = (name: string): KerasConfig => parsed(text(name), `keras: ${name}`);
  const config = json("config.json");
  const stated = zip.has("metadata.json") ? field(json("metadata.json"), "keras_version") : undefined;
  const root = openHdf5(zip.read("model.weights.h5"), "keras", allowedBytes(file.length));
  const version = knownVersion(stated ?? UNSTATED);
  const model = layerOf(config, "the model");
  if (innerLayers(model) !== undefined) {
    const vocabularies = vocabulariesOf(model, (path) => (zip.has(path) ? text(path) : undefined));
    return { ...opened(model, root, version, { spend, listed: false }), vocabularies };
  }
  const list = listLayers(root, version, spend);
  list.skipped.push({ name: model.name, reason: withoutLayers(model) });
  return { root: undefined, version, kerasVersion: version.text, list };
}

function openH5(file: Uint8Array, spend: Spend): OpenedModel {
  const root = openHdf5(file, "keras");
  const [stated, config] = ["keras_version", "model_config"].map((name) => root.attribute(name));
  const weights = weightsIn(root);
  if (typeof config === "string") {
    const model = layerOf(parsed(config, "keras: model_config"), "the model");
    return opened(model, weights, knownVersion(stated), { spend, listed: true });
  }
  // A file of weights alone: layers by the names of groups and the shapes of arrays.
  const version = knownVersion(stated ?? UNSTATED);
  const kerasVersion = typeof stated === "string" ? stated : undefined;
  return { root: undefined, version, kerasVersion, list: listLayers(weights, version, spend) };
}

/**
 * An architecture, as `model.to_json()` gives it, with the weights that were saved beside it.
 * @param file of `model.save_weights`, or of a whole model, whose own config is not looked at
 */
export function openArchitecture(text: string, file: Uint8Array): OpenedModel {
  if (text.length > MOST_TEXT)
    throw unsupported(`keras: architecture: expected at most ${MOST_TEXT} letters, got ${text.length}`);
  const spend = spendFor(file.length);
  const config = parsed(text, "keras: architecture");
  if (Object.hasOwn(config, "modelTopology")) {
    throw unsupported("keras: architecture: got a model.json of TensorFlow.js; loadTfjs takes it");
  }
  const root = openHdf5(file, "keras");
  const isThird = Object.hasOwn(config, "module") || Object.hasOwn(config, "registered_name");
  const stated = field(config, "keras_version") ?? root.attribute("keras_version");
  const weights = weightsIn(root);
  const listed = isListed(weights);
  // Keras 1 has no .weights.h5.
  const version = knownVersion(stated ?? (isThird || !listed ? UNSTATED : undefined));
  return opened(layerOf(config, "the model"), weights, version, { spend, listed });
}

/** The group of a file that has the layers' arrays. */
function weightsIn(root: Hdf5Group): Hdf5Group {
  const inner = root.get("model_weights");
  return inner?.kind === "group" ? inner : root;
}

function opened(
  model: LayerConfig,
  weights: Hdf5Group,
  version: KerasVersion,
  { spend, listed }: { readonly spend: Spend; readonly listed: boolean },
): OpenedModel {
  const list = new LayerList(version, spend);
  if (listed) {
    const entries = listWeights(weights);
    list.addModel(model, new Listed(entries, version));
    list.warnOfOthers(entries);
  } else list.addModel(model, new Folders(folderOf(weights)));
  return { root: model, version, kerasVersion: version.text, list };
}

function parsed(text: string, name: string): KerasConfig {
  const value = parsePythonJson(text, name);
  if (!isObject(value)) throw new FormatError(`${name}: expected an object, got ${show(value)}`);
  return value;
}

function listLayers(root: Hdf5Group, version: KerasVersion, spend: Spend): LayerList {
  const list = new LayerList(version, spend);
  for (const { layer, entries } of layersOfFolder(root)) list.addWeights(layer, entries);
  list.warnings.push(
    "the file has no config of layers: give the arrays of a layer to fromKeras with the options that it was made with",
  );
  return list;
}

function knownVersion(stated: unknown): KerasVersion {
  const version = stated === undefined || typeof stated === "string" ? versionOf(stated) : undefined;
  if (version === undefined) {
    throw unsupported(`keras: keras_version: expected 1, 2 or 3, got ${show(stated)}`);
  }
  return version;
}
