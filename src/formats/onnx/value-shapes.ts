/** The shapes that a graph states of its values. They tell which axis is which where a Reshape has only numbers. */

import { MOST_DIMENSIONS } from "../../tensor/like.js";
import type { Constants } from "./constants.js";
import type { Graph, Node } from "./model-proto.js";
import type { Message } from "./protobuf.js";
import type { Scope } from "./scope.js";

/** A size of a value; -1 if the graph does not state it. */
type Sizes = readonly number[];

/** Nodes that are looked through on the way to a value whose shape is stated. */
const MOST_STEPS = 4;
/** Of a stated shape: a map's entry and its sizes. */
const SHAPE_BYTES = 256;

/** The graphs' stated shapes, read when they are first asked for: few models need them. */
export class ValueShapes {
  readonly #graphs = new Map<Graph, ReadonlyMap<string, Sizes>>();

  constructor(readonly constants: Constants) {}

  /** What the value's own graph states. */
  stated(name: string, scope: Scope): Sizes | undefined {
    return this.#stated(scope.graph).get(name);
  }

  /** What is known of a value's sizes. Undefined if not even their number is. */
  find(name: string, scope: Scope, steps = MOST_STEPS): Sizes | undefined {
    const stated = this.stated(name, scope);
    if (stated !== undefined || name === "" || steps === 0) return stated;
    const origin = scope.find(name);
    if (origin.kind !== "node" || origin.scope !== scope || origin.node.domain !== "") return undefined;
    const { node } = origin;
    const before = () => this.find(node.inputs[0] ?? "", scope, steps - 1);
    switch (node.opType) {
      case "Identity":
        return before();
      case "Transpose": {
        const perm = scope.attribute(node, "perm")?.ints;
        const sizes = before();
        if (perm === undefined || perm.length !== sizes?.length) return undefined;
        return perm.map((axis) => sizes[axis] ?? -1);
      }
      case "Slice":
        return this.#sliced(node, scope, before());
      case "Reshape":
        return this.#numbers(node.inputs[1] ?? "", scope)?.map((size) => (size > 0 ? size : -1));
      default:
        return undefined;
    }
  }

  /** A Slice of the first axis keeps the others. */
  #sliced(node: Node, scope: Scope, sizes: Sizes | undefined): Sizes | undefined {
    const axes = this.#numbers(node.inputs[3] ?? "", scope) ?? scope.attribute(node, "axes")?.ints;
    return axes?.length === 1 && axes[0] === 0 ? sizes?.map((size, at) => (at === 0 ? -1 : size)) : undefined;
  }

  #numbers(name: string, scope: Scope): number[] | undefined {
    return name === "" ? undefined : this.constants.integers(name, scope, MOST_DIMENSIONS);
  }

  #stated(graph: Graph): ReadonlyMap<string, Sizes> {
    const known = this.#graphs.get(graph);
    if (known !== undefined) return known;
    const shapes = new Map<string, Sizes>();
    const message = graph.message.again();
    while (message.next()) {
      if (!graph.valueFields.includes(message.number)) continue;
      const [name, sizes] = readValue(message.message("onnx: value"));
      if (sizes === undefined) continue;
      this.constants.allowance.spend(SHAPE_BYTES, "shapes of values");
      shapes.set(name, sizes);
    }
    this.#graphs.set(graph, shapes);
    return shapes;
  }
}

/** The name and sizes of a ValueInfoProto: type.tensor_type.shape.dim[i].dim_value. */
function readValue(value: Message): [name: string, sizes: Sizes | undefined] {
  let [name, type]: (string | Message | undefined)[] = [""];
  while (value.next()) {
    if (value.number === 1) name = value.text();
    else if (value.number === 2) type = value.message("onnx: type");
  }
  const tensor = inner(type as Message | undefined, 1, "onnx: tensor type");
  const shape = inner(tensor, 2, "onnx: shape");
  if (shape === undefined) return [name as string, undefined];
  const sizes: number[] = [];
  while (shape.next()) {
    if (shape.number !== 1) continue;
    const dim = shape.message("onnx: dim");
    let size = -1;
    while (dim.next()) if (dim.number === 1) size = dim.number64();
    // No value between layers has more axes.
    if (sizes.push(size) > MOST_DIMENSIONS) return [name as string, undefined];
  }
  return [name as string, sizes];
}

/** The last message of that number in another one. */
function inner(message: Message | undefined, number: number, name: string): Message | undefined {
  let found: Message | undefined;
  while (message?.next()) if (message.number === number) found = message.message(name);
  return found;
}
