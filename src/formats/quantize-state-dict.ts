/** The matrices of a state dict as int8, for a file a quarter of the size. */

import { quantizeMatrix, scaleNameOf } from "../int8/round-weights.js";
import { checkedList } from "../tensor/checked-list.js";
import { checkOptions, wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { TensorData } from "../tensor/like.js";
import { metadataIn, type StateDictMetadata, withMetadata } from "../tensor/metadata.js";
import { withSkipped } from "../tensor/skipped.js";
import { type StateDict, Tensor } from "../tensor/tensor.js";
import { checkedDict } from "./checked-tensor.js";
import { type ModuleInfo, modulesOf } from "./modules.js";

/** Options of {@link quantizeStateDict}. */
export interface QuantizeOptions {
  /** The layers whose weights are quantised, of those that `listModules` finds. By default all, and broken ones too. */
  readonly modules?: readonly ModuleInfo[];
}

/**
 * The same state dict with int8 weights for the LSTM, GRU, RNN and Linear layers that `listModules` finds.
 * Each weight becomes an Int8Array tensor of the same name. Its scales, one per row, stand under the name
 * with `_scale` added. The dict's `metadata` stays. All other tensors, and weights that are int8 already, stay as they are.
 * @throws TypeError for an unknown option; RangeError for a weight that is not finite, or if the name of its
 *   scales is taken
 */
export function quantizeStateDict(dict: StateDict, options?: QuantizeOptions): StateDict {
  const { modules } = checkOptions("options", options, ["modules"]);
  const metadata = metadataIn(dict) as StateDictMetadata | undefined;
  const given = checkedDict(dict);
  const tensors = new Map(Array.from(given, ([name, { tensor }]) => [name, tensor]));
  const layers = modules === undefined ? modulesOf(tensors) : checkModules(modules);
  const matrices = matricesOf(tensors, layers);
  const quantized: StateDict = new Map();
  for (const [name, tensor] of tensors) {
    // Without columns, rows may be billions: no layer has such weights.
    if (!matrices.has(name) || !isFloat(tensor) || tensor.data.length === 0) {
      quantized.set(name, given.get(name)!.given as Tensor<TensorData>);
      continue;
    }
    const scaleName = scaleNameOf(name);
    if (tensors.has(scaleName)) {
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
  withMetadata(quantized, metadata);
  return dict.skipped === undefined ? quantized : withSkipped(quantized, dict.skipped);
}

/** What is used of each layer. */
function checkModules(modules: unknown): Layer[] {
  const expected = "what listModules returns";
  return checkedList(modules, "options.modules", expected, (info, name) => {
    if (typeof info !== "object" || info === null) throw wrongType(name, expected, info);
    const { kind, prefix } = info as Layer;
    if (typeof prefix !== "string") throw wrongType(`${name}.prefix`, "a string", prefix);
    return { kind, prefix };
  });
}

type Layer = Pick<ModuleInfo, "kind" | "prefix">;

function isFloat(tensor: Tensor<TensorData>): tensor is Tensor {
  return tensor.data instanceof Float32Array;
}

/** The names of the layers' matrices that are quantised. One walk for all layers, since names and layers may be many. */
function matricesOf(dict: ReadonlyMap<string, unknown>, modules: readonly Layer[]): Set<string> {
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
