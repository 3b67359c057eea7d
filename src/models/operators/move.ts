/** The same numbers elsewhere, with the kernels that compute them. */

import * as graph from "../../graph/operators/move.js";
import type { ModelOperator } from "../operator.js";

export const Concat: ModelOperator = { operator: graph.Concat };

export const Expand: ModelOperator = { operator: graph.Expand };

export const Slice: ModelOperator = { operator: graph.Slice };

export const Split: ModelOperator = { operator: graph.Split };

export const Tile: ModelOperator = { operator: graph.Tile };

export const Transpose: ModelOperator = { operator: graph.Transpose };

export const Trilu: ModelOperator = { operator: graph.Trilu };
