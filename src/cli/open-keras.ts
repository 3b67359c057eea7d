/** The layers of a Keras model, from Keras' files or TensorFlow.js', and the table that Keras' own summary prints. */
import type { StateDict } from "lstm-wasm";
import type { KerasLayer, KerasModel, KerasRecurrent } from "lstm-wasm/formats";
import { halvesOf } from "./keras-code.js";
import { elements, type KerasSource, type Layer, type Model } from "./model.js";
import { recurrentSummary } from "./summary.js";

type OfKeras = Pick<Model, "tensors" | "layers" | "rows" | "refused" | "warnings"> & { others?: string };

export function ofKeras({ kerasVersion: version, layers, warnings, skipped }: KerasModel): OfKeras {
  const tensors: StateDict = new Map();
  for (const [at, { name, weights }] of layers.entries()) {
    for (const [part, tensor] of weights) {
      const key = `${name}/${part}`;
      tensors.set(tensors.has(key) ? `${key} of layers[${at}]` : key, tensor);
    }
  }
  const isSkipped = new Set(skipped.map(({ name }) => name));
  const others = layers.flatMap(({ name, className, weights, recurrent, parts }, at) => {
    const isOther = recurrent === undefined && parts === undefined && halvesOf(layers[at]!).length === 0;
    const told = `layers[${at}] ${JSON.stringify(name)} (${JSON.stringify(className).slice(1, -1)})`;
    return isOther && weights.size > 0 && !isSkipped.has(name) ? [told] : [];
  });
  return {
    tensors,
    layers: layers.flatMap((layer, at) => (isSkipped.has(layer.name) ? [] : layersOf(layer, at, version))),
    rows: [
      ["Layer (type)", "Output Shape", "Param #"],
      ...layers.map((layer) => [
        `${layer.name} (${layer.className})`,
        outputShape(layer),
        elements(layer.weights).toLocaleString("en-US"),
      ]),
    ],
    refused: skipped.map(({ name, reason }) => `${JSON.stringify(name)}: ${reason}`),
    warnings,
    ...(others.length === 0
      ? {}
      : { others: `Not recurrent, their arrays are in layers[...].weights: ${others.join(", ")}` }),
  };
}

function layersOf(layer: KerasLayer, at: number, version: string | undefined): Layer[] {
  const { name, recurrent, parts, className, weights } = layer;
  const source: KerasSource = { kind: "keras", layer, at, part: undefined, version };
  if (recurrent !== undefined) return [ofRecurrent(name, recurrent, source)];
  if (parts !== undefined) {
    return parts.map((part, index) =>
      ofRecurrent(`${name}/${part.name}`, part.recurrent, { ...source, part: index }),
    );
  }
  if (halvesOf(layer).length === 0) return [];
  return [{ name, summary: `${className} without config`, parameters: elements(weights), source }];
}

function ofRecurrent(name: string, { kind, options, stateDict }: KerasRecurrent, source: KerasSource): Layer {
  const way = options.bidirectional ? ", bidirectional" : options.goBackwards ? ", backwards" : "";
  return {
    name,
    summary: `${recurrentSummary({ kind, ...options })}${way}`,
    parameters: elements(stateDict),
    source,
  };
}

/** As far as it is known without the graph: "(None, None, 8)". */
function outputShape(layer: KerasLayer): string {
  const { className, config, weights, recurrent, parts } = layer;
  const last = (name: string) => weights.get(name)?.shape.at(-1);
  switch (className) {
    case "InputLayer":
      return inputShape(config.batch_shape ?? config.batch_input_shape);
    case "Dense":
      return `(..., ${last("kernel") ?? "?"})`;
    case "Embedding":
      return `(..., ${last("embeddings") ?? "?"})`;
    case "TimeDistributed": {
      const inner = Object(config.layer);
      const each = outputShape({ ...layer, className: `${inner.class_name}`, config: Object(inner.config) });
      return each.replaceAll("(None", "(None, None");
    }
  }
  if (recurrent !== undefined) {
    const { hiddenSize, bidirectional } = recurrent.options;
    return recurrentShape(recurrent, bidirectional ? [hiddenSize, hiddenSize] : [hiddenSize]);
  }
  const units = parts?.map((part) => part.recurrent.options.hiddenSize);
  if (units === undefined) return "";
  // The halves of a Bidirectional, of which each may be several cells, are not told apart here.
  if (className === "Bidirectional")
    return units.length === 2 ? recurrentShape(parts![0]!.recurrent, units) : "";
  return recurrentShape(parts!.at(-1)!.recurrent, units.slice(-1));
}

/** @param units  of each half */
function recurrentShape(
  { kind, returnSequences, returnState, mergeMode }: KerasRecurrent,
  units: readonly number[],
): string {
  const of = (size: number) => (returnSequences ? `(None, None, ${size})` : `(None, ${size})`);
  const [first = 0, second = 0] = units;
  const isJoined = mergeMode !== null;
  const outputs = isJoined
    ? [of(mergeMode === "concat" || mergeMode === undefined ? first + second : first)]
    : units.map(of);
  const states = units.flatMap((size) => Array(kind === "LSTM" ? 2 : 1).fill(`(None, ${size})`));
  const all = returnState ? [...outputs, ...states] : outputs;
  return all.length === 1 ? all[0]! : `[${all.join(", ")}]`;
}

function inputShape(shape: unknown): string {
  if (!Array.isArray(shape) || shape.length > 8) return "";
  const sizes = shape.map((size) => (typeof size === "number" ? `${size}` : "None"));
  return `(${sizes.join(", ")}${sizes.length === 1 ? "," : ""})`;
}
