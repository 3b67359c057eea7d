/** A node of a plan, before it has kernels. */

import type { Type, Value } from "../graph/ir.js";
import type { Call } from "../graph/operator.js";
import type { FusedActivation, ModelOperator } from "./operator.js";

/** A node of a flat list. Its values are those that it reads and makes in the end. */
export interface PlannedNode {
  readonly operator: ModelOperator;
  readonly call: Call;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  /** Of its outputs; undefined if they are known only at run time. */
  readonly types: readonly Type[] | undefined;
  readonly activation?: FusedActivation;
  /** The nodes in whose place it is, which run where it has no kernel. */
  readonly parts?: readonly PlannedNode[];
}

/** The nodes that a node stands for. */
export function partsOf(node: PlannedNode): readonly PlannedNode[] {
  return node.parts ?? [node];
}
