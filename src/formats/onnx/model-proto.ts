/** The messages of onnx.proto that matter here (model, function, graph, node, attribute) as plain data. */

import { show } from "../../tensor/checks.js";
import { FormatError } from "../bytes.js";
import type { Allowance } from "./allowance.js";
import { ExternalFiles } from "./external.js";
import { type MadeOf, madeOf } from "./node-metadata.js";
import { Message } from "./protobuf.js";
import { intern, labelOf, Parser, readName, readTensorProto, type TensorProto } from "./tensor-proto.js";

/** Of graphs in branches of graphs. Real models nest 6 deep. */
const MOST_DEPTH = 32;
const MOST_NODES = 100_000;
/** Of an array that grows by half, in the moment when it is copied. */
const BYTES_PER_NUMBER = 20;

export interface Model {
  readonly graph: Graph;
  /** By the {@link Node.key} of the nodes that call them. */
  readonly functions: ReadonlyMap<string, FunctionBody>;
  /** The versions of operators that it wants, by domain; "" for ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Whether the exporter unrolled an nn.RNN. */
  readonly hasUnrolled: boolean;
  /** The names that it has for the files which hold its weights. */
  readonly locations: ReadonlySet<string>;
  /** What everything that is made of the model counts against. */
  readonly allowance: Allowance;
}

/** Gives the graph of an attribute. @throws FormatError where it is read only now, and is broken */
export type GraphOf = () => Graph;

/** A graph, or the body of a function. */
export interface Graph {
  readonly name: string;
  readonly nodes: Node[];
  readonly initializers: Map<string, TensorProto>;
  readonly inputs: string[];
  readonly outputs: string[];
  /** The message itself, of which the shapes of values are read where they are needed, and its fields that state them. */
  readonly message: Message;
  readonly valueFields: readonly number[];
}

export interface FunctionBody extends Graph {
  readonly opsets: ReadonlyMap<string, number>;
  /** What attributes are where the calling node has none of that name. */
  readonly defaults: ReadonlyMap<string, Attribute>;
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
  /** What the metadata of PyTorch's default exporter says. */
  readonly madeOf: MadeOf;
  /** Whether an attribute has a graph. */
  readonly hasGraphs: boolean;
}

export interface Attribute {
  readonly name: string;
  /** Its number in onnx.proto's AttributeType; 0 where old files do not say. */
  readonly type: number;
  readonly f: number | undefined;
  readonly i: number | undefined;
  readonly s: string | undefined;
  readonly t: TensorProto | undefined;
  readonly sparse: boolean;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  /** The graphs of the fields `g` and `graphs`. See {@link Parser.isLazy}. */
  readonly graphs: readonly GraphOf[];
  /** In the body of a function: the attribute of the calling node from which this one takes its value. */
  readonly reference: string | undefined;
}

/**
 * @param isLazy whether graphs in attributes are read when they are asked for. What the model tells of itself then leaves
 *   them out.
 * @throws FormatError for bytes that are not an ONNX model
 */
export function readModel(bytes: Uint8Array, files = new ExternalFiles(), isLazy = false): Model {
  const parser = new Parser(bytes, files, isLazy);
  let graph: Graph | undefined;
  const functions = new Map<string, FunctionBody>();
  const opsets = new Map<string, number>();
  const model = new Message(parser, 0, bytes.length, "onnx: model");
  while (model.next()) {
    if (model.number === 2) parser.isPyTorch = model.text() === "pytorch";
    else if (model.number === 8) readOpset(model.message("onnx: opset"), opsets);
    else if (model.number === 7) {
      if (graph !== undefined) throw new FormatError("onnx: model: a second graph");
      graph = readGraph(model.message("onnx: graph"), parser, 0);
    } else if (model.number === 25) readFunction(model.message("onnx: function"), parser, functions);
  }
  if (graph === undefined) throw new FormatError("onnx: model: no graph; this is not an ONNX model");
  const { hasUnrolled, locations, allowance } = parser;
  return { graph, functions, opsets, hasUnrolled, locations, allowance };
}

/** Reads an OperatorSetIdProto. */
function readOpset(message: Message, opsets: Map<string, number>): void {
  let [domain, version] = ["", 0];
  while (message.next()) {
    if (message.number === 1) domain = message.text();
    else if (message.number === 2) version = message.int();
  }
  opsets.set(domain === "ai.onnx" ? "" : domain, version);
}

/** Nodes and graphs of one file. */
function countNode(parser: Parser): void {
  if (++parser.nodes > MOST_NODES) throw new FormatError(`onnx: more than ${MOST_NODES} nodes`);
}

function readGraph(message: Message, parser: Parser, depth: number): Graph {
  countNode(parser);
  if (depth > MOST_DEPTH) throw new FormatError(`onnx: graphs nest deeper than ${MOST_DEPTH}`);
  let name = "";
  const graph = {
    nodes: [] as Node[],
    initializers: new Map(),
    inputs: [] as string[],
    outputs: [] as string[],
  };
  while (message.next()) {
    const { number } = message;
    if (number === 1) graph.nodes.push(readNode(message.message("onnx: node"), parser, depth));
    else if (number === 2) name = message.text();
    else if (number === 5) {
      const tensor = readTensorProto(message.message("onnx: tensor"), parser);
      if (graph.initializers.has(tensor.name)) throw new FormatError(`${labelOf(tensor)}: occurs twice`);
      graph.initializers.set(tensor.name, tensor);
    } else if (number === 11) graph.inputs.push(readValueName(message.message("onnx: value"), parser));
    else if (number === 12) graph.outputs.push(readValueName(message.message("onnx: value"), parser));
  }
  return { name, ...graph, message, valueFields: [11, 12, 13] };
}

/** Reads a FunctionProto, whose inputs and outputs are names only. */
function readFunction(message: Message, parser: Parser, functions: Map<string, FunctionBody>): void {
  let [name, domain, overload] = ["", "", ""];
  const opsets = new Map<string, number>();
  const defaults = new Map<string, Attribute>();
  const graph = {
    nodes: [] as Node[],
    initializers: new Map(),
    inputs: [] as string[],
    outputs: [] as string[],
  };
  while (message.next()) {
    const { number } = message;
    if (number === 1) name = message.text();
    else if (number === 4) graph.inputs.push(readName(message, parser));
    else if (number === 5) graph.outputs.push(readName(message, parser));
    else if (number === 7) graph.nodes.push(readNode(message.message("onnx: node"), parser, 0));
    else if (number === 9) readOpset(message.message("onnx: opset"), opsets);
    else if (number === 10) domain = message.text();
    else if (number === 11) {
      const attribute = readAttribute(message.message("onnx: attribute"), parser, 0);
      defaults.set(attribute.name, attribute);
    } else if (number === 13) overload = message.text();
  }
  const key = intern(functionKey(domain, name, overload), parser);
  if (functions.has(key)) throw new FormatError(`onnx: function ${show(key)} occurs twice`);
  functions.set(key, { name, ...graph, message, valueFields: [12], opsets, defaults });
}

/** The key of a function in {@link Model.functions}. */
function functionKey(domain: string, name: string, overload: string): string {
  return overload === "" ? `${domain}:${name}` : `${domain}:${name}:${overload}`;
}

/** What nodes and attributes have that have nothing. A file may have 100,000 of them, and ten lists in each. */
const NO_NAMES: readonly string[] = Object.freeze([]);
const NO_NUMBERS: readonly number[] = Object.freeze([]);
const NO_GRAPHS: readonly GraphOf[] = Object.freeze([]);
const NO_ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map();

/** A list without the room that it has got to grow: 17 items for the first one. */
function fitted<Item>(list: readonly Item[], none: readonly Item[]): readonly Item[] {
  return list.length === 0 ? none : list.slice();
}

function readNode(message: Message, parser: Parser, depth: number): Node {
  countNode(parser);
  let [name, opType, domain, overload] = ["", "", "", ""];
  const inputs: string[] = [];
  const outputs: string[] = [];
  let attributes: Map<string, Attribute> | undefined;
  let hasGraphs = false;
  let made: MadeOf;
  while (message.next()) {
    const { number } = message;
    if (number === 1) inputs.push(readName(message, parser));
    else if (number === 2) outputs.push(readName(message, parser));
    else if (number === 3) name = message.text();
    else if (number === 4) opType = readName(message, parser);
    else if (number === 5) {
      const attribute = readAttribute(message.message("onnx: attribute"), parser, depth);
      attributes ??= new Map();
      if (attributes.has(attribute.name)) {
        throw new FormatError(`onnx: node ${show(name)}: attribute ${show(attribute.name)} occurs twice`);
      }
      attributes.set(attribute.name, attribute);
      hasGraphs ||= attribute.graphs.length > 0;
    } else if (number === 7) domain = readName(message, parser);
    else if (number === 8) overload = message.text();
    else if (number === 9 && parser.isPyTorch) made ??= madeOf(opType, message.message("onnx: metadata"));
  }
  if (made === "unrolled RNN") parser.hasUnrolled = true;
  if (domain === "ai.onnx") domain = "";
  return {
    name,
    opType,
    domain,
    operator: domain === "" ? opType : `${domain}.${opType}`,
    key: intern(functionKey(domain, opType, overload), parser),
    inputs: fitted(inputs, NO_NAMES),
    outputs: fitted(outputs, NO_NAMES),
    attributes: attributes ?? NO_ATTRIBUTES,
    madeOf: made,
    hasGraphs,
  };
}

function readAttribute(message: Message, parser: Parser, depth: number): Attribute {
  let [name, type] = ["", 0];
  let [f, i]: (number | undefined)[] = [];
  let [s, reference]: (string | undefined)[] = [];
  let t: TensorProto | undefined;
  let sparse = false;
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  const graphs: GraphOf[] = [];
  const spend = (count: number) => parser.allowance.spend(BYTES_PER_NUMBER * count);
  const addInt = (low: number, high: number) => ints.push(high * 2 ** 32 + (low >>> 0));
  while (message.next()) {
    const { number } = message;
    if (number === 1) name = readName(message, parser);
    else if (number === 2) f = message.float();
    else if (number === 3) i = message.number64();
    else if (number === 4) s = message.text();
    else if (number === 5) t = readTensorProto(message.message("onnx: tensor"), parser);
    else if (number === 6 || number === 11) graphs.push(graphOf(message, parser, depth + 1));
    else if (number === 7) {
      const end = message.start + message.packedBytes(4);
      spend((end - message.start) / 4);
      for (let at = message.start; at < end; at += 4) floats.push(parser.view.getFloat32(at, true));
    } else if (number === 8) {
      spend(message.countInts());
      message.eachInt(addInt);
    } else if (number === 9) strings.push(message.text());
    else if (number === 20) type = message.int();
    else if (number === 21) reference = readName(message, parser);
    else if (number === 22 || number === 23) sparse = true;
  }
  return {
    name,
    type,
    f,
    i,
    s,
    t,
    sparse,
    floats: fitted(floats, NO_NUMBERS),
    ints: fitted(ints, NO_NUMBERS),
    strings: fitted(strings, NO_NAMES),
    graphs: fitted(graphs, NO_GRAPHS),
    reference,
  };
}

/** The graph of a field. One that was broken is read from its beginning again. */
function graphOf(field: Message, parser: Parser, depth: number): GraphOf {
  const { start, end } = field;
  const message = field.message("onnx: graph");
  let graph = parser.isLazy ? undefined : readGraph(message, parser, depth);
  return () => {
    graph ??= readGraph(new Message(parser, start, end, "onnx: graph"), parser, depth);
    return graph;
  };
}

/** The name of a ValueInfoProto. */
function readValueName(value: Message, parser: Parser): string {
  while (value.next()) if (value.number === 1) return readName(value, parser);
  return "";
}
