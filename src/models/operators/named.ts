/** The operators by ONNX's names, for `loadOnnxWith`. */

export * from "./binary.js";
export * from "./cast.js";
export * from "./control.js";
export * from "./conv.js";
export * from "./elementwise.js";
export * from "./generate.js";
export * from "./index-of.js";
export * from "./matmul.js";
export * from "./move.js";
export * from "./normalise.js";
export * from "./pool.js";
export * from "./quantised.js";
export * from "./quantised-lstm.js";
export * from "./recurrent.js";
export * from "./reduce.js";
export * from "./reshape.js";
export * from "./resize.js";
export * from "./softmax.js";
