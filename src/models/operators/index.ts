/** Every operator that runs, in one table. */

import { ALL_OPERATORS as ON_HOST } from "../../graph/operators/index.js";
import type { ModelTable } from "../fold.js";

export const ALL_OPERATORS: ModelTable = new Map(
  Array.from(ON_HOST, ([name, operator]) => [name, { operator }]),
);
