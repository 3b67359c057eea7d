/**
 * The normalisation of a convolution's output becomes part of its weights: each output channel is multiplied by
 * s = scale / sqrt(variance + epsilon), and its bias becomes (bias - mean) s + B.
 */

import type { HostTensor, Value } from "../../graph/ir.js";
import { Call } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { type Fusion, type PlannedNode, partsOf, type Rewriting } from "../operator.js";

export function fuseBatchNormalizations(node: PlannedNode, rewriting: Rewriting): Fusion | undefined {
  const { call, types, outputs } = node;
  if (types?.length !== 1 || call.node.operator !== "BatchNormalization") return undefined;
  const source = rewriting.source(node.inputs[0]);
  if (source?.types?.[0]?.dtype !== "float32" || source.activation !== undefined) return undefined;
  const { operator } = source.call.node;
  if (operator !== "Conv" && operator !== "ConvTranspose") return undefined;
  const [, weight, bias] = source.call.inputs;
  const parameters = call.inputs.slice(1, 5);
  const isConstant = [weight, ...parameters].every((operand) => operand?.data !== undefined);
  if (!isConstant || (bias !== undefined && bias.data === undefined)) return undefined;
  const numbers = [weight, bias, ...parameters].flatMap((operand) => operand?.data ?? []);
  const [W, B] = rewriting.derive(call.node, numbers, () =>
    folded(
      source.call,
      parameters as HostTensor[],
      call.float("epsilon", 1e-5),
      operator === "ConvTranspose",
    ),
  ) as [Value & { data: HostTensor }, Value & { data: HostTensor }];
  return {
    source,
    node: {
      ...source,
      call: new Call(source.call.node, [source.call.inputs[0], W.data, B.data]),
      inputs: [source.inputs[0], W, B],
      outputs,
      parts: [...partsOf(source), node],
    },
  };
}

function folded(
  conv: Call,
  [scale, shift, mean, variance]: readonly HostTensor[],
  epsilon: number,
  isTransposed: boolean,
): readonly HostTensor[] {
  const [, weight, bias] = conv.inputs as HostTensor[];
  const channels = scale!.data.length;
  const factors = Float64Array.from(scale!.data, (one, at) => one / Math.sqrt(variance!.data[at]! + epsilon));
  const data = new Float32Array(weight!.data.length);
  const [, second] = weight!.shape as [number, number];
  const taps = elementsIn(weight!.shape.slice(2));
  const perGroup = isTransposed ? weight!.shape[0]! / conv.int("group", 1) : 0;
  for (let at = 0; at < data.length; at++) {
    const row = Math.floor(at / (second * taps));
    // Transposed weights are (in, out / groups, ...).
    const channel = isTransposed
      ? Math.floor(row / perGroup) * second + (Math.floor(at / taps) % second)
      : row;
    data[at] = weight!.data[at]! * factors[channel]!;
  }
  const sums = Float32Array.from(
    factors,
    (factor, at) => ((bias?.data[at] ?? 0) - mean!.data[at]!) * factor + shift!.data[at]!,
  );
  return [
    { dtype: "float32", shape: weight!.shape, data },
    { dtype: "float32", shape: [channels], data: sums },
  ];
}
