/** The public names of `lstm-wasm/models`: whole models from their files. */

export { type LoadOnnxOptions, loadOnnx, loadOnnxWith } from "./load.js";
export { type LoadKerasOptions, type LoadLayersOptions, loadKeras } from "./load-keras.js";
export { type LoadTfjsOptions, loadTfjs } from "./load-tfjs.js";
export type { Model } from "./model.js";
export type {
  ModelInputs,
  ModelMemory,
  ModelOperatorCount,
  ModelOutputs,
  ModelValue,
} from "./model-types.js";
export type { ModelOperator } from "./operator.js";
export * from "./operators/named.js";
export type { StatePair } from "./states.js";
export type { ModelStream, StateMap } from "./stream.js";
export type { ModelSummary, SummaryOptions, SummaryRow } from "./summary.js";
export type { SuppliedCall, SuppliedLayer, SuppliedLayers } from "./supplied-layers.js";
export type { ModelInput, TextInput } from "./values.js";
