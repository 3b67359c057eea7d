/** What LSTM, GRU and RNN share as modules: options, sizes read off weights, the shapes of arguments and results. */
import { show, showShape, wrongShape, wrongValue } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { allocateFloats, type ParameterData } from "../tensor/like.js";
import { isSplit } from "../wasm/current.js";
import type { Precision } from "../wasm/precision.js";
import { CELLS, type CellKind } from "./cell-kinds.js";
import { cellParts } from "./cell-options.js";
import type { DictBelow } from "./from-state-dict.js";
import { Module } from "./module.js";
import { boolean, bound, integer, type OptionTable, precision, probability, type Values } from "./options.js";
import { checkState, type Sequence } from "./sequence.js";
import { Stack } from "./stack.js";
import { StackParameters, suffixesOf } from "./stack-parameters.js";
import { keyIn, type ParameterSpec, precisionOf, shapeOf } from "./state-dict.js";
import type { Workspace } from "./workspace.js";

/** Options that all recurrent modules have, as PyTorch's. */
export interface RecurrentOptions {
  inputSize: number;
  hiddenSize: number;
  numLayers?: number | undefined;
  bias?: boolean | undefined;
  batchFirst?: boolean | undefined;
  /**
   * Checked, and without effect in inference; PyTorch's warning, that it has none with one layer in training
   * either, is not given.
   */
  dropout?: number | undefined;
  bidirectional?: boolean | undefined;
  /** `"int8"`: weights of 8 bits with one scale per row, a quarter of the memory. `"float32"` when left out. */
  precision?: Precision | undefined;
  /** Bound, on both sides, of what the gates' activations are taken of, as ONNX's. None when left out. */
  clip?: number | undefined;
  /** Runs from the last step to the first, with rows in the order of time, as ONNX's reverse direction. */
  reverse?: boolean | undefined;
  /**
   * Runs from the last step to the first, with rows in the order of computing, as Keras' go_backwards: of several
   * layers each takes what the one before it gives from its end.
   */
  goBackwards?: boolean | undefined;
  /**
   * Whether the module has initial states, used where a call gives none: `h0`, (numLayers * directions, size), and an
   * LSTM's `c0` in its state dict. They begin as zeros.
   */
  initialState?: boolean | undefined;
}

/** The names of initial states in a state dict. */
const INITIAL = ["h0", "c0"] as const;

/** Of a module without initial states. One for all calls. */
const ZEROS: readonly undefined[] = [];

/** Far beyond any network, so that a typing error is told at once. */
const MOST_LAYERS = 10_000;

/**
 * @param own  the options of one kind, where PyTorch prints them
 * @param variant  those that PyTorch has not
 */
export const recurrentOptions = <Own extends object, Variant extends object>(
  own?: Own,
  variant?: Variant,
) => ({
  inputSize: integer(1),
  hiddenSize: integer(1),
  ...(own as Own),
  numLayers: integer(1, 1, MOST_LAYERS),
  bias: boolean(true),
  batchFirst: boolean(false),
  dropout: probability(0),
  bidirectional: boolean(false),
  precision,
  ...(variant as Variant),
  clip: bound,
  reverse: boolean(false),
  goBackwards: boolean(false),
  initialState: boolean(false),
});

/** The recurrent options that weights do not tell. */
export const UNTOLD = ["batchFirst", "precision", "clip", "reverse", "goBackwards"] as const;

/** What a recurrent module is made of, besides its options. */
interface Make {
  readonly table: () => OptionTable;
  readonly cell: CellKind;
  /** As the constructor was given them. */
  readonly options: object;
}

/** The arguments of a call that states have to fit. */
type Call = Pick<Sequence, "batch" | "batched">;

/** The frozen shapes of results. To freeze one takes 40 ns, and a small call would make three. */
interface Shapes extends Call {
  readonly steps: number;
  readonly output: readonly number[];
  readonly states: readonly (readonly number[])[];
}

/** A stack of layers in one or two directions over a whole sequence. */
export abstract class Recurrent extends Module {
  declare readonly inputSize: number;
  declare readonly hiddenSize: number;
  declare readonly bias: boolean;
  declare readonly numLayers: number;
  declare readonly batchFirst: boolean;
  declare readonly dropout: number;
  declare readonly bidirectional: boolean;
  declare readonly precision: Precision;
  declare readonly clip: number;
  declare readonly reverse: boolean;
  declare readonly goBackwards: boolean;
  declare readonly initialState: boolean;
  /** @internal */
  declare readonly stack: Stack;
  /** @internal */
  declare protected readonly workspace: Workspace;
  readonly #parameters: StackParameters;
  /** `h0` and an LSTM's `c0`, (layers * directions, size) each, where the module has them. */
  readonly #initial: ReadonlyMap<string, Float32Array>;
  /** The shapes of the last call's results, frozen: a call of the same sizes has the same objects. */
  #shapes: Shapes | undefined;

  /** @internal */
  protected constructor(
    values: Values<ReturnType<typeof recurrentOptions<object, object>>> & { readonly projSize?: number },
    { table, cell, options }: Make,
  ) {
    const { hiddenSize, projSize = 0 } = values;
    for (const [name, other] of [
      ["reverse", "bidirectional"],
      ["goBackwards", "bidirectional"],
      ["goBackwards", "reverse"],
    ] as const) {
      if (values[name] && values[other]) throw wrongValue(name, `false beside ${other}`, true);
    }
    if (projSize >= hiddenSize) throw wrongValue("projSize", `less than hiddenSize ${hiddenSize}`, projSize);
    super(values, table, isSplit(hiddenSize));
    const directions = values.bidirectional ? 2 : 1;
    const shape = { ...values, ...cellParts(cell, values), projSize, directions } as const;
    this.stack = this.construct(() => new Stack(this.region, shape));
    this.workspace = this.stack.workspace(this.region);
    this.#parameters = new StackParameters(this.stack, suffixesOf(shape));
    const rows = this.stack.layers.length;
    const sizes = values.initialState ? this.stack.stateSizes : [];
    this.#initial = new Map(sizes.map((size, which) => [INITIAL[which]!, new Float32Array(rows * size)]));
    this.begin(options, 1 / Math.sqrt(hiddenSize));
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    const rows = this.stack.layers.length;
    const initial = [...this.#initial].map(([name, { length }]) => ({ name, shape: [rows, length / rows] }));
    return [...this.#parameters.specs(), ...initial];
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    this.#parameters.store(new Map([...values].filter(([name]) => !this.#initial.has(name))));
    for (const [name, state] of this.#initial) {
      const data = values.get(name);
      if (data !== undefined) state.set(data);
    }
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    const state = this.#initial.get(name);
    return state === undefined ? this.#parameters.read(name) : state.slice();
  }

  /** @internal The states of a call that gives none: the module's for each batch row, or undefined for zeros. */
  protected initialStates(batch: number): readonly (Float32Array | undefined)[] {
    if (this.#initial.size === 0) return ZEROS;
    return this.stack.stateSizes.map((size, which) => {
      const state = this.#initial.get(INITIAL[which]!);
      if (state === undefined || batch === 1) return state;
      const states = allocateFloats(state.length * batch, INITIAL[which]!);
      for (let at = 0; at < state.length * batch; at += size) {
        const from = Math.floor(at / (size * batch)) * size;
        states.set(state.subarray(from, from + size), at);
      }
      return states;
    });
  }

  /** @internal The shapes of a call's output, in the input's layout, and of its final states. */
  protected shapesOf({ steps, batch, batched, batchMajor }: Sequence): Shapes {
    const last = this.#shapes;
    if (last !== undefined && last.steps === steps && last.batch === batch && last.batched === batched) {
      return last;
    }
    const { outputSize, stateSizes } = this.stack;
    const rows = batchMajor ? [batch, steps, outputSize] : [steps, batch, outputSize];
    this.#shapes = {
      steps,
      batch,
      batched,
      output: Object.freeze(batched ? rows : [steps, outputSize]),
      states: stateSizes.map((_, which) => this.stateShape(which, { batch, batched })),
    };
    return this.#shapes;
  }

  /** @internal Of state number `which`: (layers * directions, N, size), or without N. */
  protected stateShape(which: number, { batch, batched }: Call): readonly number[] {
    const rows = this.stack.layers.length;
    const size = this.stack.stateSizes[which]!;
    return Object.freeze(batched ? [rows, batch, size] : [rows, size]);
  }

  /** @internal State number `which`. @throws TypeError or RangeError naming it. */
  protected checkState(name: string, state: unknown, which: number, call: Call): Float32Array {
    const sizes = { rows: this.stack.layers.length, size: this.stack.stateSizes[which]! };
    return checkState(name, state, sizes, call);
  }
}

/**
 * The options that a state dict tells of a recurrent module, off its first layer's names and shapes; loading then
 * checks all the others.
 * @throws RangeError naming the key that is missing or has a wrong shape.
 */
export function recurrentOptionsOf(below: DictBelow, cell: CellKind) {
  const { entries } = below;
  let numLayers = 1;
  while (entries.has(`weight_ih_l${numLayers}`)) numLayers++;
  return {
    ...cellOptionsOf(below, cell, "_l0"),
    numLayers,
    bidirectional: entries.has("weight_ih_l0_reverse"),
    precision: precisionOf(entries, "weight_ih_l0"),
    initialState: entries.has("h0"),
  };
}

/** The sizes of one layer, whose names end in `suffix`. */
export function cellOptionsOf({ entries, prefix }: DictBelow, { gates }: CellKind, suffix: string) {
  for (const key of entries.keys()) {
    // No regular expression, whose compiling is 0.1 ms of a start.
    if (!key.startsWith("ln_") && !key.startsWith("layernorm_")) continue;
    throw coded("UNSUPPORTED", new RangeError(`dict: ${show(prefix + key)}: layer norm is not supported`));
  }
  const name = `weight_ih${suffix}`;
  const [rows, inputSize] = shapeOf(entries, name, 2, prefix) as [number, number];
  const hidden = `weight_hh${suffix}`;
  if (entries.has(hidden) && !entries.has(`weight_hr${suffix}`)) {
    const units = shapeOf(entries, hidden, 2, prefix)[1]!;
    for (const [kind, { gates: others }] of Object.entries(CELLS)) {
      if (others === gates || rows !== others * units) continue;
      const got = `${rows}: these are weights of ${kind}`;
      throw wrongShape(
        `${keyIn(entries, prefix, name)}.shape[0]`,
        `${gates} times ${units} hidden units`,
        got,
      );
    }
  }
  if (rows % gates !== 0) {
    throw wrongShape(`${keyIn(entries, prefix, name)}.shape[0]`, `${gates} times the hidden size`, rows);
  }
  const hiddenSize = rows / gates;
  if (hiddenSize === 0 || inputSize === 0) {
    throw wrongShape(
      `${keyIn(entries, prefix, name)}.shape`,
      "sizes of at least 1",
      showShape([rows, inputSize]),
    );
  }
  return { inputSize, hiddenSize, bias: entries.has(`bias_ih${suffix}`) };
}
