/** What ONNX files declare of the inputs and outputs of graphs: types, sizes, and names of sizes. */

import { unsupported } from "../formats/bytes.js";
import { typeName } from "../formats/onnx/element-types.js";
import type { Graph } from "../formats/onnx/model-proto.js";
import type { Message } from "../formats/onnx/protobuf.js";
import { show } from "../tensor/checks.js";
import { MOST_DIMENSIONS } from "../tensor/like.js";
import type { Declared } from "./ir.js";
import { DTYPE_NUMBERS } from "./onnx-tensor.js";

const INPUT = 11;
const OUTPUT = 12;

/** @throws FormatError for an input that is no tensor, or of a type that no operator takes */
export function declaredValues(graph: Graph): ReadonlyMap<string, Declared> {
  const values = new Map<string, Declared>();
  for (const message = graph.message.again(); message.next(); ) {
    if (message.number !== INPUT && message.number !== OUTPUT) continue;
    readValue(message.message("onnx: value"), message.number === INPUT ? "input" : "output", values);
  }
  return values;
}

/** Reads a ValueInfoProto. */
function readValue(value: Message, what: string, values: Map<string, Declared>): void {
  let name = "";
  let type: Message | undefined;
  while (value.next()) {
    if (value.number === 1) name = value.text();
    else if (value.number === 2) type = value.message("onnx: type");
  }
  let [number, shape]: [number, Declared["shape"]] = [0, undefined];
  while (type?.next()) {
    if (type.number === 6) continue;
    if (type.number !== 1) {
      throw unsupported(`onnx: ${what} ${show(name)}: sequences, optionals and maps are not supported`);
    }
    const tensor = type.message("onnx: tensor type");
    while (tensor.next()) {
      if (tensor.number === 1) number = tensor.int();
      else if (tensor.number === 2) shape = readShape(tensor.message("onnx: shape"));
    }
  }
  const dtype = DTYPE_NUMBERS.get(number);
  if (number !== 0 && dtype === undefined) {
    throw unsupported(`onnx: ${what} ${show(name)}: type ${typeName(number)} is not supported`);
  }
  values.set(name, { dtype, shape });
}

function readShape(message: Message): Declared["shape"] {
  const shape: (number | string)[] = [];
  while (message.next()) {
    if (message.number !== 1) continue;
    const dim = message.message("onnx: dim");
    let size: number | string = -1;
    while (dim.next()) {
      if (dim.number === 1) size = dim.number64();
      else if (dim.number === 2) size = dim.text();
    }
    if (shape.push(size) > MOST_DIMENSIONS) return undefined;
  }
  return shape;
}
