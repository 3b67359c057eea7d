/** Numbers of eight bits, with the kernels that compute them. */

import * as graph from "../../graph/operators/quantised.js";
import type { ModelOperator } from "../operator.js";

export const DequantizeLinear: ModelOperator = { operator: graph.DequantizeLinear };

export const DynamicQuantizeLinear: ModelOperator = { operator: graph.DynamicQuantizeLinear };
