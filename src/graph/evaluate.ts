/** The evaluation of a node, whose work is counted before it is done. */

import type { HostTensor } from "./ir.js";
import { type Call, type PlainOperator, typesOf, zeros } from "./operator.js";
import { roundingOf } from "./rounding.js";
import { elementsIn } from "./shapes.js";
import { Steps } from "./steps.js";

/** @throws FormatError for an int64 that left the range in which it is exact */
function checkExact(call: Call, { dtype, data }: HostTensor): void {
  if (dtype !== "int64") return;
  for (let at = 0; at < data.length; at++) {
    if (Number.isSafeInteger(data[at])) continue;
    // What is passed on and not computed may be the largest integer: "to the end" of a Slice.
    if (call.inputs.some((input) => input?.dtype === "int64" && input.data?.includes(data[at]!))) return;
    throw call.refused(`an int64 of ${data[at]} is not within 2^53`);
  }
}

/** A number that is rounded to 16 bits takes as long as this many others. */
const ROUNDED = 4;

/** Rounds floats of 16 bits to numbers that these have. */
function roundNarrow({ dtype, data }: HostTensor): void {
  const round = roundingOf(dtype);
  if (round === undefined) return;
  for (let at = 0; at < data.length; at++) data[at] = round(data[at]!);
}

/**
 * Evaluates a plain operator.
 * @throws FormatError for what is wrong or refused, or takes more steps than are left; NeedsData
 */
export function evaluate(operator: PlainOperator, call: Call, steps = new Steps()): readonly HostTensor[] {
  const types = typesOf(operator, call);
  steps.compute(call, operator.work?.(call, types) ?? 0);
  if ("give" in operator) return operator.give(call, types);
  // Of an axis of size 0 the others may be visited.
  for (const { dtype, shape } of types) {
    const numbers = elementsIn(shape.map((size) => Math.max(1, size)));
    steps.make(call, roundingOf(dtype) === undefined ? numbers : ROUNDED * numbers);
  }
  const outputs = types.map(zeros);
  operator.run(call, outputs);
  for (const output of outputs) {
    checkExact(call, output);
    roundNarrow(output);
  }
  return outputs;
}
