/** Products of matrices, with the kernels that compute them. */

import * as graph from "../../graph/operators/matmul.js";
import { compileEinsum, compileGemm, compileMatMul } from "../kernels/matmul.js";
import { compileIntegerProduct } from "../kernels/quantised.js";
import type { ModelOperator } from "../operator.js";
import { fuseBiases } from "../rewrites/bias.js";

export const Einsum: ModelOperator = { operator: graph.Einsum, compile: compileEinsum };

export const Gemm: ModelOperator = { operator: graph.Gemm, compile: compileGemm };

export const MatMul: ModelOperator = {
  operator: graph.MatMul,
  compile: compileMatMul,
  rewrites: [fuseBiases],
};

export const MatMulInteger: ModelOperator = { operator: graph.MatMulInteger, compile: compileIntegerProduct };
