/** Products of matrices, with the kernels that compute them. */

import * as graph from "../../graph/operators/matmul.js";
import type { ModelOperator } from "../operator.js";

export const Einsum: ModelOperator = { operator: graph.Einsum };

export const Gemm: ModelOperator = { operator: graph.Gemm };

export const MatMul: ModelOperator = { operator: graph.MatMul };

export const MatMulInteger: ModelOperator = { operator: graph.MatMulInteger };
