/** Runs a graph node by node in plain JavaScript: for folding, for tests, and for what depends on data. */

import { unsupported } from "../formats/bytes.js";
import { show, wrongValue } from "../tensor/checks.js";
import type { Graph, HostTensor, Node, Value } from "./ir.js";
import { Call, checkNode, evaluate, type OperatorTable } from "./operator.js";

/** Of one run, those of loops counted for every iteration. What makes many numbers counts as several. */
const MOST_STEPS = 250_000;
const NUMBERS_PER_STEP = 512;

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
  const results = new HostRun(table).graph(graph, given);
  return new Map(graph.outputs.map(({ name }, at) => [name, results[at]!]));
}

/** @throws FormatError that names every operator of the graph which the table has not. Its branches are left unread. */
export function checkOperators(graph: Graph, table: OperatorTable): void {
  const missing = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (!table.has(node.operator) && !missing.has(node.operator)) missing.set(node.operator, node);
  }
  if (missing.size > 0) {
    const labels = Array.from(missing.values(), ({ label }) => label.replace(/^onnx: /, ""));
    throw unsupported(`onnx: operators are not supported: ${labels.slice(0, 100).join(", ")}`);
  }
}

class HostRun {
  readonly #tensors = new Map<Value, HostTensor>();
  #stepsLeft = MOST_STEPS;

  constructor(readonly table: OperatorTable) {}

  graph(graph: Graph, inputs: readonly HostTensor[]): readonly HostTensor[] {
    for (const [at, { value }] of graph.inputs.entries()) this.#tensors.set(value, inputs[at]!);
    for (const node of graph.nodes) this.#node(node);
    return graph.outputs.map(({ value }) => this.#find(value));
  }

  #find(value: Value): HostTensor {
    return value.data ?? this.#tensors.get(value)!;
  }

  #spend(call: Call, steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw call.broken(`more than ${MOST_STEPS} steps`);
  }

  #node(node: Node): void {
    const operator = this.table.get(node.operator);
    if (operator === undefined) throw unsupported(`${node.label}: the operator is not supported`);
    const call = new Call(
      node,
      node.inputs.map((value) => (value === undefined ? undefined : this.#find(value))),
    );
    this.#spend(call, 1);
    let results: readonly HostTensor[];
    if ("control" in operator) {
      checkNode(call, operator);
      results = operator.control(call, (graph, inputs) => {
        this.#spend(call, 1);
        if (inputs.length !== graph.inputs.length) {
          throw call.broken(`a graph of ${graph.inputs.length} inputs is given ${inputs.length}`);
        }
        return this.graph(graph, inputs);
      });
    } else results = evaluate(operator, call);
    for (const { data } of results) this.#spend(call, data.length / NUMBERS_PER_STEP);
    for (const [at, value] of node.outputs.entries()) {
      if (value === undefined) continue;
      const result = results[at];
      if (result === undefined) throw call.refused(`output ${at} is not supported`);
      this.#tensors.set(value, result);
    }
  }
}
