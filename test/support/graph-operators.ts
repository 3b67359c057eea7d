/** What graphs run on the host by: the operators of whole models, without their kernels. */
import type { OperatorTable } from "../../src/graph/operator.js";
import { ALL_OPERATORS } from "../../src/models/operators/index.js";

export const GRAPH_OPERATORS: OperatorTable = new Map(
  ALL_OPERATORS.map(({ operator }) => [operator.name, operator]),
);
