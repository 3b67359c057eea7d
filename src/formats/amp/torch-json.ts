/**
 * A state dict of PyTorch as JSON, as RTNeural's Python helpers write it for its own loader: PyTorch's names, and
 * numbers as nested arrays. Neither sizes nor kinds stand beside them.
 */

import { show, showShape } from "../../tensor/checks.js";
import type { StateDict } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { type ModuleInfo, modulesOf } from "../modules.js";
import type { AmpParts, JsonValue } from "./amp-model.js";

const MOST_TENSORS = 10_000;

/** What else an amp model has, which such a file may state too. */
type Rest = Pick<AmpParts, "skip" | "inputGain" | "outputGain" | "sampleRate">;

/** @throws FormatError unless it holds one LSTM or GRU, and one Linear layer that takes its output */
export function readTorchJson(file: JsonValue, rest: Rest): AmpParts {
  const tensors: StateDict = new Map();
  for (const key of file.keys()) {
    const value = file.get(key);
    if (!Array.isArray(value.value)) continue;
    if (tensors.size === MOST_TENSORS) throw new FormatError(`rtneural: more than ${MOST_TENSORS} tensors`);
    tensors.set(key, value.tensor());
  }
  const modules = modulesOf(tensors);
  const found = modules.slice(0, 8).map(({ kind, prefix }) => `${kind} ${show(prefix)}`);
  const [layer, head] = [modules.find(isRecurrent), modules.find(({ kind }) => kind === "Linear")];
  if (modules.length !== 2 || layer === undefined || head?.kind !== "Linear") {
    const expected = "one LSTM or GRU and one Linear layer";
    throw new FormatError(`rtneural: expected ${expected}, got ${found.join(", ") || "no layers"}`);
  }
  const { kind, inputSize, hiddenSize, numLayers } = layer;
  if (layer.bidirectional || ("projSize" in layer && layer.projSize > 0)) {
    throw new FormatError(`rtneural: ${found[0]}: expected one direction without a projection`);
  }
  if (head.inFeatures !== hiddenSize) {
    const got = showShape([head.outFeatures, head.inFeatures]);
    throw new FormatError(`rtneural: ${head.prefix}weight: expected shape [out, ${hiddenSize}], got ${got}`);
  }
  const recurrent = below(tensors, layer.prefix, /^(weight|bias)_(ih|hh)_l\d+$/);
  checkLayers(layer, recurrent);
  return {
    ...{ kind, inputSize, hiddenSize, numLayers, outputSize: head.outFeatures },
    recurrent,
    head: below(tensors, head.prefix, /^(weight|bias)$/),
    initialState: undefined,
    ...rest,
  };
}

function isRecurrent(info: ModuleInfo): info is ModuleInfo & { kind: "LSTM" | "GRU" } {
  return info.kind === "LSTM" || info.kind === "GRU";
}

/** Nothing beside the tensors says how many there are: they have to be those of one stack. */
function checkLayers(info: ModuleInfo & { kind: "LSTM" | "GRU" }, dict: StateDict): void {
  const { kind, prefix, inputSize, hiddenSize, numLayers, bias } = info;
  const rows = (kind === "LSTM" ? 4 : 3) * hiddenSize;
  let left = dict.size;
  for (let layer = 0; layer < numLayers; layer++) {
    const expected = {
      weight_ih: [rows, layer === 0 ? inputSize : hiddenSize],
      weight_hh: [rows, hiddenSize],
      ...(bias ? { bias_ih: [rows], bias_hh: [rows] } : {}),
    };
    for (const [part, shape] of Object.entries(expected)) {
      const got = dict.get(`${part}_l${layer}`)?.shape;
      if (got === undefined || showShape(got) !== showShape(shape)) {
        const what = got === undefined ? "none" : showShape(got);
        throw new FormatError(
          `rtneural: ${prefix}${part}_l${layer}: expected shape ${showShape(shape)}, got ${what}`,
        );
      }
      left--;
    }
  }
  if (left > 0) throw new FormatError(`rtneural: ${prefix}: ${left} tensors of layers without their weights`);
}

/** The layer's tensors without its prefix. */
function below(tensors: StateDict, prefix: string, own: RegExp): StateDict {
  const named = [...tensors].filter(
    ([name]) => name.startsWith(prefix) && own.test(name.slice(prefix.length)),
  );
  return new Map(named.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
