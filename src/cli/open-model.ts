/**
 * Opens a weight file of any format, which its content tells: its tensors, and the layers that it can be
 * loaded as.
 */
import type { StateDict } from "lstm-wasm";
import {
  type AmpModel,
  listBrokenModules,
  listModules,
  listOnnxFiles,
  listOnnxNodes,
  type ModuleInfo,
  type OnnxLayer,
  type OnnxModel,
  type ReadWeightsOptions,
  readWeights,
  type Shards,
  type Weights,
} from "lstm-wasm/formats";
import { saysBatchFirst } from "./batch-first.js";
import { blame, CliError, readBytes } from "./error.js";
import { elements, FORMATS, type Layer, type Model } from "./model.js";
import { ofKeras } from "./open-keras.js";
import { cellsIn } from "./open-variables.js";
import { hasWords, readBeside, readDescribedFiles, readShardFiles } from "./shards.js";
import { recurrentSummary, summarise } from "./summary.js";
import { printablePath } from "./terminal.js";
import { layersFileOf } from "./whole-file.js";
import { describeLayers } from "./whole-layers.js";
import { describeWhole } from "./whole-model.js";

/**
 * @param keys what leads to the state dict in a PyTorch checkpoint; the usual keys by default
 * @throws CliError if the file is missing, of no known format, or broken
 */
export function openModel(path: string, keys?: readonly string[]): Model {
  const bytes = readBytes(path);
  return blame("file not understood", path, () => {
    const shards = readShardFiles(path, bytes) ?? readDescribedFiles(path, bytes);
    const onnx = shards === undefined ? onnxOptions(bytes, path) : undefined;
    const read = readWith(path, shards ?? bytes, onnx?.options ?? (keys === undefined ? {} : { path: keys }));
    if (keys !== undefined && read.format !== "torch") throw notTorch(path);
    const [format, reader] = FORMATS[read.format];
    const model = {
      ...{ format, reader, externalData: [], refused: [], warnings: [] },
      shards: shards === undefined ? undefined : Object.keys(shards),
      hasWords: shards !== undefined && hasWords(bytes),
      bytes: Object.values(shards ?? { bytes }).reduce((sum, { length }) => sum + length, 0),
      options: keys === undefined ? [] : [`path: ${JSON.stringify(keys)}`],
    };
    switch (read.format) {
      case "torch":
      case "safetensors":
        return {
          ...model,
          batchFirst: read.format === "torch" ? saysBatchFirst(bytes) : undefined,
          tensors: read.value,
          layers: listModules(read.value).map(moduleLayer(read.value, "weights")),
          refused: brokenIn(read.value),
        };
      case "onnx":
        return {
          ...model,
          ...onnx!.described,
          bytes: bytes.length + onnx!.dataBytes,
          whole: () => describeWhole(path, bytes, onnx!.files),
          ...ofOnnx(read.value),
          warnings: read.value.warnings,
        };
      case "keras":
      case "tfjs":
        return {
          ...model,
          ...ofKeras(read.value),
          whole: () => describeLayers(layersFileOf(path, bytes)!),
        };
      case "manifest":
      case "numpy": {
        const { layers, refused } = cellsIn(read.value);
        const modules = listModules(read.value).map(moduleLayer(read.value, "weights"));
        return {
          ...{ ...model, tensors: read.value },
          layers: [...layers, ...modules],
          refused: [...refused, ...brokenIn(read.value)],
        };
      }
      default:
        return { ...model, ...ofAmp(read.value) };
    }
  });
}

function readWith(path: string, bytes: Uint8Array | Shards, options: ReadWeightsOptions): Weights {
  try {
    return readWeights(bytes, options);
  } catch (error) {
    if (error instanceof TypeError && /^options\.path: (the )?read/.test(error.message)) throw notTorch(path);
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
  const { metadata = {} } = dict;
  return (info) => {
    const told = Object.hasOwn(metadata, info.prefix) ? metadata[info.prefix] : undefined;
    return {
      name: info.prefix,
      summary: summarise(info),
      parameters: info.parameters,
      source: { kind: "module", info, dict, from, told },
    };
  };
}

/** Why layers that a dict has in part do not load. */
function brokenIn(dict: StateDict): string[] {
  return listBrokenModules(dict).map(
    ({ kind = "layer", prefix, problem }) => `${kind} at ${JSON.stringify(prefix)} does not load: ${problem}`,
  );
}

/** How an ONNX model is read: without the nodes that are not supported. Undefined for another file. */
function onnxOptions(bytes: Uint8Array, path: string) {
  let names: string[];
  try {
    names = listOnnxFiles(bytes);
  } catch {
    return undefined; // readWeights says why.
  }
  const externalData = Object.fromEntries(names.map((name) => [name, readBeside(path, name)]));
  const external = names.length === 0 ? {} : { externalData };
  const nodes = listOnnxNodes(bytes, external);
  const wanted = nodes.filter(({ problem }) => problem === undefined).map((node) => node.name);
  const refused = nodes.flatMap(({ problem }) => problem ?? []);
  return {
    files: externalData,
    dataBytes: Object.values(externalData).reduce((sum, { length }) => sum + length, 0),
    options: { nodes: wanted, ...external },
    described: {
      refused,
      options: refused.length === 0 ? [] : [`nodes: ${JSON.stringify(wanted)}`],
      externalData: names,
    },
  };
}

/** The activations of a layer, where they are not PyTorch's. */
function activationsOf({ options }: OnnxLayer): string[] {
  const { nonlinearity, recurrentActivation, activation, cellActivation } = options;
  const names = [nonlinearity, recurrentActivation, activation, cellActivation].map((one) =>
    typeof one === "object" ? one.name : one,
  );
  const told = names.filter((name) => name !== undefined).join(" ");
  return /^(tanh|sigmoid tanh|sigmoid tanh tanh)$/.test(told) ? [] : [told];
}

function ofOnnx(model: OnnxModel): Pick<Model, "tensors" | "layers" | "replaced"> {
  const { layers, tensors, modules, layerTensors } = model;
  const recurrent = layers.map((layer, at): Layer => {
    const { direction } = layer;
    const ways = [...activationsOf(layer), ...(direction === "forward" ? [] : [direction])];
    return {
      name: layer.name,
      summary: [recurrentSummary(layer), ...ways].join(", "),
      parameters: elements(layer.stateDict),
      source: { kind: "onnx", layer, at },
    };
  });
  const ofLayers = new Set(layerTensors);
  const replaced = new Set([...layerTensors, ...modules.flatMap((module) => module.tensors)]);
  const isReplaced = ({ kind, prefix }: ModuleInfo) =>
    kind !== "Embedding" && replaced.has(`${prefix}weight`);
  const named = listModules(new Map([...tensors].filter(([name]) => !ofLayers.has(name))))
    .filter((info) => !isReplaced(info))
    .map(moduleLayer(tensors, "tensors"));
  const taken = new Set(named.map(({ name }) => name));
  const ofNodes = modules.map((node, at): Layer => {
    const [info] = listModules(node.stateDict) as [ModuleInfo];
    return {
      name: taken.has(node.prefix) ? `${node.name}.` : node.prefix,
      summary: summarise(info, node),
      parameters: info.parameters,
      source: { kind: "module", info, dict: node.stateDict, from: `modules[${at}].stateDict`, node },
    };
  });
  return { tensors, layers: [...recurrent, ...ofNodes, ...named], replaced };
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
