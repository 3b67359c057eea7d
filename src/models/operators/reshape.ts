/** The same numbers in another shape, with the kernels that compute them. */

import * as graph from "../../graph/operators/reshape.js";
import type { ModelOperator } from "../operator.js";

export const Dropout: ModelOperator = { operator: graph.Dropout };

export const Flatten: ModelOperator = { operator: graph.Flatten };

export const Identity: ModelOperator = { operator: graph.Identity };

export const Reshape: ModelOperator = { operator: graph.Reshape };

export const Shape: ModelOperator = { operator: graph.Shape };

export const Size: ModelOperator = { operator: graph.Size };

export const Squeeze: ModelOperator = { operator: graph.Squeeze };

export const Unsqueeze: ModelOperator = { operator: graph.Unsqueeze };
