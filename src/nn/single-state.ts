/** What GRU and RNN share beyond recurrent.ts: one state, h. */
import type { TensorLike } from "../tensor/like.js";
import { type Tensor, tensorOf } from "../tensor/tensor.js";
import { Recurrent } from "./recurrent.js";
import { checkSequence, type ForwardOptions, type Sequence } from "./sequence.js";
import { Stream, type StreamOptions } from "./stream.js";

export abstract class SingleState extends Recurrent {
  /**
   * Runs a sequence: `[output, hN]`.
   *
   * @param input (L, N, inputSize), with batchFirst (N, L, inputSize), or (L, inputSize) for one sequence
   * @param h0 (numLayers * directions, N, hiddenSize), without N for one sequence; zeros when left out
   * @returns output (L, N, directions * hiddenSize) in the input's layout, and the final state in h0's shape
   * @throws TypeError or RangeError naming the argument that does not fit; Error after dispose
   */
  forward(input: TensorLike, h0?: TensorLike, options?: ForwardOptions): [Tensor, Tensor] {
    this.assertAlive();
    const sequence = checkSequence(input, this.inputSize, this.batchFirst, options);
    const { output, states } = this.stack.run(this.workspace, sequence, this.#checkStates(h0, sequence));
    const shapes = this.shapesOf(sequence);
    return [tensorOf(output, shapes.output), tensorOf(states[0]!, shapes.states[0]!)];
  }

  /**
   * A stream that takes one time step at a time and owns its state.
   * @throws RangeError for a bidirectional module, which needs the future; Error after dispose
   */
  stream(options: StreamOptions = {}): Stream<Tensor, TensorLike> {
    this.assertAlive();
    return new Stream(this, options, {
      read: (states, batch) => tensorOf(states[0]!, this.stateShape(0, { batch, batched: true })),
      initial: (batch) => this.initialStates(batch),
      check: (state, batch) => this.#checkStates(state, { batch, batched: true }),
    });
  }

  #checkStates(
    h0: TensorLike | undefined,
    call: Pick<Sequence, "batch" | "batched">,
  ): readonly (Float32Array | undefined)[] {
    return h0 === undefined ? this.initialStates(call.batch) : [this.checkState("h0", h0, 0, call)];
  }
}
