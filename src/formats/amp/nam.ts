/**
 * Neural Amp Modeler (.nam), architecture LSTM. Its weights are one flat list:
 *
 *     per layer   [W_ih | W_hh] row by row (4H, I + H), gates i f g o
 *                 bias (4H), initial h (H), initial c (H)
 *     at the end  head weight (out, H), head bias (out)
 */

import { show } from "../../tensor/checks.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import {
  type AmpModel,
  type AmpParts,
  type JsonSource,
  type JsonValue,
  readJson,
  readSampleRate,
} from "./amp-model.js";

/**
 * The LSTM of a .nam file, with the initial state that it was trained with. The reference player runs half a
 * second of silence through the model before the first sample.
 *
 * @throws TypeError for a source of the wrong type; FormatError that names the field that is broken, an
 *   architecture other than LSTM, or a version outside 0.5 to 0.7
 */
export function readNam(source: JsonSource): AmpModel {
  return readJson(source, "nam", "readNam", read);
}

function read(file: JsonValue): AmpParts {
  const { value: version } = file.get("version");
  if (typeof version !== "string" || !/^0\.[567]\.\d+$/.test(version)) {
    throw file.get("version").error('"0.5.x" to "0.7.x"', version);
  }
  const { value: architecture } = file.get("architecture");
  if (architecture !== "LSTM") {
    throw unsupported(`nam: architecture ${show(architecture)} is not supported; supported is "LSTM"`);
  }
  const config = file.get("config").object();
  const inputSize = config.get("input_size").integer(1);
  const hiddenSize = config.get("hidden_size").integer(1);
  const numLayers = config.get("num_layers").integer(1, 1024);
  if (config.has("in_channels") && config.get("in_channels").integer(1) !== inputSize) {
    throw config.get("in_channels").error(`input_size ${inputSize}`, config.get("in_channels").value);
  }
  const weights = file.get("weights");
  const numbers = weights.tensor();
  if (numbers.shape.length !== 1) throw weights.error("a flat list of numbers", weights.value);
  const layerCount = (input: number) => 4 * hiddenSize * (input + hiddenSize) + 6 * hiddenSize;
  const recurrentCount = layerCount(inputSize) + (numLayers - 1) * layerCount(hiddenSize);
  const outputSize = (numbers.data.length - recurrentCount) / (hiddenSize + 1);
  if (!Number.isInteger(outputSize) || outputSize < 1) {
    throw new FormatError(
      `nam: weights: expected ${recurrentCount} numbers for ${numLayers} layers and a multiple of ${hiddenSize + 1} ` +
        `for the head, got ${numbers.data.length}`,
    );
  }
  if (config.has("out_channels") && config.get("out_channels").integer(1) !== outputSize) {
    const stated = config.get("out_channels");
    throw stated.error(`${outputSize} as the weights have it`, stated.value);
  }
  let next = 0;
  const take = (...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    next += count;
    return new Tensor(numbers.data.slice(next - count, next), shape);
  };
  const recurrent: StateDict = new Map();
  const h0 = Tensor.zeros([numLayers, 1, hiddenSize]);
  const c0 = Tensor.zeros([numLayers, 1, hiddenSize]);
  for (let layer = 0; layer < numLayers; layer++) {
    const input = layer === 0 ? inputSize : hiddenSize;
    const joined = take(4 * hiddenSize, input + hiddenSize);
    recurrent.set(`weight_ih_l${layer}`, columns(joined, 0, input));
    recurrent.set(`weight_hh_l${layer}`, columns(joined, input, input + hiddenSize));
    recurrent.set(`bias_ih_l${layer}`, take(4 * hiddenSize));
    recurrent.set(`bias_hh_l${layer}`, Tensor.zeros([4 * hiddenSize]));
    h0.data.set(take(hiddenSize).data, layer * hiddenSize);
    c0.data.set(take(hiddenSize).data, layer * hiddenSize);
  }
  const head: StateDict = new Map([
    ["weight", take(outputSize, hiddenSize)],
    ["bias", take(outputSize)],
  ]);
  return {
    kind: "LSTM",
    inputSize,
    hiddenSize,
    numLayers,
    outputSize,
    recurrent,
    head,
    initialState: [h0, c0],
    skip: false,
    inputGain: 1,
    outputGain: 1,
    sampleRate: readSampleRate(file.get("sample_rate")),
  };
}

/** Columns `from` to `to` of a matrix, as a matrix. */
function columns({ data, shape }: Tensor, from: number, to: number): Tensor {
  const [rows, width] = shape as [number, number];
  const result = Tensor.zeros([rows, to - from]);
  for (let row = 0; row < rows; row++) {
    result.data.set(data.subarray(row * width + from, row * width + to), row * (to - from));
  }
  return result;
}
