/** Convolutions, with the kernels that compute them. */

import * as graph from "../../graph/operators/conv.js";
import { compileConv } from "../kernels/conv.js";
import { compileConvTranspose } from "../kernels/conv-transpose.js";
import { compileIntegerConv } from "../kernels/quantised.js";
import type { ModelOperator } from "../operator.js";

export const Conv: ModelOperator = { operator: graph.Conv, compile: compileConv };

export const ConvInteger: ModelOperator = { operator: graph.ConvInteger, compile: compileIntegerConv };

export const ConvTranspose: ModelOperator = { operator: graph.ConvTranspose, compile: compileConvTranspose };
