/** The layers that run, by the names of their classes. */

import type { LayerTable } from "../layer-call.js";
import { elu, leakyRelu, prelu, relu, softmax, thresholdedRelu } from "./activations.js";
import * as conv from "./conv.js";
import { activation, dense, flatten, identity } from "./core.js";
import * as merge from "./merge.js";
import {
  batchNormalization,
  layerNormalization,
  normalization,
  rescaling,
  unitNormalization,
} from "./normalise.js";
import * as pooling from "./pooling.js";
import * as reshape from "./reshape.js";

export const LAYERS: LayerTable = {
  Activation: activation,
  ActivityRegularization: identity,
  Add: merge.add,
  AlphaDropout: identity,
  Average: merge.average,
  AveragePooling1D: pooling.averagePooling1d,
  AveragePooling2D: pooling.averagePooling2d,
  BatchNormalization: batchNormalization,
  Concatenate: merge.concatenate,
  Conv1D: conv.conv1d,
  Conv1DTranspose: conv.conv1dTranspose,
  Conv2D: conv.conv2d,
  Conv2DTranspose: conv.conv2dTranspose,
  Cropping1D: reshape.cropping1d,
  Cropping2D: reshape.cropping2d,
  Dense: dense,
  DepthwiseConv1D: conv.depthwiseConv1d,
  DepthwiseConv2D: conv.depthwiseConv2d,
  Dot: merge.dot,
  Dropout: identity,
  ELU: elu,
  Flatten: flatten,
  GaussianDropout: identity,
  GaussianNoise: identity,
  GlobalAveragePooling1D: pooling.globalAveragePooling1d,
  GlobalAveragePooling2D: pooling.globalAveragePooling2d,
  GlobalMaxPooling1D: pooling.globalMaxPooling1d,
  GlobalMaxPooling2D: pooling.globalMaxPooling2d,
  LayerNormalization: layerNormalization,
  LeakyReLU: leakyRelu,
  MaxPooling1D: pooling.maxPooling1d,
  MaxPooling2D: pooling.maxPooling2d,
  Maximum: merge.maximum,
  Minimum: merge.minimum,
  Multiply: merge.multiply,
  Normalization: normalization,
  PReLU: prelu,
  Permute: reshape.permute,
  ReLU: relu,
  RepeatVector: reshape.repeatVector,
  Rescaling: rescaling,
  Reshape: reshape.reshape,
  SeparableConv1D: conv.separableConv1d,
  SeparableConv2D: conv.separableConv2d,
  Softmax: softmax,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  SpatialDropout3D: identity,
  Subtract: merge.subtract,
  ThresholdedReLU: thresholdedRelu,
  UnitNormalization: unitNormalization,
  UpSampling1D: reshape.upSampling1d,
  UpSampling2D: reshape.upSampling2d,
  ZeroPadding1D: reshape.zeroPadding1d,
  ZeroPadding2D: reshape.zeroPadding2d,
};
