/** The same numbers elsewhere, with the kernels that compute them. */

import * as graph from "../../graph/operators/move.js";
import {
  viewExpanded,
  viewJoined,
  viewSlice,
  viewSplit,
  viewTiled,
  viewTransposed,
} from "../kernels/views.js";
import type { ModelOperator } from "../operator.js";

export const Concat: ModelOperator = { operator: graph.Concat, view: viewJoined };

export const Expand: ModelOperator = { operator: graph.Expand, view: viewExpanded };

export const Slice: ModelOperator = { operator: graph.Slice, view: viewSlice };

export const Split: ModelOperator = { operator: graph.Split, view: viewSplit };

export const Tile: ModelOperator = { operator: graph.Tile, view: viewTiled };

export const Transpose: ModelOperator = { operator: graph.Transpose, view: viewTransposed };

export const Trilu: ModelOperator = { operator: graph.Trilu };
