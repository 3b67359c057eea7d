/** One number after the other, with the kernels that compute them. */

import * as graph from "../../graph/operators/elementwise.js";
import { compileUnary } from "../kernels/unary.js";
import type { ModelOperator } from "../operator.js";
import { fuseActivations } from "../rewrites/activation.js";

export const Abs: ModelOperator = { operator: graph.Abs, compile: compileUnary };

export const Ceil: ModelOperator = { operator: graph.Ceil, compile: compileUnary };

export const Clip: ModelOperator = { operator: graph.Clip, compile: compileUnary };

export const Erf: ModelOperator = { operator: graph.Erf, compile: compileUnary };

export const Exp: ModelOperator = { operator: graph.Exp, compile: compileUnary };

export const Floor: ModelOperator = { operator: graph.Floor, compile: compileUnary };

export const Gelu: ModelOperator = { operator: graph.Gelu, compile: compileUnary };

export const LeakyRelu: ModelOperator = {
  operator: graph.LeakyRelu,
  compile: compileUnary,
  rewrites: [fuseActivations],
};

export const Log: ModelOperator = { operator: graph.Log, compile: compileUnary };

export const Neg: ModelOperator = { operator: graph.Neg, compile: compileUnary };

export const Reciprocal: ModelOperator = { operator: graph.Reciprocal, compile: compileUnary };

export const Relu: ModelOperator = {
  operator: graph.Relu,
  compile: compileUnary,
  rewrites: [fuseActivations],
};

export const Round: ModelOperator = { operator: graph.Round, compile: compileUnary };

export const Sigmoid: ModelOperator = {
  operator: graph.Sigmoid,
  compile: compileUnary,
  rewrites: [fuseActivations],
};

export const Sqrt: ModelOperator = { operator: graph.Sqrt, compile: compileUnary };

export const Tanh: ModelOperator = {
  operator: graph.Tanh,
  compile: compileUnary,
  rewrites: [fuseActivations],
};
