/** Many numbers to one along axes, with the kernels that compute them. */

import * as graph from "../../graph/operators/reduce.js";
import type { ModelOperator } from "../operator.js";

export const ArgMax: ModelOperator = { operator: graph.ArgMax };

export const ArgMin: ModelOperator = { operator: graph.ArgMin };

export const CumSum: ModelOperator = { operator: graph.CumSum };

export const ReduceL2: ModelOperator = { operator: graph.ReduceL2 };

export const ReduceMax: ModelOperator = { operator: graph.ReduceMax };

export const ReduceMean: ModelOperator = { operator: graph.ReduceMean };

export const ReduceMin: ModelOperator = { operator: graph.ReduceMin };

export const ReduceSum: ModelOperator = { operator: graph.ReduceSum };

export const TopK: ModelOperator = { operator: graph.TopK };
