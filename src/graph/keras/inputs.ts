/** The inputs of a Keras model: their names, shapes and types. */

import { isObject } from "../../formats/json.js";
import { bad, field, innerLayers, type LayerConfig } from "../../formats/keras/config.js";
import { show } from "../../tensor/checks.js";
import type { Dtype } from "../ir.js";
import { layerIn } from "./functional.js";
import type { LayerWeights } from "./layer-call.js";

export interface InputConfig {
  readonly shape: readonly (number | null)[];
  readonly dtype: Dtype | "string";
}

const DTYPES: Readonly<Record<string, Dtype | "string">> = {
  string: "string",
  float16: "float32",
  bfloat16: "float32",
  float32: "float32",
  float64: "float32",
  int8: "int8",
  uint8: "uint8",
  int16: "int32",
  uint16: "int32",
  int32: "int32",
  uint32: "int64",
  int64: "int64",
  bool: "bool",
};

/** The type that a layer's config states for its input; that of numbers where it is a policy. */
function dtypeOf({ config }: LayerConfig, place: string): Dtype | "string" {
  const stated = field(config, "input_dtype") ?? field(config, "dtype") ?? "float32";
  if (typeof stated !== "string") return "float32";
  const dtype = Object.hasOwn(DTYPES, stated) ? DTYPES[stated] : undefined;
  if (dtype === undefined) throw bad(place, `dtype: ${show(stated)} is not supported`);
  return dtype;
}

function shapeFrom(value: unknown, place: string): readonly (number | null)[] {
  const isShape =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 16 &&
    value.every((size) => size === null || (Number.isSafeInteger(size) && size >= 0));
  if (!isShape) throw bad(place, `input shape: expected sizes or null, got ${show(value)}`);
  return value as (number | null)[];
}

/** What the config of a layer states of the model's input, if it does. */
export function statedInput(layer: LayerConfig): InputConfig | undefined {
  const place = `layer ${show(layer.name)}`;
  const { config } = layer;
  const whole = field(config, "batch_shape") ?? field(config, "batch_input_shape");
  const rest =
    field(config, "input_shape") ?? (layer.className === "InputLayer" ? field(config, "shape") : undefined);
  if (whole === undefined && !Array.isArray(rest)) return undefined;
  const shape = whole === undefined ? [null, ...(rest as unknown[])] : whole;
  return { shape: shapeFrom(shape, place), dtype: dtypeOf(layer, place) };
}

/** What a Sequential's config states of its input: by its first layer, or by itself. */
export function sequentialInput(
  model: LayerConfig,
  first: LayerConfig,
  weightsOf: (name: string) => LayerWeights | undefined,
  depth = 0,
): InputConfig | undefined {
  const inner = innerLayers(first)?.[0];
  const own =
    statedInput(first) ??
    (inner === undefined || depth > 8
      ? undefined
      : sequentialInput(first, layerIn(first, inner, false), weightsOf, depth + 1));
  if (own !== undefined) return own;
  const dtype = first.className === "Embedding" ? "int32" : "float32";
  const built = field(model.config, "build_input_shape");
  if (Array.isArray(built)) return { shape: shapeFrom(built, `model ${show(model.name)}`), dtype };
  return guessed(first, weightsOf(first.name));
}

/** What the weights of a first layer tell, where the config of a model says nothing. */
function guessed(first: LayerConfig, file: LayerWeights | undefined): InputConfig | undefined {
  const { recurrent, weights } = file ?? {};
  if (first.className === "Embedding") return { shape: [null, null], dtype: "int32" };
  if (recurrent !== undefined) return { shape: [null, null, recurrent.options.inputSize], dtype: "float32" };
  const kernel = weights?.get("kernel") ?? weights?.get("0");
  if (first.className === "Dense" && kernel?.shape.length === 2) {
    return { shape: [null, kernel.shape[0]!], dtype: "float32" };
  }
  return undefined;
}

/** Whether a config makes an input that is no dense tensor. */
export function checkDense(layer: LayerConfig): void {
  for (const key of ["sparse", "ragged"]) {
    const value = field(layer.config, key);
    if (value !== undefined && value !== false && !isObject(value)) {
      throw bad(`layer ${show(layer.name)} (InputLayer)`, `${key} inputs are not supported`);
    }
  }
}
