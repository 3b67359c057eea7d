/** The messages of onnx.proto that matter here (model, function, graph, node, attribute) as plain data. */

import { show } from "../../tensor/checks.js";
import { FormatError, viewOf } from "../bytes.js";
import { Allowance } from "./allowance.js";
import { ExternalFiles } from "./external.js";
import { type Field, readMessage } from "./protobuf.js";
import { type Parser, readName, readTensorProto, type TensorProto } from "./tensor-proto.js";

/** Of graphs in branches of graphs. Real models nest 6 deep. */
const MOST_DEPTH = 32;
const MOST_NODES = 100_000;
/** Of an array that grows by half, in the moment when it is copied. */
const BYTES_PER_NUMBER = 20;

export interface Model {
  readonly graph: Graph;
  /** By the {@link Node.key} of the nodes that call them. */
  readonly functions: ReadonlyMap<string, Graph>;
  /** What everything that is made of the model counts against. */
  readonly allowance: Allowance;
}

/** A graph, or the body of a function. */
export interface Graph {
  readonly name: string;
  readonly nodes: Node[];
  readonly initializers: Map<string, TensorProto>;
  readonly inputs: string[];
  readonly outputs: string[];
}

export interface Node {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  /** The operator with its domain: `com.microsoft.Gelu`. Sites in functions share this text and the key. */
  readonly operator: string;
  /** The key in {@link Model.functions} of the function that the node calls, if it calls one. */
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  readonly name: string;
  readonly f: number | undefined;
  readonly i: number | undefined;
  readonly s: string | undefined;
  readonly t: TensorProto | undefined;
  readonly sparse: boolean;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  /** The graphs of the fields `g` and `graphs`. */
  readonly graphs: readonly Graph[];
  /** In the body of a function: the attribute of the calling node from which this one takes its value. */
  readonly reference: string | undefined;
}

/** @throws FormatError for bytes that are not an ONNX model */
export function readModel(bytes: Uint8Array, files = new ExternalFiles()): Model {
  const allowance = new Allowance(bytes.length + files.size);
  const parser: Parser = { fields: 0, nodes: 0, files, allowance, names: new Map() };
  let graph: Graph | undefined;
  const functions = new Map<string, Graph>();
  for (const field of readMessage(bytes, "onnx: model", parser)) {
    if (field.number === 7) {
      if (graph !== undefined) throw new FormatError("onnx: model: a second graph");
      graph = readGraph(field.bytes(), parser, 0);
    } else if (field.number === 25) readFunction(field.bytes(), parser, functions);
  }
  if (graph === undefined) throw new FormatError("onnx: model: no graph; this is not an ONNX model");
  return { graph, functions, allowance };
}

function readGraph(bytes: Uint8Array, parser: Parser, depth: number): Graph {
  if (depth > MOST_DEPTH) throw new FormatError(`onnx: graphs nest deeper than ${MOST_DEPTH}`);
  let name = "";
  const graph = {
    nodes: [] as Node[],
    initializers: new Map(),
    inputs: [] as string[],
    outputs: [] as string[],
  };
  for (const field of readMessage(bytes, "onnx: graph", parser)) {
    if (field.number === 1) graph.nodes.push(readNode(field.bytes(), parser, depth));
    else if (field.number === 2) name = field.text();
    else if (field.number === 5) {
      const tensor = readTensorProto(field.bytes(), parser);
      if (graph.initializers.has(tensor.name)) throw new FormatError(`${tensor.label}: occurs twice`);
      graph.initializers.set(tensor.name, tensor);
    } else if (field.number === 11) graph.inputs.push(readValueName(field, parser));
    else if (field.number === 12) graph.outputs.push(readValueName(field, parser));
  }
  return { name, ...graph };
}

/** Reads a FunctionProto, whose inputs and outputs are names only. */
function readFunction(bytes: Uint8Array, parser: Parser, functions: Map<string, Graph>): void {
  let [name, domain, overload] = ["", "", ""];
  const graph = {
    nodes: [] as Node[],
    initializers: new Map(),
    inputs: [] as string[],
    outputs: [] as string[],
  };
  for (const field of readMessage(bytes, "onnx: function", parser)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 4) graph.inputs.push(readName(field, parser));
    else if (field.number === 5) graph.outputs.push(readName(field, parser));
    else if (field.number === 7) graph.nodes.push(readNode(field.bytes(), parser, 0));
    else if (field.number === 10) domain = field.text();
    else if (field.number === 13) overload = field.text();
  }
  const key = functionKey(domain, name, overload);
  if (functions.has(key)) throw new FormatError(`onnx: function ${show(key)} occurs twice`);
  functions.set(key, { name, ...graph });
}

/** The key of a function in {@link Model.functions}. */
function functionKey(domain: string, name: string, overload: string): string {
  return overload === "" ? `${domain}:${name}` : `${domain}:${name}:${overload}`;
}

function readNode(bytes: Uint8Array, parser: Parser, depth: number): Node {
  if (++parser.nodes > MOST_NODES) throw new FormatError(`onnx: more than ${MOST_NODES} nodes`);
  let [name, opType, domain, overload] = ["", "", "", ""];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  for (const field of readMessage(bytes, "onnx: node", parser)) {
    if (field.number === 1) inputs.push(readName(field, parser));
    else if (field.number === 2) outputs.push(readName(field, parser));
    else if (field.number === 3) name = field.text();
    else if (field.number === 4) opType = field.text();
    else if (field.number === 5) {
      const attribute = readAttribute(field.bytes(), parser, depth);
      if (attributes.has(attribute.name)) {
        throw new FormatError(`onnx: node ${show(name)}: attribute ${show(attribute.name)} occurs twice`);
      }
      attributes.set(attribute.name, attribute);
    } else if (field.number === 7) domain = field.text();
    else if (field.number === 8) overload = field.text();
  }
  if (domain === "ai.onnx") domain = "";
  const operator = domain === "" ? opType : `${domain}.${opType}`;
  const key = functionKey(domain, opType, overload);
  return { name, opType, domain, operator, key, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array, parser: Parser, depth: number): Attribute {
  let name = "";
  let [f, i]: (number | undefined)[] = [];
  let [s, reference]: (string | undefined)[] = [];
  let t: TensorProto | undefined;
  let sparse = false;
  const floats: number[] = [];
  const ints: number[] = [];
  const spend = (count: number) => parser.allowance.spend(BYTES_PER_NUMBER * count);
  const strings: string[] = [];
  const graphs: Graph[] = [];
  for (const field of readMessage(bytes, "onnx: attribute", parser)) {
    if (field.number === 1) name = field.text();
    else if (field.number === 2) f = field.float();
    else if (field.number === 3) i = Number(field.ints().next().value);
    else if (field.number === 4) s = field.text();
    else if (field.number === 5) t = readTensorProto(field.bytes(), parser);
    else if (field.number === 6 || field.number === 11)
      graphs.push(readGraph(field.bytes(), parser, depth + 1));
    else if (field.number === 7) {
      const run = field.packed(4);
      spend(run.length / 4);
      const view = viewOf(run);
      for (let at = 0; at < run.length; at += 4) floats.push(view.getFloat32(at, true));
    } else if (field.number === 8) {
      spend(field.countInts());
      for (const value of field.ints()) ints.push(Number(value));
    } else if (field.number === 9) strings.push(field.text());
    else if (field.number === 21) reference = field.text();
    else if (field.number === 22 || field.number === 23) sparse = true;
  }
  return { name, f, i, s, t, sparse, floats, ints, strings, graphs, reference };
}

/** The name of a ValueInfoProto. */
function readValueName(value: Field, parser: Parser): string {
  for (const field of readMessage(value.bytes(), "onnx: value", parser))
    if (field.number === 1) return readName(field, parser);
  return "";
}
