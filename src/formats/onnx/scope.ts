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
  readonly #producers = new Map<string, { readonly node: Node; readonly output: number }>();
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
    this.#inputs = new Map(graph.inputs.map((name, at) => [name, at]));
    for (const node of graph.nodes) {
      for (const [output, name] of node.outputs.entries()) {
        if (name === "") continue;
        if (this.#producers.has(name)) throw new FormatError(`onnx: value ${show(name)} is made twice`);
        this.#producers.set(name, { node, output });
      }
    }
  }

  /** @throws FormatError for a name that nothing defines */
  find(name: string): Origin {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.#outer) {
      const tensor = scope.graph.initializers.get(name);
      if (tensor !== undefined) return { kind: "tensor", tensor };
      const made = scope.#producers.get(name);
      if (made !== undefined) return { kind: "node", ...made, scope, name };
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

/** A node, its scope, and a name that no other node has. */
export interface Site {
  readonly node: Node;
  readonly scope: Scope;
  readonly name: string;
  /** Whether the node calls a function of the model. The nodes of the function follow in the list. */
  readonly isCall: boolean;
}

/** Every node of a model and its graphs, in order. Those of a function come once for each call. */
export function listSites(model: Model): Site[] {
  const sites: Site[] = [];
  /** How many nodes wanted each name. */
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
      model.allowance.spend(path.length, "names of nodes");
      const wanted = (names.get(path) ?? 0) + 1;
      names.set(path, wanted);
      const name = wanted === 1 ? path : `${path}#${wanted}`;
      const body = model.functions.get(node.key);
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
