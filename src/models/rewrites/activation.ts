/** An activation becomes the end of what makes its input. */

import type { Call } from "../../graph/operator.js";
import { type FusedActivation, type Fusion, type PlannedNode, partsOf, type Rewriting } from "../operator.js";

/** Operators whose kernels take an activation. */
const PRODUCERS: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

type Constants = Pick<FusedActivation, "alpha" | "beta">;

/** The constants of activations. */
const ACTIVATIONS: Readonly<Record<string, (call: Call) => Constants>> = {
  Relu: () => ({ alpha: 0, beta: 0 }),
  Sigmoid: () => ({ alpha: 0, beta: 0 }),
  Tanh: () => ({ alpha: 0, beta: 0 }),
  LeakyRelu: (call) => ({ alpha: call.float("alpha", 0.01), beta: 0 }),
};

export function fuseActivations(node: PlannedNode, rewriting: Rewriting): Fusion | undefined {
  const { call, types, inputs, outputs } = node;
  const { operator } = call.node;
  if (types === undefined || !Object.hasOwn(ACTIVATIONS, operator)) return undefined;
  const source = rewriting.source(inputs[0]);
  if (source?.types === undefined || !PRODUCERS.has(source.call.node.operator)) return undefined;
  if (source.activation !== undefined || source.types[0]!.dtype !== types[0]!.dtype) return undefined;
  return {
    source,
    node: {
      ...source,
      outputs,
      activation: { name: operator, ...ACTIVATIONS[operator]!(call) },
      parts: [...partsOf(source), node],
    },
  };
}
