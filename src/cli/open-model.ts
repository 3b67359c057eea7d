/**
 * Opens a weight file of any format, which its content tells: its tensors, and the layers that it can be
 * loaded as.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { StateDict } from "lstm-wasm";
import {
  type AmpModel,
  listModules,
  listOnnxNodes,
  type ModuleInfo,
  type OnnxLayer,
  type OnnxModel,
  type OnnxNode,
  type ReadWeightsOptions,
  readWeights,
  type Weights,
} from "lstm-wasm/formats";
import { blame, CliError, readBytes } from "./error.js";
import { printablePath } from "./terminal.js";

/** What a layer can be made from. `at` is its place in the `layers` of readOnnx. */
export type Source =
  | {
      readonly kind: "module";
      readonly info: ModuleInfo;
      readonly dict: StateDict;
      /** What code calls the dict. */
      readonly from: "weights" | "tensors";
    }
  | { readonly kind: "onnx"; readonly layer: OnnxLayer; readonly at: number }
  | { readonly kind: "amp"; readonly model: AmpModel };

export interface Layer {
  /** The prefix of its tensors' names, or its name in the file. This is what `--prefix` takes. */
  readonly name: string;
  /** For example `LSTM 40 -> 128, 2 layers`. */
  readonly summary: string;
  readonly parameters: number;
  readonly source: Source;
}

export interface Model {
  readonly format: string;
  readonly reader: Reader;
  /** The options that the reader was given, as code has them, but for external data. */
  readonly options: readonly string[];
  /** The name that an ONNX model has for the file beside it, which holds its weights. */
  readonly externalData: string | undefined;
  readonly bytes: number;
  readonly tensors: StateDict;
  readonly layers: readonly Layer[];
  /** Why the other layers of the file cannot be loaded, one reason each. */
  readonly refused: readonly string[];
}

export type Reader =
  | "readSafetensors"
  | "readTorch"
  | "readOnnx"
  | "readNam"
  | "readGuitarML"
  | "readRTNeural";

/** What a format is called, and its reader. */
const FORMATS = {
  torch: ["PyTorch", "readTorch"],
  safetensors: ["safetensors", "readSafetensors"],
  onnx: ["ONNX", "readOnnx"],
  nam: ["Neural Amp Modeler", "readNam"],
  guitarml: ["GuitarML", "readGuitarML"],
  rtneural: ["RTNeural", "readRTNeural"],
} as const;

/**
 * @param keys what leads to the state dict in a PyTorch checkpoint; the usual keys by default
 * @throws CliError if the file is missing, of no known format, or broken
 */
export function openModel(path: string, keys?: readonly string[]): Model {
  const bytes = readBytes(path);
  return blame("file not understood", path, () => {
    const onnx = onnxOptions(bytes, path);
    const read = readWith(path, bytes, onnx?.options ?? (keys === undefined ? {} : { path: keys }));
    if (keys !== undefined && read.format !== "torch") throw notTorch(path);
    const [format, reader] = FORMATS[read.format];
    const model = {
      ...{ format, reader, bytes: bytes.length, externalData: undefined, refused: [] },
      options: keys === undefined ? [] : [`path: ${JSON.stringify(keys)}`],
    };
    switch (read.format) {
      case "torch":
      case "safetensors":
        return {
          ...model,
          tensors: read.value,
          layers: listModules(read.value).map(moduleLayer(read.value, "weights")),
        };
      case "onnx":
        return { ...model, ...onnx!.described, ...ofOnnx(read.value, onnx!.hasNodes) };
      default:
        return { ...model, ...ofAmp(read.value) };
    }
  });
}

function readWith(path: string, bytes: Uint8Array, options: ReadWeightsOptions): Weights {
  try {
    return readWeights(bytes, options);
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith("options.path: read")) throw notTorch(path);
    throw error;
  }
}

function notTorch(path: string): CliError {
  return new CliError(
    "usage",
    `--path: ${printablePath(path)} is no PyTorch checkpoint, which alone holds several state dicts`,
  );
}

function moduleLayer(dict: StateDict, from: "weights" | "tensors"): (info: ModuleInfo) => Layer {
  return (info) => ({
    name: info.prefix,
    summary: summarise(info),
    parameters: info.parameters,
    source: { kind: "module", info, dict, from },
  });
}

function summarise(info: ModuleInfo): string {
  const plain = "bias" in info && !info.bias ? ", no bias" : "";
  switch (info.kind) {
    case "Embedding":
      return `Embedding ${info.numEmbeddings} x ${info.embeddingDim}`;
    case "Linear":
      return `Linear ${info.inFeatures} -> ${info.outFeatures}${plain}`;
    case "Conv1d":
      return `Conv1d ${info.inChannels} -> ${info.outChannels}, kernel ${info.kernelSize}${plain}${depthwise(info)}`;
    case "LSTMCell":
    case "GRUCell":
    case "RNNCell":
      return `${info.kind} ${info.inputSize} -> ${info.hiddenSize}${plain}`;
    default: {
      const projected = info.kind === "LSTM" && info.projSize > 0 ? `, projected to ${info.projSize}` : "";
      return `${recurrentSummary(info)}${info.bidirectional ? ", bidirectional" : ""}${projected}${plain}`;
    }
  }
}

/** With one channel of a group, weights do not tell one group from as many as there are outputs. */
function depthwise({ inChannels, outChannels }: { inChannels: number; outChannels: number }): string {
  return inChannels === 1 && outChannels > 1 ? ` (or depthwise: ${outChannels} groups)` : "";
}

function recurrentSummary(sizes: {
  kind: string;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
}): string {
  const { kind, inputSize, hiddenSize, numLayers } = sizes;
  return `${kind} ${inputSize} -> ${hiddenSize}${numLayers > 1 ? `, ${numLayers} layers` : ""}`;
}

/** How an ONNX model is read: without the nodes that are not supported. Undefined for another file. */
function onnxOptions(bytes: Uint8Array, path: string) {
  // PyTorch's newer exporter writes the weights of model.onnx to model.onnx.data.
  const name = `${basename(path)}.data`;
  const hasData = existsSync(`${path}.data`);
  const external = hasData ? { externalData: { [name]: readBytes(`${path}.data`) } } : {};
  let nodes: OnnxNode[];
  try {
    nodes = listOnnxNodes(bytes, external);
  } catch {
    return undefined; // readWeights says why.
  }
  const names = nodes.filter(({ problem }) => problem === undefined).map((node) => node.name);
  const refused = nodes.flatMap(({ problem }) => problem ?? []);
  return {
    hasNodes: nodes.length > 0,
    options: { nodes: names, ...external },
    described: {
      refused,
      options: refused.length === 0 ? [] : [`nodes: ${JSON.stringify(names)}`],
      externalData: hasData ? name : undefined,
    },
  };
}

function ofOnnx({ layers, tensors }: OnnxModel, hasNodes: boolean): Pick<Model, "tensors" | "layers"> {
  const recurrent = layers.map((layer, at): Layer => {
    const { direction } = layer;
    return {
      name: layer.name,
      summary: `${recurrentSummary(layer)}${direction === "forward" ? "" : `, ${direction}`}`,
      parameters: elements(layer.stateDict),
      source: { kind: "onnx", layer, at },
    };
  });
  // Where the file has recurrent nodes, tensors of PyTorch's names are the weights of these.
  const others = listModules(tensors).filter(({ kind }) => !(hasNodes && /^(LSTM|GRU|RNN)$/.test(kind)));
  return { tensors, layers: [...recurrent, ...others.map(moduleLayer(tensors, "tensors"))] };
}

function ofAmp(model: AmpModel): Pick<Model, "tensors" | "layers"> {
  const tensors: StateDict = new Map();
  for (const [name, tensor] of model.recurrent) tensors.set(`recurrent.${name}`, tensor);
  for (const [name, tensor] of model.head) tensors.set(`head.${name}`, tensor);
  const { outputSize, skip, sampleRate } = model;
  const rate = sampleRate === undefined ? "" : `, ${sampleRate} Hz`;
  const layer: Layer = {
    name: "",
    summary: `${recurrentSummary(model)}, Linear -> ${outputSize}${skip ? ", plus the input" : ""}${rate}`,
    parameters: elements(tensors),
    source: { kind: "amp", model },
  };
  return { tensors, layers: [layer] };
}

/** The number of elements of all tensors. */
export function elements(dict: StateDict): number {
  return [...dict.values()].reduce((sum, { data }) => sum + data.length, 0);
}
