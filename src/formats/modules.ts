/** The layers of a state dict, told by PyTorch's names and by shapes. */

import { showShape } from "../tensor/checks.js";
import { reasonsIn } from "../tensor/skipped.js";
import type { StateDict } from "../tensor/tensor.js";
import { checkedDict } from "./checked-tensor.js";
import { layerSuffix } from "./layer-suffix.js";
import { ModuleTensors, type Tensors } from "./module-tensors.js";

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

/** A layer that cannot be loaded. */
export interface BrokenModule {
  /** The part before its tensors' names, with the dot. */
  readonly prefix: string;
  /** Undefined where the shapes of its weights are those of none. */
  readonly kind: ModuleInfo["kind"] | undefined;
  /** Such as `"missing encoder.weight_hh_l1"`. */
  readonly problem: string;
}

/** What was found below a prefix, and why it does not load. */
interface Examined {
  readonly prefix: string;
  readonly module: ModuleInfo | undefined;
  readonly problem: string | undefined;
}

/** By the rows of a weight per hidden unit. */
const KINDS: ReadonlyMap<number, "LSTM" | "GRU" | "RNN"> = new Map([
  [4, "LSTM"],
  [3, "GRU"],
  [1, "RNN"],
]);

const PEEPHOLES = ["weight_ci", "weight_cf", "weight_co"];

/** The last part of a name that is a recurrent layer's own. */
const OWN = /^(weight|bias)_(ih|hh|hr|c[ifo])(_l\d+(_reverse)?)?(_scale)?$/;

/**
 * The LSTM, GRU, RNN (and their cells), Linear, Embedding and Conv1d layers of a state dict with their sizes,
 * in the order of its names. Only names and shapes tell them. A matrix without a bias is an Embedding if its
 * name says so (`emb`, `lookup`, `wte`), and a Linear otherwise. The nonlinearity of an RNN is unknown. What
 * is none of these, such as a batch norm or a convolution of two dimensions, is not listed, nor is what
 * {@link listBrokenModules} lists.
 * @throws TypeError or RangeError for anything but a state dict
 */
export function listModules(dict: StateDict): ModuleInfo[] {
  return examine(tensorsOf(dict), reasonsIn(dict)).flatMap(({ module, problem }) =>
    problem === undefined ? (module ?? []) : [],
  );
}

/**
 * The layers of a state dict that `fromStateDict` does not load, and why: a tensor of theirs is missing, was skipped by
 * the reader, or has another shape than the first ones ask for.
 * @throws TypeError or RangeError for anything but a state dict
 */
export function listBrokenModules(dict: StateDict): BrokenModule[] {
  return examine(tensorsOf(dict), reasonsIn(dict)).flatMap(({ prefix, module, problem }) =>
    problem === undefined ? [] : { prefix, kind: module?.kind, problem },
  );
}

function tensorsOf(dict: StateDict): Tensors {
  return new Map(Array.from(checkedDict(dict), ([name, { tensor }]) => [name, tensor]));
}

/** The layers of tensors that are checked, broken ones too. */
export function modulesOf(dict: Tensors): ModuleInfo[] {
  return examine(dict).flatMap(({ module }) => module ?? []);
}

/** @param reasons of tensors that were skipped, by their names */
function examine(dict: Tensors, reasons: ReadonlyMap<string, string> = new Map()): Examined[] {
  const found: { readonly tensors: ModuleTensors; readonly module: ModuleInfo | undefined }[] = [];
  const recurrents = new Map<string, ModuleTensors>();
  for (const name of [...dict.keys(), ...reasons.keys()]) {
    const [, prefix, part] = /^(.*?)(weight_ih_l0|weight_ih|weight)$/s.exec(name) ?? [];
    if (prefix === undefined || (prefix !== "" && !prefix.endsWith("."))) continue;
    const tensors = new ModuleTensors(dict, reasons, prefix);
    if (part === "weight") found.push({ tensors, module: simple(tensors) });
    else {
      const module = recurrent(tensors, part === "weight_ih_l0");
      found.push({ tensors, module });
      if (module !== undefined) recurrents.set(prefix, tensors);
    }
  }
  blameStrays(dict, recurrents);
  return found.map(({ tensors: { prefix, problem }, module }) => ({ prefix, module, problem }));
}

/** Of layers or directions that a stack lacks (`weight_ih_l2` without `weight_ih_l1`), and of norms within. */
function blameStrays(dict: Tensors, recurrents: ReadonlyMap<string, ModuleTensors>): void {
  for (const name of dict.keys()) {
    const dot = name.lastIndexOf(".") + 1;
    const tensors = recurrents.get(name.slice(0, dot));
    const own = name.slice(dot);
    if (tensors !== undefined && OWN.test(own) && !tensors.names.has(own)) tensors.unexpected(own);
    const norm = /(?<=^|\.)(ln|layernorm)_/.exec(name);
    if (norm !== null) recurrents.get(name.slice(0, norm.index))?.blame(name.slice(norm.index), LAYER_NORM);
  }
}

const LAYER_NORM = "layer norm is not supported";

function recurrent(tensors: ModuleTensors, isStack: boolean): ModuleInfo | undefined {
  const { prefix } = tensors;
  const first = sizesOf(tensors, isStack ? "_l0" : "");
  if (first === undefined) return undefined;
  const { kind, gates, inputSize, hiddenSize, outputSize } = first;
  const projSize = outputSize === hiddenSize ? 0 : outputSize;
  const bidirectional = isStack && tensors.has("weight_ih_l0_reverse");
  const bias = tensors.has(isStack ? "bias_ih_l0" : "bias_ih");
  const hasPeepholes = kind === "LSTM" && tensors.has(isStack ? "weight_ci_l0" : "weight_ci");
  const directions = bidirectional ? 2 : 1;
  let numLayers = 1;
  while (isStack && tensors.has(`weight_ih_l${numLayers}`)) numLayers++;
  const rows = gates * hiddenSize;
  for (let layer = 0; layer < numLayers; layer++) {
    for (let direction = 0; direction < directions; direction++) {
      const suffix = isStack ? layerSuffix(layer, direction > 0) : "";
      tensors.expectMatrix(`weight_ih${suffix}`, [rows, layer === 0 ? inputSize : directions * outputSize]);
      tensors.expectMatrix(`weight_hh${suffix}`, [rows, outputSize]);
      for (const name of bias ? ["bias_ih", "bias_hh"] : []) tensors.expect(name + suffix, [rows]);
      if (projSize > 0) tensors.expectMatrix(`weight_hr${suffix}`, [projSize, hiddenSize]);
      for (const name of hasPeepholes ? PEEPHOLES : []) tensors.expect(name + suffix, [hiddenSize]);
    }
  }
  if (isStack && (tensors.has("h0") || tensors.has("c0"))) {
    tensors.expect("h0", [numLayers * directions, outputSize]);
    if (kind === "LSTM") tensors.expect("c0", [numLayers * directions, hiddenSize]);
    else if (tensors.has("c0")) tensors.unexpected("c0");
  }
  const { parameters } = tensors;
  const cell = { prefix, inputSize, hiddenSize, bias, parameters };
  if (!isStack) return { kind: `${kind}Cell`, ...cell };
  const info = { ...cell, numLayers, bidirectional };
  return kind === "LSTM" ? { kind, ...info, projSize } : { kind, ...info };
}

/** Kind and sizes, from the weights (G*H, in) and (G*H, H). With a projection (P, H), the second is (G*H, P). */
function sizesOf(tensors: ModuleTensors, suffix: string) {
  const [ih, hh, hr] = ["weight_ih", "weight_hh", "weight_hr"].map(
    (name) => tensors.get(name + suffix)?.shape,
  );
  const name = `weight_hh${suffix}`;
  if (ih === undefined || hh === undefined) {
    tensors.lack(ih === undefined ? `weight_ih${suffix}` : name);
    return undefined;
  }
  const [inputSize, outputSize] = [ih[1], hh[1]];
  const hiddenSize = suffix !== "" && hr !== undefined ? hr[1] : outputSize;
  const gates = hh[0]! / (hiddenSize ?? 0);
  const kind = KINDS.get(gates);
  if (!inputSize || !outputSize || !hiddenSize || kind === undefined || hh.length !== 2) {
    const shapes = `${showShape(hh)} beside ${showShape(ih)}`;
    tensors.blame(name, `expected 4, 3 or 1 rows for each unit, got shape ${shapes}`);
    return undefined;
  }
  if (hr !== undefined && (kind !== "LSTM" || outputSize >= hiddenSize)) {
    tensors.blame(`weight_hr${suffix}`, `expected fewer rows than the ${hiddenSize} units of an LSTM`);
  }
  return { kind, gates, inputSize, hiddenSize, outputSize };
}

function simple(tensors: ModuleTensors): ModuleInfo | undefined {
  const { prefix } = tensors;
  // What a weight that was skipped is of, nothing tells.
  const shape = tensors.get("weight")?.shape ?? [];
  if (shape.length !== 2 && shape.length !== 3) return undefined;
  const [rows, columns, kernelSize] = shape as [number, number, number];
  const bias = tensors.has("bias");
  const biasShape = tensors.get("bias")?.shape ?? [rows];
  // A norm over two axes, a transposed convolution.
  if (biasShape.length !== 1 || biasShape[0] !== rows) return undefined;
  const isEmbedding = shape.length === 2 && !bias && /emb|lookup|wte/i.test(prefix);
  if (shape.length === 3 || isEmbedding) tensors.expect("weight", shape);
  else tensors.expectMatrix("weight", shape);
  if (bias) tensors.expect("bias", [rows]);
  if (shape.includes(0)) tensors.blame("weight", `expected numbers, got shape ${showShape(shape)}`);
  const { parameters } = tensors;
  if (shape.length === 3) {
    return {
      ...{ kind: "Conv1d", prefix, inChannels: columns },
      mostGroups: columns === 1 ? rows : undefined,
      ...{ outChannels: rows, kernelSize, bias, parameters },
    };
  }
  return isEmbedding
    ? { kind: "Embedding", prefix, numEmbeddings: rows, embeddingDim: columns, parameters }
    : { kind: "Linear", prefix, inFeatures: columns, outFeatures: rows, bias, parameters };
}
