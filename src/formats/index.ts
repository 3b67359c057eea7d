/** `lstm-wasm/formats`: files to state dicts. Plain TypeScript without wasm; each reader tree-shakes on its own. */

export type { StateDict, StateDictLike } from "../tensor.js";
export { type Bytes, FormatError } from "./bytes.js";
export { readSafetensors, type WriteSafetensorsOptions, writeSafetensors } from "./safetensors.js";
export { type ReadTorchOptions, readTorch } from "./torch/index.js";
