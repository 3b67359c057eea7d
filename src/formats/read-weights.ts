/** Any weight file: its content tells which reader takes it. */
import { checkOptions } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import type { AmpModel } from "./amp/amp-model.js";
import { readGuitarML } from "./amp/guitarml.js";
import { readNam } from "./amp/nam.js";
import { readRTNeural } from "./amp/rtneural.js";
import { asBytes, type Bytes, unsupported } from "./bytes.js";
import { readDescribed } from "./described.js";
import type { FileDict } from "./file-dict.js";
import { readKeras } from "./keras/index.js";
import type { KerasModel } from "./keras/layers.js";
import { readNumpy } from "./numpy/index.js";
import { type OnnxModel, type ReadOnnxOptions, readOnnx } from "./onnx/index.js";
import type { ReaderName } from "./recognise/file-kind.js";
import { otherFile, recognise } from "./recognise/index.js";
import { readSafetensors } from "./safetensors.js";
import { filesWithJson, firstShard, isSharded, type Shards } from "./shards.js";
import { type ReadTorchOptions, readTorch } from "./torch/index.js";

/** Options of {@link readWeights}: those of the reader that takes the file. */
export interface ReadWeightsOptions extends ReadTorchOptions, ReadOnnxOptions {}

/** A weight file: its format, and what the reader of that format returns. Each has a line, so that types narrow. */
export type Weights =
  | { readonly format: "torch"; readonly value: FileDict }
  | { readonly format: "safetensors"; readonly value: FileDict }
  | { readonly format: "onnx"; readonly value: OnnxModel }
  | { readonly format: "keras"; readonly value: KerasModel }
  | { readonly format: "numpy"; readonly value: FileDict }
  | { readonly format: "tfjs"; readonly value: KerasModel }
  | { readonly format: "manifest"; readonly value: FileDict }
  | { readonly format: "nam"; readonly value: AmpModel }
  | { readonly format: "guitarml"; readonly value: AmpModel }
  | { readonly format: "rtneural"; readonly value: AmpModel };

/** What each reader's format is called, and the options that it takes. */
const READERS: Readonly<Record<ReaderName, Reader>> = {
  readTorch: { format: "torch", options: ["path"], read: readTorch },
  readSafetensors: { format: "safetensors", options: [], read: readSafetensors },
  readOnnx: { format: "onnx", options: ["nodes", "externalData", "gru"], read: readOnnx },
  readKeras: { format: "keras", options: [], read: readKeras },
  readNumpy: { format: "numpy", options: [], read: readNumpy },
  readNam: { format: "nam", options: [], read: readNam },
  readGuitarML: { format: "guitarml", options: [], read: readGuitarML },
  readRTNeural: { format: "rtneural", options: [], read: readRTNeural },
};

interface Reader {
  readonly format: Weights["format"];
  readonly options: readonly (keyof ReadWeightsOptions)[];
  read(file: never, options: ReadWeightsOptions): Weights["value"];
}

/**
 * Reads a weight file of any format that a reader takes: PyTorch, safetensors, ONNX, Keras, NumPy, or the JSON of
 * NAM, GuitarML and RTNeural. `value` is as `readTorch`, `readSafetensors`, `readOnnx`, `readKeras`, `readNumpy`, `readNam`,
 * `readGuitarML` or `readRTNeural` gives it. A model of several files is an object of them by name: shards with their
 * index, and a TensorFlow.js `model.json` (`readTfjs`) or a manifest of TensorFlow or ml5 (`readManifest`) with the
 * files of numbers by the paths that it has. A program that knows its format calls that reader, and its bundle holds no
 * other.
 *
 * @throws TypeError for arguments of the wrong type, or an option that the file's reader does not take; FormatError
 *   that says what the file is where no reader takes it, and as its reader does
 */
export function readWeights(bytes: Bytes | Shards, options?: ReadWeightsOptions): Weights {
  const given = checkOptions("options", options, ["path", "nodes", "externalData", "gru"]);
  const files = filesWithJson(bytes);
  if (files !== undefined && !isSharded(files)) {
    const [option] = Object.keys(given);
    if (option !== undefined) throw noOption(option, "the reader that takes these files");
    return readDescribed(files);
  }
  const file = files === undefined ? asBytes(bytes) : firstShard(files);
  const kind = recognise(file);
  if (kind === undefined) {
    const expected = "a file of PyTorch, safetensors, ONNX, Keras, NumPy, NAM, GuitarML or RTNeural";
    throw unsupported(`weights: expected ${expected}, got bytes of no known format: ${firstBytes(file)}`);
  }
  if (kind.reader === undefined) throw otherFile("readWeights", kind);
  const { format, options: known, read } = READERS[kind.reader];
  for (const name of Object.keys(given) as (keyof ReadWeightsOptions)[]) {
    if (!known.includes(name)) throw noOption(name, `${kind.reader}, which takes this file,`);
  }
  if (files === undefined) return { format, value: read(file as never, given) } as Weights;
  if (kind.reader !== "readSafetensors" && kind.reader !== "readTorch") throw otherFile("readWeights", kind);
  return { format, value: read(Object.fromEntries(files) as never, given) } as Weights;
}

function noOption(name: string, who: string): TypeError {
  return coded("TYPE", new TypeError(`options.${name}: ${who} has no such option`));
}

function firstBytes(file: Uint8Array): string {
  const shown = Array.from(file.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0"));
  return `${shown.join(" ")}${file.length > 8 ? "..." : ""}`;
}
