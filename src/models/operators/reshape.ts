/** The same numbers in another shape, with the kernels that compute them. */

import * as graph from "../../graph/operators/reshape.js";
import { compileWhole } from "../kernels/copy.js";
import { viewWhole } from "../kernels/views.js";
import type { ModelOperator } from "../operator.js";

export const Dropout: ModelOperator = { operator: graph.Dropout, view: viewWhole, compile: compileWhole };

export const Flatten: ModelOperator = { operator: graph.Flatten, view: viewWhole, compile: compileWhole };

export const Identity: ModelOperator = { operator: graph.Identity, view: viewWhole, compile: compileWhole };

export const Reshape: ModelOperator = { operator: graph.Reshape, view: viewWhole, compile: compileWhole };

export const Shape: ModelOperator = { operator: graph.Shape };

export const Size: ModelOperator = { operator: graph.Size };

export const Squeeze: ModelOperator = { operator: graph.Squeeze, view: viewWhole, compile: compileWhole };

export const Unsqueeze: ModelOperator = { operator: graph.Unsqueeze, view: viewWhole, compile: compileWhole };
