/** Normalisations, with the kernels that compute them. */

import * as graph from "../../graph/operators/normalise.js";
import {
  compileBatchNormalization,
  compileGroupNormalization,
  compileInstanceNormalization,
  compileLayerNormalization,
} from "../kernels/normalise.js";
import type { ModelOperator } from "../operator.js";
import { fuseBatchNormalizations } from "../rewrites/batch-normalization.js";

export const BatchNormalization: ModelOperator = {
  operator: graph.BatchNormalization,
  compile: compileBatchNormalization,
  rewrites: [fuseBatchNormalizations],
};

export const GroupNormalization: ModelOperator = {
  operator: graph.GroupNormalization,
  compile: compileGroupNormalization,
};

export const InstanceNormalization: ModelOperator = {
  operator: graph.InstanceNormalization,
  compile: compileInstanceNormalization,
};

export const LayerNormalization: ModelOperator = {
  operator: graph.LayerNormalization,
  compile: compileLayerNormalization,
};
