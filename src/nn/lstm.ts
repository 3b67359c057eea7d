/** LSTM: PyTorch's nn.LSTM in inference. The kernels are assembly/layer.ts and assembly/cells/lstm.ts. */
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import { type Tensor, tensorOf } from "../tensor/tensor.js";
import type { Activation } from "./activations.js";
import { CELLS } from "./cell-kinds.js";
import { type LSTMVariant, lstmVariant, OF_LSTM } from "./cell-options.js";
import { type FromStateDictOptions, moduleFromDict, type Reading } from "./from-state-dict.js";
import { integer, readOptions } from "./options.js";
import {
  Recurrent,
  type RecurrentOptions,
  recurrentOptions,
  recurrentOptionsOf,
  UNTOLD,
} from "./recurrent.js";
import { checkPair, checkSequence, type ForwardOptions, type Sequence } from "./sequence.js";
import { shapeOf } from "./state-dict.js";
import { Stream, type StreamOptions } from "./stream.js";
import { type LstmTrace, TraceRecorder } from "./trace.js";

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions, LSTMVariant {
  /** Size to which h is projected by `weight_hr`, or 0 for no projection. */
  projSize?: number | undefined;
}

/**
 * [h, c]: (numLayers * directions, batch, projSize or hiddenSize) and (numLayers * directions, batch, hiddenSize).
 */
export type LSTMState = [Tensor, Tensor];
export type LSTMStateLike = readonly [TensorLike, TensorLike];

const lstmOptions = () => recurrentOptions({ projSize: integer(0, 0) }, lstmVariant());

const READING: Reading = {
  options: lstmOptions,
  untold: [UNTOLD, OF_LSTM],
  told: (below) => ({
    ...recurrentOptionsOf(below, CELLS.LSTM),
    projSize: below.entries.has("weight_hr_l0")
      ? shapeOf(below.entries, "weight_hr_l0", 2, below.prefix)[0]!
      : 0,
    peepholes: below.entries.has("weight_ci_l0"),
  }),
};

/**
 * A long short-term memory network, as PyTorch's `nn.LSTM`:
 * i, f, o = sigmoid, g = tanh of W_ih x + b_ih + W_hh h + b_hh; c' = f c + i g; h' = o tanh(c').
 */
export class LSTM extends Recurrent {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "LSTM";
  declare readonly projSize: number;
  declare readonly activation: Activation;
  declare readonly recurrentActivation: Activation;
  declare readonly cellActivation: Activation;
  declare readonly inputForget: boolean;
  declare readonly cellClip: number;
  declare readonly peepholes: boolean;

  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LSTMOptions) {
    const values = readOptions(lstmOptions(), options);
    super(values, { table: lstmOptions, cell: CELLS.LSTM, options });
    this.settle(new.target === LSTM);
  }

  /**
   * An LSTM whose sizes, layers, directions, bias and projection are read off a state dict's names and shapes. Int8
   * weights make it one of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(
    dict: StateDictLike,
    options: FromStateDictOptions & Omit<LSTMVariant, "peepholes"> = {},
  ): LSTM {
    return moduleFromDict(LSTM, READING, dict, options);
  }

  /**
   * Runs a sequence: `[output, [hN, cN]]`.
   *
   * @param input (L, N, inputSize), with batchFirst (N, L, inputSize), or (L, inputSize) for one sequence
   * @param state [h0, c0], (numLayers * directions, N, size) each, without N for one sequence; zeros when left out
   * @returns output (L, N, directions * size) in the input's layout, and the final states in h0's and c0's shapes
   * @throws TypeError or RangeError naming the argument that does not fit; Error after dispose
   */
  forward(input: TensorLike, state?: LSTMStateLike, options?: ForwardOptions): [Tensor, LSTMState] {
    this.assertAlive();
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const { output, states } = this.stack.run(this.workspace, sequence, this.#checkStates(state, sequence));
    const shapes = this.shapesOf(sequence);
    return [tensorOf(output, shapes.output), stateOf(states, shapes.states)];
  }

  /**
   * `forward`, and what the gates did: for each layer and direction i, f, g, o, c (L, N, hiddenSize) and h, in the
   * input's layout.
   * @throws as forward
   */
  trace(input: TensorLike, state?: LSTMStateLike, options?: ForwardOptions): LstmTrace {
    this.assertAlive();
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const recorder = new TraceRecorder(this.stack, sequence);
    const initial = this.#checkStates(state, sequence);
    const { output, states } = this.stack.run(this.workspace, sequence, initial, recorder);
    const shapes = this.shapesOf(sequence);
    return {
      output: tensorOf(output, shapes.output),
      state: stateOf(states, shapes.states),
      layers: recorder.layers(),
    };
  }

  /**
   * A stream that takes one time step at a time and owns its state.
   * @throws RangeError for a bidirectional LSTM, which needs the future; Error after dispose
   */
  stream(options: StreamOptions = {}): Stream<LSTMState, LSTMStateLike> {
    this.assertAlive();
    return new Stream(this, options, {
      read: (states, batch) => {
        const call = { batch, batched: true };
        return stateOf(states, [this.stateShape(0, call), this.stateShape(1, call)]);
      },
      initial: (batch) => this.initialStates(batch),
      check: (state, batch) => this.#checkStates(state, { batch, batched: true }),
    });
  }

  #checkStates(
    state: LSTMStateLike | undefined,
    call: Pick<Sequence, "batch" | "batched">,
  ): readonly (Float32Array | undefined)[] {
    if (state === undefined) return this.initialStates(call.batch);
    const [h0, c0] = checkPair(state);
    return [this.checkState("h0", h0, 0, call), this.checkState("c0", c0, 1, call)];
  }
}

function stateOf(states: readonly Float32Array[], shapes: readonly (readonly number[])[]): LSTMState {
  return [tensorOf(states[0]!, shapes[0]!), tensorOf(states[1]!, shapes[1]!)];
}
