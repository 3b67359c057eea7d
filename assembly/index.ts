/** The export list, which is the whole wasm surface. No export has more than six parameters. */
export { activate, rectify } from "./activation";
// Not called by the host. An export is not inlined. Inside runLayer, a function of 5 KB, it would cost the bundle 1.5 KB
// after gzip: the two binaries would number its locals otherwise, and share less.
export { updateGeneral } from "./cells/general";
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
export { shape } from "./shaped";
export { softmax } from "./softmax";
