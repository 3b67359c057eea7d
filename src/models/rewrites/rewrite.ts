/** What a rewrite is, and what it reads. */

import type { Data, HostTensor, Node, Value } from "../../graph/ir.js";
import type { ModelOperator } from "../operator.js";
import type { PlannedNode } from "../planned-node.js";

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
