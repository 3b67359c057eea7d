/** A recurrent module as a node: of readers whose files are not of nodes, as Keras' are. */

import * as graph from "../../graph/operators/layer.js";
import { compileLayer } from "../kernels/layer.js";
import type { ModelOperator } from "../operator.js";

export const Layer: ModelOperator = { operator: graph.Layer, compile: compileLayer };
