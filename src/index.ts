/** The public names of lstm-wasm; `lstm-wasm/formats` holds the readers of weight files. */

export type { NestedNumbers, StateDict, StateDictLike, TensorData, TensorLike } from "./tensor.js";
export { Tensor } from "./tensor.js";
