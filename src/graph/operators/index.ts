/** Every operator that runs, in one table. */

import type { Operator, OperatorTable } from "../operator.js";
import { binaryOperators, logicOperators } from "./binary.js";
import { castOperators } from "./cast.js";
import { controls } from "./control.js";
import { convolutions } from "./conv.js";
import { elementwise } from "./elementwise.js";
import { generators } from "./generate.js";
import { indexOperators } from "./index-of.js";
import { products } from "./matmul.js";
import { moves } from "./move.js";
import { normalisations } from "./normalise.js";
import { pools } from "./pool.js";
import { quantised } from "./quantised.js";
import { quantisedLSTM } from "./quantised-lstm.js";
import { recurrents } from "./recurrent.js";
import { reductions } from "./reduce.js";
import { reshapeOperators } from "./reshape.js";
import { resizes } from "./resize.js";
import { softmaxes } from "./softmax.js";

/** The operators by their names. */
export function tableOf(operators: readonly Operator[]): OperatorTable {
  return new Map(operators.map((operator) => [operator.name, operator]));
}

export const ALL_OPERATORS: OperatorTable = tableOf([
  ...elementwise,
  ...binaryOperators,
  ...logicOperators,
  ...castOperators,
  ...reshapeOperators,
  ...generators,
  ...moves,
  ...indexOperators,
  ...reductions,
  ...softmaxes,
  ...products,
  ...convolutions,
  ...pools,
  ...normalisations,
  ...recurrents,
  ...controls,
  ...quantised,
  quantisedLSTM,
  ...resizes,
]);
