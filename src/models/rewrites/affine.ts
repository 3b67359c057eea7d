/**
 * What a step of a GRU computes, read off the nodes of a loop's body, whatever nodes it was written with. There are sums
 * of products with the input, the state, and the state that has been reset. There are gates: activations of such sums.
 */

import type { HostTensor } from "../../graph/ir.js";

/** What is multiplied by a matrix: the input of the step, the state, or the reset state. */
export type Basis = "x" | "h" | "rh";

/** x X + h H + rh RH + bias, a row of `columns` numbers. */
export interface Affine {
  readonly kind: "affine";
  readonly columns: number;
  /** (width, columns) each. */
  readonly terms: ReadonlyMap<Basis, Float64Array>;
  readonly bias: Float64Array;
  /** What resets the state of a term `rh`. */
  readonly reset?: Gate | undefined;
}

export interface Gate {
  readonly kind: "gate";
  readonly form: Affine;
  /** ONNX's name; `HardSigmoid` bounds the form itself to 0 and 1. */
  readonly activation: "Sigmoid" | "HardSigmoid";
}

/** The new state before it is mixed with the old one: an activation of a sum, `Affine` for none. */
export interface Candidate {
  readonly kind: "candidate";
  readonly input: Affine;
  /** What a gate scales after the product. */
  readonly gated: Gated | undefined;
  readonly activation: string;
}

/** gate times a form of the state. */
export interface Gated {
  readonly kind: "gated";
  readonly gate: Gate;
  readonly form: Affine;
}

/** An LSTM's c'. */
export interface NextCell {
  readonly kind: "nextCell";
  readonly forget: Gate;
  readonly input: Gate;
  readonly candidate: Candidate;
}

export type Form =
  | { readonly kind: "constant"; readonly tensor: HostTensor }
  | { readonly kind: "basis"; readonly basis: "x" | "h" }
  | Affine
  | Gate
  | Gated
  | Candidate
  /** `factor` times a form that is bounded on one side: at most 1, or at least 0. */
  | { readonly kind: "bounded"; readonly form: Affine; readonly side: "Min" | "Max"; readonly factor: number }
  /** factor gate */
  | { readonly kind: "wide"; readonly gate: Gate; readonly factor: number }
  /** An LSTM's c. */
  | { readonly kind: "cell" }
  /** gate c */
  | { readonly kind: "keptCell"; readonly gate: Gate }
  /** gate candidate */
  | { readonly kind: "writtenCell"; readonly gate: Gate; readonly candidate: Candidate }
  | NextCell
  /** An activation of c', and gate times that: h'. */
  | { readonly kind: "shown"; readonly cell: NextCell; readonly activation: string }
  | { readonly kind: "output"; readonly gate: Gate; readonly cell: NextCell; readonly activation: string }
  /** 1 - gate */
  | { readonly kind: "rest"; readonly gate: Gate }
  /** gate h */
  | { readonly kind: "kept"; readonly gate: Gate }
  /** (1 - gate) candidate */
  | { readonly kind: "written"; readonly gate: Gate; readonly candidate: Candidate }
  /** The two together: the next state. */
  | { readonly kind: "state"; readonly gate: Gate; readonly candidate: Candidate };

/** Of a matrix: more would take the memory of larger models. */
const MOST_NUMBERS = 2 ** 23;

/** Constants that are one number, or a row. */
function rowOf({ data, shape }: HostTensor, columns: number): ((at: number) => number) | undefined {
  if (data.length === 1) return () => data[0]!;
  if (data.length !== columns || shape.at(-1) !== columns) return undefined;
  return (at) => data[at]!;
}

/** A product with a constant matrix of `columns` columns. */
export function multiplied(form: Form, { data, shape }: HostTensor, turned = false): Affine | undefined {
  if (shape.length !== 2 || (form.kind !== "basis" && form.kind !== "kept")) return undefined;
  if (data.length > MOST_NUMBERS) return undefined;
  const [width, columns] = turned ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  const matrix = new Float64Array(width * columns);
  for (let k = 0, at = 0; k < width; k++) {
    for (let n = 0; n < columns; n++) matrix[at++] = data[turned ? n * width + k : k * columns + n]!;
  }
  const basis: Basis = form.kind === "kept" ? "rh" : form.basis;
  const reset = form.kind === "kept" ? form.gate : undefined;
  return {
    kind: "affine",
    columns,
    terms: new Map([[basis, matrix]]),
    bias: new Float64Array(columns),
    reset,
  };
}

export function added(a: Form, b: Form): Form | undefined {
  if (a.kind === "constant" && b.kind !== "constant") return added(b, a);
  if (a.kind === "affine" && b.kind === "constant") {
    const row = rowOf(b.tensor, a.columns);
    return row && { ...a, bias: a.bias.map((x, at) => x + row(at)) };
  }
  if (a.kind === "affine" && b.kind === "affine") return sumOf(a, b);
  if (a.kind === "gated" && b.kind === "affine") return added(b, a);
  if (a.kind === "affine" && b.kind === "gated" && a.columns === b.form.columns && onlyHas(a, "x")) {
    return { kind: "candidate", input: a, gated: b, activation: "Affine" };
  }
  if (a.kind === "writtenCell" && b.kind === "keptCell") return added(b, a);
  if (a.kind === "keptCell" && b.kind === "writtenCell") {
    return { kind: "nextCell", forget: a.gate, input: b.gate, candidate: b.candidate };
  }
  if (a.kind === "written" && b.kind === "kept") return added(b, a);
  if (a.kind === "kept" && b.kind === "written" && a.gate === b.gate) {
    return { kind: "state", gate: a.gate, candidate: b.candidate };
  }
  return undefined;
}

function sumOf(a: Affine, b: Affine): Affine | undefined {
  if (a.columns !== b.columns || (a.reset && b.reset && a.reset !== b.reset)) return undefined;
  const terms = new Map(a.terms);
  for (const [basis, matrix] of b.terms) {
    const other = terms.get(basis);
    terms.set(basis, other === undefined ? matrix : other.map((x, at) => x + matrix[at]!));
  }
  const bias = a.bias.map((x, at) => x + b.bias[at]!);
  return { kind: "affine", columns: a.columns, terms, bias, reset: a.reset ?? b.reset };
}

export const onlyHas = ({ terms }: Affine, ...bases: readonly Basis[]): boolean =>
  Array.from(terms.keys()).every((basis) => bases.includes(basis));

export function scaled(a: Form, b: Form): Form | undefined {
  if (a.kind === "constant" && b.kind !== "constant") return scaled(b, a);
  if (a.kind === "affine" && b.kind === "constant") return scaledBy(a, b.tensor);
  if (a.kind === "wide" && b.kind === "constant" && b.tensor.data.length === 1) {
    return unscaled(a.gate, a.factor * b.tensor.data[0]!);
  }
  if (b.kind === "gate" && a.kind !== "gate") return scaled(b, a);
  if (a.kind === "gate" && b.kind === "basis" && b.basis === "h") return { kind: "kept", gate: a };
  if (a.kind === "gate" && b.kind === "affine" && onlyHas(b, "h")) return { kind: "gated", gate: a, form: b };
  if (a.kind === "gate") return gatedCell(a, b);
  if (b.kind === "rest") return scaled(b, a);
  if (a.kind !== "rest") return undefined;
  const candidate = candidateOf(b, "Affine");
  return candidate && { kind: "written", gate: a.gate, candidate };
}

/** What an LSTM makes of a gate. */
function gatedCell(gate: Gate, form: Form): Form | undefined {
  if (form.kind === "cell") return { kind: "keptCell", gate };
  if (form.kind === "shown") return { kind: "output", gate, cell: form.cell, activation: form.activation };
  if (form.kind !== "candidate" || form.gated !== undefined) return undefined;
  return { kind: "writtenCell", gate, candidate: form };
}

function scaledBy(form: Affine, tensor: HostTensor): Affine | undefined {
  const row = rowOf(tensor, form.columns);
  return row && timesEach(form, row);
}

/** Each column times a number. */
function timesEach(form: Affine, row: (at: number) => number): Affine {
  const { columns, terms, bias } = form;
  return {
    ...form,
    terms: new Map(
      Array.from(terms, ([basis, matrix]) => [basis, matrix.map((x, at) => x * row(at % columns))]),
    ),
    bias: bias.map((x, at) => x * row(at)),
  };
}

/** An activation of c', or of what may be the new state. */
export function activated(form: Form, activation: string): Form | undefined {
  return form.kind === "nextCell" ? { kind: "shown", cell: form, activation } : candidateOf(form, activation);
}

function candidateOf(form: Form, activation: string): Candidate | undefined {
  if (form.kind === "affine") return { kind: "candidate", input: form, gated: undefined, activation };
  if (form.kind !== "candidate") return undefined;
  if (activation === "Affine") return form;
  return form.activation === "Affine" ? { ...form, activation } : undefined;
}

/** A bound of 0 below, or of a number above: both make a hard sigmoid times that number. */
export function bounded(operator: "Min" | "Max", a: Form, b: Form): Form | undefined {
  if (a.kind === "constant" && b.kind !== "constant") return bounded(operator, b, a);
  if (b.kind !== "constant" || b.tensor.data.length !== 1) return undefined;
  const bound = b.tensor.data[0]!;
  if (operator === "Max" ? bound !== 0 : !(bound > 0 && bound < Number.POSITIVE_INFINITY)) return undefined;
  if (a.kind !== "affine" && (a.kind !== "bounded" || a.side === operator)) return undefined;
  const given = a.kind === "affine" ? a : a.form;
  const form = operator === "Max" ? given : timesEach(given, () => 1 / bound);
  const factor = (a.kind === "affine" ? 1 : a.factor) * (operator === "Max" ? 1 : bound);
  if (a.kind === "affine") return { kind: "bounded", form, side: operator, factor };
  return unscaled({ kind: "gate", form, activation: "HardSigmoid" }, factor);
}

/** Of a number that was rounded to float32: 1/6 times 6. */
function unscaled(gate: Gate, factor: number): Form {
  return Math.abs(factor - 1) < 1e-6 ? gate : { kind: "wide", gate, factor };
}

/** Columns `from` to `from + count`. */
export function columnsOf(form: Affine, from: number, count: number): Affine {
  const part = (matrix: Float64Array): Float64Array => {
    const width = matrix.length / form.columns;
    return Float64Array.from(
      { length: width * count },
      (_, at) => matrix[Math.floor(at / count) * form.columns + from + (at % count)]!,
    );
  };
  return {
    ...form,
    columns: count,
    terms: new Map(Array.from(form.terms, ([basis, matrix]) => [basis, part(matrix)])),
    bias: form.bias.slice(from, from + count),
  };
}
