/** LSTM: PyTorch's nn.LSTM in inference. The kernel is assembly/lstm.ts. */
import { checkBoolean, checkOptions } from "../tensor/checks.js";
import type { StateDictLike, TensorLike } from "../tensor/like.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Precision } from "../wasm/precision.js";
import {
  FROM_STATE_DICT_OPTIONS,
  type FromStateDictOptions,
  RECURRENT_OPTIONS,
  Recurrent,
  type RecurrentOptions,
  type StateSource,
  sizesFromDict,
} from "./recurrent.js";
import { checkPair, checkSequence, type ForwardOptions, type Sequence } from "./sequence.js";
import type { Family } from "./stack.js";
import { precisionFromDict } from "./state-dict.js";
import { Stream, type StreamOptions } from "./stream.js";
import { type LstmTrace, TraceRecorder } from "./trace.js";

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions {
  /** Size to which h is projected by `weight_hr`, or 0 for no projection. */
  projSize?: number | undefined;
}

/** [h, c]: (numLayers * directions, batch, projSize or hiddenSize) and (numLayers * directions, batch, hiddenSize). */
export type LSTMState = [Tensor, Tensor];
export type LSTMStateLike = readonly [TensorLike, TensorLike];

/** @internal */
export function lstmFamily(precision: Precision): Family {
  return {
    precision,
    gates: 4,
    states: ["h", "c"],
    runSteps(kernels, layer, run) {
      kernels.lstmForward(
        run.steps,
        layer.sizes.hiddenSize,
        layer.hidden.record,
        layer.hiddenBias,
        run.gates,
        run.gatesTime,
        run.gatesRow,
        run.state,
        run.stateRow,
        run.cells,
        run.hidden,
        run.sums,
        run.quantized,
        run.quantizedRow,
        run.output,
        run.outputTime,
        run.outputRow,
        layer.outputSize,
        run.order,
        run.active,
        run.batch,
        run.backwards,
        layer.reduction?.record ?? 0,
        layer.reductionStart,
        run.input === 0 ? 0 : layer.input.record,
        run.input,
        layer.inputBias,
        run.trace,
      );
    },
  };
}

/**
 * A long short-term memory network, as PyTorch's `nn.LSTM`:
 * i, f, o = sigmoid, g = tanh of W_ih x + b_ih + W_hh h + b_hh; c' = f c + i g; h' = o tanh(c').
 */
export class LSTM extends Recurrent {
  /** Kept where a bundler shortens the names of classes. */
  static override readonly name: string = "LSTM";
  readonly projSize: number;
  /**
   * Weights begin as PyTorch's: uniform in +-1/sqrt(hiddenSize).
   * @throws TypeError or RangeError for an option that is unknown or out of range.
   */
  constructor(options: LSTMOptions, /** @internal */ source?: StateSource) {
    const checked = checkOptions("options", options, [...RECURRENT_OPTIONS, "projSize"]);
    const { projSize = 0 } = checked;
    super(lstmFamily, checked, projSize, source);
    this.projSize = projSize;
  }

  /**
   * An LSTM whose sizes, layers, directions, bias and projection are read off a state dict's names and shapes. Int8
   * weights make it one of precision int8.
   * @throws TypeError or RangeError naming every key that does not fit.
   */
  static fromStateDict(dict: StateDictLike, options: FromStateDictOptions = {}): LSTM {
    const checked = checkOptions("options", options, FROM_STATE_DICT_OPTIONS);
    const { prefix = "", batchFirst = false } = checked;
    const sizes = sizesFromDict(dict, prefix, 4);
    const precision = precisionFromDict(dict, prefix, "weight_ih_l0", checked.precision);
    const read = { ...sizes, precision, batchFirst: checkBoolean("batchFirst", batchFirst) };
    return new LSTM(read, { dict, prefix });
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
    void this.runtime;
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const { output, states } = this.stack.run(this.workspace, sequence, this.#checkStates(state, sequence));
    return [this.outputTensor(output, sequence), this.#stateTensors(states, sequence)];
  }

  /**
   * `forward`, and what the gates did: for each layer and direction i, f, g, o, c (L, N, hiddenSize) and h, in the
   * input's layout.
   * @throws as forward
   */
  trace(input: TensorLike, state?: LSTMStateLike, options?: ForwardOptions): LstmTrace {
    void this.runtime;
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const recorder = new TraceRecorder(this.stack, sequence);
    const initial = this.#checkStates(state, sequence);
    const { output, states } = this.stack.run(this.workspace, sequence, initial, recorder.sink);
    return {
      output: this.outputTensor(output, sequence),
      state: this.#stateTensors(states, sequence),
      layers: recorder.layers(),
    };
  }

  /**
   * A stream that takes one time step at a time and owns its state.
   * @throws RangeError for a bidirectional LSTM, which needs the future; Error after dispose
   */
  stream(options: StreamOptions = {}): Stream<LSTMState, LSTMStateLike> {
    void this.runtime;
    return new Stream(this, options, {
      read: (states, batch) => this.#stateTensors(states, { batch, batched: true }),
      check: (state, batch) => this.#checkStates(state, { batch, batched: true }),
    });
  }

  #checkStates(
    state: LSTMStateLike | undefined,
    { batch, batched }: Pick<Sequence, "batch" | "batched">,
  ): (Float32Array | undefined)[] {
    if (state === undefined) return [undefined, undefined];
    const [h0, c0] = checkPair(state);
    return [this.checkState("h0", h0, 0, batch, batched), this.checkState("c0", c0, 1, batch, batched)];
  }

  #stateTensors(states: readonly Float32Array[], call: Pick<Sequence, "batch" | "batched">): LSTMState {
    return [this.stateTensor(states, 0, call), this.stateTensor(states, 1, call)];
  }
}
