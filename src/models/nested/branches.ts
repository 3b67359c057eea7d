/** An If whose condition is known only at run time: both branches are planned, and one of them runs. */

import type { Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { sameShape } from "../../tensor/checks.js";
import { bytesOf } from "../arena.js";
import type { InnerGraph, Nested, NestedPlace, Nesting } from "../operator.js";
import { cellAt } from "./cell.js";
import { runsOf } from "./runs.js";

/** Undefined where one branch gives other types than the other. */
export function nestIf(call: Call, around: Nesting): Nested | undefined {
  const { outputs } = call.node;
  if (elementsIn(call.expect(0, ["bool"]).shape) !== 1) return undefined;
  const graphs = [call.graph("then_branch"), call.graph("else_branch")];
  if (graphs.some((graph) => graph.inputs.length > 0 || graph.outputs.length < outputs.length))
    return undefined;
  const branches = graphs.map((graph) => around.fold(graph, [], []));
  if (!branches.every(({ isTyped }) => isTyped)) return undefined;
  const [types, others] = branches.map(({ results, known }) =>
    outputs.map((_, at): Type => known.get(results[at]!)!),
  ) as [Type[], Type[]];
  const isOne = types.every(
    ({ dtype, shape }, at) => dtype === others[at]!.dtype && sameShape(shape, others[at]!.shape),
  );
  if (!isOne) return undefined;
  return {
    // Without numbers, which each branch has of its own.
    types: types.map(({ dtype, shape }) => ({ dtype, shape })),
    reads: branches.map(({ results }) => results.slice(0, outputs.length)),
    bind: (place) => bindIf(call, types, branches, place),
  };
}

function bindIf(
  call: Call,
  types: readonly Type[],
  branches: readonly InnerGraph[],
  place: NestedPlace,
): () => void {
  const condition = cellAt(place.runtime, "bool", place.input(0));
  const [then, other] = place.programs.map((program, which) => {
    const made = types.flatMap((type, at) => {
      if (call.node.outputs[at] === undefined) return [];
      const source = program.address(branches[which]!.results[at]!)!;
      return [{ source, target: place.output(at), bytes: bytesOf(type) }];
    });
    const copies = runsOf(place.runtime, place, made);
    return () => {
      program.run();
      copies.call();
    };
  }) as [() => void, () => void];
  return () => (condition.get() === 0 ? other() : then());
}
