/** Batches whose rows have lengths of their own, to the bit. */
import { describe } from "vitest";
import { expectSameResult, makeNetwork, run } from "../../support/networks.js";
import { fillPadding, holds, inputOf, lengthsOf, rowsOf, statesOf } from "../../support/properties.js";
import { expectSameBits, range, take } from "../../support/tensors.js";

describe("forward", () => {
  holds("with lengths equals each row alone at its own length, whatever the padding", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    const lengths = lengthsOf(drawn);
    const whole = run(module, fillPadding(input, lengths, Number.NaN), states, { lengths });
    expectSameBits(fillPadding(whole.output, lengths, 0), whole.output, "padding of the output");
    for (const [row, length] of lengths.entries()) {
      const alone = run(module, take(take(input, 1, [row]), 0, range(0, length)), rowsOf(states, [row]));
      const output = take(take(whole.output, 1, [row]), 0, range(0, length));
      expectSameResult(alone, { output, states: rowsOf(whole.states, [row])! }, `row ${row}`);
    }
  });

  holds("with lengths that are all the whole length equals forward without", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const lengths = new Int32Array(drawn.batch).fill(drawn.steps);
    expectSameResult(run(module, input, undefined, { lengths }), run(module, input));
  });
});
