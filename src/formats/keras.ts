/**
 * Weights in Keras' layout to PyTorch's. Keras multiplies from the other side, so its matrices are
 * transposed: (in, G*H). It has one bias where PyTorch has two, except for a GRU with reset_after. Its LSTM
 * gates i f c o are PyTorch's i f g o. Its GRU gates z r h become r z n.
 */

import {
  checkBoolean,
  checkInteger,
  checkOptions,
  isArray,
  reading,
  showShape,
  wrongShape,
  wrongType,
} from "../tensor/checks.js";
import { asFloat32, asShaped, type TensorLike } from "../tensor/like.js";
import type { NestedNumbers } from "../tensor/nested.js";
import { type StateDict, Tensor } from "../tensor/tensor.js";
import { layerSuffix } from "./layer-suffix.js";

/** The weights of one Keras layer, in the order of `layer.get_weights()`. */
export interface KerasWeights {
  /** (inputSize, G*H) */
  readonly kernel: TensorLike | NestedNumbers;
  /** (H, G*H) */
  readonly recurrentKernel: TensorLike | NestedNumbers;
  /** LSTM: (4H). GRU with reset_after: (2, 3H). Left out for a layer that was made with use_bias=False. */
  readonly bias?: TensorLike | NestedNumbers;
}

/** Options of {@link fromKeras}: the layer and direction of a stack that the weights become. */
export interface FromKerasOptions {
  readonly layer?: number;
  readonly reverse?: boolean;
}

/** For every gate in PyTorch's order, its index in Keras' order. */
const GATE_ORDER = { LSTM: [0, 1, 2, 3], GRU: [1, 0, 2] };

/**
 * The state dict of one Keras (or TF.js) layer in PyTorch's names: `weight_ih_l0`, `weight_hh_l0`,
 * `bias_ih_l0`, `bias_hh_l0`. For a stack, join the dicts of its layers: `fromKeras(weights, kind, { layer: 1
 * })` and so on. For the reverse direction of a Bidirectional, pass `{ reverse: true }`. The layer must use
 * Keras' default activations, tanh and sigmoid. The weights do not show whether it does.
 *
 * @throws TypeError or RangeError that names the argument. A GRU whose bias is (3H) is refused: it was made
 *   with reset_after=False, which computes something else than PyTorch's GRU.
 */
export function fromKeras(
  weights: KerasWeights,
  kind: "LSTM" | "GRU",
  options?: FromKerasOptions,
): StateDict {
  const { layer = 0, reverse = false } = checkOptions("options", options, ["layer", "reverse"]);
  checkInteger("options.layer", layer, 0);
  checkBoolean("options.reverse", reverse);
  if (kind !== "LSTM" && kind !== "GRU") throw wrongType("kind", '"LSTM" or "GRU"', kind);
  if (typeof weights !== "object" || weights === null) throw wrongType("weights", "an object", weights);
  const given = reading("weights", "an object", () => {
    const { kernel, recurrentKernel, bias } = weights;
    return { kernel, recurrentKernel, bias };
  });
  const order = GATE_ORDER[kind];
  const recurrent = matrix(given.recurrentKernel, "recurrentKernel");
  const hidden = recurrent.shape[0]!;
  const columns = order.length * hidden;
  if (hidden === 0 || recurrent.shape[1] !== columns) {
    const expected = `shape [H, ${order.length} H] for ${kind}`;
    throw wrongShape("recurrentKernel", expected, showShape(recurrent.shape));
  }
  const kernel = matrix(given.kernel, "kernel");
  if (kernel.shape[1] !== columns) {
    throw wrongShape("kernel", `shape [inputSize, ${columns}]`, showShape(kernel.shape));
  }
  const suffix = layerSuffix(layer, reverse);
  const dict: StateDict = new Map([
    [`weight_ih${suffix}`, transpose(kernel, hidden, order)],
    [`weight_hh${suffix}`, transpose(recurrent, hidden, order)],
  ]);
  if (given.bias === undefined) return dict;
  const bias = tensor(given.bias, "bias");
  const shape = kind === "LSTM" ? [columns] : [2, columns];
  if (showShape(bias.shape) !== showShape(shape)) {
    const resetBefore = kind === "GRU" && showShape(bias.shape) === showShape([columns]);
    const hint = resetBefore ? "; a GRU with reset_after=False is not PyTorch's" : "";
    throw wrongShape("bias", `shape ${showShape(shape)}`, `${showShape(bias.shape)}${hint}`);
  }
  // A bias is reordered like a matrix of one row.
  const row = (at: number) => {
    const one = new Tensor(bias.data.slice(at * columns, (at + 1) * columns), [1, columns]);
    return new Tensor(transpose(one, hidden, order).data, [columns]);
  };
  dict.set(`bias_ih${suffix}`, row(0));
  dict.set(`bias_hh${suffix}`, kind === "GRU" ? row(1) : Tensor.zeros([columns]));
  return dict;
}

/** A matrix (in, G*H) with Keras' gate order as a matrix (G*H, in) with PyTorch's. */
function transpose({ data, shape }: Tensor, hidden: number, order: readonly number[]): Tensor {
  const [inputs, columns] = shape as [number, number];
  const result = Tensor.zeros([columns, inputs]);
  for (const [gate, from] of order.entries()) {
    for (let unit = 0; unit < hidden; unit++) {
      const row = (gate * hidden + unit) * inputs;
      const column = from * hidden + unit;
      for (let input = 0; input < inputs; input++) result.data[row + input] = data[input * columns + column]!;
    }
  }
  return result;
}

function tensor(value: unknown, name: string): Tensor {
  if (isArray(value) || typeof value === "number") {
    try {
      return Tensor.from(value as NestedNumbers);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
      throw wrongType(name, "nested arrays of numbers in rows of equal length", value);
    }
  }
  const { data, shape } = asShaped(value, name, asFloat32);
  return new Tensor(data, shape);
}

function matrix(value: unknown, name: string): Tensor {
  const result = tensor(value, name);
  if (result.shape.length !== 2) throw wrongShape(name, "a matrix", `shape ${showShape(result.shape)}`);
  return result;
}
