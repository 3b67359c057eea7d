/** Numbers of one type as those of another, with the kernels that compute them. */

import * as graph from "../../graph/operators/cast.js";
import { compileCast } from "../kernels/cast.js";
import { viewCast } from "../kernels/views.js";
import type { ModelOperator } from "../operator.js";

export const Cast: ModelOperator = { operator: graph.Cast, view: viewCast, compile: compileCast };

export const CastLike: ModelOperator = { operator: graph.CastLike, view: viewCast, compile: compileCast };
