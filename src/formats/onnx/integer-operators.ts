/** The operators that compute sizes: exports that are not optimised compute the bounds of gates from a shape. */

import { MOST_DIMENSIONS } from "../../tensor/like.js";
import { Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { AXIS_BYTES } from "./allowance.js";
import type { AnyTensor, Call } from "./operator.js";

/** They make numbers of their own. The other operators move or repeat those of their first input. */
export const MAKES_NUMBERS: ReadonlySet<string> = new Set(["Shape", "Mul"]);

/** The sizes of a constant, of which `start` and `end` choose some. */
export function shapeOf({ inputs: [tensor], attribute, label }: Call): AnyTensor {
  if (tensor === undefined) throw new FormatError(`${label}: its input is missing`);
  return sizesTensor(tensor.shape, attribute)!;
}

/** What Shape gives for a value of these sizes. Undefined if it asks for one that is not known, -1. */
export function sizesTensor(sizes: readonly number[], attribute: Call["attribute"]): AnyTensor | undefined {
  const chosen = sizes.slice(attribute("start")?.i ?? 0, attribute("end")?.i ?? sizes.length);
  if (chosen.some((size) => size < 0)) return undefined;
  return new Tensor(BigInt64Array.from(chosen, BigInt), [chosen.length]);
}

/** A product of a few integers. */
export function multiply({ inputs: [first, second], spend }: Call): AnyTensor | string {
  const [left, right] = [first?.data, second?.data];
  const refused = "is computed by Mul";
  if (!(left instanceof BigInt64Array) || !(right instanceof BigInt64Array)) return refused;
  const length = Math.max(left.length, right.length);
  const fits = left.length === right.length || Math.min(left.length, right.length) === 1;
  if (!fits || length > MOST_DIMENSIONS) return refused;
  spend(AXIS_BYTES * length);
  const product = new BigInt64Array(length);
  for (let at = 0; at < length; at++) product[at] = left[at % left.length]! * right[at % right.length]!;
  const rank = Math.max(first!.shape.length, second!.shape.length);
  return rank > 1 ? refused : new Tensor(product, rank === 0 ? [] : [length]);
}
