/**
 * The second binary: the kernels of whole models. It runs on the core's memory, beside it, and never allocates. Its
 * exports are the whole surface, as those of ../index.ts are the core's.
 */

export { binary } from "./binary";
export { blendRows } from "./blend";
export { cast } from "./cast";
export { channelsTogether, convolve, convolveTiles } from "./convolve";
export { convolveRows } from "./convolve-rows";
export { copy } from "./copy";
export { log4 } from "./functions";
export { loadPart, storePart } from "./lanes";
export { multiply } from "./matmul";
export { mirror } from "./mirror";
export { normalise } from "./normalise";
export { reduceNumbers, topOf } from "./numbers";
export { fillPlanes } from "./planes";
export { pool } from "./pool";
export { bytePatches, dots, quantise, widen } from "./quantised";
export { cumulate, indexOfExtreme, reduce } from "./reduce";
export { locate, putRows, takeRows } from "./rows";
export { softmaxAxis } from "./softmax";
export { triangle } from "./triangle";
// The host does not call log4, loadPart and storePart: an export is not inlined, which would be 4 KB more of each binary.
export { unary } from "./unary";
