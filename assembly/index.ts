/** The export list, which is the whole wasm surface. */
export { relu, sigmoid, tanh } from "./activation";
export { gruForward } from "./gru";
export { lstmForward } from "./lstm";
export { allocate, clearFloats, copyRows, free } from "./memory";
export { packGate, unpackGate } from "./panel";
export { project } from "./projection";
export { rnnForward } from "./rnn";
