/** The matrices of a state dict as int8, for a file a quarter of the size. */

import { quantizeMatrix, scaleNameOf } from "../int8/round-weights.js";
import { checkOptions } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { TensorData } from "../tensor/like.js";
import { type StateDict, Tensor } from "../tensor/tensor.js";
import { listModules, type ModuleInfo } from "./modules.js";

/** Options of {@link quantizeStateDict}. */
export interface QuantizeOptions {
  /** The layers whose weights are quantised, of those that `listModules` finds. All of them by default. */
  readonly modules?: readonly ModuleInfo[];
}

/**
 * The same state dict with int8 weights for the LSTM, GRU, RNN and Linear layers that `listModules` finds.
 * Each weight becomes an Int8Array tensor of the same name. Its scales, one per row, stand under the name
 * with `_scale` added. All other tensors, and weights that are int8 already, stay as they are.
 * @throws TypeError for an unknown option; RangeError for a weight that is not finite, or if the name of its
 *   scales is taken
 */
export function quantizeStateDict(dict: StateDict, options?: QuantizeOptions): StateDict {
  const { modules = listModules(dict) } = checkOptions("options", options, ["modules"]);
  const matrices = matricesOf(dict, modules);
  const quantized: StateDict = new Map();
  for (const [name, tensor] of dict) {
    if (!matrices.has(name) || !isFloat(tensor)) {
      quantized.set(name, tensor);
      continue;
    }
    const scaleName = scaleNameOf(name);
    if (dict.has(scaleName)) {
      throw coded(
        "RANGE",
        new RangeError(`dict[${JSON.stringify(scaleName)}]: expected no such tensor beside float weights`),
      );
    }
    const { data, shape } = tensor;
    const { values, scales, problem } = quantizeMatrix(data, shape[0]!);
    if (problem !== undefined)
      throw coded("RANGE", new RangeError(`dict[${JSON.stringify(name)}]${problem}`));
    quantized.set(name, new Tensor(values, shape));
    quantized.set(scaleName, new Tensor(scales, [scales.length]));
  }
  return quantized;
}

function isFloat(tensor: Tensor<TensorData>): tensor is Tensor {
  return tensor.data instanceof Float32Array;
}

/** The names of the layers' matrices that are quantised. One walk for all layers, since names and layers may be many. */
function matricesOf(dict: StateDict, modules: readonly ModuleInfo[]): Set<string> {
  const recurrent = new Set<string>();
  const names = new Set<string>();
  for (const { kind, prefix } of modules) {
    if (kind === "Linear") names.add(`${prefix}weight`);
    else if (kind === "LSTM" || kind === "GRU" || kind === "RNN") recurrent.add(prefix);
  }
  for (const name of dict.keys()) {
    const at = name.search(/weight_(ih|hh|hr)_l\d+(_reverse)?$/);
    if (at >= 0 && recurrent.has(name.slice(0, at))) names.add(name);
  }
  return names;
}
