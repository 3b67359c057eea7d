/** A stream: one time step at a time, with the state kept in linear memory between the steps. */

import { checkInteger, checkOptions, showShape, wrongShape, wrongType } from "../tensor/checks.js";
import { coded } from "../tensor/errors.js";
import { allocateFloats, type TensorLike } from "../tensor/like.js";
import { asTensor, Tensor } from "../tensor/tensor.js";
import { isFloat32Array, lengthOf } from "../tensor/typed-array.js";
import { DisposableBase } from "../wasm/disposable.js";
import { Region } from "../wasm/region.js";
import { living } from "../wasm/runtime.js";
import { LARGEST_SIZE } from "./options.js";
import type { InitialStates, Stack } from "./stack.js";
import type { Layout } from "./workspace.js";

/** Options of `stream`. */
export interface StreamOptions {
  /** How many independent sequences advance together. */
  batchSize?: number | undefined;
}

/** The module that a stream belongs to, as far as the stream needs it. @internal */
export interface StreamModule {
  readonly inputSize: number;
  readonly bidirectional: boolean;
  readonly reverse: boolean;
  readonly goBackwards: boolean;
  readonly stack: Stack;
}

/** How a module shapes its states for users. @internal */
export interface StateShape<State, StateLike> {
  read(states: readonly Float32Array[], batch: number): State;
  /** The state that a stream begins with. */
  initial(batch: number): readonly (Float32Array | undefined)[];
  check(state: StateLike, batch: number): readonly (Float32Array | undefined)[];
}

export class Stream<State, StateLike = State> extends DisposableBase {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "Stream";
  declare readonly batchSize: number;
  readonly #module: StreamModule;
  readonly #shape: StateShape<State, StateLike>;
  readonly #region: Region;
  readonly #layout: Layout;
  /** The numbers of both tensors that `step` returns. */
  readonly #outputs: Float32Array;
  readonly #outputRow: Tensor;
  readonly #outputBatch: Tensor;
  #steps = 0;

  /** @internal Use `module.stream()`. It begins with `states`, or with zeros. */
  constructor(
    module: StreamModule,
    options: StreamOptions,
    shape: StateShape<State, StateLike>,
    states?: InitialStates,
  ) {
    super();
    const { batchSize = 1 } = checkOptions("options", options, ["batchSize"]);
    this.batchSize = checkInteger("batchSize", batchSize, 1, LARGEST_SIZE);
    const { bidirectional, reverse, goBackwards } = module;
    if (bidirectional || reverse || goBackwards) {
      const kind = bidirectional ? "bidirectional" : "backward";
      throw coded("UNSUPPORTED", new RangeError(`stream: a ${kind} module needs the future of its input`));
    }
    const { outputSize } = module.stack;
    const data = allocateFloats(batchSize * outputSize, "batchSize", batchSize);
    this.#module = module;
    this.#shape = shape;
    this.#region = new Region(module.stack.region.runtime, this);
    try {
      const workspace = module.stack.workspace(this.#region);
      this.#layout = workspace.fit({
        steps: 1,
        batch: batchSize,
        batchMajor: false,
        traced: false,
        masked: undefined,
      });
      workspace.setOrder(undefined);
      module.stack.loadStates(this.#layout, states ?? shape.initial(batchSize));
    } catch (error) {
      this.#region.release();
      throw error;
    }
    this.#outputs = data;
    this.#outputRow = Object.freeze(new Tensor(data, [batchSize * outputSize]));
    this.#outputBatch = Object.freeze(new Tensor(data, [batchSize, outputSize]));
    living.set(this.#region, 0);
    Object.freeze(this);
  }

  /**
   * Takes one time step: (batchSize, inputSize), or (inputSize) when batchSize is 1, or a bare Float32Array of as
   * many numbers. Returns the output, (batchSize, size), or (size) for an input without a batch dimension. The
   * returned tensor is the same object at every step, overwritten by the next one: copy what is to be kept.
   * @throws TypeError or RangeError naming what does not fit; Error after dispose, or when the output's buffer was
   * transferred
   */
  step(input: TensorLike | Float32Array): Tensor {
    this.#checkAlive();
    const { inputSize, stack } = this.#module;
    const { batchSize } = this;
    const size = batchSize * inputSize;
    let batched = batchSize > 1;
    let data: Float32Array;
    if (isFloat32Array(input)) data = input;
    else {
      const tensor = asTensor(input, "input");
      const { shape } = tensor;
      batched = shape.length === 2;
      const fits = batched ? shape[0] === batchSize && shape[1] === inputSize : shape[0] === inputSize;
      if (!fits || (!batched && (batchSize > 1 || shape.length !== 1))) throw this.#misfit(shape);
      data = tensor.data;
    }
    const length = lengthOf(data);
    if (length !== size) throw wrongShape("input.length", `batchSize * inputSize = ${size}`, length);
    const outputs = this.#outputs;
    if (outputs.length === 0) {
      throw coded(
        "DISPOSED",
        new Error("stream: the buffer of its output was transferred; transfer a copy of the output"),
      );
    }
    const { runtime } = this.#region;
    runtime.fill(this.#layout.input, data);
    stack.runStep(this.#layout, this.#steps++);
    outputs.set(runtime.view(stack.result(this.#layout)));
    return batched ? this.#outputBatch : this.#outputRow;
  }

  /** The error of a step's input of this shape. */
  #misfit(shape: readonly number[]): RangeError {
    const { inputSize } = this.#module;
    const { batchSize } = this;
    const rank = shape.length;
    if (rank !== 2 && !(rank === 1 && batchSize === 1)) {
      const expected =
        batchSize === 1 ? `[1, ${inputSize}] or [${inputSize}]` : `[${batchSize}, ${inputSize}]`;
      return wrongShape("input.shape", expected, showShape(shape));
    }
    if (shape[rank - 1] !== inputSize) {
      return wrongShape(`input.shape[${rank - 1}]`, `inputSize ${inputSize}`, shape[rank - 1]);
    }
    return wrongShape("input.shape[0]", `batchSize ${batchSize}`, shape[0]);
  }

  /** `Stream(LSTM(40, 64), batch_size=1)`, as `console.log` shows it too. */
  override toString(): string {
    return `Stream(${this.#module}, batch_size=${this.batchSize})`;
  }

  /** The state, shaped as forward's with batch batchSize: a copy. Setting it copies too. */
  get state(): State {
    this.#checkAlive();
    return this.#shape.read(this.#module.stack.storeStates(this.#layout), this.batchSize);
  }

  /** @throws TypeError or RangeError naming the state that does not fit; the stream then keeps its own. */
  set state(state: StateLike) {
    this.#checkAlive();
    if (state === undefined) throw wrongType("state", "a state shaped as forward's", state);
    const states = this.#shape.check(state, this.batchSize);
    this.#checkAlive(); // once more: the state's own getters have run
    this.#module.stack.loadStates(this.#layout, states);
  }

  /** Back to the module's initial state, or to zeros. */
  reset(): void {
    this.#checkAlive();
    this.#module.stack.loadStates(this.#layout, this.#shape.initial(this.batchSize));
  }

  /** A stream of its own that goes on from the same state. */
  clone(): Stream<State, StateLike> {
    this.#checkAlive();
    const states = this.#module.stack.storeStates(this.#layout);
    return new Stream(this.#module, { batchSize: this.batchSize }, this.#shape, states);
  }

  /** Frees the stream's memory at once; the module is not touched. */
  override dispose(): void {
    this.#region.release();
  }

  #checkAlive(): void {
    if (this.#region.released) throw coded("DISPOSED", new Error("stream: used after dispose()"));
    if (this.#module.stack.region.released)
      throw coded("DISPOSED", new Error("stream: used after its module's dispose()"));
  }
}
