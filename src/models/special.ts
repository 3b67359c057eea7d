/** Inputs whose numbers shapes or branches may depend on. */

import type { Operand } from "../graph/operator.js";
import { elementsIn } from "../graph/shapes.js";

/** Elements of an integer input that shapes or branches may depend on. */
const MOST_SPECIAL = 64;

/** Whether shapes or branches may depend on an input: a few integers or truth values. */
export function mayBeSpecial({ dtype, shape }: Operand): boolean {
  const isWhole = dtype === "int64" || dtype === "int32" || dtype === "bool";
  return isWhole && elementsIn(shape) <= MOST_SPECIAL;
}
