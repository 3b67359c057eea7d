/** The export list, which is the whole wasm surface. */
export { relu, sigmoid, tanh } from "./activation";
export { conv1dForward } from "./conv";
export { lstmForward } from "./lstm";
export { allocate, clearFloats, copyRows, free } from "./memory";
export { packGate, unpackGate } from "./panel";
export { project } from "./projection";
export { quantizeRows } from "./quantize";
export { recurrentForward } from "./recurrent";
export { arrangeLines, groupVectors, restoreLines, selectGroups } from "./simd";
export { softmax } from "./softmax";
