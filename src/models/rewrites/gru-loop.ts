/**
 * A loop that a converter wrote for a GRU becomes a GRU node: in each turn the body takes the next step of a sequence,
 * makes the next state of it and of the last one, and collects that. Other loops stay as they are.
 */

import { FormatError } from "../../formats/bytes.js";
import type { Attribute, Graph, HostTensor, Node, Value } from "../../graph/ir.js";
import { type Call, int64s, NeedsData } from "../../graph/operator.js";
import type { Inlining } from "../operator.js";
import { type Affine, type Candidate, type Gate, onlyHas } from "./affine.js";
import { LoopBody } from "./loop-body.js";

/** The nodes that compute what the loop does, and its outputs; undefined for a loop that is no GRU. */
export function inlineLoop(call: Call, around: Inlining): Graph | undefined {
  try {
    return gruOf(call, around);
  } catch (error) {
    // What is wrong in a body is told when it runs.
    if (error instanceof FormatError || error instanceof NeedsData) return undefined;
    throw error;
  }
}

function gruOf(call: Call, around: Inlining): Graph | undefined {
  const { node } = call;
  const carried = node.inputs.slice(2);
  if (around.operator("GRU") === undefined || around.operator("Reshape") === undefined) return undefined;
  if (carried.includes(undefined) || (call.inputs[1] && call.inputs[1].data === undefined)) return undefined;
  if (call.inputs[0] && call.inputs[0].data === undefined) return undefined;
  const graph = call.graph("body");
  if (graph.outputs.length < carried.length + 1 || graph.inputs.length !== carried.length + 2)
    return undefined;
  const body = new LoopBody(graph, carried as Value[], around);
  const [state] = body.states;
  if (!body.isSmall || state === undefined || body.states.length !== 1) return undefined;
  const made = body.form(state.next);
  const sequence = body.sequence && around.operand(body.sequence);
  const first = around.operand(state.first);
  if (made?.kind !== "state" || sequence === undefined || first === undefined) return undefined;
  const [steps, batch, inputs] = sequence.shape as [number, number, number];
  const [rows, hidden] = first.shape as [number, number];
  if (first.shape.length !== 2 || rows !== batch || steps === 0 || sequence.dtype !== "float32")
    return undefined;
  const cell = cellOf(made.gate, made.candidate, inputs, hidden);
  if (cell === undefined) return undefined;
  const most = call.has(0) ? call.scalar(0) : Number.POSITIVE_INFINITY;
  if (body.turns(Math.min(most, steps + 1), !call.has(1) || call.scalar(1) !== 0) !== steps) return undefined;

  const weights = around.derive(node, [...body.used], () => weightsOf(cell, inputs, hidden));
  const constant = (numbers: readonly number[]): Value => ({ name: "", data: int64s(numbers) });
  const [start, all, last, output, end] = ["start", "all", "last", "output", "end"].map(
    (name): Value => ({ name: `${node.name}/${name}` }),
  ) as [Value, Value, Value, Value, Value];
  const make = (
    operator: string,
    from: Node["inputs"],
    to: Node["outputs"],
    attributes: Node["attributes"],
  ) => ({
    ...node,
    operator,
    inputs: from,
    outputs: to,
    attributes,
  });
  const reshape = (from: Value, shape: readonly number[], to: Value) =>
    make("Reshape", [from, constant(shape)], [to], new Map());
  const attributes = new Map<string, Attribute>([
    ["hidden_size", { kind: "int", value: hidden }],
    ["linear_before_reset", { kind: "int", value: cell.gated === undefined ? 0 : 1 }],
    ["activations", { kind: "strings", value: [cell.gates, cell.activation] }],
    ...(cell.gates === "HardSigmoid" || cell.activation === "Affine" ? constantsOf(cell) : []),
  ]);
  const nodes = [
    reshape(state.first, [1, batch, hidden], start),
    make("GRU", [body.sequence, ...weights, undefined, start], [all, last], attributes),
    reshape(all, [steps, batch, hidden], output),
    reshape(last, [batch, hidden], end),
  ];
  const outputs = node.outputs.map((_, at): Value | undefined => {
    if (at >= carried.length)
      return body.origin(graph.outputs[at + 1]!.value) === state.next ? output : undefined;
    const port = graph.inputs[at + 2]!.value;
    if (port === state.port) return end;
    const counter = body.counters.findIndex((other) => other.port === port);
    return counter < 0 ? body.same.get(port) : { name: "", data: body.lasts[counter]! };
  });
  const isWhole = node.outputs.every((value, at) => value === undefined || outputs[at] !== undefined);
  if (!isWhole) return undefined;
  const ports = outputs.map((value) => ({ name: "", value: value ?? end }));
  return { name: graph.name, inputs: [], outputs: ports, nodes };
}

interface Cell {
  /** Of z, r and n; of the last what the input gives where the reset comes after the product. */
  readonly forms: readonly [Affine, Affine, Affine];
  /** What the state gives to n, where the reset comes after the product. */
  readonly gated: Affine | undefined;
  readonly gates: string;
  readonly activation: string;
}

function cellOf(
  z: Gate,
  { input, gated, activation }: Candidate,
  inputs: number,
  hidden: number,
): Cell | undefined {
  const r = gated === undefined ? input.reset : gated.gate;
  if (r === undefined || r.activation !== z.activation) return undefined;
  const own = gated === undefined ? onlyHas(input, "x", "rh") : onlyHas(gated.form, "h");
  const forms = [z.form, r.form, input] as const;
  const hasSizes = [...forms, ...(gated === undefined ? [] : [gated.form])].every(
    ({ columns, terms }) =>
      columns === hidden &&
      Array.from(terms).every(([basis, { length }]) => length === (basis === "x" ? inputs : hidden) * hidden),
  );
  if (!own || !hasSizes || !onlyHas(z.form, "x", "h") || !onlyHas(r.form, "x", "h")) return undefined;
  return { forms, gated: gated?.form, gates: z.activation, activation };
}

/** The constants of activations that have some: those that bound or pass on a form itself. */
function constantsOf({ gates, activation }: Cell): [string, Attribute][] {
  const takers = [gates === "HardSigmoid", activation === "Affine"].filter(Boolean);
  return [
    ["activation_alpha", { kind: "floats", value: takers.map(() => 1) }],
    ["activation_beta", { kind: "floats", value: takers.map(() => 0) }],
  ];
}

/** W (1, 3H, I), R (1, 3H, H) and B (1, 6H) in the order of z, r and n. */
function weightsOf({ forms, gated }: Cell, inputs: number, hidden: number): HostTensor[] {
  const states = [forms[0], forms[1], gated ?? forms[2]];
  const bias = new Float32Array(6 * hidden);
  for (const [at, form] of forms.entries()) bias.set(form.bias, at * hidden);
  if (gated !== undefined) bias.set(gated.bias, 5 * hidden);
  return [
    turned(
      forms.map((form) => form.terms.get("x")),
      inputs,
      hidden,
    ),
    turned(
      states.map((form) => form.terms.get(form === forms[2] ? "rh" : "h")),
      hidden,
      hidden,
    ),
    { dtype: "float32", shape: [1, 6 * hidden], data: bias },
  ];
}

/** (width, hidden) of each gate to (1, gates hidden, width); zeros where there is none. */
function turned(gates: readonly (Float64Array | undefined)[], width: number, hidden: number): HostTensor {
  const data = new Float32Array(gates.length * hidden * width);
  for (const [gate, matrix] of gates.entries()) {
    if (matrix === undefined) continue;
    for (let unit = 0; unit < hidden; unit++) {
      const row = (gate * hidden + unit) * width;
      for (let k = 0; k < width; k++) data[row + k] = matrix[k * hidden + unit]!;
    }
  }
  return { dtype: "float32", shape: [1, gates.length * hidden, width], data };
}
