/**
 * Opens a weight file of any format, which its content tells: its tensors, and the layers that it can be
 * loaded as.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { ModuleMetadata, StateDict } from "lstm-wasm";
import {
  type AmpModel,
  listModules,
  listOnnxFiles,
  listOnnxNodes,
  type ModuleInfo,
  type OnnxLayer,
  type OnnxModel,
  type OnnxModule,
  type ReadWeightsOptions,
  readWeights,
  type Shards,
  type Weights,
} from "lstm-wasm/formats";
import { saysBatchFirst } from "./batch-first.js";
import { blame, CliError, readBytes } from "./error.js";
import { readShardFiles } from "./shards.js";
import { recurrentSummary, summarise } from "./summary.js";
import { printableName, printablePath } from "./terminal.js";

/** What a layer can be made from. `at` is its place in the `layers` of readOnnx. */
export type Source =
  | {
      readonly kind: "module";
      readonly info: ModuleInfo;
      readonly dict: StateDict;
      /** What code calls the dict. */
      readonly from: "weights" | "tensors" | `modules[${number}].stateDict`;
      /** What an ONNX node tells, which weights do not. */
      readonly node?: OnnxModule;
      /** What the dict's metadata tells of it, which weights do not. */
      readonly told?: ModuleMetadata | undefined;
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
  /** The names that an ONNX model has for the files beside it, which hold its weights. */
  readonly externalData: readonly string[];
  /** The names of the files, where the model is cut into several: the index first. */
  readonly shards: readonly string[] | undefined;
  /** Of the file and those beside it. */
  readonly bytes: number;
  readonly tensors: StateDict;
  readonly layers: readonly Layer[];
  /** Names in `tensors` of what layers are made of that do not come from there: of ONNX nodes. */
  readonly replaced?: ReadonlySet<string>;
  /** Whether the file says that a module of it takes the batch first. Undefined if it says nothing. */
  readonly batchFirst?: boolean | undefined;
  /** Why the other layers of the file cannot be loaded, one reason each. */
  readonly refused: readonly string[];
  /** What the exporter did to layers, as readOnnx tells it. */
  readonly warnings: readonly string[];
}

/** What a format is called, and its reader. */
const FORMATS = {
  torch: ["PyTorch", "readTorch"],
  safetensors: ["safetensors", "readSafetensors"],
  onnx: ["ONNX", "readOnnx"],
  numpy: ["NumPy", "readNumpy"],
  nam: ["Neural Amp Modeler", "readNam"],
  guitarml: ["GuitarML", "readGuitarML"],
  rtneural: ["RTNeural", "readRTNeural"],
} as const;

export type Reader = (typeof FORMATS)[keyof typeof FORMATS][1];

/**
 * @param keys what leads to the state dict in a PyTorch checkpoint; the usual keys by default
 * @throws CliError if the file is missing, of no known format, or broken
 */
export function openModel(path: string, keys?: readonly string[]): Model {
  const bytes = readBytes(path);
  return blame("file not understood", path, () => {
    const shards = readShardFiles(path, bytes);
    const onnx = shards === undefined ? onnxOptions(bytes, path) : undefined;
    const read = readWith(path, shards ?? bytes, onnx?.options ?? (keys === undefined ? {} : { path: keys }));
    if (keys !== undefined && read.format !== "torch") throw notTorch(path);
    const [format, reader] = FORMATS[read.format];
    const model = {
      ...{ format, reader, externalData: [], refused: [], warnings: [] },
      shards: shards === undefined ? undefined : Object.keys(shards),
      bytes: Object.values(shards ?? { bytes }).reduce((sum, { length }) => sum + length, 0),
      options: keys === undefined ? [] : [`path: ${JSON.stringify(keys)}`],
    };
    switch (read.format) {
      case "torch":
      case "safetensors":
      case "numpy":
        return {
          ...model,
          batchFirst: read.format === "torch" ? saysBatchFirst(bytes) : undefined,
          tensors: read.value,
          layers: listModules(read.value).map(moduleLayer(read.value, "weights")),
        };
      case "onnx":
        return {
          ...model,
          ...onnx!.described,
          bytes: bytes.length + onnx!.dataBytes,
          ...ofOnnx(read.value),
          warnings: read.value.warnings,
        };
      default:
        return { ...model, ...ofAmp(read.value) };
    }
  });
}

function readWith(path: string, bytes: Uint8Array | Shards, options: ReadWeightsOptions): Weights {
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
    dataBytes: Object.values(externalData).reduce((sum, { length }) => sum + length, 0),
    options: { nodes: wanted, ...external },
    described: {
      refused,
      options: refused.length === 0 ? [] : [`nodes: ${JSON.stringify(wanted)}`],
      externalData: names,
    },
  };
}

/** A file that holds weights of the model at `path`. Only one beside it is read, whatever the model states. */
function readBeside(path: string, name: string): Uint8Array {
  const told = `${printablePath(path)}: its numbers are in another file, ${printableName(JSON.stringify(name))}`;
  if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) {
    throw new CliError("file not understood", `${told}; only files beside the model are read`);
  }
  const place = besideOf(path, name);
  if (!existsSync(place))
    throw new CliError("file not understood", `${told}; put that file beside the model`);
  return readBytes(place);
}

/** The path of a file in the same folder. */
export function besideOf(path: string, name: string): string {
  return path.slice(0, path.length - basename(path).length) + name;
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

/** The number of elements of all tensors. */
export function elements(dict: StateDict): number {
  return [...dict.values()].reduce((sum, { data }) => sum + data.length, 0);
}
