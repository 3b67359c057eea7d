/** What Keras calls the arrays of its layers. */
import { show } from "../../tensor/checks.js";
import { innerLayers, type LayerConfig, layerOf, wrappedLayer } from "./config.js";
import { cellsOf, halvesOf } from "./recurrent.js";
import type { KerasVersion } from "./version.js";

/** Classes that never have arrays. */
const WITHOUT_ARRAYS =
  /^(InputLayer|Activation|Masking|Flatten|Reshape|Permute|RepeatVector|Lambda|Add|Subtract|Multiply|Average|Maximum|Minimum|Concatenate|Dot|.*(Dropout.*|Noise|Pooling.*|Padding.*|Cropping.*|UpSampling.*)|ReLU|LeakyReLU|ELU|Softmax|ThresholdedReLU|Rescaling)$/;

/**
 * The last names of a layer's arrays in their order, those of a model one layer after the other. Undefined where they
 * are not known: of Keras 1, and of other classes.
 */
export function namesOf(layer: LayerConfig, version: KerasVersion): readonly string[] | undefined {
  const { className, config } = layer;
  const inner = innerLayers(layer)?.map((value) => layerOf(value, `layer ${show(layer.name)}`));
  const below =
    inner ??
    (className === "Bidirectional" ? halvesOf(layer) : className === "RNN" ? cellsOf(layer) : undefined) ??
    (className === "TimeDistributed" ? [wrappedLayer(layer, "layer")] : undefined);
  if (below !== undefined) {
    const names = below.map((one) => one && namesOf(one, version));
    return names.every((some) => some !== undefined) ? names.flat() : undefined;
  }
  if (version.major === 1) return undefined;
  if (WITHOUT_ARRAYS.test(className)) return [];
  return arrayNames(layer)?.filter((name) => name !== "bias" || config.use_bias !== false);
}

/** What Keras calls the arrays of a class, in their order; undefined for a class that is not known. */
export function arrayNames({ className, config }: LayerConfig): readonly string[] | undefined {
  if (/(LSTM|GRU|RNN)(Cell)?$/.test(className)) return ["kernel", "recurrent_kernel", "bias"];
  if (/^(Dense|EinsumDense|Conv[123]D(Transpose)?)$/.test(className)) return ["kernel", "bias"];
  if (/^DepthwiseConv/.test(className)) return ["depthwise_kernel", "bias"];
  if (/^SeparableConv/.test(className)) return ["depthwise_kernel", "pointwise_kernel", "bias"];
  if (className === "Embedding") return ["embeddings"];
  if (className === "PReLU") return ["alpha"];
  if (!/^(Batch|Layer|Group)Normalization$/.test(className)) return undefined;
  return [
    ...(config.scale === false ? [] : ["gamma"]),
    ...(config.center === false ? [] : ["beta"]),
    ...(className.startsWith("Batch") ? ["moving_mean", "moving_variance"] : []),
  ];
}
