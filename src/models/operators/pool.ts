/** Pools, with the kernels that compute them. */

import * as graph from "../../graph/operators/pool.js";
import { compileGlobalPool, compilePool } from "../kernels/pool.js";
import type { ModelOperator } from "../operator.js";

export const AveragePool: ModelOperator = { operator: graph.AveragePool, compile: compilePool };

export const GlobalAveragePool: ModelOperator = {
  operator: graph.GlobalAveragePool,
  compile: compileGlobalPool,
};

export const MaxPool: ModelOperator = { operator: graph.MaxPool, compile: compilePool };
