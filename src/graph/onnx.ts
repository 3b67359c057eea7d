/** ONNX files as graphs. Calls of functions that a file brings are replaced by their bodies. */

import { FormatError } from "../formats/bytes.js";
import type { Allowance } from "../formats/onnx/allowance.js";
import type { ExternalFiles } from "../formats/onnx/external.js";
import {
  type FunctionBody,
  type Model,
  type Attribute as ProtoAttribute,
  type Graph as ProtoGraph,
  type Node as ProtoNode,
  readModel,
} from "../formats/onnx/model-proto.js";
import { type GruReading, isLeftOut, warningsOfGrus } from "../formats/onnx/pytorch-exporter.js";
import { show } from "../tensor/checks.js";
import type { Graph, Node, Port, Value } from "./ir.js";
import { readAttributes } from "./onnx-attributes.js";
import { hostTensor } from "./onnx-tensor.js";
import { declaredValues } from "./onnx-values.js";
import { NEWEST_OPSET } from "./opset.js";

/** Of calls within functions. ONNX forbids recursion. */
const MOST_CALLS_DEEP = 64;
/** Of a file, those of functions counted for every call, those of branches that are taken as well. */
const MOST_NODES = 100_000;
/** Of a node or a value: its object, lists and text. */
const NODE_BYTES = 512;

export interface ReadGraph {
  readonly graph: Graph;
  readonly warnings: readonly string[];
}

/**
 * The graph of an ONNX file.
 *
 * @param gru how a GRU is read whose exporter left out linear_before_reset = 1
 * @throws FormatError for what is no ONNX model or not supported
 */
export function readOnnxGraph(bytes: Uint8Array, files?: ExternalFiles, gru: GruReading = "file"): ReadGraph {
  const model = readModel(bytes, files, true);
  const reader = new GraphReader(model, gru);
  const graph = reader.graph(model.graph, new Names(), {
    opsets: model.opsets,
    path: "",
    call: undefined,
    depth: 0,
  });
  const fileBytes = bytes.length + (files?.size ?? 0);
  return {
    graph: { ...graph, fileBytes },
    warnings: [...reader.warnings, ...warningsOfGrus(reader.leftOut, gru)],
  };
}

/** The values that names mean in a graph, and in the graphs around it. */
class Names {
  /** Values with how many there were before each. */
  readonly #values = new Map<string, readonly [value: Value, before: number]>();

  /**
   * @param outer those around it
   * @param outerCount how many of the outer ones were there at the node whose graph it is: it is read later
   */
  constructor(
    readonly outer?: Names,
    readonly outerCount = 0,
  ) {}

  get count(): number {
    return this.#values.size;
  }

  find(name: string): Value | undefined {
    let count = Infinity;
    for (let names: Names | undefined = this; names !== undefined; names = names.outer) {
      const [value, before] = names.#values.get(name) ?? [undefined, 0];
      if (value !== undefined && before < count) return value;
      count = names.outerCount;
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, [value, this.#values.size]);
  }
}

/** Where nodes stand. */
interface Place {
  readonly opsets: ReadonlyMap<string, number>;
  /** The way here, for names: "If_0/then_branch". */
  readonly path: string;
  /** In the body of a function: what its attributes are. */
  readonly call: ((name: string) => ProtoAttribute | undefined) | undefined;
  readonly depth: number;
}

class GraphReader {
  readonly warnings: string[] = [];
  readonly #allowance: Allowance;
  #nodesLeft = MOST_NODES;

  /** Names of GRUs whose exporter left out linear_before_reset = 1. */
  readonly leftOut: string[] = [];

  constructor(
    readonly model: Model,
    readonly gru: GruReading,
  ) {
    this.#allowance = model.allowance;
  }

  graph(proto: ProtoGraph, names: Names, place: Place): Graph {
    const declared = declaredValues(proto);
    const inputs: Port[] = [];
    for (const [name, tensor] of proto.initializers) {
      this.#allowance.spend(NODE_BYTES, "values");
      names.set(name, { name, data: hostTensor(tensor) });
    }
    for (const name of proto.inputs) {
      // Until version 4 of the format a constant was listed among the inputs.
      if (proto.initializers.has(name)) continue;
      if (names.has(name)) throw new FormatError(`onnx: input ${show(name)} occurs twice`);
      const value = this.#value(name);
      inputs.push({ name, value, ...declared.get(name) });
      names.set(name, value);
    }
    const nodes: Node[] = [];
    this.#nodes(proto, names, place, nodes);
    const outputs = proto.outputs.map((name): Port => {
      const value = names.find(name);
      if (value === undefined) throw new FormatError(`onnx: output ${show(name)} is not made`);
      return { name, value, ...declared.get(name) };
    });
    return { name: proto.name, inputs, outputs, nodes };
  }

  #value(name: string): Value {
    this.#allowance.spend(NODE_BYTES, "values");
    return { name };
  }

  #nodes(proto: ProtoGraph, names: Names, place: Place, nodes: Node[]): void {
    for (const [index, node] of proto.nodes.entries()) {
      if (--this.#nodesLeft < 0) {
        throw new FormatError(`onnx: more than ${MOST_NODES} nodes, those of functions counted per call`);
      }
      const own = node.name === "" ? `${node.opType}_${index}` : node.name;
      const name = place.path === "" ? own : `${place.path}/${own}`;
      this.#allowance.spendName(name.length, "names of nodes");
      const body = this.model.functions.get(node.key);
      if (body === undefined) nodes.push(this.#node(node, name, names, place));
      else this.#call(node, body, { name, names, place, nodes });
    }
  }

  #inputs(node: ProtoNode, name: string, names: Names): (Value | undefined)[] {
    return node.inputs.map((input) => {
      if (input === "") return undefined;
      const value = names.find(input);
      if (value !== undefined) return value;
      throw new FormatError(
        `onnx: node ${show(name)} (${node.operator}): nothing before it makes its input ${show(input)}`,
      );
    });
  }

  #name(output: string, value: Value, names: Names): void {
    if (names.has(output)) throw new FormatError(`onnx: value ${show(output)} is made twice`);
    names.set(output, value);
  }

  #node(node: ProtoNode, name: string, names: Names, place: Place): Node {
    const opset = this.#opset(node, name, place);
    const label = `onnx: node ${show(name)} (${node.operator}, opset ${opset})`;
    this.#allowance.spend(NODE_BYTES * (1 + node.attributes.size), "nodes");
    const attributes = readAttributes(node, label, place.call, (key, graph) => {
      let made: Graph | undefined;
      const path = `${name}/${key}`;
      const { count } = names;
      return () => {
        made ??= this.graph(graph(), new Names(names, count), { ...place, path });
        return made;
      };
    });
    const linearBeforeReset = attributes.get("linear_before_reset")?.value;
    if (isLeftOut(node, linearBeforeReset as number | undefined)) {
      this.leftOut.push(name);
      if (this.gru === "pytorch") attributes.set("linear_before_reset", { kind: "int", value: 1 });
    }
    const inputs = this.#inputs(node, name, names);
    const outputs = node.outputs.map((output) => {
      if (output === "") return undefined;
      const value = this.#value(output);
      this.#name(output, value, names);
      return value;
    });
    return { name, operator: node.operator, opset, label, inputs, outputs, attributes };
  }

  /** The version that a node is of. Only those of ONNX's own operators are numbered here. */
  #opset(node: ProtoNode, name: string, place: Place): number {
    const stated = place.opsets.get(node.domain);
    if (node.domain !== "") return stated ?? 1;
    if (stated === undefined) {
      throw new FormatError(
        `onnx: node ${show(name)} (${node.operator}): no opset is stated for ONNX's operators`,
      );
    }
    if (stated <= NEWEST_OPSET) return stated;
    if (this.warnings.length === 0) this.warnings.push(`onnx: opset ${stated} is run as ${NEWEST_OPSET}`);
    return NEWEST_OPSET;
  }

  #call(
    node: ProtoNode,
    body: FunctionBody,
    { name, names, place, nodes }: { name: string; names: Names; place: Place; nodes: Node[] },
  ): void {
    if (place.depth >= MOST_CALLS_DEEP) {
      throw new FormatError(
        `onnx: node ${show(name)}: functions call each other deeper than ${MOST_CALLS_DEEP}`,
      );
    }
    const inner = new Names();
    for (const [at, value] of this.#inputs(node, name, names).entries()) {
      const parameter = body.inputs[at];
      if (parameter === undefined) {
        throw new FormatError(
          `onnx: node ${show(name)} (${node.operator}): more inputs than the function takes`,
        );
      }
      if (value !== undefined) inner.set(parameter, value);
    }
    const attribute = (key: string): ProtoAttribute | undefined => {
      const given = node.attributes.get(key);
      if (given === undefined) return body.defaults.get(key);
      return given.reference === undefined ? given : place.call?.(given.reference);
    };
    const missing = new Set(body.inputs.slice(node.inputs.length).concat(absent(node, body)));
    const within = { opsets: body.opsets, path: name, call: attribute, depth: place.depth + 1 };
    try {
      this.#nodes(withoutMissing(body, missing), inner, within, nodes);
    } catch (cause) {
      // What a file has too much of is said of the call that makes it.
      if (place.depth > 0 || !(cause instanceof FormatError) || /^onnx: node/.test(cause.message))
        throw cause;
      throw new FormatError(`onnx: node ${show(name)} (${node.operator}): ${cause.message.slice(6)}`);
    }
    for (const [at, output] of node.outputs.entries()) {
      if (output === "") continue;
      const value = inner.find(body.outputs[at] ?? "");
      if (value === undefined) {
        throw new FormatError(
          `onnx: node ${show(name)} (${node.operator}): the function does not make output ${at}`,
        );
      }
      this.#name(output, value, names);
    }
  }
}

/** The parameters of a function that a call leaves out with an empty name. */
function absent(node: ProtoNode, body: FunctionBody): string[] {
  return body.inputs.filter((_, at) => node.inputs[at] === "");
}

/** The body with inputs left out where the call leaves out what they are. */
function withoutMissing(body: FunctionBody, missing: ReadonlySet<string>): ProtoGraph {
  if (missing.size === 0) return body;
  const nodes = body.nodes.map((node) => {
    if (!node.inputs.some((input) => missing.has(input))) return node;
    return { ...node, inputs: node.inputs.map((input) => (missing.has(input) ? "" : input)) };
  });
  return { ...body, nodes };
}
