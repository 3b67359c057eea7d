/** What every loader of whole models has in common. */

import type { Graph } from "../graph/ir.js";
import { wrongType, wrongValue } from "../tensor/checks.js";
import type { Precision } from "../wasm/precision.js";
import type { ModelTable } from "./fold.js";
import type { ModelOperatorCount } from "./model-types.js";
import type { Rewrite } from "./operator.js";

/** Options of every loader. */
export interface LoadModelOptions {
  /** `"int8"`: constant weights of recurrent nodes, MatMul and Gemm have 8 bits. `"float32"` when left out. */
  readonly precision?: Precision | undefined;
  /** Is told how many nodes are ready, of how many. What it throws ends the loading, and frees all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** @throws TypeError or RangeError for an option that is wrong */
export function checkLoadOptions({ precision = "float32", onProgress }: LoadModelOptions): Precision {
  if (precision !== "float32" && precision !== "int8") {
    throw wrongValue("options.precision", '"float32" or "int8"', precision);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw wrongType("options.onProgress", "a function", onProgress);
  }
  return precision;
}

/** How often each operator occurs, those of branches left out. */
export function countOperators(graph: Graph): readonly ModelOperatorCount[] {
  const counts = new Map<string, { operator: string; opset: number; count: number }>();
  for (const { operator, opset } of graph.nodes) {
    const known = counts.get(operator);
    if (known === undefined) counts.set(operator, { operator, opset, count: 1 });
    else known.count++;
  }
  const list = Array.from(counts.values()).sort((a, b) => (a.operator < b.operator ? -1 : 1));
  return Object.freeze(
    list.map(({ operator, ...rest }) => {
      const dot = operator.lastIndexOf(".");
      return Object.freeze({
        domain: operator.slice(0, Math.max(dot, 0)),
        operator: operator.slice(dot + 1),
        ...rest,
      });
    }),
  );
}

/** The rewrites of the operators of a table. */
export function rewritesOf(table: ModelTable): readonly Rewrite[] {
  return Array.from(new Set(Array.from(table.values()).flatMap(({ rewrites }) => rewrites ?? [])));
}
