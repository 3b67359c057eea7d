/** Rewrites: nodes in the place of others that compute the same in fewer calls. */

import type { Value } from "../../graph/ir.js";
import type { PlannedNode, Rewriting } from "../operator.js";
import type { Store } from "../store.js";

/** The list with nodes fused. What is read after it stays. */
export function rewrite(
  nodes: readonly PlannedNode[],
  outputs: readonly Value[],
  store: Store,
): PlannedNode[] {
  const readers = new Map<Value, number>();
  const count = (value: Value | undefined) => {
    if (value !== undefined) readers.set(value, (readers.get(value) ?? 0) + 1);
  };
  for (const value of outputs) count(value);
  for (const { inputs } of nodes) for (const value of inputs) count(value);
  const makers = new Map<Value, PlannedNode>();
  const left = new Set<PlannedNode>();
  const moved = new Map<PlannedNode, PlannedNode>();
  const rewriting: Rewriting = {
    maker: (value) => (value === undefined ? undefined : makers.get(value)),
    operator: (name) => store.table.get(name),
    source: (value) => (value !== undefined && readers.get(value) === 1 ? makers.get(value) : undefined),
    derive: (node, from, make) => store.derive(node, from, make).map((data) => ({ name: "", data })),
  };
  const list: PlannedNode[] = [];
  for (const given of nodes) {
    let node = given;
    for (const apply of store.rewrites) {
      const fusion = apply(node, rewriting);
      if (fusion === undefined) continue;
      for (const source of [fusion.source].flat()) left.add(source);
      if (fusion.place !== undefined) moved.set(fusion.place, fusion.node);
      node = fusion.node;
    }
    list.push(node);
    for (const value of node.outputs) if (value !== undefined) makers.set(value, node);
  }
  const places = new Set(moved.values());
  return list.flatMap((node) => {
    const other = moved.get(node);
    if (other !== undefined) return [other];
    return left.has(node) || places.has(node) ? [] : [node];
  });
}
