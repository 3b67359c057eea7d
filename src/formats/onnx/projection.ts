/**
 * ONNX has no projections. PyTorch's default exporter takes proj_size for hidden_size, and cuts the weights to it, so
 * that the node looks like a smaller LSTM. Only the state of the cell keeps its size.
 */

import { FormatError } from "../bytes.js";
import type { Constants } from "./constants.js";
import type { Site } from "./scope.js";
import { ValueShapes } from "./value-shapes.js";

export const PROJECTED =
  "; PyTorch's default exporter writes so an LSTM with proj_size, without all of its weights: save the state dict";

/** @throws FormatError where the graph states another size of c than the node has */
export function checkCellSize(
  { node, scope }: Site,
  constants: Constants,
  hiddenSize: number,
  label: string,
): void {
  const shapes = new ValueShapes(constants);
  for (const [what, name] of [
    ["initial_c", node.inputs[6]],
    ["Y_c", node.outputs[2]],
  ] as const) {
    const size = name ? shapes.find(name, scope)?.[2] : undefined;
    if (size === undefined || size < 0 || size === hiddenSize) continue;
    const advice = size > hiddenSize ? PROJECTED : "";
    throw new FormatError(`${label}: ${what}: expected ${hiddenSize} numbers a row, got ${size}${advice}`);
  }
}
