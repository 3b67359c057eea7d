/** What weights do not tell of an ONNX layer, as options of `fromStateDict`. */
import type { OnnxLayer } from "lstm-wasm/formats";

/** What these options are when they are left out. cellActivation is as activation then. */
const USUAL: Readonly<Record<string, unknown>> = {
  batchFirst: false,
  activation: "tanh",
  recurrentActivation: "sigmoid",
  inputForget: false,
  resetAfter: true,
  nonlinearity: "tanh",
  clip: undefined,
  reverse: false,
};

export function toldOptions({ options }: Pick<OnnxLayer, "options">): Record<string, unknown> {
  const values = options as Readonly<Record<string, unknown>> & OnnxLayer["options"];
  const told: Record<string, unknown> = {};
  for (const name of ["batchFirst", "nonlinearity", "activation", "recurrentActivation", "cellActivation"]) {
    const usual = name === "cellActivation" ? values.activation : USUAL[name];
    if (name in values && JSON.stringify(values[name]) !== JSON.stringify(usual)) told[name] = values[name];
  }
  for (const name of ["inputForget", "resetAfter", "clip", "reverse"]) {
    if (name in values && values[name] !== USUAL[name]) told[name] = values[name];
  }
  return told;
}
