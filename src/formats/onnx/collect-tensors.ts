/** Every tensor that a model states, by name. */

import { show } from "../../tensor/checks.js";
import type { TensorData } from "../../tensor/like.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import type { Allowance } from "./allowance.js";
import { constantOf } from "./constants.js";
import type { Node } from "./model-proto.js";
import type { Constant } from "./scope.js";
import { isNumeric, toTensor } from "./tensor-proto.js";

/**
 * The tensors of all constants, and their `names`. A name that several graphs have is preceded by the way to the graph.
 */
export function collectTensors(
  constants: readonly Constant[],
  allowance: Allowance,
  names: Map<unknown, string>,
): StateDict {
  const times = new Map<string, number>();
  const isNested = constants.some(({ scope }) => scope.path !== "");
  if (isNested) for (const { name } of constants) times.set(name, (times.get(name) ?? 0) + 1);
  const tensors: StateDict = new Map();
  for (const constant of constants) {
    const tensor = numbersOf(constant, allowance);
    if (tensor === undefined) continue;
    const { name, scope, value } = constant;
    const prefix = scope.path === "" || times.get(name) === 1 ? "" : `${scope.path}/`;
    allowance.spendName(prefix.length, "names of weights");
    tensors.set(prefix + name, tensor);
    names.set(value, prefix + name);
  }
  return tensors;
}

/** Undefined for strings and the like. */
function numbersOf({ name, scope, value }: Constant, allowance: Allowance): Tensor<TensorData> | undefined {
  const proto = "opType" in value ? scope.attribute(value, "value")?.t : value;
  if (proto !== undefined) return isNumeric(proto) ? toTensor(proto) : undefined;
  const attribute = (key: string) => scope.attribute(value as Node, key);
  const numbers = constantOf(attribute, () => `onnx: Constant ${show(name)}`, allowance);
  return numbers instanceof Tensor ? numbers : undefined;
}
