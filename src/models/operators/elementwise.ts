/** One number after the other, with the kernels that compute them. */

import * as graph from "../../graph/operators/elementwise.js";
import type { ModelOperator } from "../operator.js";

export const Abs: ModelOperator = { operator: graph.Abs };

export const Ceil: ModelOperator = { operator: graph.Ceil };

export const Clip: ModelOperator = { operator: graph.Clip };

export const Erf: ModelOperator = { operator: graph.Erf };

export const Exp: ModelOperator = { operator: graph.Exp };

export const Floor: ModelOperator = { operator: graph.Floor };

export const Gelu: ModelOperator = { operator: graph.Gelu };

export const LeakyRelu: ModelOperator = { operator: graph.LeakyRelu };

export const Log: ModelOperator = { operator: graph.Log };

export const Neg: ModelOperator = { operator: graph.Neg };

export const Reciprocal: ModelOperator = { operator: graph.Reciprocal };

export const Relu: ModelOperator = { operator: graph.Relu };

export const Round: ModelOperator = { operator: graph.Round };

export const Sigmoid: ModelOperator = { operator: graph.Sigmoid };

export const Sqrt: ModelOperator = { operator: graph.Sqrt };

export const Tanh: ModelOperator = { operator: graph.Tanh };
