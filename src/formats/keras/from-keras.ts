/** Arrays of one Keras layer, as `layer.get_weights()` gives them, in PyTorch's layout. */
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  isArray,
  reading,
  show,
  wrongShape,
  wrongType,
  wrongValue,
} from "../../tensor/checks.js";
import { asFloat32, asShaped, type TensorLike } from "../../tensor/like.js";
import { withMetadata } from "../../tensor/metadata.js";
import type { NestedNumbers } from "../../tensor/nested.js";
import { type StateDict, Tensor } from "../../tensor/tensor.js";
import { isObject } from "../json.js";
import { type LayerActivation, type LayerKind, layerOptions } from "../layer-options.js";
import { layerSuffix } from "../layer-suffix.js";
import { activationOf } from "./activation.js";
import { gatesOf } from "./gates.js";
import { type KerasVersion, usualRecurrentActivation, versionOf } from "./version.js";

/** The weights of one Keras layer, in the order of `layer.get_weights()`. */
export interface KerasWeights {
  /** (inputSize, G*H) */
  readonly kernel: TensorLike | NestedNumbers;
  /** (H, G*H) */
  readonly recurrentKernel: TensorLike | NestedNumbers;
  /**
   * (G*H), and (2, 3H) for a GRU with reset_after. (8H) or (6H) is that of CuDNNLSTM or CuDNNGRU, whose kernels lie
   * otherwise: all three are taken as theirs. Left out for a layer that was made with use_bias=False.
   */
  readonly bias?: TensorLike | NestedNumbers;
}

/** Options of {@link fromKeras}: those of the Keras layer, and the place in a stack that the weights become. */
export interface FromKerasOptions {
  readonly layer?: number;
  readonly reverse?: boolean;
  /** As Keras or TF.js spells it, "leaky_relu" or "leakyRelu", or as the modules' options have it. "tanh" when left out. */
  readonly activation?: LayerActivation | string;
  /** The same of the gates. When left out it is what `kerasVersion` has, and "sigmoid" without that. */
  readonly recurrentActivation?: LayerActivation | string;
  /** Of a GRU. It may be left out where the bias tells it. */
  readonly resetAfter?: boolean;
  readonly goBackwards?: boolean;
  /**
   * 1, 2, 3, or as files state it: "2.2.4", "tfjs-layers 4.22.0". "hard_sigmoid" is 0.2 x + 0.5 before 3, and
   * x / 6 + 0.5 since.
   */
  readonly kerasVersion?: string | number;
}

const OPTIONS = [
  "layer",
  "reverse",
  "activation",
  "recurrentActivation",
  "resetAfter",
  "goBackwards",
  "kerasVersion",
];
const KINDS: readonly unknown[] = ["LSTM", "GRU", "RNN"];

/**
 * The state dict of one Keras (or TF.js) layer in PyTorch's names: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`,
 * `bias_hh_l0`. Its `metadata` has the options, so that `LSTM.fromStateDict(fromKeras(...))` is the layer, with
 * `batchFirst: true` as Keras has it. For a stack, join the dicts of its layers: `fromKeras(weights, kind, { layer: 1
 * })` and so on; for the second half of a Bidirectional, pass `{ reverse: true }`. Joined dicts have no metadata: give
 * their options to `fromStateDict`.
 *
 * @param kind "RNN" is Keras' SimpleRNN
 * @throws TypeError or RangeError that names the argument; also for an activation that has no equal here, a
 *   "hard_sigmoid" without `kerasVersion`, and a GRU without bias and `resetAfter`
 */
export function fromKeras(weights: KerasWeights, kind: LayerKind, options?: FromKerasOptions): StateDict {
  const given = checkOptions("options", options, OPTIONS);
  const { layer = 0, reverse = false, goBackwards = false } = given;
  checkInteger("options.layer", layer, 0);
  checkBoolean("options.reverse", reverse);
  checkBoolean("options.goBackwards", goBackwards);
  if (reverse && goBackwards) {
    throw wrongValue(
      "options.goBackwards",
      "false for the half of a Bidirectional that is reverse",
      goBackwards,
    );
  }
  if (!KINDS.includes(kind)) throw wrongType("kind", '"LSTM", "GRU" or "RNN"', kind);
  if (kind === "RNN" && given.recurrentActivation !== undefined) {
    throw wrongValue(
      "options.recurrentActivation",
      "none for an RNN, which has no gates",
      show(given.recurrentActivation),
    );
  }
  const version = versionFrom(given.kerasVersion);
  const recurrent =
    given.recurrentActivation ?? (version === undefined ? "sigmoid" : usualRecurrentActivation(version));
  if (recurrent === undefined) {
    const expected =
      'an activation, since 2.2.4-tf is the name of versions with "hard_sigmoid" and with "sigmoid"';
    throw wrongType("options.recurrentActivation", expected, recurrent);
  }
  const activation = activationFrom("activation", given.activation ?? "tanh", version);
  const recurrentActivation = activationFrom("recurrentActivation", recurrent, version);
  const gates = gatesOf(arraysFrom(weights), kind, {
    kernel: "kernel",
    recurrentKernel: "recurrentKernel",
    bias: "bias",
  });
  const suffix = layerSuffix(layer, reverse);
  const dict: StateDict = new Map(Array.from(gates.parts, ([name, tensor]) => [`${name}${suffix}`, tensor]));
  const resetAfter = kind === "GRU" ? resetAfterFrom(given.resetAfter, gates.resetAfter) : undefined;
  if (kind !== "GRU" && given.resetAfter !== undefined) {
    throw wrongValue("options.resetAfter", `none for an ${kind}`, show(given.resetAfter));
  }
  if (layer > 0 || reverse) return dict;
  const own = layerOptions(kind, {
    inputSize: gates.inputSize,
    hiddenSize: gates.hiddenSize,
    bias: gates.parts.has("bias_ih"),
    batchFirst: true,
    goBackwards,
    ...(kind === "RNN" ? { nonlinearity: activation } : { activation, recurrentActivation }),
    ...(kind === "LSTM" ? { cellActivation: activation } : {}),
    ...(resetAfter === undefined ? {} : { resetAfter }),
  });
  return withMetadata(dict, { "": { kind, options: { ...own } } });
}

function versionFrom(given: unknown): KerasVersion | undefined {
  if (given === undefined) return undefined;
  const text = typeof given === "number" ? `${given}.${given === 2 ? "16" : "0"}` : given;
  const version = typeof text === "string" ? versionOf(text) : undefined;
  if (version === undefined)
    throw wrongType("options.kerasVersion", '1, 2, 3 or a version such as "2.2.4"', given);
  return version;
}

function activationFrom(name: string, given: unknown, version: KerasVersion | undefined): LayerActivation {
  const found = reading(`options.${name}`, "an activation", () => {
    // The modules' own way, with constants: their constructor checks it.
    if (isObject(given) && !("class_name" in given)) return { activation: { ...given } as never };
    return activationOf(given, version);
  });
  if ("activation" in found) return found.activation;
  throw wrongValue(`options.${name}`, "an activation that has an equal here", found.problem);
}

/** @param told  by the bias */
function resetAfterFrom(given: unknown, told: boolean | undefined): boolean {
  if (given !== undefined) checkBoolean("options.resetAfter", given);
  const result = (given as boolean | undefined) ?? told;
  if (result === undefined) {
    throw wrongType("options.resetAfter", "true or false, which a GRU without bias does not tell", given);
  }
  if (told !== undefined && told !== result) {
    throw wrongShape("options.resetAfter", `${told}, as the bias has it`, result);
  }
  return result;
}

function arraysFrom(weights: unknown) {
  if (typeof weights !== "object" || weights === null) throw wrongType("weights", "an object", weights);
  const given = reading("weights", "an object", () => {
    const { kernel, recurrentKernel, bias } = weights as KerasWeights;
    return { kernel, recurrentKernel, bias };
  });
  return {
    kernel: tensor(given.kernel, "kernel"),
    recurrentKernel: tensor(given.recurrentKernel, "recurrentKernel"),
    bias: given.bias === undefined ? undefined : tensor(given.bias, "bias"),
  };
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
