/**
 * The second binary: the kernels of whole models. It runs on the core's memory, beside it, and never allocates. Its
 * exports are the whole surface, as those of ../index.ts are the core's.
 */
export { binary } from "./binary";
export { blendRows } from "./blend";
export { cast } from "./cast";
export { copy } from "./copy";
export { multiply } from "./matmul";
export { locate, putRows, takeRows } from "./rows";
// The host does not call these three: an export is not inlined, which would be 4 KB more of each binary.

export { binary } from "./binary";
export { log4 } from "./functions";
export { loadPart, storePart } from "./lanes";
export { normalise } from "./normalise";
export { cumulate, indexOfExtreme, reduce } from "./reduce";
export { softmaxAxis } from "./softmax";
export { triangle } from "./triangle";
export { unary } from "./unary";
