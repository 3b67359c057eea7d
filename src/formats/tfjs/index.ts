/**
 * Layers models of TensorFlow.js: `model.json` and the files of numbers beside it, as TensorFlow.js saves them or its
 * converter makes them of Keras' files. Class names and configs are Keras'.
 */
import { FormatError } from "../bytes.js";
import type { KerasModel } from "../keras/layers.js";
import type { ManifestWeights } from "../tensorflow/manifest.js";
import { openTfjs } from "./open.js";

/**
 * The layers of a layers model of TensorFlow.js, as `readKeras` gives them. A Bidirectional's rows are zeros at masked steps,
 * as in Keras; TensorFlow.js repeats the last ones.
 *
 * @param modelJson parsed: what `JSON.parse` makes of `model.json`
 * @param weights  all shards joined in the manifest's order, or an object from the manifest's paths to bytes
 * @throws TypeError for arguments of the wrong type; FormatError for a model that is broken, of another kind
 *   (`graph-model`), or contradicts its weights
 */
export function readTfjs(modelJson: object, weights: ManifestWeights): KerasModel {
  const {
    list: { layers, warnings, skipped },
    kerasVersion,
  } = openTfjs(modelJson, weights);
  if (layers.every((layer) => layer.weights.size === 0)) {
    throw new FormatError("tfjs: the model has no weights; build it (call it once), then save it");
  }
  return { kerasVersion, layers, warnings, skipped };
}
