/**
 * RTNeural's JSON, as AIDA-X uses it: a list of Keras layers with weights in Keras' layout. Supported are
 * LSTM or GRU layers of one size, and a dense head. The JSON of a PyTorch state dict is read too.
 */

import { showShape } from "../../tensor/checks.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { fromKeras } from "../keras/from-keras.js";
import { hasRecurrentKeys } from "../recognise/json-kind.js";
import {
  type AmpModel,
  type AmpParts,
  type JsonSource,
  type JsonValue,
  readJson,
  readSampleRate,
} from "./amp-model.js";
import { readTorchJson } from "./torch-json.js";

/**
 * The recurrent layers and the head of an RTNeural or AIDA-X file, or of a PyTorch state dict that was written as JSON
 * for RTNeural (`lstm.weight_ih_l0`...). Numbers may be texts, as AIDA-X writes the sample rate.
 *
 * @throws TypeError for a source of the wrong type; FormatError that names the layer that is broken or not
 *   supported: types other than lstm, gru and dense, activations other than the default ones, layers of
 *   different sizes
 */
export function readRTNeural(source: JsonSource): AmpModel {
  return readJson(source, "rtneural", "readRTNeural", read);
}

function read(file: JsonValue): AmpParts {
  const metadata = file.get("metadata");
  const rest = {
    skip: file.has("in_skip") && file.get("in_skip").orText().integer(0, 1) === 1,
    inputGain: readGain(file.get("in_gain").orText()),
    outputGain: readGain(file.get("out_gain").orText()),
    sampleRate: readSampleRate(
      (metadata.has("samplerate") ? metadata.get("samplerate") : file.get("samplerate")).orText(),
    ),
  };
  if (!file.has("layers") && hasRecurrentKeys(file.keys())) return readTorchJson(file, rest);
  const inShape = file.get("in_shape");
  const inputSize = inShape.items().at(-1)?.orText().integer(1);
  if (inputSize === undefined) throw inShape.error("at least one size", inShape.value);
  const layers = file.get("layers").items();
  const last = layers.pop();
  if (last === undefined || layers.length === 0) {
    throw new FormatError("rtneural: layers: expected recurrent layers and a dense one");
  }
  const recurrent: StateDict = new Map();
  const kind = layers[0]!.get("type").oneOf(["lstm", "gru"]) === "lstm" ? "LSTM" : "GRU";
  let hiddenSize = 0;
  for (const [index, layer] of layers.entries()) {
    layer.get("type").oneOf([kind.toLowerCase()]);
    layer.get("activation").oneOf(["", "tanh"]);
    const dict = readRecurrent(layer, kind, index);
    const size = dict.get(`weight_hh_l${index}`)!.shape[1]!;
    if (index > 0 && size !== hiddenSize) {
      throw new FormatError(
        `${layer.name}: expected hidden size ${hiddenSize} as the layer before, got ${size}`,
      );
    }
    const inputs = dict.get(`weight_ih_l${index}`)!.shape[1];
    const expected = index === 0 ? inputSize : hiddenSize;
    if (inputs !== expected)
      throw new FormatError(`${layer.name}: expected ${expected} inputs, got ${inputs}`);
    hiddenSize = size;
    for (const [name, tensor] of dict) recurrent.set(name, tensor);
  }
  const head = readDense(last, hiddenSize);
  return {
    kind,
    inputSize,
    hiddenSize,
    numLayers: layers.length,
    outputSize: head.get("weight")!.shape[0]!,
    recurrent,
    head,
    initialState: undefined,
    ...rest,
  };
}

function readRecurrent(layer: JsonValue, kind: "LSTM" | "GRU", index: number): StateDict {
  const weights = layer.get("weights").items();
  if (weights.length !== 3) {
    throw layer.get("weights").error("[kernel, recurrent, bias]", layer.get("weights").value);
  }
  const [kernel, recurrentKernel, bias] = weights.map((weight) => weight.tensor()) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const columns = recurrentKernel.shape[1] ?? 0;
  const expected = showShape(kind === "LSTM" ? [columns] : [2, columns]);
  if (showShape(bias.shape) !== expected) {
    throw new FormatError(`${layer.name}: bias: expected shape ${expected}, got ${showShape(bias.shape)}`);
  }
  try {
    return fromKeras({ kernel, recurrentKernel, bias }, kind, { layer: index });
  } catch (error) {
    throw new FormatError(`${layer.name}: ${(error as Error).message}`);
  }
}

/** The kernel of Keras' dense layer is (in, out), PyTorch's weight is (out, in). */
function readDense(layer: JsonValue, hiddenSize: number): StateDict {
  layer.get("type").oneOf(["dense", "time-distributed-dense"]);
  layer.get("activation").oneOf(["", "linear"]);
  const [kernel, bias, ...more] = layer
    .get("weights")
    .items()
    .map((weight) => weight.tensor());
  const outputs = kernel?.shape[1] ?? 0;
  if (kernel === undefined || bias === undefined || more.length > 0 || kernel.shape.length !== 2) {
    throw layer.get("weights").error("[kernel, bias]", layer.get("weights").value);
  }
  if (kernel.shape[0] !== hiddenSize || outputs === 0) {
    throw new FormatError(
      `${layer.name}: kernel: expected shape [${hiddenSize}, out], got ${showShape(kernel.shape)}`,
    );
  }
  if (showShape(bias.shape) !== showShape([outputs])) {
    throw new FormatError(`${layer.name}: bias: expected shape [${outputs}], got ${showShape(bias.shape)}`);
  }
  const weight = Tensor.zeros([outputs, hiddenSize]);
  for (let at = 0; at < weight.data.length; at++) {
    weight.data[at] = kernel.data[(at % hiddenSize) * outputs + Math.floor(at / hiddenSize)]!;
  }
  return new Map([
    ["weight", weight],
    ["bias", bias],
  ]);
}

/** Decibels to a factor. As in AIDA-X, -90 and below are silence. */
function readGain(value: JsonValue): number {
  if (value.value == null) return 1;
  const decibels = value.number();
  if (decibels > 120) throw value.error("at most 120 decibels", decibels);
  return decibels > -90 ? 10 ** (decibels / 20) : 0;
}
