/** A table of what a model computes. */

import type { Node } from "../graph/ir.js";
import type { Call } from "../graph/operator.js";
import { elementsIn } from "../graph/shapes.js";
import { checkInteger, checkOptions } from "../tensor/checks.js";
import type { ModelInputs, Planner } from "./model-types.js";
import type { PlannedNode } from "./operator.js";
import type { Step } from "./program.js";
import type { StatePair } from "./states.js";

export interface SummaryOptions {
  /** Inputs whose shapes it is told for, and with which each node is timed. */
  readonly inputs?: ModelInputs;
  /** Runs of which the times are the mean; 10 when left out. */
  readonly runs?: number;
}

export interface SummaryRow {
  readonly node: string;
  readonly operator: string;
  /** Of its first output; undefined where it is known only at run time, or no inputs have told sizes that are open. */
  readonly shape: readonly number[] | undefined;
  /** Constant numbers that it reads. */
  readonly parameters: number;
  /** Whether no kernel computes it. */
  readonly onHost: boolean;
  /** Microseconds; of a summary with inputs. */
  readonly time?: number;
}

export interface ModelSummary extends ReadonlyArray<SummaryRow> {
  /** Inputs and outputs that `stream()` takes for one state. */
  readonly states: readonly StatePair[];
}

/** @internal */
export function summarise(
  model: Planner,
  nodes: readonly Node[],
  states: readonly StatePair[],
  options?: SummaryOptions,
): ModelSummary {
  const { inputs, runs = 10 } = checkOptions("options", options, ["inputs", "runs"]);
  checkInteger("options.runs", runs, 1);
  const plan = inputs === undefined ? model.declaredPlan() : model.compute(inputs);
  const times = new Map<PlannedNode, number>();
  if (inputs !== undefined) {
    for (let run = 0; run < runs; run++) {
      plan!.begin();
      for (const { node, call } of plan!.steps) {
        const start = performance.now();
        call();
        times.set(node, (times.get(node) ?? 0) + ((performance.now() - start) * 1000) / runs);
      }
    }
  }
  const told: readonly Told[] = plan?.steps ?? nodes.map(unplanned);
  const rows = told.map((step): SummaryRow => {
    const { node, onHost } = step;
    const time = times.get(node as PlannedNode);
    return Object.freeze({
      node: node.call.node.name,
      operator: node.call.node.operator,
      shape: node.types?.[0]?.shape,
      parameters: parametersOf(step),
      onHost,
      ...(time === undefined ? {} : { time }),
    });
  });
  return Object.freeze(Object.assign(rows, { states }));
}

/** What rows tell of a step. */
type Told = Pick<Step, "onHost"> & {
  readonly node: Pick<PlannedNode, "types"> & { readonly call: Pick<Call, "node" | "inputs"> };
  readonly inner: readonly Told[];
};

/** A node of the file, where no inputs have told sizes. */
const unplanned = (node: Node): Told => ({
  node: { call: { node, inputs: node.inputs.map((value) => value?.data) }, types: undefined },
  onHost: false,
  inner: [],
});

/** Constant numbers that a step reads, with those that its graphs read. */
function parametersOf({ node, inner }: Told): number {
  return node.call.inputs.reduce(
    (sum, operand) => sum + (operand?.data === undefined ? 0 : elementsIn(operand.shape)),
    inner.reduce((sum, step) => sum + parametersOf(step), 0),
  );
}
