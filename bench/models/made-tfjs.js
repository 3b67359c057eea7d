/**
 * Models that TensorFlow.js makes and saves itself: every kind of layer that it has, with options and random weights. What
 * it does not compute as Keras does is left out: a bilinear UpSampling2D, and a BatchNormalization over another axis than
 * the last. So is what it saves and does not load: a SeparableConv2D's depthMultiplier.
 */
import * as tf from "@tensorflow/tfjs-core";
import { io } from "@tensorflow/tfjs-core";
import { input, layers, model, sequential } from "@tensorflow/tfjs-layers";

/** Core's build for Node lacks what the default of recurrent layers, Orthogonal, calls. */
const recurrent = (options) => ({ recurrentInitializer: "glorotUniform", units: 4, ...options });
const lstm = (options) => layers.lstm(recurrent(options));
const gru = (options) => layers.gru(recurrent({ resetAfter: false, ...options }));
const simpleRNN = (options) => layers.simpleRNN(recurrent(options));
const cell = (kind, units) => layers[kind](recurrent({ units, resetAfter: false }));
const rows = { returnSequences: true };

/** By name: the layers of a Sequential whose first one gets the shape. */
const CHAINS = {
  ...Object.fromEntries(
    "elu hardSigmoid linear relu relu6 selu sigmoid softmax softplus softsign tanh swish mish gelu"
      .split(" ")
      .map((activation) => [
        `activation ${activation}`,
        [[6], layers.activation({ activation }), layers.dense({ units: 5, activation })],
      ]),
  ),
  dense: [[3, 4], layers.dense({ units: 5, useBias: false }), layers.dense({ units: 2 })],
  reLU: [[6], layers.reLU({ maxValue: 0.5 })],
  "leakyReLU, elu, thresholdedReLU": [
    [6],
    layers.leakyReLU({ alpha: 0.2 }),
    layers.elu(),
    layers.thresholdedReLU({ theta: 0.1 }),
  ],
  prelu: [[3, 4], layers.prelu({ sharedAxes: [1] })],
  softmax: [[3, 4], layers.softmax({ axis: -1 })],
  ...Object.fromEntries(
    Object.entries({ lstm, gru, simpleRNN }).flatMap(([name, make]) => [
      [name, [[5, 3], make(rows), make()]],
      [`${name} without bias`, [[null, 3], make({ useBias: false })]],
      [`${name} backwards`, [[5, 3], make({ goBackwards: true, ...rows }), make({ goBackwards: true })]],
      [
        `${name} activations`,
        [
          [5, 3],
          make({ activation: "relu", recurrentActivation: "sigmoid", ...rows }),
          make({ activation: "softsign" }),
        ],
      ],
      [`${name} stateful`, [[3, 5, 3], make({ stateful: true, ...rows }), make({ stateful: true })]],
      [`${name} masked`, [[6, 3], layers.masking(), make(rows), make({ goBackwards: true })]],
      [`${name} of ids`, [[6], layers.embedding({ inputDim: 7, outputDim: 3, maskZero: true }), make()]],
    ]),
  ),
  "rnn of cells": [
    [5, 3],
    layers.rnn({ cell: cell("lstmCell", 4), ...rows }),
    layers.rnn({ cell: cell("gruCell", 3) }),
  ],
  "rnn of stacked cells": [
    [5, 3],
    layers.rnn({
      cell: layers.stackedRNNCells({
        cells: [cell("lstmCell", 4), cell("gruCell", 3), cell("simpleRNNCell", 2)],
      }),
    }),
  ],
  ...Object.fromEntries(
    ["concat", "sum", "mul", "ave"].map((mergeMode) => [
      `bidirectional ${mergeMode}`,
      [
        [5, 3],
        layers.bidirectional({ layer: lstm(rows), mergeMode }),
        layers.bidirectional({ layer: gru(), mergeMode }),
      ],
    ]),
  ),
  "masked bidirectional": [
    [6, 3],
    layers.masking(),
    layers.bidirectional({ layer: lstm(rows), mergeMode: "concat" }),
    lstm(),
  ],
  timeDistributed: [
    [3, 6, 2],
    layers.timeDistributed({ layer: layers.conv1d({ filters: 3, kernelSize: 2 }) }),
    layers.timeDistributed({ layer: lstm() }),
  ],
  ...Object.fromEntries(
    ["valid", "same"].map((padding) => [
      `conv1d ${padding}`,
      [
        [9, 3],
        layers.conv1d({ filters: 4, kernelSize: 3, padding, activation: "relu" }),
        layers.conv1d({ filters: 4, kernelSize: 2, padding, dilationRate: 2 }),
      ],
    ]),
  ),
  "conv1d strides": [
    [9, 3],
    layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", useBias: false }),
  ],
  ...Object.fromEntries(
    ["valid", "same"].map((padding) => [
      `conv2d ${padding}`,
      [
        [9, 8, 3],
        layers.conv2d({ filters: 4, kernelSize: [3, 2], padding, strides: 2 }),
        layers.conv2dTranspose({ filters: 2, kernelSize: 3, padding, strides: 2 }),
        layers.separableConv2d({ filters: 3, kernelSize: 2, padding }),
        layers.depthwiseConv2d({ kernelSize: 2, padding, depthMultiplier: 2 }),
      ],
    ]),
  ),
  ...Object.fromEntries(
    ["valid", "same"].flatMap((padding) => [
      [`maxPooling ${padding}`, [[9, 8, 3], layers.maxPooling2d({ poolSize: [2, 3], strides: 2, padding })]],
      [
        `averagePooling ${padding}`,
        [[9, 8, 3], layers.averagePooling2d({ poolSize: [2, 3], strides: 2, padding })],
      ],
      [`maxPooling1d ${padding}`, [[9, 3], layers.maxPooling1d({ poolSize: 2, padding })]],
      [
        `averagePooling1d ${padding}`,
        [[9, 3], layers.averagePooling1d({ poolSize: 4, strides: 2, padding })],
      ],
    ]),
  ),
  globalMaxPooling1d: [[5, 3], layers.globalMaxPooling1d()],
  globalAveragePooling1d: [[5, 3], layers.globalAveragePooling1d({})],
  globalMaxPooling2d: [[5, 4, 3], layers.globalMaxPooling2d({})],
  globalAveragePooling2d: [[5, 4, 3], layers.globalAveragePooling2d({})],
  "masked mean": [[6, 3], layers.masking(), lstm(rows), layers.globalAveragePooling1d({})],
  batchNormalization: [[5, 3], layers.batchNormalization()],
  "batchNormalization without parts": [
    [5, 3],
    layers.batchNormalization({ scale: false }),
    layers.batchNormalization({ center: false }),
  ],
  layerNormalization: [[5, 3], layers.layerNormalization({ epsilon: 1e-2 })],
  rescaling: [[5, 3], layers.rescaling({ scale: 0.5, offset: 1 })],
  shapes: [
    [4, 6],
    layers.permute({ dims: [2, 1] }),
    layers.reshape({ targetShape: [3, 8] }),
    layers.flatten(),
    layers.repeatVector({ n: 3 }),
  ],
  "zeroPadding, cropping, upSampling": [
    [4, 5, 2],
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 3],
      ],
    }),
    layers.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
    layers.upSampling2d({ size: [2, 3] }),
  ],
  "nothing at inference": [
    [5, 3],
    layers.dropout({ rate: 0.5 }),
    layers.spatialDropout1d({ rate: 0.5 }),
    layers.gaussianNoise({ stddev: 1 }),
    layers.gaussianDropout({ rate: 0.5 }),
    layers.alphaDropout({ rate: 0.5 }),
    layers.dense({ units: 2 }),
  ],
};

/** Of two inputs, or with states. */
const GRAPHS = {
  ...Object.fromEntries(
    ["add", "average", "maximum", "minimum", "multiply"].map((name) => [
      name,
      (a, b) => layers[name]().apply([a, b]),
    ]),
  ),
  concatenate: (a, b) => layers.concatenate({ axis: 1 }).apply([a, b]),
  "concatenate of masks": (a, b) => {
    const masked = layers.masking().apply(a);
    return lstm().apply(layers.concatenate().apply([masked, b]));
  },
  dot: (a, b) => layers.dot({ axes: 2 }).apply([a, b]),
  "dot, normalised": (a, b) => layers.dot({ axes: [1, 1], normalize: true }).apply([a, b]),
  "states from layer to layer": (a, b) => {
    const [, h, c] = lstm({ returnState: true }).apply(a);
    return lstm({ returnSequences: true, returnState: true }).apply(b, { initialState: [h, c] });
  },
  "a shared layer": (a, b) => {
    const shared = gru();
    return [shared.apply(a), shared.apply(b)];
  },
  "a nested model": (a, b) => {
    const inner = sequential({ layers: [layers.dense({ units: 3, inputShape: [5, 3] }), lstm()] });
    return layers.concatenate().apply([inner.apply(a), inner.apply(b)]);
  },
};

/** @returns {AsyncGenerator<{ name: string, json: object, bytes: Uint8Array }>} as files have them */
export async function* madeModels(random) {
  for (const [name, [shape, ...chain]] of Object.entries(CHAINS)) {
    const isStateful = chain.some(({ stateful }) => stateful);
    const given = isStateful ? input({ batchShape: shape }) : input({ shape });
    let at = given;
    for (const layer of chain) at = layer.apply(at);
    yield await saved(name, model({ inputs: given, outputs: at }), random);
  }
  for (const [name, make] of Object.entries(GRAPHS)) {
    const inputs = [input({ shape: [5, 3] }), input({ shape: [5, 3] })];
    yield await saved(name, model({ inputs, outputs: make(...inputs) }), random);
  }
}

async function saved(name, made, random) {
  const weights = made.getWeights().map(({ shape, size }, at) => {
    const isVariance = made.weights[at].originalName.endsWith("moving_variance");
    const numbers = Float32Array.from({ length: size }, () => random() - (isVariance ? -0.5 : 0.5));
    return tf.tensor(numbers, shape);
  });
  made.setWeights(weights);
  let parts;
  await made.save(
    io.withSaveHandler(async (artifacts) => {
      parts = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = parts;
  const json = { modelTopology, weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }] };
  return { name, json, bytes: new Uint8Array(weightData) };
}
