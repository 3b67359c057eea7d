/** `lstm-wasm/formats`: files to state dicts. Plain TypeScript without wasm; each reader tree-shakes on its own. */

export type { StateDict } from "../tensor.js";
export type { StateDictLike } from "../tensor-like.js";
export { readGuitarML } from "./amp/guitarml.js";
export type { AmpModel, JsonSource } from "./amp/model.js";
export { readNam } from "./amp/nam.js";
export { readRTNeural } from "./amp/rtneural.js";
export { type Bytes, FormatError } from "./bytes.js";
export { dtypeOf } from "./dtype.js";
export { type FromKerasOptions, fromKeras, type KerasWeights } from "./keras.js";
export { listModules, type ModuleInfo } from "./modules.js";
export {
  type ListOnnxNodesOptions,
  listOnnxNodes,
  type OnnxLayer,
  type OnnxModel,
  type OnnxNode,
  type ReadOnnxOptions,
  readOnnx,
} from "./onnx/index.js";
export { type QuantizeOptions, quantizeStateDict } from "./quantize.js";
export { readSafetensors, type WriteSafetensorsOptions, writeSafetensors } from "./safetensors.js";
export { type ReadTorchOptions, readTorch } from "./torch/index.js";
