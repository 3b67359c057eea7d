/**
 * What of a graph is left to compute, for inputs of known shapes. One pass over its nodes finds the type of each value
 * and evaluates what is constant. It puts the branch of an `If` on a constant in its place; a branch that is not taken
 * is never read. The host computes what depends on numbers that are known only at run time, and what follows from it.
 */

import { FormatError, unsupported } from "../formats/bytes.js";
import { evaluate } from "../graph/evaluate.js";
import type { Data, Graph, HostTensor, Node, Type, Value } from "../graph/ir.js";
import {
  Call,
  type ControlOperator,
  checkNode,
  NeedsData,
  type Operand,
  type PlainOperator,
  typesOf,
} from "../graph/operator.js";
import { elementsIn } from "../graph/shapes.js";
import { Steps } from "../graph/steps.js";
import type { Constants } from "./constants.js";
import type { Folded, ModelOperator, Nested, Nesting, PlannedNode } from "./operator.js";

/** Operators by their names. */
export type ModelTable = ReadonlyMap<string, ModelOperator>;

/**
 * @param given types of the graph's inputs by name, with numbers for those that are constant
 * @param closed whether a node that numbers tell of is not allowed
 * @throws FormatError for what the graph does not allow, naming the node; NeedsData for what is not closed
 */
export function fold(
  graph: Graph,
  table: ModelTable,
  given: ReadonlyMap<string, Operand>,
  constants: Constants,
  closed = false,
): Folded {
  const folder = new Folder(table, constants, new Steps(graph.fileBytes), undefined, closed);
  for (const { name, value } of graph.inputs) folder.known.set(value, given.get(name)!);
  return folder.graph(graph);
}

/**
 * The same of a graph with no node that numbers tell of; undefined at the first one there is. Branches of an `If` on an
 * input are not looked at.
 */
export function foldClosed(...[graph, table, given, constants]: Parameters<typeof fold>): Folded | undefined {
  return ignoring(NeedsData, () => fold(graph, table, given, constants, true));
}

/** How many times as fast as the host kernels are at least. */
const KERNELS = 8;

class Folder {
  readonly nodes: PlannedNode[] = [];
  readonly known = new Map<Value, Operand>();
  /** What it reads of the graph around it, but for constants. */
  readonly captured = new Set<Value>();
  readonly #same = new Map<Value, Value>();
  #cost = 0;
  #most = 0;

  /** @param outer the folder of the graph around, of one in an attribute */
  constructor(
    readonly table: ModelTable,
    readonly constants: Constants,
    readonly steps: Steps,
    readonly outer?: Folder,
    readonly closed = false,
  ) {}

  graph(graph: Graph): Folded {
    this.#all(graph);
    const results = graph.outputs.map(({ value }) => this.resolve(value));
    for (const value of results) this.operand(value);
    const untyped = this.nodes.filter(({ types }) => types === undefined).length;
    return {
      nodes: this.nodes,
      inputs: graph.inputs.map(({ value }) => value),
      results,
      known: this.known,
      untyped,
      open: this.nodes.filter(({ types, nested }) => types === undefined || nested !== undefined).length,
      isTyped: untyped === 0 && results.every((value) => this.known.has(value)),
      cost: this.#cost / KERNELS,
      most: this.#most,
      resolve: (value) => this.resolve(value),
    };
  }

  #all(graph: Graph): void {
    for (const node of graph.nodes) this.#node(node);
  }

  resolve(value: Value): Value {
    return this.#same.get(value) ?? this.outer?.resolve(value) ?? value;
  }

  operand(value: Value): Operand | undefined {
    const { data } = value;
    if (data === undefined) return this.known.get(value) ?? this.#captured(value);
    if (!this.known.has(value)) {
      this.known.set(value, data);
      this.constants.add(data.data);
    }
    return data;
  }

  #captured(value: Value): Operand | undefined {
    const operand = this.outer?.operand(value);
    if (operand === undefined) return undefined;
    this.known.set(value, operand);
    if (operand.data === undefined) this.captured.add(value);
    return operand;
  }

  #node(node: Node): void {
    const operator = this.table.get(node.operator);
    if (operator === undefined) throw unsupported(`${node.label}: the operator is not supported`);
    const inputs = node.inputs.map((value) => value && this.resolve(value));
    const operands = inputs.map((value) => value && this.operand(value));
    const call = new Call(node, operands);
    // What is packed of a layer's weights then lasts as long as the model, as of other constants.
    for (const attribute of node.attributes.values()) {
      if (attribute.kind !== "layer") continue;
      for (const { data } of attribute.value.stateDict.values()) this.constants.add(data as Data);
    }
    this.steps.take(call, node.inputs.length + node.outputs.length);
    const keep = (types?: readonly Type[]) =>
      this.#keep({ operator, call, inputs, outputs: node.outputs, types });
    const isKnown = inputs.every((value, at) => value === undefined || operands[at] !== undefined);
    const meaning = operator.operator;
    if (!isKnown) keep();
    else if ("control" in meaning) {
      checkNode(call, meaning);
      this.#control(operator, call, inputs, keep);
    } else {
      try {
        this.#plain(meaning, call, keep);
      } catch (error) {
        if (!(error instanceof NeedsData)) throw error;
        keep();
      }
    }
  }

  /** Puts graphs of a node in its place, or plans them. */
  #control(operator: ModelOperator, call: Call, inputs: PlannedNode["inputs"], keep: () => void): void {
    const graphs: Folded[] = [];
    const captured = new Set<Value>();
    const nesting = this.#nesting(graphs, captured);
    const { branch } = operator.operator as ControlOperator;
    const inline = this.constants.inlines ? operator.inline : undefined;
    const graph = branch?.(call) ?? inline?.(call, nesting);
    if (graph !== undefined) {
      this.#branch(call, graph);
      return;
    }
    if (this.closed) throw new NeedsData(0);
    const nested = nestedBy(operator, call, nesting);
    if (nested === undefined) keep();
    else {
      const { outputs } = call.node;
      const types = wholly(nested.types);
      this.#keepNested({ operator, call, inputs: [...inputs, ...captured], outputs, types, nested, graphs });
    }
  }

  /** @param graphs is given what it folds, and `captured` what that reads of this graph */
  #nesting(graphs: Folded[], captured: Set<Value>): Nesting {
    return {
      fold: (graph, given, same) => {
        const folder = new Folder(this.table, this.constants, this.steps, this);
        for (const [at, { value }] of graph.inputs.entries()) {
          const other = same[at];
          if (other === undefined) folder.known.set(value, given[at]!);
          else folder.#same.set(value, this.resolve(other));
        }
        const folded = folder.graph(graph);
        graphs.push(folded);
        for (const value of folder.captured) captured.add(value);
        return folded;
      },
      operator: (name) => this.table.get(name),
      operand: (value) => this.operand(this.resolve(value)),
      derive: (node, from, make) => {
        const { results } = this.constants;
        const tensors = results.get(node) ?? make();
        if (from.every((numbers) => this.constants.has(numbers))) {
          results.set(node, tensors);
          for (const { data } of tensors) this.constants.add(data);
        }
        return tensors.map((tensor) => {
          const value: Value = { name: "" };
          this.known.set(value, tensor);
          return value;
        });
      },
    };
  }

  /** Puts a branch in the place of its node. */
  #branch(call: Call, branch: Graph): void {
    const { outputs } = call.node;
    if (branch.outputs.length < outputs.length) throw call.broken("its branch gives fewer outputs");
    this.#all(branch);
    for (const [at, value] of outputs.entries()) {
      if (value !== undefined) this.#same.set(value, this.resolve(branch.outputs[at]!.value));
    }
  }

  /** Evaluates a node whose result is known already, as that of Shape is; keeps others. */
  #plain(operator: PlainOperator, call: Call, keep: (types: readonly Type[]) => void): void {
    const { node } = call;
    const made = this.constants.results.get(node);
    if (made !== undefined) {
      this.#define(call, made);
      return;
    }
    const types = typesOf(operator, call);
    const isConstant = call.inputs.every((operand) => operand === undefined || operand.data !== undefined);
    let results: readonly HostTensor[] | undefined;
    if (isConstant) results = evaluate(operator, call, this.steps);
    else if ("give" in operator) results = ignoring(NeedsData, () => operator.give(call, types));
    if (results === undefined) {
      keep(types);
      return;
    }
    this.#define(call, results);
    if (!call.inputs.every((operand) => operand === undefined || this.constants.has(operand.data))) return;
    this.constants.results.set(node, results);
    for (const { data } of results) this.constants.add(data);
  }

  #define({ node }: Call, results: readonly (Operand | undefined)[]): void {
    for (const [at, value] of node.outputs.entries()) {
      if (value === undefined) continue;
      const result = results[at];
      if (result === undefined) throw new Call(node, []).refused(`output ${at} is not supported`);
      this.known.set(value, result);
    }
  }

  #keep(node: PlannedNode): void {
    if (node.types === undefined && this.closed) throw new NeedsData(0);
    this.nodes.push(node);
    if (node.types === undefined) return;
    this.#define(node.call, node.types);
    const work = workOf(node, node.types);
    const numbers = node.types.reduce((sum, { shape }) => sum + elementsIn(shape), 0);
    this.#cost += Steps.of(node.inputs.length + node.outputs.length, numbers, work);
    // The host takes three times as long for a product of a convolution.
    this.#most = Math.max(this.#most, node.call.node.operator.startsWith("Conv") ? work / 3 : work);
  }

  /** A node of which some outputs' types may be known and others not. */
  #keepNested(node: PlannedNode & { nested: Nested }): void {
    this.nodes.push(node);
    this.#cost++;
    for (const [at, value] of node.outputs.entries()) {
      const type = node.nested.types[at];
      if (value !== undefined && type !== undefined) this.known.set(value, type);
    }
  }
}

/** What a node takes on the host beside its outputs' numbers. */
function workOf({ operator: { operator }, call }: PlannedNode, types: readonly Type[]): number {
  return ("control" in operator ? 0 : ignoring(NeedsData, () => operator.work?.(call, types))) ?? 0;
}

/** What an operator makes of a node whose graphs may be planned. What is wrong in one of them is told when it runs. */
function nestedBy(operator: ModelOperator, call: Call, around: Nesting): Nested | undefined {
  return ignoring(NeedsData, () => ignoring(FormatError, () => operator.nest?.(call, around)));
}

/** All types, if each is known. */
function wholly(types: readonly (Type | undefined)[]): readonly Type[] | undefined {
  return types.includes(undefined) ? undefined : (types as readonly Type[]);
}

/** Undefined where an error of this kind is thrown. */
function ignoring<Result>(
  kind: typeof NeedsData | typeof FormatError,
  make: () => Result | undefined,
): Result | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof kind) return undefined;
    throw error;
  }
}
