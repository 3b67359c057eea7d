/** What LSTM, GRU and RNN share as modules: options, parameters of a stack, streams. */

import { matrixNameOf } from "../int8/round-weights.js";
import { checkBoolean, checkInteger, sameShape, showShape, wrongType, wrongValue } from "../tensor/checks.js";
import type { ParameterData, StateDictLike, TensorLike } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import { checkPrecision, type Precision } from "../wasm/precision.js";
import type { PanelPart } from "../wasm/weights.js";
import { Module } from "./module.js";
import { checkSequence, checkState, type ForwardOptions, type Sequence } from "./sequence.js";
import { type Family, Stack, type StackSizes } from "./stack.js";
import { entriesBelow, type ParameterSpec, shapeOf } from "./state-dict.js";
import { Stream, type StreamOptions } from "./stream.js";
import { Workspace } from "./workspace.js";

/** Options that all recurrent modules have, as PyTorch's. */
export interface RecurrentOptions {
  inputSize: number;
  hiddenSize: number;
  numLayers?: number | undefined;
  bias?: boolean | undefined;
  batchFirst?: boolean | undefined;
  /**
   * Checked, and without effect in inference; PyTorch's warning, that it has none with one layer in training either, is
   * not given.
   */
  dropout?: number | undefined;
  bidirectional?: boolean | undefined;
  /** `"int8"`: weights of 8 bits with one scale per row, a quarter of the memory. `"float32"` when left out. */
  precision?: Precision | undefined;
}

/** Options of `fromStateDict`. */
export interface FromStateDictOptions {
  /** What the names in the dict begin with, such as `"encoder.lstm."`. */
  prefix?: string | undefined;
  /** Weights do not tell the layout of the input: true for (batch, steps, input). */
  batchFirst?: boolean | undefined;
  /** `"int8"` quantises float weights; int8 weights are recognised when it is left out. */
  precision?: Precision | undefined;
}

/** Where a new module's weights come from instead of the random initial ones. */
export interface StateSource {
  readonly dict: StateDictLike;
  readonly prefix: string;
}

export const RECURRENT_OPTIONS = [
  "inputSize",
  "hiddenSize",
  "numLayers",
  "bias",
  "batchFirst",
  "dropout",
  "bidirectional",
  "precision",
] as const;

export const FROM_STATE_DICT_OPTIONS = ["prefix", "batchFirst", "precision"] as const;

/** Far beyond any network; a list of many more layers is no list of arguments, which Math.max takes, in some engines. */
const MOST_LAYERS = 10_000;

/** @internal What the parameters of each layer and direction end in, in the order of a stack's layers. */
export function suffixesOf({
  numLayers,
  directions,
}: Pick<StackSizes, "numLayers" | "directions">): string[] {
  const ends = directions === 2 ? ["", "_reverse"] : [""];
  return Array.from({ length: numLayers }, (_, layer) => ends.map((end) => `_l${layer}${end}`)).flat();
}

/** A module whose parameters are those of a stack. */
export abstract class StackModule extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  /** @internal */
  readonly stack: Stack;
  /** @internal */
  protected readonly workspace: Workspace;
  /** Suffix of each layer and direction's parameter names. */
  readonly #suffixes: readonly string[];

  /** @internal */
  protected constructor(
    family: Family,
    sizes: StackSizes,
    suffixes: readonly string[],
    source?: StateSource,
  ) {
    super();
    this.inputSize = sizes.inputSize;
    this.hiddenSize = sizes.hiddenSize;
    this.bias = sizes.bias;
    this.#suffixes = suffixes;
    try {
      this.stack = new Stack(this.region, family, sizes);
      this.workspace = new Workspace(this.region);
      if (source === undefined) this.initialise(1 / Math.sqrt(sizes.hiddenSize));
      else this.loadStateDict(source.dict, { prefix: source.prefix });
    } catch (error) {
      this.region.release();
      throw error;
    }
  }

  /** @internal */
  protected parameterSpecs(): ParameterSpec[] {
    return this.stack.layers.flatMap((layer, index) => layer.specs(this.#suffixes[index]!));
  }

  /** @internal */
  protected storeParameters(values: ReadonlyMap<string, ParameterData>): void {
    const { runtime } = this;
    const staging = this.region.allocate(this.#stagingBytes());
    try {
      for (const [name, data] of values) {
        const { layer, name: plain, part } = this.#locate(name);
        layer.store(runtime, staging, plain, part, data);
      }
    } finally {
      this.region.free(staging);
    }
  }

  /** @internal */
  protected readParameter(name: string): ParameterData {
    const staging = this.region.allocate(this.#stagingBytes());
    try {
      const { layer, name: plain, part } = this.#locate(name);
      return layer.read(this.runtime, staging, plain, part);
    } finally {
      this.region.free(staging);
    }
  }

  #stagingBytes(): number {
    return Math.max(...this.stack.layers.map((layer) => layer.stagingBytes));
  }

  #locate(name: string) {
    const matrix = matrixNameOf(name);
    const part: PanelPart = matrix === undefined ? "weights" : "scales";
    const whole = matrix ?? name;
    const index = this.#suffixes.findIndex((suffix) => whole.endsWith(suffix));
    const plain = whole.slice(0, whole.length - this.#suffixes[index]!.length);
    return { layer: this.stack.layers[index]!, name: plain, part };
  }
}

/** LSTM, GRU and RNN: a stack of layers in one or two directions over a whole sequence. */
export abstract class Recurrent extends StackModule {
  readonly numLayers: number;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly precision: Precision;
  /** The shapes of the last call's results: frozen, so that the next call's may be the same objects. */
  #outputShape: readonly number[] = [];
  readonly #stateShapes: (readonly number[])[] = [[], []];

  /** @internal @param familyOf what the module is in a precision */
  protected constructor(
    familyOf: (precision: Precision) => Family,
    options: Partial<RecurrentOptions>,
    projSize: number,
    source?: StateSource,
  ) {
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
    const precision = checkPrecision(options.precision === undefined ? "float32" : options.precision);
    const inputSize = checkInteger("inputSize", options.inputSize, 1);
    const hiddenSize = checkInteger("hiddenSize", options.hiddenSize, 1);
    checkInteger("numLayers", numLayers, 1, MOST_LAYERS);
    checkBoolean("bias", bias);
    checkBoolean("batchFirst", batchFirst);
    checkBoolean("bidirectional", bidirectional);
    if (typeof dropout !== "number") throw wrongType("dropout", "a number", dropout);
    if (!(dropout >= 0 && dropout <= 1)) throw wrongValue("dropout", "a probability from 0 to 1", dropout);
    checkInteger("projSize", projSize, 0);
    if (projSize >= hiddenSize) throw wrongValue("projSize", `less than hiddenSize ${hiddenSize}`, projSize);
    const directions = bidirectional ? 2 : 1;
    const sizes = { inputSize, hiddenSize, numLayers, directions, projSize, bias } as const;
    super(familyOf(precision), sizes, suffixesOf(sizes), source);
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.precision = precision;
  }

  /** @internal The output in the input's layout. */
  protected outputTensor(output: Float32Array, sequence: Sequence): Tensor {
    const { steps, batch, batched, batchMajor } = sequence;
    const { outputSize } = this.stack;
    const whole = batchMajor ? [batch, steps, outputSize] : [steps, batch, outputSize];
    this.#outputShape = frozenShape(this.#outputShape, batched ? whole : [steps, outputSize]);
    return new Tensor(output, this.#outputShape, true);
  }

  /** @internal State number `which`, (layers * directions, N, size), or without N. */
  protected stateTensor(
    states: readonly Float32Array[],
    which: number,
    { batch, batched }: Pick<Sequence, "batch" | "batched">,
  ): Tensor {
    const rows = this.stack.layers.length;
    const size = this.stack.stateSizes[which]!;
    const shape = frozenShape(this.#stateShapes[which]!, batched ? [rows, batch, size] : [rows, size]);
    this.#stateShapes[which] = shape;
    return new Tensor(states[which]!, shape, true);
  }

  /** @internal @throws TypeError or RangeError naming the state. */
  protected checkState(
    name: string,
    state: unknown,
    which: number,
    batch: number,
    batched: boolean,
  ): Float32Array {
    return checkState(name, state, this.stack.layers.length, this.stack.stateSizes[which]!, batch, batched);
  }
}

/** `shape` frozen, as `last` where it is the same: to freeze one takes 40 ns, and a small call makes three. */
function frozenShape(last: readonly number[], shape: readonly number[]): readonly number[] {
  return sameShape(last, shape) ? last : Object.freeze(shape);
}

/** GRU and RNN: one state, h. */
export abstract class SingleStateRecurrent extends Recurrent {
  /**
   * Runs a sequence: `[output, hN]`.
   *
   * @param input (L, N, inputSize), with batchFirst (N, L, inputSize), or (L, inputSize) for one sequence
   * @param h0 (numLayers * directions, N, hiddenSize), without N for one sequence; zeros when left out
   * @returns output (L, N, directions * hiddenSize) in the input's layout, and the final state in h0's shape
   * @throws TypeError or RangeError naming the argument that does not fit; Error after dispose
   */
  forward(input: TensorLike, h0?: TensorLike, options?: ForwardOptions): [Tensor, Tensor] {
    void this.runtime;
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const { output, states } = this.stack.run(this.workspace, sequence, this.#checkStates(h0, sequence));
    return [this.outputTensor(output, sequence), this.stateTensor(states, 0, sequence)];
  }

  /**
   * A stream that takes one time step at a time and owns its state.
   * @throws RangeError for a bidirectional module, which needs the future; Error after dispose
   */
  stream(options: StreamOptions = {}): Stream<Tensor, TensorLike> {
    void this.runtime;
    return new Stream(this, options, {
      read: (states, batch) => this.stateTensor(states, 0, { batch, batched: true }),
      check: (state, batch) => this.#checkStates(state, { batch, batched: true }),
    });
  }

  #checkStates(
    h0: TensorLike | undefined,
    { batch, batched }: Pick<Sequence, "batch" | "batched">,
  ): (Float32Array | undefined)[] {
    return [h0 === undefined ? undefined : this.checkState("h0", h0, 0, batch, batched)];
  }
}

/** What the names and shapes of a state dict say of a recurrent module. */
export interface SizesFromDict {
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bidirectional: boolean;
  bias: boolean;
  projSize: number;
}

/**
 * Reads a module's sizes off its first layer's names and shapes; loading then checks all the others.
 * @throws RangeError naming the key that is missing or has a wrong shape.
 */
export function sizesFromDict(dict: StateDictLike, prefix: string, gates: number): SizesFromDict {
  const entries = entriesBelow(dict, prefix);
  const { inputSize, hiddenSize } = cellSizesFromDict(dict, prefix, gates, "_l0");
  let numLayers = 1;
  while (entries.has(`weight_ih_l${numLayers}`)) numLayers++;
  return {
    inputSize,
    hiddenSize,
    numLayers,
    bidirectional: entries.has("weight_ih_l0_reverse"),
    bias: entries.has("bias_ih_l0"),
    projSize: entries.has("weight_hr_l0") ? shapeOf(entries, "weight_hr_l0", 2, prefix)[0]! : 0,
  };
}

/** The sizes of one layer, whose names end in `suffix`. */
export function cellSizesFromDict(
  dict: StateDictLike,
  prefix: string,
  gates: number,
  suffix: string,
): { inputSize: number; hiddenSize: number; bias: boolean } {
  const entries = entriesBelow(dict, prefix);
  const [rows, inputSize] = shapeOf(entries, `weight_ih${suffix}`, 2, prefix) as [number, number];
  if (rows % gates !== 0) {
    throw wrongValue(`${prefix}weight_ih${suffix}.shape[0]`, `${gates} times the hidden size`, rows);
  }
  const hiddenSize = rows / gates;
  if (hiddenSize === 0 || inputSize === 0) {
    throw wrongValue(
      `${prefix}weight_ih${suffix}.shape`,
      "sizes of at least 1",
      showShape([rows, inputSize]),
    );
  }
  return { inputSize, hiddenSize, bias: entries.has(`bias_ih${suffix}`) };
}
