/**
 * The second binary: the kernels of whole models. It runs on the core's memory, beside it, and never allocates. Its
 * exports are the whole surface, as those of ../index.ts are the core's.
 */

export { binary } from "./binary";
export { copy } from "./copy";
export { multiply } from "./matmul";
export { locate, putRows, takeRows } from "./rows";
export { unary } from "./unary";
