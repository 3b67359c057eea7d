import type { SkippedTensor } from "../tensor/skipped.js";
import type { StateDict } from "../tensor/tensor.js";

/** The state dict of a file. It is a Map with a property besides. */
export type FileDict = StateDict & {
  /** What the file has besides: tensors of kinds that are not read. */
  readonly skipped: readonly SkippedTensor[];
};
