/** Rewrites: nodes in the place of others that compute the same in fewer calls. */

import type { Data, HostTensor, Node, Value } from "../../graph/ir.js";
import type { Folded, PlannedNode } from "../fold.js";
import type { ModelOperator } from "../operator.js";
import type { Store } from "../store.js";
import { fuseActivations } from "./activation.js";
import { fuseBatchNormalizations } from "./batch-normalization.js";
import { fuseBiases } from "./bias.js";
import { fuseLSTMCells } from "./lstm-cell.js";

/** What a rewrite reads of a plan. */
export interface Rewriting {
  /** The node that makes a value, where only one node reads it and nothing else does. */
  source(value: Value | undefined): PlannedNode | undefined;
  /** The node that makes a value, whoever reads it. */
  maker(value: Value | undefined): PlannedNode | undefined;
  /** An operator of the model's table. */
  operator(name: string): ModelOperator | undefined;
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
  readonly source: PlannedNode | readonly PlannedNode[];
  /** What stands in the node's place. */
  readonly node: PlannedNode;
  /** The node in whose place it stands instead, where others before the node read what it gives. */
  readonly place?: PlannedNode;
}

/** In the order in which they are tried: what is fused by one may be fused again by a later one. */
export const ALL_REWRITES: readonly Rewrite[] = [
  fuseBatchNormalizations,
  fuseBiases,
  fuseActivations,
  fuseLSTMCells,
];

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

/** The nodes that a node stands for. */
export function partsOf(node: PlannedNode): readonly PlannedNode[] {
  return node.parts ?? [node];
}
