/** Normalisations, with the kernels that compute them. */

import * as graph from "../../graph/operators/normalise.js";
import {
  compileBatchNormalization,
  compileGroupNormalization,
  compileInstanceNormalization,
  compileLayerNormalization,
} from "../kernels/normalise.js";
import type { ModelOperator } from "../operator.js";

export const BatchNormalization: ModelOperator = {
  operator: graph.BatchNormalization,
  compile: compileBatchNormalization,
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
