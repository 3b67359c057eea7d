/** Opens a whole model of any kind that `lstm-wasm/models` runs. The file's content tells the kind. */

import { basename } from "node:path";
import { listOnnxFiles } from "lstm-wasm/formats";
import { loadKeras, loadOnnx, loadTfjs, type Model } from "lstm-wasm/models";
import { parsePythonJson } from "../formats/python-json.js";
import { recognise } from "../formats/recognise/index.js";
import { CliError } from "./error.js";
import { partsBeside, readBeside, readDescribedFiles } from "./shards.js";
import { printablePath } from "./terminal.js";

/** A model of layers, with the files that it consists of. */
export interface LayersFile {
  readonly kind: "keras" | "tfjs";
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of an architecture: the file of its weights. */
  readonly weights?: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Of TensorFlow.js: the files of numbers, by the names that model.json has for them. */
  readonly shards?: Readonly<Record<string, Uint8Array>>;
}

/**
 * What a file is as a model of layers; undefined for a file of another kind.
 * @param weights  what `--weights` names
 * @throws CliError for weights beside a file that has its own, and for an architecture without
 */
export function layersFileOf(
  path: string,
  bytes: Uint8Array,
  weights?: LayersFile["weights"],
): LayersFile | undefined {
  const kind = recognise(bytes);
  const isArchitecture = kind?.needsWeights === true;
  if (weights !== undefined && !isArchitecture) {
    throw new CliError(
      "usage",
      `--weights: ${printablePath(path)} is no architecture of a Keras model (JSON)`,
    );
  }
  if (isArchitecture && weights === undefined) {
    const told = `${printablePath(path)}: the architecture of a Keras model, which holds no weights`;
    throw new CliError("file not understood", `${told}; name their file with --weights FILE.h5`);
  }
  if (isArchitecture || kind?.reader === "readKeras") return { kind: "keras", path, bytes, weights };
  if (kind?.described !== "readTfjs") return undefined;
  const { [basename(path)]: _, ...shards } = readDescribedFiles(path, bytes) ?? {};
  return { kind: "tfjs", path, bytes, shards };
}

/** @throws FormatError as the loaders do */
export function loadLayers({ kind, bytes, weights, shards = {} }: LayersFile): Model<string> {
  if (kind === "keras") return loadKeras(bytes, weights === undefined ? {} : { weights: weights.bytes });
  const text = new TextDecoder().decode(bytes);
  return loadTfjs(parsePythonJson(text, "tfjs: model.json") as object, shards);
}

/** A whole model that is open. */
export interface WholeFile {
  readonly model: Model<unknown>;
  /** Whether it consists of layers, which know their states. */
  readonly isLayers: boolean;
  /** The paths of the other files that it consists of. */
  readonly beside: readonly string[];
}

/** @throws CliError as {@link layersFileOf} does; FormatError as the loaders do */
export function loadWhole(path: string, bytes: Uint8Array, weights?: LayersFile["weights"]): WholeFile {
  const layers = layersFileOf(path, bytes, weights);
  if (layers !== undefined) {
    const beside = partsBeside(path, { shards: Object.keys(layers.shards ?? {}) });
    return { model: loadLayers(layers), isLayers: true, beside };
  }
  const names = listOnnxFiles(bytes);
  const externalData = Object.fromEntries(names.map((name) => [name, readBeside(path, name)]));
  const options = names.length === 0 ? {} : { externalData };
  return {
    model: loadOnnx(bytes, options),
    isLayers: false,
    beside: partsBeside(path, { externalData: names }),
  };
}
