/**
 * The third program: several threads over one memory. Each has an instance of the core and one of this, and all run the
 * core's kernels on parts of the same job. The caller's instance is called in the place of the core's runLayer and matmul.
 */

export { awaitDecided, decide, dismiss, fail, join, leave, pace } from "./members";
export { convolve, enlist, hold, matmul, runLayer, runPair, settle, work } from "./pool";
