/** onnxruntime's LSTM of int8 weights, with the kernels that compute them. */

import * as graph from "../../graph/operators/quantised-lstm.js";
import { compileDynamicQuantizeLSTM } from "../kernels/recurrent.js";
import type { ModelOperator } from "../operator.js";

export const DynamicQuantizeLSTM: ModelOperator = {
  operator: graph.DynamicQuantizeLSTM,
  compile: compileDynamicQuantizeLSTM,
};
