/** The layers of a state dict, told by PyTorch's names and by shapes. */

import type { TensorData } from "../tensor/like.js";
import type { StateDict, Tensor } from "../tensor/tensor.js";
import { checkedDict } from "./checked-tensor.js";

/** A layer that {@link listModules} found. `prefix` is the part before its tensors' names, with the dot. */
export type ModuleInfo =
  | ({ readonly kind: "LSTM"; readonly projSize: number } & RecurrentInfo)
  | ({ readonly kind: "GRU" | "RNN" } & RecurrentInfo)
  | ({ readonly kind: "LSTMCell" | "GRUCell" | "RNNCell" } & CellInfo)
  | (Found & {
      readonly kind: "Linear";
      readonly inFeatures: number;
      readonly outFeatures: number;
      readonly bias: boolean;
    })
  | (Found & { readonly kind: "Embedding"; readonly numEmbeddings: number; readonly embeddingDim: number })
  | (Found & {
      readonly kind: "Conv1d";
      /**
       * Channels of one group. That is all of them, unless the layer has groups, which the weights do not
       * show.
       */
      readonly inChannels: number;
      /**
       * `groups` if the convolution is depthwise, which it may be where `inChannels` is 1. Its input then has as many
       * channels. Undefined where it is not.
       */
      readonly mostGroups: number | undefined;
      readonly outChannels: number;
      readonly kernelSize: number;
      readonly bias: boolean;
    });

interface Found {
  readonly prefix: string;
  /** Numbers in all tensors of the layer. */
  readonly parameters: number;
}

interface CellInfo extends Found {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
}

interface RecurrentInfo extends CellInfo {
  readonly numLayers: number;
  readonly bidirectional: boolean;
}

type Tensors = ReadonlyMap<string, Tensor<TensorData>>;

/** By the rows of a weight per hidden unit. */
const KINDS: ReadonlyMap<number, "LSTM" | "GRU" | "RNN"> = new Map([
  [4, "LSTM"],
  [3, "GRU"],
  [1, "RNN"],
]);

/**
 * The LSTM, GRU, RNN (and their cells), Linear, Embedding and Conv1d layers of a state dict with their sizes,
 * in the order of its names. Only names and shapes tell them. A matrix without a bias is an Embedding if its
 * name says so (`emb`, `lookup`, `wte`), and a Linear otherwise. The nonlinearity of an RNN is unknown. What
 * is none of these, such as a batch norm or a convolution of two dimensions, is not listed.
 * @throws TypeError or RangeError for anything but a state dict
 */
export function listModules(dict: StateDict): ModuleInfo[] {
  return modulesOf(new Map(Array.from(checkedDict(dict), ([name, { tensor }]) => [name, tensor])));
}

/** The same of tensors that are checked. */
export function modulesOf(dict: Tensors): ModuleInfo[] {
  const modules: ModuleInfo[] = [];
  const seen = new Set<string>();
  for (const name of dict.keys()) {
    const [, prefix, part] = /^(.*?)(weight_ih_l0|weight_ih|weight)$/s.exec(name) ?? [];
    if (prefix === undefined || (prefix !== "" && !prefix.endsWith("."))) continue;
    if (seen.has(`${prefix}${part}`)) continue;
    seen.add(`${prefix}${part}`);
    const module =
      part === "weight_ih_l0"
        ? recurrent(dict, prefix)
        : part === "weight_ih"
          ? cell(dict, prefix)
          : simple(dict, prefix);
    if (module !== undefined) modules.push(module);
  }
  return modules;
}

function recurrent(dict: Tensors, prefix: string): ModuleInfo | undefined {
  const tensors: Tensor<TensorData>[] = [];
  const get = (name: string) => dict.get(`${prefix}${name}`);
  const projection = get("weight_hr_l0");
  const projSize = projection?.shape[0] ?? 0;
  const first = sizes(get("weight_ih_l0"), get("weight_hh_l0"), projection?.shape[1]);
  if (first === undefined || (projection !== undefined && first.kind !== "LSTM")) return undefined;
  const bidirectional = get("weight_ih_l0_reverse") !== undefined;
  const bias = get("bias_ih_l0") !== undefined;
  let numLayers = 0;
  while (get(`weight_ih_l${numLayers}`) !== undefined) {
    for (const direction of bidirectional ? ["", "_reverse"] : [""]) {
      for (const part of ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]) {
        const tensor = get(`${part}_l${numLayers}${direction}`);
        if (tensor !== undefined) tensors.push(tensor);
      }
    }
    numLayers++;
  }
  const { kind, inputSize, hiddenSize } = first;
  const info = { prefix, inputSize, hiddenSize, numLayers, bidirectional, bias, parameters: count(tensors) };
  return kind === "LSTM" ? { kind, ...info, projSize } : { kind, ...info };
}

function cell(dict: Tensors, prefix: string): ModuleInfo | undefined {
  const [ih, hh, biasIh, biasHh] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) =>
    dict.get(`${prefix}${name}`),
  );
  const first = sizes(ih, hh, undefined);
  if (first === undefined) return undefined;
  const { kind, inputSize, hiddenSize } = first;
  const parameters = count([ih, hh, biasIh, biasHh]);
  return { kind: `${kind}Cell`, prefix, inputSize, hiddenSize, bias: biasIh !== undefined, parameters };
}

/**
 * Kind and sizes, from the weights (G*H, in) and (G*H, H). With a projection (P, H), the second is (G*H, P).
 */
function sizes(
  ih: Tensor<TensorData> | undefined,
  hh: Tensor<TensorData> | undefined,
  projected: number | undefined,
): { kind: "LSTM" | "GRU" | "RNN"; inputSize: number; hiddenSize: number } | undefined {
  if (ih?.shape.length !== 2 || hh?.shape.length !== 2 || ih.shape[0] !== hh.shape[0]) return undefined;
  const hiddenSize = projected ?? hh.shape[1]!;
  const kind = KINDS.get(hh.shape[0]! / hiddenSize);
  return kind === undefined ? undefined : { kind, inputSize: ih.shape[1]!, hiddenSize };
}

function simple(dict: Tensors, prefix: string): ModuleInfo | undefined {
  const weight = dict.get(`${prefix}weight`)!;
  const bias = dict.get(`${prefix}bias`);
  const [rows, columns, kernelSize] = weight.shape as [number, number, number];
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== rows)) return undefined;
  const parameters = count([weight, bias]);
  if (weight.shape.length === 3) {
    const [outChannels, inChannels] = [rows, columns];
    return {
      kind: "Conv1d",
      prefix,
      inChannels,
      mostGroups: inChannels === 1 ? outChannels : undefined,
      outChannels,
      kernelSize,
      bias: bias !== undefined,
      parameters,
    };
  }
  if (weight.shape.length !== 2) return undefined;
  if (bias === undefined && /emb|lookup|wte/i.test(prefix)) {
    return { kind: "Embedding", prefix, numEmbeddings: rows, embeddingDim: columns, parameters };
  }
  return {
    kind: "Linear",
    prefix,
    inFeatures: columns,
    outFeatures: rows,
    bias: bias !== undefined,
    parameters,
  };
}

function count(tensors: readonly (Tensor<TensorData> | undefined)[]): number {
  return tensors.reduce((sum, tensor) => sum + (tensor?.data.length ?? 0), 0);
}
