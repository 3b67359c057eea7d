/** Branches and loops. */

import type { Graph, HostTensor } from "../ir.js";
import { type Call, type ControlOperator, int64s, type RunGraph, zeros } from "../operator.js";
import { elementsIn } from "../shapes.js";

export const If: ControlOperator = {
  name: "If",
  attributes: { then_branch: "graph", else_branch: "graph" },
  branch: (call) => (call.expect(0, ["bool"]).data === undefined ? undefined : taken(call)),
  control: (call, run) => {
    call.expect(0, ["bool"]);
    return run(taken(call), []);
  },
};

const taken = (call: Call): Graph => call.graph(call.scalar(0) !== 0 ? "then_branch" : "else_branch");

const TRUE: HostTensor = { dtype: "bool", shape: [], data: Uint8Array.of(1) };

/** Of what one loop collects: 64 MB of float32. */
export const MOST_COLLECTED = 2 ** 24;

export const Loop: ControlOperator = {
  name: "Loop",
  attributes: { body: "graph" },
  control: (call, run) => {
    const body = call.graph("body");
    const most = call.has(0) ? call.scalar(0) : Infinity;
    let goesOn = call.has(1) ? call.scalar(1) !== 0 : true;
    let carried = call.inputs.slice(2).map((_, at) => call.data(at + 2));
    const collected: HostTensor[][] = body.outputs.slice(1 + carried.length).map(() => []);
    let elements = 0;
    for (let at = 0; at < most && goesOn; at++) {
      const [condition, ...results] = step(call, run, [int64s([at], []), TRUE, ...carried]);
      goesOn = condition?.data[0] !== 0;
      for (const [index, list] of collected.entries()) {
        const result = results[carried.length + index]!;
        elements += result.data.length + 1;
        if (elements > MOST_COLLECTED) throw call.broken(`it collects more than ${MOST_COLLECTED} elements`);
        list.push(result);
      }
      carried = results.slice(0, carried.length);
    }
    return [...carried, ...collected.map((list) => stacked(call, list))];
  },
};

function step(call: Call, run: RunGraph, inputs: readonly HostTensor[]): readonly HostTensor[] {
  const results = run(call.graph("body"), inputs);
  if (results.length < inputs.length - 1)
    throw call.broken("the body gives fewer outputs than the loop carries");
  return results;
}

/** Tensors of one shape along a new first axis. */
function stacked(call: Call, list: readonly HostTensor[]): HostTensor {
  const first = list[0];
  // A loop that never ran tells no shape.
  if (first === undefined) return { dtype: "float32", shape: [0], data: new Float32Array(0) };
  const output = zeros({ dtype: first.dtype, shape: [list.length, ...first.shape] });
  const size = elementsIn(first.shape);
  for (const [at, { data, dtype, shape }] of list.entries()) {
    if (dtype !== first.dtype || shape.join() !== first.shape.join()) {
      throw call.broken("what it collects is not of one shape");
    }
    output.data.set(data, at * size);
  }
  return output;
}
