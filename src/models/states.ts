/** Which inputs and outputs of a model are one state, as their names and shapes tell. */

import type { ModelValue } from "./model-types.js";

export interface StatePair {
  readonly input: string;
  readonly output: string;
}

/** Words that tell the state before a step from the one after it. */
const MARKS = /^(in|input|out|output|new|next|prev|previous|last|old|cur|current|n|0|1|t)$/;

/** A name without such words: `h0` and `hn` become `h`, `conv_cache_out` becomes `conv_cache`. */
function plain(name: string): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => (MARKS.test(word) ? "" : word.replace(/(.)(in|out|new|next|[0n])$/, "$1")));
  return words.filter((word) => word !== "").join("_");
}

/** Whether two declared shapes may be of one state. A size without a name may be any. */
function alike(a: ModelValue, b: ModelValue): boolean {
  if (a.dtype !== b.dtype || a.shape?.length !== b.shape?.length) return false;
  return (a.shape ?? []).every((size, axis) => {
    const other = b.shape![axis];
    return typeof size === "string" || typeof other === "string" || size === other;
  });
}

/**
 * The pairs whose names are one without the words that tell before from after. There is doubt where there are none, or
 * where an input has several.
 */
export function findStates(
  inputs: readonly ModelValue[],
  outputs: readonly ModelValue[],
): { readonly pairs: readonly StatePair[]; readonly doubt: string | undefined } {
  const pairs: StatePair[] = [];
  for (const input of inputs) {
    const name = plain(input.name);
    if (name === "") continue;
    const fitting = outputs.filter((output) => plain(output.name) === name && alike(input, output));
    if (fitting.length > 1) {
      return { pairs: [], doubt: `several outputs that may be the next ${input.name}` };
    }
    const [output] = fitting;
    if (output === undefined) continue;
    if (pairs.some((pair) => pair.output === output.name)) {
      return { pairs: [], doubt: `several inputs that ${output.name} may be given to` };
    }
    pairs.push({ input: input.name, output: output.name });
  }
  return { pairs, doubt: pairs.length === 0 ? "no input and output whose names pair up" : undefined };
}
