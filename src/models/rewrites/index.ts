/** Rewrites: nodes in the place of others that compute the same in fewer calls. */

import type { Value } from "../../graph/ir.js";
import type { Folded, PlannedNode } from "../fold.js";

/** What a rewrite reads of a plan. */
export interface Rewriting {
  /** What is known of a value before the run. */
  readonly known: Folded["known"];
  /** How many nodes and outputs read a value. */
  readonly readers: ReadonlyMap<Value, number>;
}

/** Gives the list with some nodes replaced; the same list where there are none. */
export type Rewrite = (nodes: readonly PlannedNode[], plan: Rewriting) => readonly PlannedNode[];

/** Applies rewrites one after the other. */
export function rewrite(
  nodes: readonly PlannedNode[],
  { known, outputs }: Folded,
  rewrites: readonly Rewrite[],
): readonly PlannedNode[] {
  return rewrites.reduce((list, apply) => {
    const readers = new Map<Value, number>();
    const count = (value: Value | undefined) => {
      if (value !== undefined) readers.set(value, (readers.get(value) ?? 0) + 1);
    };
    for (const { value } of outputs) count(value);
    for (const { inputs } of list) for (const value of inputs) count(value);
    return apply(list, { known, readers });
  }, nodes);
}

export const ALL_REWRITES: readonly Rewrite[] = [];
