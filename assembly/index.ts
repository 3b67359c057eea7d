/** The export list, which is the whole wasm surface. No export has more than six parameters. */
export { activate, rectify } from "./activation";
export { conv1d } from "./conv1d";
export { configure } from "./instance";
export { loadStates, runLayer, storeStates } from "./layer";
export { dotIsOneInstruction, vectorsPerLine } from "./matmul/dot";
export { matmul } from "./matmul/index";
export { arrangeLines, lineCount, packGate, restoreLines, unpackGate } from "./matmul/pack";
export { roundedRow } from "./matmul/round-inputs";
export { maxPool1d } from "./max-pool";
export { allocate, clearFloats, copyRows, free } from "./memory";
export { normalize } from "./normalize";
export { softmax } from "./softmax";
