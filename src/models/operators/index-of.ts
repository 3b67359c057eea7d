/** Numbers taken and put by indices, and padding, with the kernels that compute them. */

import * as graph from "../../graph/operators/index-of.js";
import { compileGathered } from "../kernels/gather.js";
import { compilePadded, viewPadded } from "../kernels/pad.js";
import { compileScattered } from "../kernels/scatter.js";
import { viewGathered } from "../kernels/views.js";
import type { ModelOperator } from "../operator.js";

export const Gather: ModelOperator = { operator: graph.Gather, view: viewGathered, compile: compileGathered };

export const NonZero: ModelOperator = { operator: graph.NonZero };

export const Pad: ModelOperator = { operator: graph.Pad, view: viewPadded, compile: compilePadded };

export const ScatterND: ModelOperator = { operator: graph.ScatterND, compile: compileScattered };
