/**
 * What names mean, and where. Each graph of a model is a scope. The branches of `If` and the bodies of `Loop`
 * and `Scan` see the names around them. The body of a function sees only its arguments.
 */

import { show } from "../../tensor/checks.js";
import { FormatError } from "../bytes.js";
import type { Attribute, Graph, Model, Node } from "./model-proto.js";
import type { TensorProto } from "./tensor-proto.js";

/** Of calls within functions, and of graphs within graphs. ONNX forbids recursion. */
const MOST_DEPTH = 64;
/**
 * Limits on the nodes of a model, and on the names in its graphs and nodes. Those of a function count once
 * for every call.
 */
const MOST_VISITS = 100_000;
const MOST_NAMES = 1_000_000;
/** The operators that are recurrent layers. */
const KINDS = ["LSTM", "GRU", "RNN"];
/** Characters of a node's name, with the branches that lead to it. */
const MOST_PATH = 1024;

/**
 * Where a value comes from. The value of a node has the name that it has in the node's scope, and is the
 * node's output of this index.
 */
export type Origin =
  | { readonly kind: "tensor"; readonly tensor: TensorProto }
  | {
      readonly kind: "node";
      readonly node: Node;
      readonly output: number;
      readonly scope: Scope;
      readonly name: string;
    }
  | { readonly kind: "input" };

/** The call of a function whose body a scope is. */
interface Call {
  readonly node: Node;
  readonly scope: Scope;
}

export class Scope {
  /** The scope around this one, whose names are seen here too. */
  readonly #outer: Scope | undefined;
  readonly #producers: ReadonlyMap<string, Node>;
  /** Which output of its node a name is, if it is not the first. */
  readonly #outputs: ReadonlyMap<string, number>;
  /** In the body of a function: the call, which has the names of its arguments. */
  readonly #call: Call | undefined;
  readonly #inputs: ReadonlyMap<string, number>;

  constructor(
    readonly graph: Graph,
    /** The way to this graph, for names and messages: "If_0/then_branch". "" for the main graph. */
    readonly path: string,
    outer: Scope | undefined,
    call: Call | undefined,
  ) {
    this.#outer = outer;
    this.#call = call;
    const inputs = new Map<string, number>();
    const producers = new Map<string, Node>();
    const outputs = new Map<string, number>();
    for (const [at, name] of graph.inputs.entries()) inputs.set(name, at);
    for (const node of graph.nodes) {
      for (let output = 0; output < node.outputs.length; output++) {
        const name = node.outputs[output]!;
        if (name === "") continue;
        if (producers.has(name)) throw new FormatError(`onnx: value ${show(name)} is made twice`);
        producers.set(name, node);
        if (output > 0) outputs.set(name, output);
      }
    }
    this.#inputs = fitted(inputs);
    this.#producers = fitted(producers);
    this.#outputs = fitted(outputs);
  }

  /** @throws FormatError for a name that nothing defines */
  find(name: string): Origin {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#outer) {
      const tensor = scope.graph.initializers.get(name);
      if (tensor !== undefined) return { kind: "tensor", tensor };
      const node = scope.#producers.get(name);
      if (node !== undefined) {
        return { kind: "node", node, output: scope.#outputs.get(name) ?? 0, scope, name };
      }
      const at = scope.#inputs.get(name);
      if (at === undefined) continue;
      // Calls nest no deeper than MOST_DEPTH, so this recursion does not either.
      const argument = scope.#call?.node.inputs[at];
      return scope.#call === undefined || !argument ? { kind: "input" } : scope.#call.scope.find(argument);
    }
    throw new FormatError(`onnx: value ${show(name)} is used but not defined`);
  }

  /** The graph of the model or the function that this scope is in. */
  get root(): Graph {
    let scope: Scope = this;
    while (scope.#outer !== undefined) scope = scope.#outer;
    return scope.graph;
  }

  /** An attribute of a node in this scope. If it refers to an attribute of the calling node, that one. */
  attribute(node: Node, name: string): Attribute | undefined {
    const attribute = node.attributes.get(name);
    if (attribute?.reference === undefined) return attribute;
    return this.#call?.scope.attribute(this.#call.node, attribute.reference);
  }
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** A map, or one that all share if it is empty: 100,000 calls of functions may have three of them each. */
function fitted<Value>(map: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return map.size === 0 ? NOTHING : map;
}

/** A recurrent node and its scope. */
export interface Site {
  readonly node: Node;
  readonly scope: Scope;
  /** A name that no other site has. */
  readonly name: string;
}

/** An initializer or a Constant node, by its name in the scope. */
export interface Constant {
  readonly name: string;
  readonly scope: Scope;
  readonly value: TensorProto | Node;
}

/** What readers look for in a model and its graphs, in order. */
export interface Sites {
  readonly recurrent: readonly Site[];
  /** Gemm, MatMul and Conv. */
  readonly products: readonly Site[];
  readonly constants: readonly Constant[];
}

/**
 * The nodes of a function come once for each call, its constants once. A node that is an LSTM, GRU or RNN is recurrent, and an operator of another domain
 * that is named like one; a call of a function of such a name is not.
 */
export function listSites(model: Model): Sites {
  const constants: Constant[] = [];
  const products: Site[] = [];
  const recurrent: Site[] = [];
  const seen = new Set<Graph>();
  let visitsLeft = MOST_VISITS;
  /** How many nodes wanted each name. */
  const names = new Map<string, number>();
  let namesLeft = MOST_NAMES;
  const spend = (count: number): void => {
    namesLeft -= count;
    if (namesLeft < 0)
      throw new FormatError(`onnx: more than ${MOST_NAMES} names, those of functions counted per call`);
  };
  // Nodes that nobody asks for have no names.
  const nameOf = (node: Node, index: number, around: string): string => {
    const own = node.name === "" ? `${node.opType}_${index}` : node.name;
    const path = around === "" ? own : `${around}/${own}`;
    if (path.length > MOST_PATH) throw new FormatError(`onnx: a node's name of ${path.length} characters`);
    model.allowance.spendName(path.length, "names of nodes");
    const wanted = (names.get(path) ?? 0) + 1;
    names.set(path, wanted);
    return wanted === 1 ? path : `${path}#${wanted}`;
  };
  const visit = (
    graph: Graph,
    path: string,
    outer: Scope | undefined,
    call: Call | undefined,
    depth: number,
  ): void => {
    if (depth > MOST_DEPTH) throw new FormatError(`onnx: calls and graphs nest deeper than ${MOST_DEPTH}`);
    spend(graph.inputs.length + graph.outputs.length + graph.initializers.size + graph.nodes.length);
    const scope = new Scope(graph, path, outer, call);
    const isFirst = !seen.has(graph);
    seen.add(graph);
    if (isFirst) for (const [name, value] of graph.initializers) constants.push({ name, scope, value });
    for (let index = 0; index < graph.nodes.length; index++) {
      const node = graph.nodes[index]!;
      spend(node.inputs.length + node.outputs.length + node.attributes.size);
      if (--visitsLeft < 0) throw new FormatError(`onnx: more than ${MOST_VISITS} nodes`);
      const body = model.functions.get(node.key);
      const sites = body === undefined ? listOf(node, recurrent, products) : undefined;
      const output = node.outputs[0];
      if (isFirst && node.opType === "Constant" && node.domain === "" && output !== undefined) {
        constants.push({ name: output, scope, value: node });
      }
      if (sites === undefined && body === undefined && !node.hasGraphs) continue;
      const name = nameOf(node, index, path);
      sites?.push({ node, scope, name });
      if (node.hasGraphs) {
        for (const [key, { graphs }] of node.attributes) {
          for (const [at, graph] of graphs.entries()) {
            const branch = graphs.length > 1 ? `${key}[${at}]` : key;
            visit(graph(), `${name}/${branch}`, scope, undefined, depth + 1);
          }
        }
      }
      if (body !== undefined) visit(body, name, undefined, { node, scope }, depth + 1);
    }
  };
  visit(model.graph, "", undefined, undefined, 0);
  return { recurrent, products, constants };
}

/** The list that a node belongs to, if it belongs to one. */
function listOf(node: Node, recurrent: Site[], products: Site[]): Site[] | undefined {
  if (isRecurrent(node)) return recurrent;
  return node.domain === "" && PRODUCTS.has(node.opType) ? products : undefined;
}

const PRODUCTS: ReadonlySet<string> = new Set(["Gemm", "MatMul", "Conv"]);

function isRecurrent({ domain, opType }: Node): boolean {
  return KINDS.some((kind) => (domain === "" ? opType === kind : opType.endsWith(kind)));
}
