/** Numbers of eight bits, with the kernels that compute them. */

import * as graph from "../../graph/operators/quantised.js";
import { compileDequantize } from "../kernels/integers.js";
import { compileQuantise } from "../kernels/quantised.js";
import type { ModelOperator } from "../operator.js";

export const DequantizeLinear: ModelOperator = {
  operator: graph.DequantizeLinear,
  compile: compileDequantize,
};

export const DynamicQuantizeLinear: ModelOperator = {
  operator: graph.DynamicQuantizeLinear,
  compile: compileQuantise,
};
