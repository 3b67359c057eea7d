/** Nodes of a plan before they have kernels, and graphs that are lists of them. */

import type { Type, Value } from "../graph/ir.js";
import type { Call } from "../graph/operator.js";
import type { FusedActivation, InnerGraph, ModelOperator, Nested } from "./operator.js";

/** A node of a flat list. Its values are those that it reads and makes in the end. */
export interface PlannedNode {
  readonly operator: ModelOperator;
  readonly call: Call;
  /** After its own those that its graphs read. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly (Value | undefined)[];
  /** Of its outputs; undefined if one is known only at run time. */
  readonly types: readonly Type[] | undefined;
  readonly activation?: FusedActivation;
  /** The nodes in whose place it is, which run where it has no kernel. */
  readonly parts?: readonly PlannedNode[];
  /** How it runs, if its graphs are planned with the one around them. */
  readonly nested?: Nested;
  readonly graphs?: readonly Folded[];
}

/** The nodes that a node stands for. */
export function partsOf(node: PlannedNode): readonly PlannedNode[] {
  return node.parts ?? [node];
}

/** A graph for inputs of known shapes. */
export interface Folded extends InnerGraph {
  readonly nodes: readonly PlannedNode[];
  /** The values of its inputs. */
  readonly inputs: readonly Value[];
  /** How many nodes have outputs whose types are known only at run time. */
  readonly untyped: number;
  /** How many of them there are, and of others whose graphs are planned. */
  readonly open: number;
  /** The value that stands for another one. */
  readonly resolve: (value: Value) => Value;
}
