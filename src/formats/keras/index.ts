/**
 * Models of Keras: `.h5` of Keras 1 to 3, `.keras`, and files of weights alone. A `.keras` file is a zip of
 * `config.json`, `metadata.json` and `model.weights.h5`; the others are HDF5.
 */
import { show } from "../../tensor/checks.js";
import { allowedBytes } from "../allowance.js";
import { type Bytes, FormatError, unsupported } from "../bytes.js";
import { type Hdf5Group, openHdf5 } from "../hdf5/index.js";
import { isObject } from "../json.js";
import { parsePythonJson } from "../python-json.js";
import { readAs } from "../recognise/index.js";
import { decodeUtf8 } from "../utf8.js";
import { isZip, Zip } from "../zip.js";
import type { Entry } from "./cell.js";
import { field, innerLayers, type KerasConfig, type LayerConfig, layerOf } from "./config.js";
import { Folders } from "./folders.js";
import { folderOf, listWeights } from "./hdf5-source.js";
import { type KerasModel, LayerList, type Spend, withoutLayers } from "./layers.js";
import { Listed } from "./listed.js";
import type { Source } from "./source.js";
import { type KerasVersion, versionOf } from "./version.js";
import { layersOfFolder } from "./without-config.js";

const SHARDED =
  "keras: its weights lie in several files (model.weights.json); save it without max_shard_size";

/** A config of 10,000 layers takes a quarter. Deflated spaces of the archive's allowance would take seconds to parse. */
const MOST_TEXT = 2 ** 24;

/**
 * The layers of a Keras model with their weights, and each recurrent layer as `LSTM.fromStateDict`,
 * `GRU.fromStateDict` or `RNN.fromStateDict` takes it. A file of weights alone has no config: its layers are listed,
 * and what their options are the caller tells `fromKeras`.
 *
 * @param bytes a file of `model.save` or `model.save_weights`: `.keras`, `.h5`, `.weights.h5`
 * @throws TypeError unless `bytes` is bytes; FormatError for a file that is broken, of another kind, holds no weights,
 *   or contradicts itself. Layers that have no equal here are listed in `skipped`.
 */
export function readKeras(bytes: Bytes): KerasModel {
  return readAs("readKeras", bytes, (file) => {
    let left = allowedBytes(file.length);
    const spend = (more: number) => {
      left -= more;
      if (left < 0) throw new FormatError("keras: its layers take more memory than a file of this size may");
    };
    return isZip(file) ? readArchive(file, spend) : readHdf5(file, spend);
  });
}

function readArchive(file: Uint8Array, spend: Spend): KerasModel {
  const zip = new Zip(file, allowedBytes(file.length), "keras");
  if (zip.has("model.weights.json")) throw unsupported(SHARDED);
  const json = (name: string): KerasConfig => {
    const size = zip.sizeOf(name);
    if (size > MOST_TEXT)
      throw unsupported(`keras: ${name}: expected at most ${MOST_TEXT} bytes, got ${size}`);
    const value = parsePythonJson(decodeUtf8(zip.read(name), `keras: ${name}`), `keras: ${name}`);
    if (!isObject(value)) throw new FormatError(`keras: ${name}: expected an object, got ${show(value)}`);
    return value;
  };
  const config = json("config.json");
  const stated = zip.has("metadata.json") ? field(json("metadata.json"), "keras_version") : undefined;
  const root = openHdf5(zip.read("model.weights.h5"), "keras", allowedBytes(file.length));
  const version = knownVersion(stated ?? "3.0.0");
  const model = layerOf(config, "the model");
  if (innerLayers(model) !== undefined)
    return readModel(model, version, new Folders(folderOf(root)), { spend });
  const list = listLayers(root, version, spend);
  list.skipped.push({ name: model.name, reason: withoutLayers(model) });
  return finished(list, version.text);
}

function readHdf5(file: Uint8Array, spend: Spend): KerasModel {
  const root = openHdf5(file, "keras");
  const [stated, config] = ["keras_version", "model_config"].map((name) => root.attribute(name));
  const inner = root.get("model_weights");
  const weights = inner?.kind === "group" ? inner : root;
  if (typeof config === "string") {
    const parsed = parsePythonJson(config, "keras: model_config");
    if (!isObject(parsed))
      throw new FormatError(`keras: model_config: expected an object, got ${show(parsed)}`);
    const version = knownVersion(stated);
    const entries = listWeights(weights);
    return readModel(layerOf(parsed, "the model"), version, new Listed(entries, version), { spend, entries });
  }
  return readWeightsAlone(weights, stated, spend);
}

function readModel(
  model: LayerConfig,
  version: KerasVersion,
  source: Source,
  { spend, entries = [] }: { readonly spend: Spend; readonly entries?: readonly Entry[] },
): KerasModel {
  const list = new LayerList(version, spend);
  list.addModel(model, source);
  list.warnOfOthers(entries);
  return finished(list, version.text);
}

/** A file without config: layers by the names of groups and the shapes of arrays. */
function readWeightsAlone(root: Hdf5Group, stated: unknown, spend: Spend): KerasModel {
  const list = listLayers(root, knownVersion(stated ?? "3.0.0"), spend);
  return finished(list, typeof stated === "string" ? stated : undefined);
}

function listLayers(root: Hdf5Group, version: KerasVersion, spend: Spend): LayerList {
  const list = new LayerList(version, spend);
  for (const { layer, entries } of layersOfFolder(root)) list.addWeights(layer, entries);
  list.warnings.push(
    "the file has no config of layers: give the arrays of a layer to fromKeras with the options that it was made with",
  );
  return list;
}

function finished({ layers, warnings, skipped }: LayerList, kerasVersion: string | undefined): KerasModel {
  if (layers.every(({ weights }) => weights.size === 0)) {
    throw unsupported("keras: the file has no weights; build the model (call it once), then save it");
  }
  return { kerasVersion, layers, warnings, skipped };
}

function knownVersion(stated: unknown): KerasVersion {
  const version = stated === undefined || typeof stated === "string" ? versionOf(stated) : undefined;
  if (version === undefined) {
    throw unsupported(`keras: keras_version: expected 1, 2 or 3, got ${show(stated)}`);
  }
  return version;
}
