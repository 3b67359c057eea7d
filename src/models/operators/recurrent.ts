/** Recurrent nodes, with the kernels that compute them. */

import * as graph from "../../graph/operators/recurrent.js";
import type { ModelOperator } from "../operator.js";

export const GRU: ModelOperator = { operator: graph.GRU };

export const LSTM: ModelOperator = { operator: graph.LSTM };

export const RNN: ModelOperator = { operator: graph.RNN };
