/**
 * A loop that a converter wrote for a GRU or an LSTM becomes a node of these. In each turn its body takes the next step
 * of a sequence. It makes the next state of that and of the last one, and collects it. Other loops stay as they are.
 */

import { FormatError } from "../../formats/bytes.js";
import type { Attribute, Graph, HostTensor, Node, Value } from "../../graph/ir.js";
import { type Call, int64s, NeedsData } from "../../graph/operator.js";
import type { Inlining } from "../operator.js";
import { type Affine, type Basis, type Candidate, type Gate, onlyHas } from "./affine.js";
import { LoopBody } from "./loop-body.js";

/** The nodes that compute what the loop does, and its outputs; undefined for a loop that is neither. */
export function inlineLoop(call: Call, around: Inlining): Graph | undefined {
  try {
    return nodesOf(call, around);
  } catch (error) {
    // What is wrong in a body is told when it runs.
    if (error instanceof FormatError || error instanceof NeedsData) return undefined;
    throw error;
  }
}

function nodesOf(call: Call, around: Inlining): Graph | undefined {
  const { node } = call;
  const carried = node.inputs.slice(2);
  if (around.operator("Reshape") === undefined) return undefined;
  if (carried.includes(undefined) || (call.inputs[1] && call.inputs[1].data === undefined)) return undefined;
  if (call.inputs[0] && call.inputs[0].data === undefined) return undefined;
  const graph = call.graph("body");
  if (graph.outputs.length < carried.length + 1 || graph.inputs.length !== carried.length + 2)
    return undefined;
  const make = () => new LoopBody(graph, carried as Value[], around);
  const found = gruIn(make()) ?? lstmIn(make(), 0) ?? lstmIn(make(), 1);
  if (found === undefined || around.operator(found.operator) === undefined) return undefined;
  const { body, states } = found;
  const sequence = body.sequence && around.operand(body.sequence);
  const firsts = states.map(({ first }) => around.operand(first));
  if (sequence === undefined) return undefined;
  const [steps, batch, inputs] = sequence.shape as [number, number, number];
  const hidden = firsts[0]?.shape[1] ?? 0;
  const isState = firsts.every(
    (first) => first?.dtype === "float32" && first.shape.join() === `${batch},${hidden}`,
  );
  if (!isState || steps === 0 || sequence.dtype !== "float32") return undefined;
  if (!found.fits(inputs, hidden)) return undefined;
  const most = call.has(0) ? call.scalar(0) : Number.POSITIVE_INFINITY;
  if (body.turns(Math.min(most, steps + 1), !call.has(1) || call.scalar(1) !== 0) !== steps) return undefined;

  const weights = around.derive(node, [...body.used], () => found.weights(inputs, hidden));
  const value = (name: string): Value => ({ name: `${node.name}/${name}` });
  const reshape = (from: Value, shape: readonly number[], to: Value): Node => ({
    ...node,
    operator: "Reshape",
    inputs: [from, { name: "", data: int64s(shape) }],
    outputs: [to],
    attributes: new Map(),
  });
  const [starts, lasts, ends] = ["start", "last", "end"].map((name) =>
    states.map((_, at) => value(`${name}${at}`)),
  ) as [Value[], Value[], Value[]];
  const [all, output] = [value("all"), value("output")];
  const layer: Node = {
    ...node,
    operator: found.operator,
    inputs: [body.sequence, ...weights, undefined, ...starts],
    outputs: [all, ...lasts],
    attributes: new Map<string, Attribute>([
      ["hidden_size", { kind: "int", value: hidden }],
      ...activationsOf(found.activations),
      ...found.attributes,
    ]),
  };
  const nodes = [
    ...states.map(({ first }, at) => reshape(first, [1, batch, hidden], starts[at]!)),
    layer,
    reshape(all, [steps, batch, hidden], output),
    ...lasts.map((last, at) => reshape(last, [batch, hidden], ends[at]!)),
  ];
  const outputs = node.outputs.map((_, at): Value | undefined => {
    if (at >= carried.length)
      return body.origin(graph.outputs[at + 1]!.value) === states[0]!.next ? output : undefined;
    const port = graph.inputs[at + 2]!.value;
    const state = states.findIndex((other) => other.port === port);
    if (state >= 0) return ends[state];
    const counter = body.counters.findIndex((other) => other.port === port);
    return counter < 0 ? body.same.get(port) : { name: "", data: body.lasts[counter]! };
  });
  const isWhole = node.outputs.every((made, at) => made === undefined || outputs[at] !== undefined);
  if (!isWhole) return undefined;
  const ports = outputs.map((made) => ({ name: "", value: made ?? output }));
  return { name: graph.name, inputs: [], outputs: ports, nodes };
}

/** A cell that a body is a step of. */
interface Found {
  readonly operator: "GRU" | "LSTM";
  readonly body: LoopBody;
  /** h, and an LSTM's c. */
  readonly states: LoopBody["states"];
  readonly activations: readonly string[];
  readonly attributes: readonly (readonly [string, Attribute])[];
  fits(inputs: number, hidden: number): boolean;
  /** W, R and B. */
  weights(inputs: number, hidden: number): HostTensor[];
}

function gruIn(body: LoopBody): Found | undefined {
  const [state] = body.states;
  if (!body.isSmall || state === undefined || body.states.length !== 1) return undefined;
  body.h = state.port;
  const made = body.form(state.next);
  const cell = made?.kind === "state" ? cellOf(made.gate, made.candidate) : undefined;
  if (cell === undefined) return undefined;
  const { forms, gated } = cell;
  return {
    operator: "GRU",
    body,
    states: [state],
    activations: [cell.gates, cell.activation],
    attributes: [["linear_before_reset", { kind: "int", value: gated === undefined ? 0 : 1 }]],
    fits: (inputs, hidden) => haveSizes([...forms, ...(gated ? [gated] : [])], inputs, hidden),
    weights: (inputs, hidden) => weightsOf(cell, inputs, hidden),
  };
}

/** @param which of the states is h */
function lstmIn(body: LoopBody, which: 0 | 1): Found | undefined {
  const [h, c] = [body.states[which], body.states[1 - which]];
  if (!body.isSmall || h === undefined || c === undefined || body.states.length !== 2) return undefined;
  body.h = h.port;
  body.c = c.port;
  const made = body.form(h.next);
  if (made?.kind !== "output" || made.cell !== body.form(c.next)) return undefined;
  const { forget, input, candidate } = made.cell;
  const gates = [input, made.gate, forget];
  const forms = [...gates.map(({ form }) => form), candidate.input];
  if (gates.some(({ activation }) => activation !== input.activation)) return undefined;
  if (!forms.every((form) => onlyHas(form, "x", "h"))) return undefined;
  return {
    operator: "LSTM",
    body,
    states: [h, c],
    activations: [input.activation, candidate.activation, made.activation],
    attributes: [],
    fits: (inputs, hidden) => haveSizes(forms, inputs, hidden),
    weights: (inputs, hidden) => {
      const matrices = (basis: Basis) => forms.map((form) => form.terms.get(basis));
      const bias = new Float32Array(8 * hidden);
      for (const [at, form] of forms.entries()) bias.set(form.bias, at * hidden);
      return [
        turned(matrices("x"), inputs, hidden),
        turned(matrices("h"), hidden, hidden),
        { dtype: "float32", shape: [1, 8 * hidden], data: bias },
      ];
    },
  };
}

function haveSizes(forms: readonly Affine[], inputs: number, hidden: number): boolean {
  return forms.every(
    ({ columns, terms }) =>
      columns === hidden &&
      Array.from(terms).every(([basis, { length }]) => length === (basis === "x" ? inputs : hidden) * hidden),
  );
}

interface Cell {
  /** Of z, r and n; of the last what the input gives where the reset comes after the product. */
  readonly forms: readonly [Affine, Affine, Affine];
  /** What the state gives to n, where the reset comes after the product. */
  readonly gated: Affine | undefined;
  readonly gates: string;
  readonly activation: string;
}

function cellOf(z: Gate, { input, gated, activation }: Candidate): Cell | undefined {
  const r = gated === undefined ? input.reset : gated.gate;
  if (r === undefined || r.activation !== z.activation) return undefined;
  const own = gated === undefined ? onlyHas(input, "x", "rh") : onlyHas(gated.form, "h");
  if (!own || !onlyHas(z.form, "x", "h") || !onlyHas(r.form, "x", "h")) return undefined;
  return { forms: [z.form, r.form, input], gated: gated?.form, gates: z.activation, activation };
}

/** Activations with the constants of those that bound or pass on a form itself. */
function activationsOf(activations: readonly string[]): [string, Attribute][] {
  const takers = activations.filter((name) => name === "HardSigmoid" || name === "Affine");
  return [
    ["activations", { kind: "strings", value: activations }],
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
