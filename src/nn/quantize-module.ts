/** A module's weights as int8, rounded for what the module does with a sample of its input. */

import { TRACE_C, TRACE_O, TRACE_ROWS } from "../../build/abi.js";
import { productsOfSample } from "../int8/expected-inputs.js";
import { quantizeMatrix, scaleNameOf } from "../int8/round-weights.js";
import { reading, wrongType, wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { allocateFloats, type ParameterData, sizeOf, type TensorLike } from "../tensor/like.js";
import { type StateDictMetadata, withMetadata } from "../tensor/metadata.js";
import { Tensor } from "../tensor/tensor.js";
import { partOf } from "../tensor/typed-array.js";
import { Region } from "../wasm/region.js";
import type { GRU } from "./gru.js";
import { checkRows, Linear } from "./linear.js";
import type { LSTM } from "./lstm.js";
import { Recurrent } from "./recurrent.js";
import type { RNN } from "./rnn.js";
import { checkSequence, type ForwardOptions } from "./sequence.js";
import type { LayerChunk } from "./stack.js";
import { suffixesOf } from "./stack-parameters.js";

/**
 * Rows of inputs that are kept for a matrix: more take long, 3 s for a matrix of 512 inputs, and tell no more. From
 * 300 rows, spread over other speech, Silero VAD's LSTM has an error of 1.22e-3; from 4,769 1.18e-3.
 */
const MOST_ROWS = 16384;
const GOLDEN = 0.61803399;

/**
 * The module's state dict with int8 weights, for `fromStateDict` or `writeSafetensors`. Precision "int8" rounds by
 * what the weights alone tell of their inputs; this rounds for a sample of them, which leaves a fifth to two fifths
 * less of the error (the trained networks of bench/int8). Neither speed nor size nor format differ.
 *
 * @param module  of precision "float32"; it is not changed
 * @param sample  what `forward` takes, from its real use: (L, N, inputSize), with batchFirst (N, L, inputSize), or
 *   (L, inputSize); (..., inFeatures) for a Linear. Some hundred rows are enough; under ten may be worse than none
 * @param options the lengths of the sample's batch rows, as `forward` takes them; none for a Linear
 * @throws TypeError or RangeError naming the argument that does not fit, and for a weight, or a number that a kept
 *   row gives the weights to multiply, that is not finite; Error after dispose
 */
export function quantizeModule(
  module: LSTM | GRU | RNN | Linear,
  sample: TensorLike,
  options?: ForwardOptions,
): Map<string, Tensor<ParameterData>> & { readonly metadata: StateDictMetadata } {
  const expected = "an LSTM, GRU, RNN or Linear";
  const dict = reading("module", expected, () => {
    if (!(module instanceof Recurrent || module instanceof Linear))
      throw wrongType("module", expected, module);
    if (module.precision !== "float32") throw wrongValue("module.precision", '"float32"', module.precision);
    return module.stateDict();
  });
  const inputs =
    module instanceof Linear
      ? inputsOfLinear(module, sample, options)
      : inputsOfRecurrent(module, sample, options);
  const quantized = new Map<string, Tensor<ParameterData>>();
  for (const [name, tensor] of dict) {
    const input = inputs.get(name);
    if (input === undefined) {
      quantized.set(name, tensor);
      continue;
    }
    const { data, shape } = tensor;
    const products = productsOfSample(input.rows, input.columns);
    const { values, scales, problem } = quantizeMatrix(data, shape[0]!, products);
    if (problem !== undefined) throw coded("RANGE", new RangeError(`module: ${name}${problem}`));
    if (products === undefined) {
      throw wrongValue("sample", "numbers that stay finite", `others before ${name}`);
    }
    quantized
      .set(name, new Tensor(values, shape))
      .set(scaleNameOf(name), new Tensor(scales, [scales.length]));
  }
  return withMetadata(quantized, dict.metadata);
}

/**
 * Rows of what a matrix is multiplied with: all, or about MOST_ROWS of them. Which are kept goes by the golden
 * ratio, so that they are spread evenly and no period of the sample, such as its batch rows, is passed over.
 */
class Inputs {
  declare readonly columns: number;
  readonly #data: Float32Array;
  readonly #share: number;
  #length = 0;
  #seen = 0;

  /** @param rows that will be added */
  constructor(rows: number, columns: number) {
    if (rows === 0) throw wrongValue("sample", "at least one row", "none");
    this.columns = columns;
    this.#share = MOST_ROWS / rows;
    // Such a sequence is never as much as 32 off its share.
    this.#data = allocateFloats(Math.min(rows, MOST_ROWS + 32) * columns, "sample");
  }

  /** Adds the row that begins at `from`. */
  add(source: Float32Array, from: number): void {
    if ((this.#seen++ * GOLDEN) % 1 >= this.#share) return;
    this.#data.set(partOf(source, from, this.columns), this.#length);
    this.#length += this.columns;
  }

  get rows(): Float32Array {
    return this.#data.subarray(0, this.#length);
  }
}

function inputsOfLinear(
  { inFeatures }: Linear,
  sample: TensorLike,
  options: ForwardOptions | undefined,
): Map<string, Inputs> {
  if (options !== undefined) throw wrongValue("options", "none for a Linear", options);
  const { data, shape } = checkRows("sample", sample, inFeatures);
  const size = sizeOf(shape);
  const inputs = new Inputs(size / inFeatures, inFeatures);
  for (let from = 0; from < size; from += inFeatures) inputs.add(data, from);
  return new Map([["weight", inputs]]);
}

/**
 * Runs the sample. What W_hh reads is taken to be the h of every step: the last one's, which it does not read, in
 * place of h0.
 */
function inputsOfRecurrent(
  { stack, inputSize, batchFirst }: Recurrent,
  sample: TensorLike,
  options: ForwardOptions | undefined,
): Map<string, Inputs> {
  const sequence = checkSequence(sample, inputSize, batchFirst, options, "sample");
  const { steps, batch, lengths, mask } = sequence;
  const counted = lengths ?? mask?.steps;
  const rows = counted?.reduce((sum, count) => sum + count, 0) ?? steps * batch;
  const { directions, hiddenSize, projSize } = stack.shape;
  const inputs = new Map<string, Inputs>();
  const suffixes = suffixesOf(stack.shape);
  const layers = stack.layers.map(({ shape }, index) => {
    const gather = (part: string, columns: number) => {
      const gathered = new Inputs(rows, columns);
      inputs.set(`weight_${part}${suffixes[index]}`, gathered);
      return gathered;
    };
    return {
      ih: gather("ih", shape.inputSize),
      hh: gather("hh", shape.outputSize),
      hr: projSize > 0 ? gather("hr", hiddenSize) : undefined,
    };
  });
  const region = new Region(stack.region.runtime, stack);
  try {
    const observer = {
      traced: projSize > 0,
      see({ layer, start, steps: count, input, output, trace }: LayerChunk) {
        const { ih, hh, hr } = layers[layer]!;
        const { shape, cRow } = stack.layers[layer]!;
        for (let at = 0; at < count * batch; at++) {
          if (lengths !== undefined && start + Math.floor(at / batch) >= lengths[at % batch]!) continue;
          if (mask?.steps[start * batch + at] === 0) continue;
          ih.add(input, at * ih.columns);
          hh.add(output, at * stack.outputSize + (layer % directions) * shape.outputSize);
          hr?.add(unprojected(trace.subarray(at * TRACE_ROWS * (cRow / 4)), cRow / 4, hiddenSize), 0);
        }
      },
    };
    const initial = stack.stateSizes.map(() => undefined);
    stack.run(stack.workspace(region), sequence, initial, observer);
  } finally {
    region.release();
  }
  return inputs;
}

/** What W_hr is multiplied with, o tanh c, from the rows of a trace, `row` numbers each. */
function unprojected(trace: Float32Array, row: number, hiddenSize: number): Float32Array {
  return Float32Array.from(
    { length: hiddenSize },
    (_, unit) => trace[TRACE_O * row + unit]! * Math.tanh(trace[TRACE_C * row + unit]!),
  );
}
