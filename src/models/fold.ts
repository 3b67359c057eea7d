/**
 * What of a graph is left to compute, for inputs of known shapes: one pass over its nodes finds the type of each value,
 * evaluates what is constant, and puts the branch of an `If` on a constant in its place. A branch that is not taken is
 * never read. What depends on numbers that are known only at run time is left to the host, and so is what follows from
 * it.
 */

import { unsupported } from "../formats/bytes.js";
import { evaluate } from "../graph/evaluate.js";
import type { Data, Graph, HostTensor, Node, Type, Value } from "../graph/ir.js";
import {
  Call,
  checkNode,
  type GivingOperator,
  NeedsData,
  type Operand,
  type PlainOperator,
  typesOf,
} from "../graph/operator.js";
import { Steps } from "../graph/steps.js";
import type { Inlining, ModelOperator } from "./operator.js";
import type { PlannedNode } from "./planned-node.js";

/** Operators by their names. */
export type ModelTable = ReadonlyMap<string, ModelOperator>;

export interface Folded {
  readonly nodes: readonly PlannedNode[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  /** Of every value that is known before the run; with its numbers if it is constant. */
  readonly known: ReadonlyMap<Value, Operand>;
  /** How many nodes have outputs whose types are known only at run time. */
  readonly open: number;
  /** The value that stands for another one. */
  readonly resolve: (value: Value) => Value;
}

/** What one model's plans have in common: constants that no input's shape has a part in, made once. */
export class Constants {
  readonly results = new Map<Node, readonly HostTensor[]>();
  readonly #numbers = new WeakSet<Data>();

  /** @param inlines whether nodes may become others */
  constructor(readonly inlines: boolean) {}

  add(data: Data): void {
    this.#numbers.add(data);
  }

  /** Whether these numbers are the same in every plan. */
  has(data: Data | undefined): boolean {
    return data !== undefined && this.#numbers.has(data);
  }
}

/**
 * @param given types of the graph's inputs by name, with numbers for those that are constant
 * @throws FormatError for what the graph does not allow, naming the node
 */
export function fold(
  graph: Graph,
  table: ModelTable,
  given: ReadonlyMap<string, Operand>,
  constants: Constants,
): Folded {
  const folder = new Folder(table, constants, graph.fileBytes);
  for (const { name, value } of graph.inputs) folder.known.set(value, given.get(name)!);
  folder.graph(graph);
  const resolve = (value: Value) => folder.resolve(value);
  return {
    nodes: folder.nodes,
    outputs: graph.outputs.map(({ name, value }) => {
      const made = resolve(value);
      folder.operand(made);
      return { name, value: made };
    }),
    known: folder.known,
    open: folder.nodes.filter(({ types }) => types === undefined).length,
    resolve,
  };
}

class Folder {
  readonly nodes: PlannedNode[] = [];
  readonly known = new Map<Value, Operand>();
  readonly #same = new Map<Value, Value>();
  readonly #steps: Steps;

  constructor(
    readonly table: ModelTable,
    readonly constants: Constants,
    fileBytes: number | undefined,
  ) {
    this.#steps = new Steps(fileBytes);
  }

  graph(graph: Graph): void {
    for (const node of graph.nodes) this.#node(node);
  }

  resolve(value: Value): Value {
    return this.#same.get(value) ?? value;
  }

  operand(value: Value): Operand | undefined {
    const { data } = value;
    if (data === undefined) return this.known.get(value);
    if (!this.known.has(value)) {
      this.known.set(value, data);
      this.constants.add(data.data);
    }
    return data;
  }

  #node(node: Node): void {
    const operator = this.table.get(node.operator);
    if (operator === undefined) throw unsupported(`${node.label}: the operator is not supported`);
    const inputs = node.inputs.map((value) => value && this.resolve(value));
    const operands = inputs.map((value) => value && this.operand(value));
    const call = new Call(node, operands);
    this.#steps.take(call, node.inputs.length + node.outputs.length);
    const keep = (types?: readonly Type[]) =>
      this.#keep({ operator, call, inputs, outputs: node.outputs, types });
    const isKnown = inputs.every((value, at) => value === undefined || operands[at] !== undefined);
    const meaning = operator.operator;
    if (!isKnown) keep();
    else if ("control" in meaning) {
      checkNode(call, meaning);
      const inline = this.constants.inlines ? operator.inline : undefined;
      const branch = meaning.branch?.(call) ?? inline?.(call, this.#inlining());
      if (branch === undefined) keep();
      else this.#branch(call, branch);
    } else {
      try {
        this.#plain(meaning, call, keep);
      } catch (error) {
        if (!(error instanceof NeedsData)) throw error;
        keep();
      }
    }
  }

  #inlining(): Inlining {
    return {
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
    this.graph(branch);
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
    if (isConstant) results = evaluate(operator, call, this.#steps);
    else if ("give" in operator) results = given(operator, call, types);
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
    this.nodes.push(node);
    if (node.types !== undefined) this.#define(node.call, node.types);
  }
}

/** What an operator gives that may not need the numbers of its inputs; undefined if it does. */
function given(
  operator: GivingOperator,
  call: Call,
  types: readonly Type[],
): readonly HostTensor[] | undefined {
  try {
    return operator.give(call, types);
  } catch (error) {
    if (error instanceof NeedsData) return undefined;
    throw error;
  }
}
