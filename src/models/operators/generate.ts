/** Tensors out of nothing, with the kernels that compute them. */

import * as graph from "../../graph/operators/generate.js";
import type { ModelOperator } from "../operator.js";

export const Constant: ModelOperator = { operator: graph.Constant };

export const ConstantOfShape: ModelOperator = { operator: graph.ConstantOfShape };

export const Range: ModelOperator = { operator: graph.Range };
