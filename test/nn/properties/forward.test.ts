/** forward, to the bit: its parts, rows, layers and directions computed alone give what the whole gives. */
import { describe, expect, it } from "vitest";
import { LSTM, Tensor } from "../../../src/index.js";
import { expectSameResult, makeNetwork, run, seededDict, seededStates } from "../../support/networks.js";
import { holds, inputOf, layerByLayer, lengthsOf, rowsOf, statesOf } from "../../support/properties.js";
import { concat, expectSameBits, range, take } from "../../support/tensors.js";

describe("forward", () => {
  holds(
    "of parts with the state carried over equals forward of the whole",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const whole = run(module, input, states);
      let carried = states;
      const outputs: Tensor[] = [];
      const cuts = [...new Set([0, ...lengthsOf(drawn), drawn.steps])].sort((a, b) => a - b);
      for (let part = 0; part + 1 < cuts.length; part++) {
        const result = run(module, take(input, 0, range(cuts[part]!, cuts[part + 1]!)), carried);
        outputs.push(result.output);
        carried = [...result.states];
      }
      expectSameResult({ output: concat(outputs, 0), states: carried! }, whole);
    },
    { bidirectional: false },
  );

  holds("of a batch row alone equals the row in the batch", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    const whole = run(module, input, states);
    for (const row of range(0, drawn.batch)) {
      const alone = run(module, take(input, 1, [row]), rowsOf(states, [row]));
      expectSameResult(
        alone,
        { output: take(whole.output, 1, [row]), states: rowsOf(whole.states, [row])! },
        `row ${row}`,
      );
    }
  });

  it.each([
    ["LSTM", 1],
    ["LSTM", 9],
    ["GRU", 5],
    ["RNN", 17],
  ] as const)(
    "of %s with NaN or infinity in one weight keeps it to its unit (%i units)",
    (kind, hiddenSize) => {
      const spec = {
        ...{ kind, inputSize: 3, hiddenSize, numLayers: 1, bidirectional: false, bias: true },
        ...{ projSize: 0, nonlinearity: "relu" as const, seed: 4 },
      };
      const input = Tensor.randn([1, 3, 3], 5);
      using module = makeNetwork(spec);
      const { output } = run(module, input);
      const dict = seededDict(spec);
      for (const [name, { data, shape }] of dict) {
        const width = shape[1] ?? 1;
        for (let at = 0; at < data.length; at += 1 + (data.length >> 5)) {
          const unit = Math.floor(at / width) % hiddenSize;
          for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
            const changed = data.slice();
            changed[at] = value;
            const special = run(
              module.loadStateDict(new Map(dict).set(name, new Tensor(changed, shape))),
              input,
            );
            const others = range(0, hiddenSize).filter((other) => other !== unit);
            expectSameBits(take(special.output, 2, others), take(output, 2, others), `${name}[${at}]`);
            // W_hh is multiplied by a state of zeros, and 0 * Infinity is NaN too.
            const mine = take(special.output, 2, [unit]).data;
            if (Number.isNaN(value) || name === "weight_hh_l0")
              expect([...mine]).toEqual(new Array(3).fill(Number.NaN));
          }
        }
      }
    },
  );

  it.each([
    ["LSTM", 5, 0],
    ["LSTM", 33, 7],
    ["GRU", 17, 0],
    ["RNN", 33, 0],
  ] as const)(
    "of a batch of 1 to 33 rows of %s (%i units, projected to %i) equals these rows of 33",
    (...drawn) => {
      const [kind, hiddenSize, projSize] = drawn;
      const spec = {
        ...{ kind, inputSize: 5, hiddenSize, numLayers: 2, bidirectional: true, bias: true },
        ...{ projSize, nonlinearity: "tanh" as const, seed: 1 },
      };
      using module = makeNetwork(spec);
      const input = Tensor.randn([7, 33, 5], 2);
      const states = seededStates(spec, 33, 3);
      const lengths = range(0, 33).map((row) => 1 + ((row * 5) % 7));
      for (const options of [undefined, { lengths }]) {
        const whole = run(module, input, states, options);
        for (let batch = 1; batch < 33; batch++) {
          const rows = range(0, batch);
          const part = run(
            module,
            take(input, 1, rows),
            rowsOf(states, rows),
            options && { lengths: lengths.slice(0, batch) },
          );
          const expected = { output: take(whole.output, 1, rows), states: rowsOf(whole.states, rows)! };
          expectSameResult(part, expected, `batch ${batch}`);
        }
      }
    },
  );

  holds("of a stack equals its layers, and two directions equal forward and reversed", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const states = statesOf(spec, drawn);
    expectSameResult(run(module, input, states), layerByLayer(spec, input, states, undefined));
    const lengths = lengthsOf(drawn);
    expectSameResult(
      run(module, input, states, { lengths }),
      layerByLayer(spec, input, states, lengths),
      "with lengths",
    );
  });

  holds(
    "gives the same bits twice, whatever ran between, and leaves earlier results alone",
    (spec, drawn) => {
      using module = makeNetwork(spec);
      using another = makeNetwork(spec);
      const input = inputOf(spec, drawn);
      const states = statesOf(spec, drawn);
      const first = run(module, input, states);
      const kept = {
        output: new Tensor(first.output.data.slice(), first.output.shape),
        states: first.states,
      };
      const other = { ...drawn, steps: 1 + ((drawn.steps * 7) % 140), batch: 1 + ((drawn.batch * 5) % 9) };
      run(module, inputOf(spec, other), undefined, { lengths: lengthsOf(other) });
      if (module instanceof LSTM) module.trace(inputOf(spec, other));
      expectSameResult(run(module, input, states), first, "again");
      expectSameResult(run(another, input, states), first, "other module");
      expectSameResult(first, kept, "kept");
    },
  );

  it.each(["LSTM", "GRU", "RNN"] as const)(
    "of a wide %s, whose chunks of time are shorter, equals its parts and rows",
    (kind) => {
      const spec = {
        ...{ kind, inputSize: 3, hiddenSize: 517, numLayers: 1, bidirectional: false, bias: true },
        ...{ projSize: 0, nonlinearity: "tanh" as const, seed: 1 },
      };
      using module = makeNetwork(spec);
      const input = Tensor.randn([90, 3, 3], 2);
      const whole = run(module, input);
      const begin = run(module, take(input, 0, range(0, 50)));
      const end = run(module, take(input, 0, range(50, 90)), begin.states);
      expectSameResult({ output: concat([begin.output, end.output], 0), states: end.states }, whole);
      const alone = run(module, take(input, 1, [1]));
      expectSameResult(alone, { output: take(whole.output, 1, [1]), states: rowsOf(whole.states, [1])! });
    },
  );

  holds("takes missing states for zeros", (spec, drawn) => {
    using module = makeNetwork(spec);
    const input = inputOf(spec, drawn);
    const zeros = seededStates(spec, drawn.batch, 0).map(({ shape }) => Tensor.zeros(shape));
    expectSameResult(run(module, input), run(module, input, zeros));
  });
});
