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
  readGuitarML,
  readNam,
  readOnnx,
  readRTNeural,
  readSafetensors,
  readTorch,
} from "lstm-wasm/formats";
import { blame, CliError, readBytes } from "./error.js";
import { isNpy } from "./npy.js";
import { printablePath } from "./terminal.js";

/** What a layer can be made from. */
export type Source =
  | { readonly kind: "module"; readonly info: ModuleInfo; readonly dict: StateDict }
  | { readonly kind: "onnx"; readonly layer: OnnxLayer }
  | { readonly kind: "amp"; readonly model: AmpModel };

export interface Layer {
  /** The prefix of its tensors' names, or its name in the file. This is what `--prefix` takes. */
  readonly name: string;
  /** For example `LSTM 40 -> 128, 2 layers`. */
  readonly summary: string;
  readonly parameters: number;
  /** The code that loads it from the file's bytes. */
  readonly code: readonly string[];
  readonly source: Source;
}

export interface Model {
  readonly format: string;
  readonly bytes: number;
  readonly tensors: StateDict;
  readonly layers: readonly Layer[];
  /** Why the other layers of the file cannot be loaded, one reason each. */
  readonly refused: readonly string[];
}

type Reader = "readSafetensors" | "readTorch" | "readOnnx" | "readNam" | "readGuitarML" | "readRTNeural";

/**
 * @param keys what leads to the state dict in a PyTorch checkpoint; the usual keys by default
 * @throws CliError if the file is missing, of no known format, or broken
 */
export function openModel(path: string, keys?: readonly string[]): Model {
  const bytes = readBytes(path);
  const reader = recognise(bytes);
  if (reader === undefined) {
    throw new CliError("file not understood", `${printablePath(path)}: ${explain(bytes)}`);
  }
  if (keys !== undefined && reader !== "readTorch") {
    throw new CliError(
      "usage",
      `--path: ${printablePath(path)} is no PyTorch checkpoint, which alone holds several state dicts`,
    );
  }
  const read = READERS[reader];
  return blame("file not understood", path, () => ({
    bytes: bytes.length,
    refused: [],
    ...read(bytes, path, keys),
  }));
}

const READERS: Record<
  Reader,
  (
    bytes: Uint8Array,
    path: string,
    keys?: readonly string[],
  ) => Omit<Model, "bytes" | "refused"> & Partial<Pick<Model, "refused">>
> = {
  readSafetensors: (bytes) => fromDict("safetensors", "readSafetensors(bytes)", readSafetensors(bytes)),
  readTorch: (bytes, _, keys) =>
    keys === undefined
      ? fromDict("PyTorch", "readTorch(bytes)", readTorch(bytes))
      : fromDict(
          "PyTorch",
          `readTorch(bytes, { path: ${JSON.stringify(keys)} })`,
          readTorch(bytes, { path: keys }),
        ),
  readOnnx: fromOnnx,
  readNam: (bytes) => fromAmp("Neural Amp Modeler", "readNam", readNam(bytes)),
  readGuitarML: (bytes) => fromAmp("GuitarML", "readGuitarML", readGuitarML(bytes)),
  readRTNeural: (bytes) => fromAmp("RTNeural", "readRTNeural", readRTNeural(bytes)),
};

/** The reader for these bytes. Each format is known by its first bytes. */
function recognise(bytes: Uint8Array): Reader | undefined {
  const [first, second] = bytes;
  const begins = (...signature: number[]) => signature.every((byte, at) => bytes[at] === byte);
  // A zip archive, or a pickle of protocol 2 to 5.
  if (begins(0x50, 0x4b, 3, 4)) return "readTorch";
  if (first === 0x80 && second !== undefined && second >= 2 && second <= 5) return "readTorch";
  // The header's length, below 2^32, then the header.
  if (bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0)) return "readSafetensors";
  const text = bytes.findIndex((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  if (bytes[text] === 0x7b) return recogniseJson(bytes);
  // ModelProto. The first field is nearly always ir_version. Others are strings, the graph (7) or opsets (8).
  if (
    first === 0x08 ||
    (bytes.length > 2 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(first!) && isOnnx(bytes))
  ) {
    return "readOnnx";
  }
  return undefined;
}

function recogniseJson(bytes: Uint8Array): Reader | undefined {
  let file: unknown;
  try {
    file = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const has = (key: string) => Object.hasOwn(file as object, key);
  if (has("architecture") && has("weights")) return "readNam";
  if (has("model_data") && has("state_dict")) return "readGuitarML";
  if (has("in_shape") && has("layers")) return "readRTNeural";
  return undefined;
}

function isOnnx(bytes: Uint8Array): boolean {
  try {
    listOnnxNodes(bytes);
    return true;
  } catch {
    return false;
  }
}

/** What is known of a file that no reader takes. */
function explain(bytes: Uint8Array): string {
  if (bytes.length === 0) return "the file is empty";
  if (isNpy(bytes)) return "a NumPy array, not a weight file; an array goes to run's --input";
  if (bytes[0] === 0x89 && bytes[1] === 0x48 && bytes[2] === 0x44) {
    return "a Keras file (HDF5), which is not read; export its arrays to safetensors";
  }
  return "unknown format; known are PyTorch, safetensors, ONNX, and JSON of NAM, GuitarML and RTNeural";
}

function fromDict(format: string, expression: string, dict: StateDict): Omit<Model, "bytes" | "refused"> {
  const layers = listModules(dict).map((info) => moduleLayer(info, dict, expression));
  return { format, tensors: dict, layers };
}

function moduleLayer(info: ModuleInfo, dict: StateDict, expression: string): Layer {
  const { kind, prefix } = info;
  const options: string[] = [];
  if (prefix !== "") options.push(`prefix: ${JSON.stringify(prefix)}`);
  const rest = options.length > 0 ? `, { ${options.join(", ")} }` : "";
  return {
    name: prefix,
    summary: summarise(info),
    parameters: info.parameters,
    code: loading([kind], readerOf(expression), [
      `const layer = ${kind}.fromStateDict(${expression}${rest});`,
    ]),
    source: { kind: "module", info, dict },
  };
}

function readerOf(expression: string): string {
  return expression.slice(0, expression.indexOf("("));
}

function loading(classes: string[], reader: string, lines: string[]): string[] {
  return [
    `import { ${classes.join(", ")} } from "lstm-wasm";`,
    `import { ${reader} } from "lstm-wasm/formats";`,
    ...lines,
  ];
}

function summarise(info: ModuleInfo): string {
  const plain = "bias" in info && !info.bias ? ", no bias" : "";
  switch (info.kind) {
    case "Embedding":
      return `Embedding ${info.numEmbeddings} x ${info.embeddingDim}`;
    case "Linear":
      return `Linear ${info.inFeatures} -> ${info.outFeatures}${plain}`;
    case "Conv1d":
      return `Conv1d ${info.inChannels} -> ${info.outChannels}, kernel ${info.kernelSize}${plain}`;
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

function recurrentSummary(sizes: {
  kind: string;
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
}): string {
  const { kind, inputSize, hiddenSize, numLayers } = sizes;
  return `${kind} ${inputSize} -> ${hiddenSize}${numLayers > 1 ? `, ${numLayers} layers` : ""}`;
}

function fromOnnx(bytes: Uint8Array, path: string): Omit<Model, "bytes"> {
  // PyTorch's newer exporter writes the weights of model.onnx to model.onnx.data.
  const dataName = `${basename(path)}.data`;
  const hasData = existsSync(`${path}.data`);
  const external = hasData ? { externalData: { [dataName]: readBytes(`${path}.data`) } } : {};
  const nodes = listOnnxNodes(bytes, external);
  const problems = nodes.filter(({ problem }) => problem !== undefined);
  const names = nodes.filter(({ problem }) => problem === undefined).map(({ name }) => name);
  const { layers, tensors } = readOnnx(bytes, { nodes: names, ...external });
  const options = [
    ...(problems.length === 0 ? [] : [`nodes: ${JSON.stringify(names)}`]),
    ...(hasData ? [`externalData: { ${JSON.stringify(dataName)}: data }`] : []),
  ];
  const expression = `readOnnx(bytes${options.length === 0 ? "" : `, { ${options.join(", ")} }`})`;
  const recurrent = layers.map((layer, at): Layer => {
    const { kind, direction, batchFirst, nonlinearity } = layer;
    const moduleOptions = [
      ...(batchFirst ? ["batchFirst: true"] : []),
      ...(kind === "RNN" ? [`nonlinearity: "${nonlinearity}"`] : []),
    ];
    const rest = moduleOptions.length > 0 ? `, { ${moduleOptions.join(", ")} }` : "";
    return {
      name: layer.name,
      summary: `${recurrentSummary(layer)}${direction === "forward" ? "" : `, ${direction}`}`,
      parameters: elements(layer.stateDict),
      code: loading([kind], "readOnnx", [
        `const layer = ${kind}.fromStateDict(${expression}.layers[${at}].stateDict${rest});`,
      ]),
      source: { kind: "onnx", layer },
    };
  });
  const modules = listModules(tensors).map((info) => moduleLayer(info, tensors, `${expression}.tensors`));
  return {
    format: "ONNX",
    tensors,
    layers: [...recurrent, ...modules],
    refused: problems.map(({ problem }) => problem!),
  };
}

function fromAmp(format: string, reader: string, model: AmpModel): Omit<Model, "bytes" | "refused"> {
  const tensors: StateDict = new Map();
  for (const [name, tensor] of model.recurrent) tensors.set(`recurrent.${name}`, tensor);
  for (const [name, tensor] of model.head) tensors.set(`head.${name}`, tensor);
  const { kind, outputSize, skip, sampleRate } = model;
  const rate = sampleRate === undefined ? "" : `, ${sampleRate} Hz`;
  const layer: Layer = {
    name: "",
    summary: `${recurrentSummary(model)}, Linear -> ${outputSize}${skip ? ", plus the input" : ""}${rate}`,
    parameters: elements(tensors),
    code: loading(["Linear", kind], reader, [
      `const amp = ${reader}(bytes), layer = ${kind}.fromStateDict(amp.recurrent), ` +
        "head = Linear.fromStateDict(amp.head);",
    ]),
    source: { kind: "amp", model },
  };
  return { format, tensors, layers: [layer] };
}

/** The number of elements of all tensors. */
export function elements(dict: StateDict): number {
  return [...dict.values()].reduce((sum, { data }) => sum + data.length, 0);
}
