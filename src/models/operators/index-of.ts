/** Numbers taken and put by indices, and padding, with the kernels that compute them. */

import * as graph from "../../graph/operators/index-of.js";
import type { ModelOperator } from "../operator.js";

export const Gather: ModelOperator = { operator: graph.Gather };

export const Pad: ModelOperator = { operator: graph.Pad };

export const ScatterND: ModelOperator = { operator: graph.ScatterND };
