/** Runs a graph node by node in plain JavaScript: for folding, for tests, and for what depends on data. */

import { unsupported } from "../formats/bytes.js";
import { show, wrongValue } from "../tensor/checks.js";
import { evaluate } from "./evaluate.js";
import type { Graph, HostTensor, Node, Value } from "./ir.js";
import { Call, checkNode, type OperatorTable } from "./operator.js";
import { Steps } from "./steps.js";

/**
 * Runs a graph; its inputs are given by name.
 * @returns its outputs by name
 * @throws FormatError for what the graph does not allow, RangeError for an input that is missing
 */
export function runOnHost(
  graph: Graph,
  table: OperatorTable,
  inputs: ReadonlyMap<string, HostTensor>,
): Map<string, HostTensor> {
  checkOperators(graph, table);
  const given = graph.inputs.map(({ name }) => {
    const tensor = inputs.get(name);
    if (tensor === undefined) throw wrongValue("inputs", `a tensor ${show(name)}`, "none");
    return tensor;
  });
  const numbers = given.reduce((sum, { data }) => sum + data.length, 0);
  const steps = new Steps(graph.fileBytes, numbers);
  const results = new HostRun(table, () => undefined, steps).graph(graph, given);
  return new Map(graph.outputs.map(({ name }, at) => [name, results[at]!]));
}

/**
 * @param problem what is told of operators that the table has not
 * @throws FormatError that names every one of them in the graph. Its branches are left unread.
 */
export function checkOperators(
  graph: Graph,
  table: Pick<OperatorTable, "has">,
  problem = "operators are not supported",
): void {
  const missing = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (!table.has(node.operator) && !missing.has(node.operator)) missing.set(node.operator, node);
  }
  if (missing.size > 0) {
    const labels = Array.from(missing.values(), ({ label }) => label.replace(/^onnx: /, ""));
    throw unsupported(`onnx: ${problem}: ${labels.slice(0, 100).join(", ")}`);
  }
}

/** One run on the host, of a whole graph or of nodes of one. */
export class HostRun {
  readonly #tensors = new Map<Value, HostTensor>();

  /**
   * @param outside what has values that this run does not make
   * @param steps what it may compute
   */
  constructor(
    readonly table: OperatorTable,
    readonly outside: (value: Value) => HostTensor | undefined,
    readonly steps: Steps,
  ) {}

  graph(graph: Graph, inputs: readonly HostTensor[]): readonly HostTensor[] {
    for (const [at, { value }] of graph.inputs.entries()) this.#tensors.set(value, inputs[at]!);
    for (const node of graph.nodes) {
      const results = this.node(node, node.inputs);
      for (const [at, value] of node.outputs.entries()) {
        if (value !== undefined) this.#tensors.set(value, results[at]!);
      }
    }
    return graph.outputs.map(({ value }) => this.#find(value));
  }

  /** The outputs of a node that is given these values; those that somebody reads are there. */
  node(node: Node, inputs: readonly (Value | undefined)[]): readonly HostTensor[] {
    const operator = this.table.get(node.operator);
    if (operator === undefined) throw unsupported(`${node.label}: the operator is not supported`);
    const call = new Call(
      node,
      inputs.map((value) => (value === undefined ? undefined : this.#find(value))),
    );
    this.steps.take(call, node.inputs.length + node.outputs.length);
    let results: readonly HostTensor[];
    if ("control" in operator) {
      checkNode(call, operator);
      results = operator.control(call, (graph, given) => {
        this.steps.take(call, given.length + graph.outputs.length);
        if (given.length !== graph.inputs.length) {
          throw call.broken(`a graph of ${graph.inputs.length} inputs is given ${given.length}`);
        }
        return this.graph(graph, given);
      });
    } else results = evaluate(operator, call, this.steps);
    for (const [at, value] of node.outputs.entries()) {
      if (value !== undefined && results[at] === undefined) {
        throw call.refused(`output ${at} is not supported`);
      }
    }
    return results;
  }

  #find(value: Value): HostTensor {
    return value.data ?? this.#tensors.get(value) ?? this.outside(value)!;
  }
}
