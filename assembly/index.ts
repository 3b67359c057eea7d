/** The export list, which is the whole wasm surface. */
export { relu, sigmoid, tanh } from "./activation";
export { conv1dForward } from "./conv";
export { gruForward } from "./gru";
export { projectInt8 } from "./int8";
export { lstmForward } from "./lstm";
export { lstmForwardInt8 } from "./lstm-int8";
export { allocate, clearFloats, copyRows, free } from "./memory";
export { packGate, unpackGate } from "./panel";
export { project } from "./projection";
export { quantizeRows } from "./quantize";
export { forwardInt8 } from "./recurrent-int8";
export { rnnForward } from "./rnn";
export { arrangeLines, restoreLines, selectGroups } from "./simd";
export { logSoftmax, softmax } from "./softmax";
