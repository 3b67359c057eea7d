/**
 * GuitarML's JSON (Proteus, NeuralPi). It has PyTorch's names and layout: the recurrent layers under `rec.`,
 * the head under `lin.`. The sizes stand in `model_data`.
 */

import { show, showShape } from "../../tensor/checks.js";
import type { StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError } from "../bytes.js";
import { type AmpModel, type AmpParts, type JsonSource, type JsonValue, readJson } from "./amp-model.js";

const GATES = { LSTM: 4, GRU: 3 };

/**
 * The LSTM or GRU of a GuitarML file. The file names no sample rate. Its authors train at 44.1 kHz.
 *
 * @throws TypeError for a source of the wrong type; FormatError that names the field or tensor that is
 *   broken, missing, of the wrong shape or not supported
 */
export function readGuitarML(source: JsonSource): AmpModel {
  return readJson(source, "guitarml", "readGuitarML", read);
}

function read(file: JsonValue): AmpParts {
  const data = file.get("model_data").object();
  data.get("model").oneOf(["SimpleRNN"]);
  const kind = data.get("unit_type").oneOf(["LSTM", "GRU"]);
  const inputSize = data.get("input_size").integer(1);
  const hiddenSize = data.get("hidden_size").integer(1);
  const numLayers = data.has("num_layers") ? data.get("num_layers").integer(1, 1024) : 1;
  const outputSize = data.get("output_size").integer(1);
  const skip = data.get("skip").integer(0, 1) === 1;
  const state = file.get("state_dict").object();
  const rows = GATES[kind] * hiddenSize;

  const expected = new Map<string, readonly number[]>();
  for (let layer = 0; layer < numLayers; layer++) {
    expected.set(`rec.weight_ih_l${layer}`, [rows, layer === 0 ? inputSize : hiddenSize]);
    expected.set(`rec.weight_hh_l${layer}`, [rows, hiddenSize]);
    expected.set(`rec.bias_ih_l${layer}`, [rows]);
    expected.set(`rec.bias_hh_l${layer}`, [rows]);
  }
  expected.set("lin.weight", [outputSize, hiddenSize]);
  if (state.has("lin.bias")) expected.set("lin.bias", [outputSize]);
  for (const key of state.keys()) {
    if (!expected.has(key)) throw new FormatError(`guitarml: state_dict: tensor ${show(key)} is unexpected`);
  }
  const recurrent: StateDict = new Map();
  const head: StateDict = new Map();
  for (const [key, shape] of expected) {
    (key.startsWith("rec.") ? recurrent : head).set(key.slice(4), readTensor(state.get(key), shape));
  }
  return {
    kind,
    inputSize,
    hiddenSize,
    numLayers,
    outputSize,
    recurrent,
    head,
    initialState: undefined,
    skip,
    inputGain: 1,
    outputGain: 1,
    sampleRate: undefined,
  };
}

function readTensor(value: JsonValue, shape: readonly number[]): Tensor {
  const tensor = value.tensor();
  if (showShape(tensor.shape) !== showShape(shape)) {
    throw new FormatError(
      `${value.name}: expected shape ${showShape(shape)}, got ${showShape(tensor.shape)}`,
    );
  }
  return tensor;
}
