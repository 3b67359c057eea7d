/** Normalisations, with the kernels that compute them. */

import * as graph from "../../graph/operators/normalise.js";
import type { ModelOperator } from "../operator.js";

export const BatchNormalization: ModelOperator = { operator: graph.BatchNormalization };

export const GroupNormalization: ModelOperator = { operator: graph.GroupNormalization };

export const InstanceNormalization: ModelOperator = { operator: graph.InstanceNormalization };

export const LayerNormalization: ModelOperator = { operator: graph.LayerNormalization };
