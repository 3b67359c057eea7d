/** Pools, with the kernels that compute them. */

import * as graph from "../../graph/operators/pool.js";
import type { ModelOperator } from "../operator.js";

export const AveragePool: ModelOperator = { operator: graph.AveragePool };

export const GlobalAveragePool: ModelOperator = { operator: graph.GlobalAveragePool };

export const MaxPool: ModelOperator = { operator: graph.MaxPool };
