/** Cells, to the bit: a loop over one gives what forward gives. */
import { describe } from "vitest";
import { GRUCell, LSTMCell, RNNCell, Tensor } from "../../../src/index.js";
import {
  expectSameResult,
  makeNetwork,
  type NetworkSpec,
  run,
  seededDict,
  seededStates,
} from "../../support/networks.js";
import { holds, statesOf } from "../../support/properties.js";
import { concat, expectSameBits, range, reshape, take, unmodified } from "../../support/tensors.js";

describe("cells", () => {
  /** The first layer's weights under the cell's names. */
  const cellDict = (spec: NetworkSpec) =>
    new Map([...seededDict(spec)].map(([name, tensor]) => [name.replace("_l0", ""), tensor]));

  function step(spec: NetworkSpec, input: Tensor, states: readonly Tensor[] | undefined): Tensor[] {
    const { inputSize, hiddenSize, bias, nonlinearity } = spec;
    const options = { inputSize, hiddenSize, bias };
    const dict = cellDict(spec);
    if (spec.kind === "LSTM") {
      using cell = new LSTMCell(options).loadStateDict(dict);
      return cell.forward(input, states as [Tensor, Tensor] | undefined);
    }
    using cell =
      spec.kind === "GRU"
        ? new GRUCell(options).loadStateDict(dict)
        : new RNNCell({ ...options, nonlinearity }).loadStateDict(dict);
    return [cell.forward(input, states?.[0])];
  }

  holds(
    "equal steps of the module",
    (spec, drawn) => {
      const { batch } = drawn;
      const steps = Math.min(drawn.steps, 4);
      using module = makeNetwork(spec);
      const input = Tensor.randn([steps, batch, spec.inputSize], drawn.inputSeed);
      const initial = statesOf(spec, drawn);
      const whole = run(module, input, initial);
      let states = initial?.map((state) => reshape(state, state.shape.slice(1)));
      const hidden = range(0, steps).map((at) => {
        const row = reshape(take(input, 0, [at]), [batch, spec.inputSize]);
        states = unmodified([row, ...(states ?? [])], () => step(spec, row, states));
        return reshape(states[0]!, [1, batch, spec.hiddenSize]);
      });
      const final = states!.map((state) => reshape(state, [1, ...state.shape]));
      expectSameResult({ output: concat(hidden, 0), states: final }, whole);
    },
    { numLayers: 1, bidirectional: false, projSize: 0 },
  );

  holds(
    "take one row without a batch",
    (spec, drawn) => {
      const input = Tensor.randn([spec.inputSize], drawn.inputSeed);
      const states = seededStates(spec, 1, drawn.inputSeed + 1);
      const batched = step(
        spec,
        reshape(input, [1, spec.inputSize]),
        states.map((state) => reshape(state, [1, spec.hiddenSize])),
      );
      const unbatched = step(
        spec,
        input,
        states.map((state) => reshape(state, [spec.hiddenSize])),
      );
      for (const [at, state] of unbatched.entries()) {
        expectSameBits(reshape(state, [1, spec.hiddenSize]), batched[at]!);
      }
    },
    { numLayers: 1, bidirectional: false, projSize: 0 },
  );
});
