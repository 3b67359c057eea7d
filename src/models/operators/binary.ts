/** Two numbers after two others, with the kernels that compute them. */

import * as graph from "../../graph/operators/binary.js";
import type { ModelOperator } from "../operator.js";

export const Add: ModelOperator = { operator: graph.Add };

export const And: ModelOperator = { operator: graph.And };

export const Div: ModelOperator = { operator: graph.Div };

export const Equal: ModelOperator = { operator: graph.Equal };

export const Greater: ModelOperator = { operator: graph.Greater };

export const GreaterOrEqual: ModelOperator = { operator: graph.GreaterOrEqual };

export const Less: ModelOperator = { operator: graph.Less };

export const LessOrEqual: ModelOperator = { operator: graph.LessOrEqual };

export const Max: ModelOperator = { operator: graph.Max };

export const Min: ModelOperator = { operator: graph.Min };

export const Mod: ModelOperator = { operator: graph.Mod };

export const Mul: ModelOperator = { operator: graph.Mul };

export const Not: ModelOperator = { operator: graph.Not };

export const Or: ModelOperator = { operator: graph.Or };

export const PRelu: ModelOperator = { operator: graph.PRelu };

export const Pow: ModelOperator = { operator: graph.Pow };

export const Sub: ModelOperator = { operator: graph.Sub };

export const Sum: ModelOperator = { operator: graph.Sum };

export const Where: ModelOperator = { operator: graph.Where };

export const Xor: ModelOperator = { operator: graph.Xor };
