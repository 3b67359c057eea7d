/** Layers models of TensorFlow.js that run. */

import type { ManifestWeights } from "../formats/tensorflow/manifest.js";
import { openTfjs } from "../formats/tfjs/open.js";
import { checkOptions, wrongValue } from "../tensor/checks.js";
import { type LoadLayersOptions, modelOf } from "./load-keras.js";
import type { Model } from "./model.js";

/** Options of `loadTfjs`. */
export interface LoadTfjsOptions extends LoadLayersOptions {
  /**
   * `"tfjs"`: masked rows of a Bidirectional repeat the last ones, a GlobalAveragePooling1D looks at no mask, and a
   * recurrent layer takes the mask that any layer before it was given last, all as TensorFlow.js has it. `"keras"` when
   * left out.
   */
  readonly masks?: "keras" | "tfjs" | undefined;
}

/**
 * A layers model of TensorFlow.js.
 * @param modelJson parsed: what `JSON.parse` makes of `model.json`
 * @param weights  all shards joined in the manifest's order, or an object from the manifest's paths to bytes
 * @throws as `loadKeras` and `readTfjs` do
 */
export function loadTfjs(
  modelJson: object,
  weights: ManifestWeights,
  options?: LoadTfjsOptions,
): Model<string> {
  const given = checkOptions("options", options, ["masks", "layers", "precision", "onProgress"]);
  const { masks = "keras" } = given;
  if (masks !== "keras" && masks !== "tfjs") throw wrongValue("options.masks", '"keras" or "tfjs"', masks);
  const opened = openTfjs(modelJson, weights);
  let fileBytes = 0;
  for (const layer of opened.list.layers) {
    for (const { data } of layer.weights.values()) fileBytes += data.byteLength;
  }
  return modelOf(opened, given, { fileBytes, masksOfTfjs: masks === "tfjs" });
}
