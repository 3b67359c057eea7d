/** Recurrent nodes, with the kernels that compute them. */

import * as graph from "../../graph/operators/recurrent.js";
import { compileGRU, compileLSTM, compileRNN } from "../kernels/recurrent.js";
import type { ModelOperator } from "../operator.js";

export const GRU: ModelOperator = { operator: graph.GRU, compile: compileGRU };

export const LSTM: ModelOperator = { operator: graph.LSTM, compile: compileLSTM };

export const RNN: ModelOperator = { operator: graph.RNN, compile: compileRNN };
