/** A state dict's matrices to int8, for a file a quarter of the size. */

import { quantizeMatrix, scaleNameOf } from "../int8/round-weights.js";
import { checkOptions } from "../tensor/checks.js";
import type { TensorData } from "../tensor/like.js";
import { type StateDict, Tensor } from "../tensor/tensor.js";
import { listModules, type ModuleInfo } from "./modules.js";

/** Options of {@link quantizeStateDict}. */
export interface QuantizeOptions {
  /** The layers whose weights are quantised, of those that `listModules` finds; all of them when left out. */
  readonly modules?: readonly ModuleInfo[];
}

/**
 * The same state dict with int8 weights for its LSTM, GRU, RNN and Linear layers, as `listModules` finds them: an
 * Int8Array tensor under the same name, and its scales, one per row, under the name and `_scale`. All other tensors, and
 * weights that are int8 already, are taken over as they are.
 * @throws TypeError for an unknown option; RangeError for a weight that is not finite, or whose scales' name is taken.
 */
export function quantizeStateDict(dict: StateDict, options?: QuantizeOptions): StateDict {
  const { modules = listModules(dict) } = checkOptions("options", options, ["modules"]);
  const matrices = new Set(modules.flatMap((info) => matricesOf(dict, info)));
  const quantized: StateDict = new Map();
  for (const [name, tensor] of dict) {
    if (!matrices.has(name) || !isFloat(tensor)) {
      quantized.set(name, tensor);
      continue;
    }
    const scaleName = scaleNameOf(name);
    if (dict.has(scaleName)) {
      throw new RangeError(
        `dict[${JSON.stringify(scaleName)}]: expected no such tensor beside float weights`,
      );
    }
    const { data, shape } = tensor;
    const { values, scales, problem } = quantizeMatrix(data, shape[0]!);
    if (problem !== undefined) throw new RangeError(`dict[${JSON.stringify(name)}]${problem}`);
    quantized.set(name, new Tensor(values, shape));
    quantized.set(scaleName, new Tensor(scales, [scales.length]));
  }
  return quantized;
}

function isFloat(tensor: Tensor<TensorData>): tensor is Tensor {
  return tensor.data instanceof Float32Array;
}

/** The names of a layer's matrices that int8 modules take. */
function matricesOf(dict: StateDict, { kind, prefix }: ModuleInfo): string[] {
  if (kind === "Linear") return [`${prefix}weight`];
  if (kind !== "LSTM" && kind !== "GRU" && kind !== "RNN") return [];
  return [...dict.keys()].filter(
    (name) =>
      name.startsWith(prefix) && /^weight_(ih|hh|hr)_l\d+(_reverse)?$/.test(name.slice(prefix.length)),
  );
}
