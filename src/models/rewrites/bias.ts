/** A constant that is added to a product becomes its bias. */

import { Call } from "../../graph/operator.js";
import { type Fusion, type PlannedNode, partsOf, type Rewriting } from "../operator.js";

export function fuseBiases(node: PlannedNode, rewriting: Rewriting): Fusion | undefined {
  const { call, types, inputs, outputs } = node;
  if (types === undefined || call.node.operator !== "Add" || call.opset < 7) return undefined;
  for (const at of [0, 1]) {
    const bias = call.inputs[1 - at];
    const source = bias?.data === undefined ? undefined : rewriting.source(inputs[at]);
    if (source?.types === undefined || source.call.node.operator !== "MatMul") continue;
    if (source.inputs.length > 2 || source.activation !== undefined) continue;
    const { shape, dtype } = source.types[0]!;
    // One number for each column, so that the sum has the product's shape.
    const isRow = bias!.shape.length <= shape.length && bias!.shape.slice(0, -1).every((size) => size === 1);
    if (!isRow || bias!.shape.at(-1) !== shape.at(-1) || dtype !== types[0]!.dtype) continue;
    return {
      source,
      node: {
        ...source,
        call: new Call(source.call.node, [...source.call.inputs, bias]),
        inputs: [...source.inputs, inputs[1 - at]],
        outputs,
        parts: [...partsOf(source), node],
      },
    };
  }
  return undefined;
}
