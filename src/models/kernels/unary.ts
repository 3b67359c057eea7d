/** Kernels of functions of one number, and of activations that another kernel's results are given. */

import {
  UNARY_ABS,
  UNARY_CEIL,
  UNARY_CLIP,
  UNARY_ERF,
  UNARY_EXP,
  UNARY_FLOOR,
  UNARY_GELU,
  UNARY_GELU_TANH,
  UNARY_LEAKY_RELU,
  UNARY_LINEAR,
  UNARY_LOG,
  UNARY_NEG,
  UNARY_RECIPROCAL,
  UNARY_RELU,
  UNARY_ROUND,
  UNARY_SIGMOID,
  UNARY_SQRT,
  UNARY_TANH,
} from "../../../build/models-abi.js";
import type { Call } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { wrongValue } from "../../tensor/checks.js";
import { modelKernels } from "../../wasm/models.js";
import type { Runtime } from "../../wasm/runtime.js";
import type { Compiled, Compiling, FusedActivation } from "../operator.js";

/** A function of the kernel `unary`, with its constants. */
export interface UnaryFunction {
  readonly kind: number;
  readonly alpha: number;
  readonly beta: number;
}

/** Which function an operator without attributes is; undefined for none. Called once for a node. */
function kindOf(name: string): number | undefined {
  switch (name) {
    case "Relu":
      return UNARY_RELU;
    case "Sigmoid":
      return UNARY_SIGMOID;
    case "Tanh":
      return UNARY_TANH;
    case "Exp":
      return UNARY_EXP;
    case "Log":
      return UNARY_LOG;
    case "Neg":
      return UNARY_NEG;
    case "Abs":
      return UNARY_ABS;
    case "Sqrt":
      return UNARY_SQRT;
    case "Erf":
      return UNARY_ERF;
    case "Gelu":
      return UNARY_GELU;
    case "LeakyRelu":
      return UNARY_LEAKY_RELU;
    case "Clip":
      return UNARY_CLIP;
    case "Reciprocal":
      return UNARY_RECIPROCAL;
    case "Floor":
      return UNARY_FLOOR;
    case "Ceil":
      return UNARY_CEIL;
    case "Round":
      return UNARY_ROUND;
    default:
      return undefined;
  }
}

/** The function of an activation: ONNX's operator of that name. Clip is from alpha to beta; Gelu is the exact one. */
export function functionOf({ name, alpha, beta }: FusedActivation): UnaryFunction | undefined {
  const kind = kindOf(name);
  return kind === undefined ? undefined : { kind, alpha, beta };
}

/** `alpha x + beta` of each number. */
export function linear(alpha: number, beta: number): UnaryFunction {
  return { kind: UNARY_LINEAR, alpha, beta };
}

/** A function of `count` numbers at an address, from there to another one, which may be the same. */
export function bindUnary(
  runtime: Runtime,
  { kind, alpha, beta }: UnaryFunction,
  from: number,
  to: number,
  count: number,
): () => void {
  const kernels = modelKernels(runtime);
  return () => kernels.unary(kind, from, to, count, alpha, beta);
}

/**
 * What gives `count` results at an address the node's activation, in place. Undefined where the node has none.
 * @throws RangeError for an activation that has no kernel; see {@link isActivation}
 */
export function applyActivation(
  { runtime, activation }: Pick<Compiling, "runtime" | "activation">,
  address: number,
  count: number,
): (() => void) | undefined {
  if (activation === undefined) return undefined;
  const found = functionOf(activation);
  if (found === undefined) throw wrongValue("activation", "one that has a kernel", activation.name);
  return bindUnary(runtime, found, address, address, count);
}

/** Whether {@link applyActivation} knows an operator of this name. */
export function isActivation(name: string): boolean {
  return kindOf(name) !== undefined;
}

/** The function of a node, whose bounds must be constant. */
function functionOfNode(call: Call): UnaryFunction | undefined {
  const kind = kindOf(call.node.operator);
  if (kind === undefined) return undefined;
  if (kind === UNARY_GELU) {
    return { kind: call.text("approximate", "none") === "tanh" ? UNARY_GELU_TANH : kind, alpha: 0, beta: 0 };
  }
  if (kind !== UNARY_CLIP) return { kind, alpha: call.float("alpha", 0.01), beta: 0 };
  for (const at of [1, 2]) if (call.has(at) && call.input(at).data === undefined) return undefined;
  return {
    kind,
    alpha: call.has(1) ? call.scalar(1) : call.float("min", Number.NEGATIVE_INFINITY),
    beta: call.has(2) ? call.scalar(2) : call.float("max", Number.POSITIVE_INFINITY),
  };
}

/** Functions of one float32 number. */
export function compileUnary({ call, types, runtime, activation }: Compiling): Compiled | undefined {
  const { dtype, shape } = types[0]!;
  const first = functionOfNode(call);
  const then = activation && functionOf(activation);
  if (dtype !== "float32" || first === undefined || (activation !== undefined && then === undefined)) {
    return undefined;
  }
  const count = elementsIn(shape);
  return {
    inPlace: 0,
    bind: (place) => {
      const output = place.output(0);
      const run = bindUnary(runtime, first, place.input(0), output, count);
      if (then === undefined) return run;
      const finish = bindUnary(runtime, then, output, output, count);
      return () => {
        run();
        finish();
      };
    },
  };
}
