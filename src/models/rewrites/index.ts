/** Rewrites: nodes in the place of others that compute the same in fewer calls. */

import type { Data, HostTensor, Node, Value } from "../../graph/ir.js";
import type { Folded, PlannedNode } from "../fold.js";
import type { Store } from "../store.js";
import { fuseActivations } from "./activation.js";
import { fuseBatchNormalizations } from "./batch-normalization.js";
import { fuseBiases } from "./bias.js";

/** What a rewrite reads of a plan. */
export interface Rewriting {
  /** The node that makes a value, where only one node reads it and nothing else does. */
  source(value: Value | undefined): PlannedNode | undefined;
  /**
   * Constants that are made of others, once for the model where those are the model's.
   *
   * @param node what they are made for
   * @param from the numbers that they are made of
   */
  derive(node: Node, from: readonly Data[], make: () => readonly HostTensor[]): Value[];
}

/** What a node becomes with the one that makes an input of it; undefined if they stay two. */
export type Rewrite = (node: PlannedNode, rewriting: Rewriting) => Fusion | undefined;

export interface Fusion {
  /** What is left out. */
  readonly source: PlannedNode;
  /** What stands in the node's place. */
  readonly node: PlannedNode;
}

/** In the order in which they are tried: what is fused by one may be fused again by a later one. */
export const ALL_REWRITES: readonly Rewrite[] = [fuseBatchNormalizations, fuseBiases, fuseActivations];

/** The list with nodes fused. */
export function rewrite(nodes: readonly PlannedNode[], { outputs }: Folded, store: Store): PlannedNode[] {
  const readers = new Map<Value, number>();
  const count = (value: Value | undefined) => {
    if (value !== undefined) readers.set(value, (readers.get(value) ?? 0) + 1);
  };
  for (const { value } of outputs) count(value);
  for (const { inputs } of nodes) for (const value of inputs) count(value);
  const makers = new Map<Value, PlannedNode>();
  const left = new Set<PlannedNode>();
  const rewriting: Rewriting = {
    source: (value) => (value !== undefined && readers.get(value) === 1 ? makers.get(value) : undefined),
    derive: (node, from, make) => store.derive(node, from, make).map((data) => ({ name: "", data })),
  };
  const list: PlannedNode[] = [];
  for (const given of nodes) {
    let node = given;
    for (const apply of store.rewrites) {
      const fusion = apply(node, rewriting);
      if (fusion === undefined) continue;
      left.add(fusion.source);
      node = fusion.node;
    }
    list.push(node);
    for (const value of node.outputs) if (value !== undefined) makers.set(value, node);
  }
  return list.filter((node) => !left.has(node));
}

/** The nodes that a node stands for. */
export function partsOf(node: PlannedNode): readonly PlannedNode[] {
  return node.parts ?? [node];
}
