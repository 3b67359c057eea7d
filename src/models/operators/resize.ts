/** Images of another size, with the kernels that compute them. */

import * as graph from "../../graph/operators/resize.js";
import { compileResized, viewResized } from "../kernels/resize.js";
import type { ModelOperator } from "../operator.js";

export const Resize: ModelOperator = { operator: graph.Resize, view: viewResized, compile: compileResized };
