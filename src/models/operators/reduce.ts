/** Many numbers to one along axes, with the kernels that compute them. */

import * as graph from "../../graph/operators/reduce.js";
import { compileArgExtreme, compileCumSum, compileReduce, compileTop } from "../kernels/reduce.js";
import type { ModelOperator } from "../operator.js";

export const ArgMax: ModelOperator = { operator: graph.ArgMax, compile: compileArgExtreme };

export const ArgMin: ModelOperator = { operator: graph.ArgMin, compile: compileArgExtreme };

export const CumSum: ModelOperator = { operator: graph.CumSum, compile: compileCumSum };

export const ReduceL2: ModelOperator = { operator: graph.ReduceL2, compile: compileReduce };

export const ReduceMax: ModelOperator = { operator: graph.ReduceMax, compile: compileReduce };

export const ReduceMean: ModelOperator = { operator: graph.ReduceMean, compile: compileReduce };

export const ReduceMin: ModelOperator = { operator: graph.ReduceMin, compile: compileReduce };

export const ReduceSum: ModelOperator = { operator: graph.ReduceSum, compile: compileReduce };

export const TopK: ModelOperator = { operator: graph.TopK, compile: compileTop };
