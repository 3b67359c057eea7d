/** The layouts of a sequence, to the bit: batchFirst, and one sequence without a batch. */
import { describe } from "vitest";
import type { Tensor } from "../../../src/index.js";
import { expectSameResult, makeNetwork, run } from "../../support/networks.js";
import { holds, inputOf, lengthsOf, statesOf } from "../../support/properties.js";
import { reshape, transpose } from "../../support/tensors.js";

describe("forward", () => {
  holds("with batchFirst equals forward transposed", (spec, drawn) => {
    using module = makeNetwork(spec);
    using batchFirst = makeNetwork(spec, true);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    for (const options of [{}, { lengths: lengthsOf(drawn) }]) {
      const expected = run(module, input, states, options);
      const result = run(batchFirst, transpose(input), states, options);
      expectSameResult({ output: transpose(result.output), states: result.states }, expected);
    }
  });

  holds("of one sequence without a batch equals a batch of one", (spec, drawn) => {
    const one = { ...drawn, batch: 1 };
    const input = inputOf(spec, one);
    const states = statesOf(spec, one);
    using module = makeNetwork(spec);
    const expected = run(module, input, states);
    for (const batchFirst of [false, true]) {
      using unbatched = makeNetwork(spec, batchFirst);
      const flat = (tensor: Tensor) => reshape(tensor, [tensor.shape[0]!, tensor.shape[2]!]);
      const result = run(unbatched, flat(input), states?.map(flat));
      expectSameResult(result, { output: flat(expected.output), states: expected.states.map(flat) });
    }
  });
});
