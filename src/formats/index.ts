/**
 * `lstm-wasm/formats` turns weight files into state dicts. It is plain TypeScript without wasm. A bundler
 * leaves out every reader that is not imported.
 */

export type { ErrorCode } from "../tensor/errors.js";
export type { StateDictLike } from "../tensor/like.js";
export type { SkippedTensor } from "../tensor/skipped.js";
export type { StateDict } from "../tensor/tensor.js";
export type { AmpModel, JsonSource } from "./amp/amp-model.js";
export { readGuitarML } from "./amp/guitarml.js";
export { readNam } from "./amp/nam.js";
export { readRTNeural } from "./amp/rtneural.js";
export { type Bytes, FormatError } from "./bytes.js";
export { dtypeOf } from "./dtype.js";
export type { FileDict } from "./file-dict.js";
export type { KerasConfig } from "./keras/config.js";
export { type FromKerasOptions, fromKeras, type KerasWeights } from "./keras/from-keras.js";
export { readKeras } from "./keras/index.js";
export type { KerasLayer, KerasModel } from "./keras/layers.js";
export type { KerasPart, KerasRecurrent, MergeMode } from "./keras/recurrent.js";
export type { LayerActivation, LayerActivationName, LayerKind, LayerOptions } from "./layer-options.js";
export { type BrokenModule, listBrokenModules, listModules, type ModuleInfo } from "./modules.js";
export { readNumpy } from "./numpy/index.js";
export {
  type ListOnnxNodesOptions,
  listOnnxNodes,
  type OnnxLayer,
  type OnnxModel,
  type OnnxModule,
  type OnnxNode,
  type ReadOnnxOptions,
  readOnnx,
} from "./onnx/index.js";
export { listOnnxFiles } from "./onnx/list-files.js";
export { type QuantizeOptions, quantizeStateDict } from "./quantize-state-dict.js";
export { type ReadWeightsOptions, readWeights, type Weights } from "./read-weights.js";
export { readSafetensors, type WriteSafetensorsOptions, writeSafetensors } from "./safetensors.js";
export type { Shards } from "./shards.js";
export type { TensorFlowKind } from "./tensorflow/cells.js";
export { type Manifest, type ManifestWeights, readManifest } from "./tensorflow/manifest.js";
export {
  type FromTensorFlowOptions,
  fromTensorFlow,
  type TensorFlowLayer,
  type TensorFlowParts,
} from "./tensorflow/variables.js";
export { readTfjs } from "./tfjs/index.js";
export { type ReadTorchOptions, readTorch } from "./torch/index.js";
