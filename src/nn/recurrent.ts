/** What LSTM, GRU and RNN share as modules: options, sizes read off weights, the shapes of arguments and results. */
import { showShape, wrongShape, wrongValue } from "../tensor/checks.js";
import type { ParameterData } from "../tensor/like.js";
import type { Precision } from "../wasm/precision.js";
import { CELLS, type CellKind } from "./cell-kinds.js";
import type { DictBelow } from "./from-state-dict.js";
import { Module } from "./module.js";
import { boolean, integer, type OptionTable, precision, probability, type Values } from "./options.js";
import { checkState, type Sequence } from "./sequence.js";
import { Stack } from "./stack.js";
import { StackParameters, suffixesOf } from "./stack-parameters.js";
import { type ParameterSpec, precisionOf, shapeOf } from "./state-dict.js";
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
}

/** Far beyond any network, so that a typing error is told at once. */
const MOST_LAYERS = 10_000;

/** @param own  the options of one kind, where PyTorch prints them */
export const recurrentOptions = <Own extends object>(own?: Own) => ({
  inputSize: integer(1),
  hiddenSize: integer(1),
  ...(own as Own),
  numLayers: integer(1, 1, MOST_LAYERS),
  bias: boolean(true),
  batchFirst: boolean(false),
  dropout: probability(0),
  bidirectional: boolean(false),
  precision,
});

/** The recurrent options that weights do not tell. */
export const UNTOLD = ["batchFirst", "precision"] as const;

/** What a recurrent module is made of, besides its options. */
interface Make {
  readonly table: () => OptionTable;
  readonly cell: CellKind;
  /** As the constructor was given them. */
  readonly options: object;
  readonly activation?: number;
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
  /** @internal */
  declare readonly stack: Stack;
  /** @internal */
  declare protected readonly workspace: Workspace;
  readonly #parameters: StackParameters;
  /** The shapes of the last call's results, frozen: a call of the same sizes has the same objects. */
  #shapes: Shapes | undefined;

  /** @internal */
  protected constructor(
    values: Values<ReturnType<typeof recurrentOptions<object>>> & { readonly projSize?: number },
    { table, options, ...kind }: Make,
  ) {
    const { hiddenSize, projSize = 0 } = values;
    if (projSize >= hiddenSize) throw wrongValue("projSize", `less than hiddenSize ${hiddenSize}`, projSize);
    super(values, table);
    const directions = values.bidirectional ? 2 : 1;
    const shape = { activation: 0, ...kind, ...values, projSize, directions } as const;
    this.stack = this.construct(() => new Stack(this.region, shape));
    this.workspace = this.stack.workspace(this.region);
    this.#parameters = new StackParameters(this.stack, suffixesOf(shape));
    this.begin(options, 1 / Math.sqrt(hiddenSize));
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    return this.#parameters.specs();
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    this.#parameters.store(values);
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    return this.#parameters.read(name);
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
  };
}

/** The sizes of one layer, whose names end in `suffix`. */
export function cellOptionsOf({ entries, prefix }: DictBelow, { gates }: CellKind, suffix: string) {
  const name = `weight_ih${suffix}`;
  const [rows, inputSize] = shapeOf(entries, name, 2, prefix) as [number, number];
  const hidden = `weight_hh${suffix}`;
  if (entries.has(hidden) && !entries.has(`weight_hr${suffix}`)) {
    const units = shapeOf(entries, hidden, 2, prefix)[1]!;
    for (const [kind, { gates: others }] of Object.entries(CELLS)) {
      if (others === gates || rows !== others * units) continue;
      const got = `${rows}: these are weights of ${kind}`;
      throw wrongShape(`${prefix}${name}.shape[0]`, `${gates} times ${units} hidden units`, got);
    }
  }
  if (rows % gates !== 0) {
    throw wrongShape(`${prefix}${name}.shape[0]`, `${gates} times the hidden size`, rows);
  }
  const hiddenSize = rows / gates;
  if (hiddenSize === 0 || inputSize === 0) {
    throw wrongShape(`${prefix}${name}.shape`, "sizes of at least 1", showShape([rows, inputSize]));
  }
  return { inputSize, hiddenSize, bias: entries.has(`bias_ih${suffix}`) };
}
