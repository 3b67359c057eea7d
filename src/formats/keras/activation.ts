/** Activations as Keras and TensorFlow.js name them, as the modules' options take them. */
import { show } from "../../tensor/checks.js";
import { isObject } from "../json.js";
import type { LayerActivation, LayerActivationName } from "../layer-options.js";
import { field, type KerasConfig } from "./config.js";
import type { KerasVersion } from "./version.js";

/** Those that are called here as in Keras. */
const SAME =
  /^(tanh|sigmoid|relu|linear|softsign|softplus|elu|selu|celu|exponential|gelu|silu|mish|relu6|squareplus)$/;

/** Those that have one name here and another in Keras, and one meaning in every version. */
const OTHERS: Readonly<Record<string, LayerActivation>> = {
  swish: "silu",
  leaky_relu: { name: "leakyRelu", alpha: 0.2 },
  log_sigmoid: "logSigmoid",
  hard_tanh: "hardTanh",
  tanh_shrink: "tanhShrink",
  soft_shrink: "softShrink",
  hard_shrink: "hardShrink",
};

const SIXTH = 1 / 6;

/**
 * The activation that a config, or a caller, states: a name, null, `{ class_name: "function", config: name }`, or a
 * layer such as LeakyReLU.
 * @param version undefined if the caller has not told it
 * @param isInner  whether it is that of an Activation layer, which is not one of another
 * @returns the activation, or a text that says why it has none here
 */
export function activationOf(
  value: unknown,
  version: KerasVersion | undefined,
  isInner = false,
): { readonly activation: LayerActivation } | { readonly problem: string } {
  if (value === undefined || value === null) return { activation: "linear" };
  if (isObject(value)) return ofObject(value, version, isInner);
  if (typeof value !== "string") return { problem: `expected an activation's name, got ${show(value)}` };
  // TensorFlow.js spells them as hardSigmoid in code, and as hard_sigmoid in files.
  const name = value.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (SAME.test(name)) return { activation: name as LayerActivationName };
  if (Object.hasOwn(OTHERS, name)) return { activation: OTHERS[name]! };
  if (/^hard_(sigmoid|silu|swish)$/.test(name)) {
    const isSigmoid = name === "hard_sigmoid";
    // Only Keras 3 has hard_silu.
    if (isSigmoid && version === undefined) {
      return {
        problem: `${value} is 0.2 x + 0.5 in Keras 1 and 2 and in TF.js, x / 6 + 0.5 in Keras 3; state kerasVersion`,
      };
    }
    const alpha = isSigmoid && version!.major < 3 ? 0.2 : SIXTH;
    return { activation: { name: isSigmoid ? "hardSigmoid" : "hardSilu", alpha, beta: 0.5 } };
  }
  return { problem: `activation ${show(value)} has no equal here` };
}

function ofObject(
  value: KerasConfig,
  version: KerasVersion | undefined,
  isInner: boolean,
): ReturnType<typeof activationOf> {
  const className = field(value, "class_name");
  const registered = field(value, "registered_name");
  const config = field(value, "config");
  const isOthers = typeof registered === "string" && registered.includes(">");
  if (isOthers) return { problem: `activation ${show(registered)} is code that the file does not hold` };
  if (className === "function" && typeof config === "string") return activationOf(config, version);
  if (className === "Activation" && isObject(config) && !isInner) {
    return activationOf(field(config, "activation"), version, true);
  }
  const numbers = new Map<string, number>();
  for (const key of ["negative_slope", "alpha", "max_value", "threshold"]) {
    const number = isObject(config) ? field(config, key) : undefined;
    if (number === undefined) continue;
    if (typeof number !== "number" || !Number.isFinite(number)) {
      return { problem: `${show(className)}: ${key}: expected a finite number, got ${show(number)}` };
    }
    numbers.set(key, number);
  }
  const slope = numbers.get("negative_slope");
  if (className === "LeakyReLU") {
    return { activation: { name: "leakyRelu", alpha: slope ?? numbers.get("alpha") ?? 0.3 } };
  }
  if (className === "ELU") return { activation: { name: "elu", alpha: numbers.get("alpha") ?? 1 } };
  if (className === "ReLU" && !numbers.get("threshold")) {
    const most = numbers.get("max_value");
    if (!slope)
      return { activation: most === undefined ? "relu" : { name: "hardTanh", alpha: 0, beta: most } };
    if (most === undefined) return { activation: { name: "leakyRelu", alpha: slope } };
  }
  return { problem: `activation ${show(className ?? value)} has no equal here` };
}
