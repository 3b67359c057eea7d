/** Branches and loops, with the kernels that compute them. */

import * as graph from "../../graph/operators/control.js";
import { nestIf } from "../nested/branches.js";
import { nestLoop } from "../nested/loop.js";
import type { ModelOperator } from "../operator.js";
import { inlineLoop } from "../rewrites/recurrent-loop.js";

export const If: ModelOperator = { operator: graph.If, nest: nestIf };

export const Loop: ModelOperator = { operator: graph.Loop, inline: inlineLoop, nest: nestLoop };
