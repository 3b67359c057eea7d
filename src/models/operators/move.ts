/** The same numbers elsewhere, with the kernels that compute them. */

import * as graph from "../../graph/operators/move.js";
import {
  compileExpanded,
  compileJoined,
  compileSlice,
  compileSplit,
  compileTiled,
  compileTransposed,
} from "../kernels/copy.js";
import { compileTriangle } from "../kernels/triangle.js";
import {
  viewExpanded,
  viewJoined,
  viewSlice,
  viewSplit,
  viewTiled,
  viewTransposed,
} from "../kernels/views.js";
import type { ModelOperator } from "../operator.js";
import { fuseLSTMCells } from "../rewrites/lstm-cell.js";

export const Concat: ModelOperator = { operator: graph.Concat, view: viewJoined, compile: compileJoined };

export const Expand: ModelOperator = { operator: graph.Expand, view: viewExpanded, compile: compileExpanded };

export const Slice: ModelOperator = { operator: graph.Slice, view: viewSlice, compile: compileSlice };

export const Split: ModelOperator = {
  operator: graph.Split,
  view: viewSplit,
  compile: compileSplit,
  rewrites: [fuseLSTMCells],
};

export const Tile: ModelOperator = { operator: graph.Tile, view: viewTiled, compile: compileTiled };

export const Transpose: ModelOperator = {
  operator: graph.Transpose,
  view: viewTransposed,
  compile: compileTransposed,
};

export const Trilu: ModelOperator = { operator: graph.Trilu, compile: compileTriangle };
