/** The shapes that a graph states of its values: of its inputs, its outputs and what lies between. */

import { MOST_DIMENSIONS } from "../../tensor/like.js";
import type { Allowance } from "./allowance.js";
import type { Graph } from "./model-proto.js";
import type { Message } from "./protobuf.js";

/** The sizes of a value; -1 for one that the graph does not state. */
export type Sizes = readonly number[];

/** Of a stated shape: a map's entry and its sizes. */
const SHAPE_BYTES = 256;

/** They are read when they are first asked for: few models need them. */
export class StatedShapes {
  readonly #graphs = new Map<Graph, ReadonlyMap<string, Sizes>>();

  constructor(readonly allowance: Allowance) {}

  /** What a graph states of a value; undefined for nothing. */
  get(name: string, graph: Graph): Sizes | undefined {
    return this.#of(graph).get(name);
  }

  #of(graph: Graph): ReadonlyMap<string, Sizes> {
    const known = this.#graphs.get(graph);
    if (known !== undefined) return known;
    const shapes = new Map<string, Sizes>();
    const message = graph.message.again();
    while (message.next()) {
      if (!graph.valueFields.includes(message.number)) continue;
      const [name, sizes] = readValue(message.message("onnx: value"));
      if (sizes === undefined) continue;
      this.allowance.spend(SHAPE_BYTES, "shapes of values");
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
