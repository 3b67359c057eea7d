/**
 * What a plan knows of an operator beside its meaning on the host (src/graph/operator.ts): the kernels that compute it,
 * where its outputs are parts of its inputs, and how several nodes become one. A node without a kernel is evaluated on the
 * host.
 *
 * In linear memory a tensor is row-major: floats of every width as f32, int64 as f64, int32 as i32, others as bytes.
 * Each begins at a multiple of 16 bytes, but for views, which begin at a multiple of an element.
 */

import type { Data, Graph, HostTensor, Node, Type, Value } from "../graph/ir.js";
import type { Call, Operand, Operator } from "../graph/operator.js";
import type { Steps } from "../graph/steps.js";
import type { Precision } from "../wasm/precision.js";
import type { Region } from "../wasm/region.js";
import type { Runtime } from "../wasm/runtime.js";

/** What `loadOnnxWith` is given of an operator: what `lstm-wasm/models` exports under its name. */
export interface ModelOperator {
  /** Its shapes, and its evaluation on the host. @internal */
  readonly operator: Operator;
  /** Undefined for a node that it has no kernel for, which is then evaluated on the host. @internal */
  readonly compile?: (node: Compiling) => Compiled | undefined;
  /** Where its numbers need not be moved. Undefined for a node whose numbers must be. @internal */
  readonly view?: (call: Call, types: readonly Type[]) => View | undefined;
  /** Nodes in its place, and their outputs, where other operators compute what it does. @internal */
  readonly inline?: (call: Call, around: Inlining) => Graph | undefined;
  /** How a node runs whose graphs are planned with the one around them. Undefined for one that the host runs. @internal */
  readonly nest?: (call: Call, around: Nesting) => Nested | undefined;
  /** Those whose pattern has it, so that a bundle without it has none of them. @internal */
  readonly rewrites?: readonly Rewrite[];
}

/** What a node that may be inlined has around it. */
export interface Inlining {
  /** Of the model's table. */
  operator(name: string): ModelOperator | undefined;
  /** What is known of a value before the run. */
  operand(value: Value): Operand | undefined;
  /** Values of constants that are made of others for a node, once for a model where those are the model's. */
  derive(node: Node, from: readonly Data[], make: () => readonly HostTensor[]): readonly Value[];
}

/** What a node has around it whose graphs may be planned. */
export interface Nesting extends Inlining {
  /**
   * What of a graph in an attribute is left to compute.
   * @param given what is known of its inputs
   * @param same of an input that is a value of the graph around it: that one
   * @throws FormatError as `fold` does
   */
  fold(graph: Graph, given: readonly Operand[], same: readonly (Value | undefined)[]): InnerGraph;
}

/** A graph in an attribute, folded. */
export interface InnerGraph {
  /** The values of its outputs. */
  readonly results: readonly Value[];
  /** What is known of a value. */
  readonly known: ReadonlyMap<Value, Operand>;
  /** Whether the type of every value is known. */
  readonly isTyped: boolean;
  /** How many steps it takes (src/graph/steps.ts). */
  readonly cost: number;
}

export interface Nested {
  /** Of the node's outputs; undefined for one that is known only at run time. */
  readonly types: readonly (Type | undefined)[];
  /** Which values of each graph that was folded are read when it has run. */
  readonly reads: readonly (readonly Value[])[];
  bind(place: NestedPlace): () => void;
}

/** A graph of a node, planned. */
export interface InnerProgram {
  /** Address of a value, also of one of the graph around it; undefined for an input that nobody reads. */
  address(value: Value): number | undefined;
  run(): void;
}

/** Numbers that lie where they are, counted in elements. */
export type View =
  /** Output `n` is what lies in input 0 from `outputs[n]` on. */
  | { readonly outputs: readonly number[] }
  /** Input `n` is to be made in output 0, from `inputs[n]` on. */
  | { readonly inputs: readonly number[] };

/** A node whose kernels are looked for, before anything has an address. */
export interface Compiling {
  /** Its inputs: types, and numbers of those that are constant. */
  readonly call: Call;
  /** Of its outputs. */
  readonly types: readonly Type[];
  /** What is done to each number of output 0 in the end, by a rewrite. */
  readonly activation?: FusedActivation | undefined;
  readonly runtime: Runtime;
  readonly precision: Precision;
  /**
   * What is made once for the model, such as packed weights: by the numbers it is made of, and a word for what it is.
   * It may allocate in the region, which frees it with the model.
   */
  shared<Made>(numbers: Data, what: string, make: (region: Region) => Made): Made;
}

export interface FusedActivation {
  /** ONNX's name. */
  readonly name: string;
  readonly alpha: number;
  readonly beta: number;
}

export interface Compiled {
  /** Room that is the node's own while it runs, aligned to 16; its numbers are anything at first. */
  readonly scratchBytes?: number;
  /** The input in whose room output 0 may be made, where nobody needs the input any more. */
  readonly inPlace?: number;
  /** Gives the kernel calls at addresses that never change. */
  bind(place: Place): () => void;
}

/** Addresses of a node's numbers. */
export interface Place {
  /** Addresses of the inputs; of an input that is left out 0. Constants are there too. */
  input(at: number): number;
  /** Address of an output; of one that nobody reads, room for it all the same. */
  output(at: number): number;
  readonly scratch: number;
  /** Address of a record of these words, which lives as long as the plan. */
  record(words: Int32Array): number;
}

/** The same of a node whose graphs are planned. */
export interface NestedPlace extends Place {
  readonly runtime: Runtime;
  /** In the order in which they were folded. */
  readonly programs: readonly InnerProgram[];
  /** What the present run may compute. */
  readonly budget: Steps;
  /** Gives the numbers of an output whose type was not known. They must stay as they are until the run ends. */
  give(at: number, tensor: HostTensor): void;
}

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
  /** The most work of one of the others, in products of a recurrent layer on the host: two for each weight. */
  readonly most: number;
  /** The value that stands for another one. */
  readonly resolve: (value: Value) => Value;
}

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

/**
 * What a node becomes with the one that makes an input of it; undefined if they stay two. Each begins at nodes of
 * operators that no other begins at, so that their order is of no consequence.
 */
export type Rewrite = (node: PlannedNode, rewriting: Rewriting) => Fusion | undefined;

export interface Fusion {
  /** What is left out. */
  readonly source: PlannedNode | readonly PlannedNode[];
  /** What stands in the node's place. */
  readonly node: PlannedNode;
  /** The node in whose place it stands instead, where others before the node read what it gives. */
  readonly place?: PlannedNode;
}
