/**
 * The operators that graphs of Keras models have: a bundle of `loadKeras` has no other. A literal, for the same reason as
 * the list of all.
 */

import type { KerasOperator } from "../../graph/keras/emitted.js";
import type { ModelOperator } from "../operator.js";
import {
  Add,
  And,
  Div,
  Equal,
  Greater,
  GreaterOrEqual,
  Less,
  LessOrEqual,
  Max,
  Min,
  Mul,
  Not,
  Or,
  Pow,
  PRelu,
  Sub,
  Where,
  Xor,
} from "./binary.js";
import { Cast } from "./cast.js";
import { Conv, ConvTranspose } from "./conv.js";
import {
  Abs,
  Ceil,
  Clip,
  Exp,
  Floor,
  Gelu,
  LeakyRelu,
  Log,
  Neg,
  Reciprocal,
  Relu,
  Sigmoid,
  Sqrt,
  Tanh,
} from "./elementwise.js";
import { ConstantOfShape, Range } from "./generate.js";
import { Gather, Pad } from "./index-of.js";
import { Layer } from "./layer.js";
import { MatMul } from "./matmul.js";
import { Concat, Slice, Tile, Transpose } from "./move.js";
import { BatchNormalization, LayerNormalization } from "./normalise.js";
import { AveragePool, MaxPool } from "./pool.js";
import { ArgMax, ArgMin, ReduceMax, ReduceMean, ReduceMin, ReduceSum } from "./reduce.js";
import { Flatten, Reshape, Shape, Squeeze, Unsqueeze } from "./reshape.js";
import { Resize } from "./resize.js";
import { LogSoftmax, Softmax } from "./softmax.js";

const EMITTED: Readonly<Record<KerasOperator, ModelOperator>> = {
  Abs,
  Add,
  And,
  ArgMax,
  ArgMin,
  AveragePool,
  BatchNormalization,
  Cast,
  Ceil,
  Clip,
  Concat,
  ConstantOfShape,
  Conv,
  ConvTranspose,
  Div,
  Equal,
  Exp,
  Flatten,
  Floor,
  Gather,
  Gelu,
  Greater,
  GreaterOrEqual,
  LayerNormalization,
  LeakyRelu,
  Less,
  LessOrEqual,
  Log,
  LogSoftmax,
  MatMul,
  Max,
  MaxPool,
  Min,
  Mul,
  Neg,
  Not,
  Or,
  PRelu,
  Pad,
  Pow,
  Range,
  Reciprocal,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  Shape,
  Sigmoid,
  Slice,
  Softmax,
  Sqrt,
  Squeeze,
  Sub,
  Tanh,
  Tile,
  Transpose,
  Unsqueeze,
  Where,
  Xor,
};

export const kerasOperators = (): readonly ModelOperator[] => [...Object.values(EMITTED), Layer];
