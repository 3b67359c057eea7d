/** Two numbers after two others, with the kernels that compute them. */

import * as graph from "../../graph/operators/binary.js";
import {
  compileArithmetic,
  compileComparison,
  compileLogic,
  compileNot,
  compilePow,
  compileWhere,
} from "../kernels/binary.js";
import type { ModelOperator } from "../operator.js";

export const Add: ModelOperator = { operator: graph.Add, compile: compileArithmetic };

export const And: ModelOperator = { operator: graph.And, compile: compileLogic };

export const Div: ModelOperator = { operator: graph.Div, compile: compileArithmetic };

export const Equal: ModelOperator = { operator: graph.Equal, compile: compileComparison };

export const Greater: ModelOperator = { operator: graph.Greater, compile: compileComparison };

export const GreaterOrEqual: ModelOperator = { operator: graph.GreaterOrEqual, compile: compileComparison };

export const Less: ModelOperator = { operator: graph.Less, compile: compileComparison };

export const LessOrEqual: ModelOperator = { operator: graph.LessOrEqual, compile: compileComparison };

export const Max: ModelOperator = { operator: graph.Max, compile: compileArithmetic };

export const Min: ModelOperator = { operator: graph.Min, compile: compileArithmetic };

export const Mod: ModelOperator = { operator: graph.Mod, compile: compileArithmetic };

export const Mul: ModelOperator = { operator: graph.Mul, compile: compileArithmetic };

export const Not: ModelOperator = { operator: graph.Not, compile: compileNot };

export const Or: ModelOperator = { operator: graph.Or, compile: compileLogic };

export const PRelu: ModelOperator = { operator: graph.PRelu, compile: compileArithmetic };

export const Pow: ModelOperator = { operator: graph.Pow, compile: compilePow };

export const Sub: ModelOperator = { operator: graph.Sub, compile: compileArithmetic };

export const Sum: ModelOperator = { operator: graph.Sum, compile: compileArithmetic };

export const Where: ModelOperator = { operator: graph.Where, compile: compileWhere };

export const Xor: ModelOperator = { operator: graph.Xor, compile: compileLogic };
