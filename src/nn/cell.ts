/** What LSTMCell, GRUCell and RNNCell share: a stack of one layer that takes one step. */
import { sameShape, showShape, wrongShape } from "../tensor/checks.js";
import type { ParameterData, TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { isSplit } from "../wasm/current.js";
import type { CellKind } from "./cell-kinds.js";
import { cellParts } from "./cell-options.js";
import { Module } from "./module.js";
import { boolean, bound, integer, type OptionTable, type Values } from "./options.js";
import type { Rename } from "./rename.js";
import { checkStill } from "./sequence.js";
import { Stack } from "./stack.js";
import { StackParameters } from "./stack-parameters.js";
import type { ParameterSpec } from "./state-dict.js";
import type { Workspace } from "./workspace.js";

/** Options that all cells have, as PyTorch's. */
export interface CellOptions {
  inputSize: number;
  hiddenSize: number;
  bias?: boolean | undefined;
  /** Bound, on both sides, of what the gates' activations are taken of. None when left out. */
  clip?: number | undefined;
}

/** Options of a cell's `fromStateDict`, besides those of its kind that weights do not tell. */
export interface CellFromDictOptions extends Pick<CellOptions, "clip"> {
  prefix?: string | undefined;
  rename?: Rename | undefined;
}

/** @param own  the options of one kind */
export const cellOptions = <Own extends object>(own?: Own) => ({
  inputSize: integer(1),
  hiddenSize: integer(1),
  bias: boolean(true),
  clip: bound,
  ...(own as Own),
});

/** What a cell is made of, besides its options. */
interface Make {
  readonly table: () => OptionTable;
  readonly cell: CellKind;
  /** As the constructor was given them. */
  readonly options: object;
}

export abstract class Cell extends Module {
  declare readonly inputSize: number;
  declare readonly hiddenSize: number;
  declare readonly bias: boolean;
  declare readonly clip: number;
  readonly #stack: Stack;
  readonly #workspace: Workspace;
  readonly #parameters: StackParameters;

  /** @internal */
  protected constructor(
    values: Values<ReturnType<typeof cellOptions<object>>>,
    { table, cell, options }: Make,
  ) {
    super(values, table, isSplit(values.hiddenSize));
    const one = { numLayers: 1, directions: 1, projSize: 0, precision: "float32" } as const;
    const shape = { ...values, ...cellParts(cell, values), ...one, reverse: false, goBackwards: false };
    this.#stack = this.construct(() => new Stack(this.region, shape));
    this.#workspace = this.#stack.workspace(this.region);
    this.#parameters = new StackParameters(this.#stack, [""]);
    this.begin(options, 1 / Math.sqrt(values.hiddenSize));
  }

  /** @internal One step of (N, inputSize) or (inputSize): the new states, (N, hiddenSize) or (hiddenSize). */
  protected step(
    input: TensorLike,
    names: readonly string[],
    states: readonly unknown[] | undefined,
  ): Tensor[] {
    this.assertAlive();
    const { data, shape } = asTensor(input, "input");
    if (shape.length !== 1 && shape.length !== 2) {
      throw wrongShape("input.shape", "1 or 2 dimensions", showShape(shape));
    }
    const last = shape.length - 1;
    if (shape[last] !== this.inputSize) {
      throw wrongShape(`input.shape[${last}]`, `inputSize ${this.inputSize}`, shape[last]);
    }
    const batched = shape.length === 2;
    const batch = batched ? shape[0]! : 1;
    const stateShape = batched ? [batch, this.hiddenSize] : [this.hiddenSize];
    const initial = names.map((name, which) => {
      if (states === undefined) return undefined;
      const state = asTensor(states[which], name);
      if (!sameShape(state.shape, stateShape)) {
        throw wrongShape(`${name}.shape`, showShape(stateShape), showShape(state.shape));
      }
      return state.data;
    });
    initial.forEach((state, which) => {
      if (state !== undefined) checkStill(names[which]!, state, batch * this.hiddenSize);
    });
    const none = { lengths: undefined, mask: undefined };
    const sequence = { name: "input", data, steps: 1, batch, batched, batchMajor: false, ...none };
    return this.#stack
      .run(this.#workspace, sequence, initial)
      .states.map((state) => new Tensor(state, stateShape));
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
}
