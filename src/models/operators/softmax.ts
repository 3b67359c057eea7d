/** Softmax and its logarithm, with the kernels that compute them. */

import * as graph from "../../graph/operators/softmax.js";
import { compileSoftmax } from "../kernels/softmax.js";
import type { ModelOperator } from "../operator.js";

export const LogSoftmax: ModelOperator = { operator: graph.LogSoftmax, compile: compileSoftmax };

export const Softmax: ModelOperator = { operator: graph.Softmax, compile: compileSoftmax };
