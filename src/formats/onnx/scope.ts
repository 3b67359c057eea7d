/**
 * Where names mean what. Each graph of a model is a scope: the main one, the branches of `If`, the bodies of `Loop`
 * and `Scan`, which see the names around them, and the bodies of functions, which see only their arguments.
 */

import { FormatError } from "../bytes.js";
import { type Attribute, functionKey, type Graph, type Model, type Node } from "./model-proto.js";
import type { TensorProto } from "./tensor-proto.js";

/** Calls of functions within functions; ONNX forbids recursion. */
const MOST_DEPTH = 64;
/** Nodes visited, and names in them and their graphs, counted again for every call of the function they stand in. */
const MOST_VISITS = 100_000;
const MOST_NAMES = 1_000_000;
/** Characters of a node's name with the branches that lead to it. */
const MOST_PATH = 1024;

/** Where a value comes from; a node's value with the name it has where the node stands. */
export type Origin =
  | { readonly kind: "tensor"; readonly tensor: TensorProto }
  | { readonly kind: "node"; readonly node: Node; readonly scope: Scope; readonly name: string }
  | { readonly kind: "input" };

/** Where the function is called whose body a scope is. */
interface Call {
  readonly node: Node;
  readonly scope: Scope;
}

export class Scope {
  /** The scope whose names are seen from here. */
  readonly #outer: Scope | undefined;
  readonly #producers = new Map<string, Node>();
  /** In the body of a function: what its inputs are called where it is called. */
  readonly #call: Call | undefined;
  readonly #inputs: ReadonlyMap<string, number>;

  constructor(
    readonly graph: Graph,
    /** How to get here, for names and messages: "If_0/then_branch"; "" for the main graph. */
    readonly path: string,
    outer: Scope | undefined,
    call: Call | undefined,
  ) {
    this.#outer = outer;
    this.#call = call;
    this.#inputs = new Map(graph.inputs.map((name, at) => [name, at]));
    for (const node of graph.nodes) {
      for (const output of node.outputs) {
        if (output === "") continue;
        if (this.#producers.has(output))
          throw new FormatError(`onnx: value ${JSON.stringify(output)} is made twice`);
        this.#producers.set(output, node);
      }
    }
  }

  /** @throws FormatError for a name that nothing defines. */
  find(name: string): Origin {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#outer) {
      const tensor = scope.graph.initializers.get(name);
      if (tensor !== undefined) return { kind: "tensor", tensor };
      const node = scope.#producers.get(name);
      if (node !== undefined) return { kind: "node", node, scope, name };
      const at = scope.#inputs.get(name);
      if (at === undefined) continue;
      // Calls nest no deeper than MOST_DEPTH, so neither does this.
      const argument = scope.#call?.node.inputs[at];
      return scope.#call === undefined || !argument ? { kind: "input" } : scope.#call.scope.find(argument);
    }
    throw new FormatError(`onnx: value ${JSON.stringify(name)} is used but not defined`);
  }

  /** An attribute of a node here, followed to the calling node if it refers to one of its attributes. */
  attribute(node: Node, name: string): Attribute | undefined {
    const attribute = node.attributes.get(name);
    if (attribute?.reference === undefined) return attribute;
    return this.#call?.scope.attribute(this.#call.node, attribute.reference);
  }
}

/** A node, the scope it stands in, and a name for it that no other node has. */
export interface Site {
  readonly node: Node;
  readonly scope: Scope;
  readonly name: string;
  /** Whether it calls a function of the model, whose nodes follow. */
  readonly isCall: boolean;
}

/** Every node of a model in order, wherever it stands; those of a function once for each call. */
export function listSites(model: Model): Site[] {
  const sites: Site[] = [];
  /** Names given, each with how many nodes wanted it. */
  const names = new Map<string, number>();
  let namesLeft = MOST_NAMES;
  const spend = (count: number): void => {
    namesLeft -= count;
    if (namesLeft < 0)
      throw new FormatError(`onnx: more than ${MOST_NAMES} names, those of functions counted per call`);
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
    for (const [index, node] of graph.nodes.entries()) {
      spend(node.inputs.length + node.outputs.length + node.attributes.size);
      const own = node.name === "" ? `${node.opType}_${index}` : node.name;
      const path = scope.path === "" ? own : `${scope.path}/${own}`;
      if (path.length > MOST_PATH) throw new FormatError(`onnx: a node's name of ${path.length} characters`);
      const wanted = (names.get(path) ?? 0) + 1;
      names.set(path, wanted);
      const name = wanted === 1 ? path : `${path}#${wanted}`;
      const body = model.functions.get(functionKey(node.domain, node.opType, node.overload));
      if (sites.push({ node, scope, name, isCall: body !== undefined }) > MOST_VISITS)
        throw new FormatError(`onnx: more than ${MOST_VISITS} nodes`);
      for (const [key, { graphs }] of node.attributes) {
        for (const [at, graph] of graphs.entries()) {
          const branch = graphs.length > 1 ? `${key}[${at}]` : key;
          visit(graph, `${name}/${branch}`, scope, undefined, depth + 1);
        }
      }
      if (body !== undefined) visit(body, name, undefined, { node, scope }, depth + 1);
    }
  };
  visit(model.graph, "", undefined, undefined, 0);
  return sites;
}
