/** The body of a loop, read as a step of a GRU (affine.ts), and how often it runs. */

import { evaluate } from "../../graph/evaluate.js";
import type { Data, Graph, HostTensor, Node, Value } from "../../graph/ir.js";
import { Call, int64s } from "../../graph/operator.js";
import { Steps } from "../../graph/steps.js";
import type { Inlining } from "../operator.js";
import {
  type Affine,
  activated,
  added,
  bounded,
  columnsOf,
  type Form,
  multiplied,
  scaled,
} from "./affine.js";

/** Nodes of a body that are looked at. */
const MOST_NODES = 200;
/** Numbers of the matrices of all forms: 128 MB. */
const MOST_NUMBERS = 2 ** 24;

export class LoopBody {
  /** What the graph around has for inputs of the body that never change. */
  readonly same = new Map<Value, Value>();
  /** Inputs of the body that are known in each turn: counters. */
  readonly counters: { readonly port: Value; readonly first: HostTensor; readonly next: Value }[] = [];
  /** The inputs that are neither. */
  readonly states: { readonly port: Value; readonly first: Value; readonly next: Value }[] = [];
  /** The state that is multiplied, and an LSTM's other one. */
  h: Value | undefined;
  c: Value | undefined;
  /** The sequence that is read a step of in each turn. */
  sequence: Value | undefined;
  /** The counter whose steps those are. */
  place: Value | undefined;
  /** What the counters are after the last turn. */
  lasts: readonly HostTensor[] = [];
  /** The constants that forms are made of. */
  readonly used = new Set<Data>();
  readonly #steps = new Steps();
  #numbersLeft = MOST_NUMBERS;
  readonly #makers = new Map<Value, Node>();
  readonly #forms = new Map<Value, Form | undefined>();

  /** @param carried values that the body's inputs have at first, after the turn and the condition */
  constructor(
    readonly graph: Graph,
    carried: readonly Value[],
    readonly around: Inlining,
  ) {
    for (const node of graph.nodes) {
      for (const value of node.outputs) if (value !== undefined) this.#makers.set(value, node);
    }
    for (const [at, first] of carried.entries()) {
      const port = graph.inputs[at + 2]!.value;
      const next = this.origin(graph.outputs[at + 1]!.value);
      const operand = around.operand(first);
      if (next === port) this.same.set(port, first);
      else if (
        operand?.data !== undefined &&
        operand.shape.length === 0 &&
        !operand.dtype.startsWith("float")
      ) {
        this.counters.push({ port, first: operand as HostTensor, next });
      } else this.states.push({ port, first, next });
    }
  }

  /** The value that another one is by Identity. */
  origin(value: Value): Value {
    let found = value;
    for (let turns = 0; turns < MOST_NODES; turns++) {
      const node = this.#makers.get(found);
      if (node?.operator !== "Identity" || node.inputs[0] === undefined) break;
      found = node.inputs[0];
    }
    return found;
  }

  /** Whether there is so little in the body that it may be a cell. */
  get isSmall(): boolean {
    return this.graph.nodes.length <= MOST_NODES;
  }

  /** How often the body runs, at most `most` times; undefined if that is not known, or a counter of places is not the turn. */
  turns(most: number, goesOn: boolean): number | undefined {
    let counters = this.counters.map(({ first }) => first);
    for (let turn = 0; ; turn++) {
      this.lasts = counters;
      if (!goesOn || turn >= most) return turn;
      const known = new Map<Value, HostTensor>([[this.graph.inputs[0]!.value, int64s([turn], [])]]);
      for (const [at, { port }] of this.counters.entries()) known.set(port, counters[at]!);
      if (this.place !== undefined && known.get(this.place)?.data[0] !== turn) return undefined;
      const condition = this.#evaluate(this.graph.outputs[0]!.value, known);
      const next = this.counters.map((counter) => this.#evaluate(counter.next, known));
      if (condition === undefined || next.includes(undefined)) return undefined;
      goesOn = condition.data[0] !== 0;
      counters = next as HostTensor[];
    }
  }

  /** The numbers of a value that depends on nothing but what is known. */
  #evaluate(value: Value, known: Map<Value, HostTensor>, used?: Set<Data>): HostTensor | undefined {
    const made = known.get(value);
    if (made !== undefined) return made;
    const node = this.#makers.get(value);
    if (node === undefined) {
      const operand = this.around.operand(this.same.get(value) ?? value);
      if (operand?.data === undefined) return undefined;
      used?.add(operand.data);
      return operand as HostTensor;
    }
    const meaning = this.around.operator(node.operator)?.operator;
    if (meaning === undefined || "control" in meaning) return undefined;
    const inputs = node.inputs.map((input) => input && this.#evaluate(input, known, used));
    if (inputs.some((input, at) => input === undefined && node.inputs[at] !== undefined)) return undefined;
    const results = evaluate(meaning, new Call(node, inputs), this.#steps);
    for (const [at, output] of node.outputs.entries()) {
      if (output !== undefined && results[at] !== undefined) known.set(output, results[at]);
    }
    return known.get(value);
  }

  /** What a value of the body is, as a form of the input and the state; undefined for what is none. */
  form(value: Value | undefined): Form | undefined {
    if (value === undefined) return undefined;
    if (this.#forms.has(value)) return this.#forms.get(value);
    this.#forms.set(value, undefined);
    const form = this.#numbersLeft > 0 ? this.#read(value) : undefined;
    if (form?.kind === "affine") {
      for (const { length } of form.terms.values()) this.#numbersLeft -= length;
    }
    this.#forms.set(value, form);
    return form;
  }

  #read(value: Value): Form | undefined {
    if (value === this.h) return { kind: "basis", basis: "h" };
    if (value === this.c) return { kind: "cell" };
    const tensor = this.#evaluate(value, new Map(), this.used);
    if (tensor !== undefined) return { kind: "constant", tensor };
    const node = this.#makers.get(value);
    if (node === undefined) return undefined;
    const call = new Call(node, []);
    const [a, b] = [this.form(node.inputs[0]), this.form(node.inputs[1])];
    switch (node.operator) {
      case "Gather":
        return this.#step(node);
      case "Identity":
        return a;
      // Of one row, which is then added to each row.
      case "Squeeze":
        return a?.kind === "affine" && a.columns > 1 ? a : undefined;
      case "MatMul":
        return a && b?.kind === "constant" ? multiplied(a, b.tensor) : undefined;
      case "Gemm":
        return this.#gemm(node, call, a, b);
      case "Add":
        return a && b && added(a, b);
      case "Mul":
        return a && b && scaled(a, b);
      case "Sub":
        return a?.kind === "constant" && b?.kind === "gate" && isOne(a.tensor)
          ? { kind: "rest", gate: b }
          : undefined;
      case "Div":
        return a && b?.kind === "constant"
          ? scaled(a, { kind: "constant", tensor: inverse(b.tensor) })
          : undefined;
      case "Min":
      case "Max":
        return a && b && node.inputs.length === 2 ? bounded(node.operator, a, b) : undefined;
      case "Clip":
        return this.#clip(node, a, b);
      case "Sigmoid":
        return a?.kind === "affine" ? { kind: "gate", form: a, activation: "Sigmoid" } : undefined;
      case "Tanh":
      case "Relu":
        return a && activated(a, node.operator);
      case "Split":
        return a?.kind === "affine" ? this.#part(node, call, a, value) : undefined;
      case "Slice":
        return a?.kind === "affine" ? this.#slice(node, a) : undefined;
      default:
        return undefined;
    }
  }

  /** A step of the sequence, by a counter. */
  #step({ inputs: [sequence, place] }: Node): Form | undefined {
    const isCounter = place !== undefined && this.counters.some(({ port }) => port === this.origin(place));
    if (sequence === undefined || !isCounter || this.#makers.has(sequence)) return undefined;
    const outer = this.same.get(sequence) ?? sequence;
    const at = this.origin(place!);
    if (this.sequence !== undefined && (this.sequence !== outer || this.place !== at)) return undefined;
    if (this.around.operand(outer)?.shape.length !== 3) return undefined;
    this.sequence = outer;
    this.place = at;
    return { kind: "basis", basis: "x" };
  }

  #gemm(node: Node, call: Call, a: Form | undefined, b: Form | undefined): Form | undefined {
    if (a === undefined || b?.kind !== "constant" || call.flag("transA", false)) return undefined;
    if (call.float("alpha", 1) !== 1 || call.float("beta", 1) !== 1) return undefined;
    const product = multiplied(a, b.tensor, call.flag("transB", false));
    if (node.inputs[2] === undefined) return product;
    const c = this.form(node.inputs[2]);
    return product && c && added(product, c);
  }

  #clip(node: Node, a: Form | undefined, low: Form | undefined): Form | undefined {
    const high = this.form(node.inputs[2]);
    const above = a && low && bounded("Max", a, low);
    return above && high && bounded("Min", above, high);
  }

  #part(node: Node, call: Call, form: Affine, value: Value): Form | undefined {
    const given = this.form(node.inputs[1]);
    const stated = given?.kind === "constant" ? Array.from(given.tensor.data) : call.ints("split");
    const count = node.outputs.length;
    const even = Array.from({ length: count }, () => form.columns / count);
    const sizes = stated ?? even;
    const at = node.outputs.indexOf(value);
    if (![1, -1].includes(call.int("axis", 0)) || !sizes.every(Number.isInteger)) return undefined;
    const from = sizes.slice(0, at).reduce((sum, size) => sum + size, 0);
    return columnsOf(form, from, sizes[at]!);
  }

  /** All rows, and some columns. */
  #slice(node: Node, form: Affine): Form | undefined {
    const lists = [1, 2, 3, 4].map((at) => {
      const given = this.form(node.inputs[at]);
      return given?.kind === "constant" ? Array.from(given.tensor.data) : undefined;
    });
    const [starts, ends, axes = starts?.map((_, axis) => axis), steps = []] = lists;
    if (starts === undefined || ends === undefined || steps.some((step) => step !== 1)) return undefined;
    let [from, to] = [0, form.columns];
    for (const [at, axis] of axes!.entries()) {
      const [start, end] = [starts[at]!, ends[at]!];
      if (axis === 0 && start === 0 && end >= 2 ** 31 - 1) continue;
      if (![1, -1].includes(axis) || start < 0 || end < 0) return undefined;
      [from, to] = [start, Math.min(end, form.columns)];
    }
    return from < to ? columnsOf(form, from, to - from) : undefined;
  }
}

/** 1 divided by each number. */
function inverse(tensor: HostTensor): HostTensor {
  return { ...tensor, data: Float64Array.from(tensor.data, (x) => 1 / x) };
}

const isOne = ({ data }: HostTensor): boolean => data.length === 1 && data[0] === 1;
