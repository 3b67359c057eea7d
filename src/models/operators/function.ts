/** A function of the host as a node: of layers that the caller supplies. */

import * as graph from "../../graph/operators/function.js";
import type { ModelOperator } from "../operator.js";

export const HostFunction: ModelOperator = { operator: graph.HostFunctionNode };
