/** The attributes of ONNX nodes as a graph has them. */

import { FormatError, unsupported } from "../formats/bytes.js";
import type { GraphOf, Attribute as ProtoAttribute, Node as ProtoNode } from "../formats/onnx/model-proto.js";
import { show } from "../tensor/checks.js";
import type { Attribute, AttributeKind, Graph, HostTensor } from "./ir.js";
import { hostTensor } from "./onnx-tensor.js";

/** Kinds by their number in onnx.proto. */
const KINDS: ReadonlyMap<number, AttributeKind> = new Map([
  [1, "float"],
  [2, "int"],
  [3, "string"],
  [4, "tensor"],
  [5, "graph"],
  [6, "floats"],
  [7, "ints"],
  [8, "strings"],
]);

/**
 * @param call what the attributes of the calling node are, in the body of a function
 * @param subgraph makes a graph when it is asked for
 */
export function readAttributes(
  node: ProtoNode,
  label: string,
  call: ((name: string) => ProtoAttribute | undefined) | undefined,
  subgraph: (name: string, graph: GraphOf) => () => Graph,
): Map<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const [name, stated] of node.attributes) {
    const attribute = stated.reference === undefined ? stated : call?.(stated.reference);
    // The call has no such attribute, so that the node has none either.
    if (attribute === undefined) continue;
    attributes.set(name, convert(name, attribute, label, subgraph));
  }
  return attributes;
}

function convert(
  name: string,
  attribute: ProtoAttribute,
  label: string,
  subgraph: (name: string, graph: GraphOf) => () => Graph,
): Attribute {
  const { type, f, i, s, t, floats, ints, strings, graphs, sparse } = attribute;
  if (sparse) throw unsupported(`${label}: attribute ${name}: sparse tensors are not supported`);
  const kind = type === 0 ? kindOf(attribute) : KINDS.get(type);
  const broken = (): FormatError => new FormatError(`${label}: attribute ${show(name)} holds no ${kind}`);
  switch (kind) {
    case "int":
      if (i === undefined) throw broken();
      return { kind, value: i };
    case "float":
      if (f === undefined) throw broken();
      return { kind, value: f };
    case "string":
      if (s === undefined) throw broken();
      return { kind, value: s };
    case "tensor": {
      if (t === undefined) throw broken();
      let made: HostTensor | undefined;
      return {
        kind,
        value: () => {
          made ??= hostTensor(t);
          return made;
        },
      };
    }
    case "graph":
      if (graphs.length !== 1) throw broken();
      return { kind, value: subgraph(name, graphs[0]!) };
    case "ints":
      return { kind, value: ints };
    case "floats":
      return { kind, value: floats };
    case "strings":
      return { kind, value: strings };
    default:
      return { kind: "unknown", value: undefined };
  }
}

/** By what it holds: files of the first version of the format do not say. */
function kindOf({ f, i, s, t, floats, strings, graphs }: ProtoAttribute): AttributeKind {
  if (i !== undefined) return "int";
  if (f !== undefined) return "float";
  if (s !== undefined) return "string";
  if (t !== undefined) return "tensor";
  if (graphs.length > 0) return "graph";
  if (floats.length > 0) return "floats";
  return strings.length > 0 ? "strings" : "ints";
}
