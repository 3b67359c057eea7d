/** Streams, to the bit: step by step they give what forward gives. */
import { describe, expect } from "vitest";
import { LSTM, Tensor } from "../../../src/index.js";
import { expectSameResult, makeNetwork, type Recurrent, run } from "../../support/networks.js";
import { holds, inputOf, statesOf } from "../../support/properties.js";
import { concat, expectSameBits, range, reshape, take, unmodified } from "../../support/tensors.js";

describe("stream", () => {
  const CASES = { bidirectional: false };

  /** A stream's methods with states as an array for every kind. */
  function streamOf(module: Recurrent, batchSize: number) {
    const open = module.stream({ batchSize });
    type Open = typeof open;
    const wrap = (stream: Open) => ({
      /** The outputs of the steps of (L, N, inputSize), copied. */
      steps(input: Tensor): Tensor {
        const outputs = range(0, input.shape[0]!).map((step) => {
          const row = reshape(take(input, 0, [step]), input.shape.slice(1));
          const output = unmodified([row], () => stream.step(row));
          return new Tensor(output.data.slice(), [1, ...output.shape]);
        });
        return concat(outputs, 0);
      },
      get states(): Tensor[] {
        const state = stream.state;
        return state instanceof Tensor ? [state] : [...state];
      },
      set states(states: readonly Tensor[]) {
        unmodified(states, () => {
          (stream as { state: unknown }).state = module instanceof LSTM ? states : states[0];
        });
      },
      reset: () => stream.reset(),
      clone: () => wrap(stream.clone() as Open),
      [Symbol.dispose]: () => stream.dispose(),
    });
    return wrap(open);
  }

  holds(
    "equals forward, and so does what goes on from its state, in its clone and after reset",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const whole = run(module, input, states);
      const cut = Math.ceil(drawn.fractions[0]! * (drawn.steps - 1));
      const before = take(input, 0, range(0, cut));
      const after = take(input, 0, range(cut, drawn.steps));
      const rest = take(whole.output, 0, range(cut, drawn.steps));

      using stream = streamOf(module, drawn.batch);
      if (states !== undefined) stream.states = states;
      if (cut > 0) {
        expectSameBits(stream.steps(before), take(whole.output, 0, range(0, cut)), "first part");
      }
      using clone = stream.clone();
      const between = stream.states;
      expectSameResult(
        { output: stream.steps(after), states: stream.states },
        { ...whole, output: rest },
        "on",
      );
      // The clone did not move with its original, and a call of forward in between does not matter.
      run(module, input);
      expectSameResult(
        { output: clone.steps(after), states: clone.states },
        { ...whole, output: rest },
        "clone",
      );
      stream.states = between;
      expectSameResult(
        { output: stream.steps(after), states: stream.states },
        { ...whole, output: rest },
        "set",
      );
      stream.reset();
      expectSameResult({ output: stream.steps(input), states: stream.states }, run(module, input), "reset");
    },
    CASES,
  );

  holds(
    "takes a bare Float32Array, (inputSize) and (1, inputSize) alike for a batch of one",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      using stream = module.stream();
      const input = Tensor.randn([spec.inputSize], drawn.inputSeed);
      const outputs = [input.data, input, reshape(input, [1, spec.inputSize])].map((given) => {
        stream.reset();
        const { data, shape } = stream.step(given);
        return new Tensor(data.slice(), shape);
      });
      const width = spec.projSize || spec.hiddenSize;
      expect(outputs.map(({ shape }) => shape)).toEqual([[width], [width], [1, width]]);
      expectSameBits(outputs[1]!, outputs[0]!);
      expectSameBits(reshape(outputs[2]!, [width]), outputs[0]!);
    },
    CASES,
  );
});
