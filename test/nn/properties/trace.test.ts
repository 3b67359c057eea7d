/** trace: the gates that it gives are those of forward. */
import { describe, expect } from "vitest";
import type { LSTM, Tensor } from "../../../src/index.js";
import { expectSameResult, makeNetwork, type NetworkSpec, run, seededDict } from "../../support/networks.js";
import { holds, inputOf, lengthsOf, type SequenceSpec, statesOf } from "../../support/properties.js";
import { concat, expectSameBits, range, reshape, transpose, unmodified } from "../../support/tensors.js";

describe("trace", () => {
  const EPSILON = 2 ** -23;
  /** Where a layer's step reads its state: the step before it in its direction, or nothing at the row's first. */
  const previousStep = (step: number, length: number, reverse: boolean) => {
    const before = reverse ? step + 1 : step - 1;
    return before < 0 || before >= length ? undefined : before;
  };

  function checkTrace(spec: NetworkSpec, drawn: SequenceSpec, batchFirst: boolean, lengths?: number[]): void {
    using module = makeNetwork(spec, batchFirst) as LSTM;
    const input = inputOf(spec, drawn);
    const given = batchFirst ? transpose(input) : input;
    const states = statesOf(spec, drawn) as [Tensor, Tensor] | undefined;
    const options = lengths === undefined ? {} : { lengths };
    const { output, state, layers } = unmodified([given, ...(states ?? [])], () =>
      module.trace(given, states, options),
    );
    const plain = run(module, given, states, options);
    expectSameResult({ output, states: state }, plain, "trace");

    const directions = spec.bidirectional ? 2 : 1;
    expect(layers.map(({ layer, direction }) => [layer, direction])).toEqual(
      range(0, spec.numLayers).flatMap((layer) =>
        ["forward", "reverse"].slice(0, directions).map((direction) => [layer, direction]),
      ),
    );
    const timeMajor = (tensor: Tensor) => (batchFirst ? transpose(tensor) : tensor);
    const last = layers.slice(-directions).map(({ h }) => timeMajor(h));
    expectSameBits(concat(last, 2), timeMajor(output), "h of the last layer");

    const { steps, batch } = drawn;
    const { hiddenSize, projSize } = spec;
    const width = projSize || hiddenSize;
    const dict = seededDict(spec);
    for (const [index, record] of layers.entries()) {
      const reverse = record.direction === "reverse";
      const [i, f, g, o, c, h] = (["i", "f", "g", "o", "c", "h"] as const).map(
        (name) => timeMajor(record[name]).data,
      ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
      const reduction = dict.get(`weight_hr_l${record.layer}${reverse ? "_reverse" : ""}`)?.data;
      for (let row = 0; row < batch; row++) {
        const length = lengths?.[row] ?? steps;
        for (let step = 0; step < steps; step++) {
          const at = (step * batch + row) * hiddenSize;
          const out = (step * batch + row) * width;
          if (step >= length) {
            const past = [i, f, g, o, c].every((gate) =>
              gate.subarray(at, at + hiddenSize).every((x) => x === 0),
            );
            if (!past || h.subarray(out, out + width).some((x) => x !== 0))
              throw new Error("padding is not zero");
            continue;
          }
          const before = previousStep(step, length, reverse);
          const hidden = new Float64Array(hiddenSize);
          for (let unit = 0; unit < hiddenSize; unit++) {
            const cell =
              before === undefined
                ? (states?.[1].data[(index * batch + row) * hiddenSize + unit] ?? 0)
                : c[(before * batch + row) * hiddenSize + unit]!;
            const kept = f[at + unit]! * cell;
            const written = i[at + unit]! * g[at + unit]!;
            close("c", c[at + unit]!, kept + written, Math.abs(kept) + Math.abs(written));
            const shown = o[at + unit]! * Math.tanh(c[at + unit]!);
            hidden[unit] = shown;
            if (projSize === 0) close("h", h[out + unit]!, shown, Math.abs(shown));
          }
          for (let unit = 0; unit < projSize; unit++) {
            const products = Array.from(hidden, (x, k) => x * reduction![unit * hiddenSize + k]!);
            const sum = products.reduce((total, x) => total + x, 0);
            const magnitude = products.reduce((total, x) => total + Math.abs(x), 0);
            close("projected h", h[out + unit]!, sum, magnitude * (1 + hiddenSize / 8));
          }
          // Where the row ends in this direction, its state is the module's final one.
          if (step === (reverse ? 0 : length - 1)) {
            const final = (index * batch + row) * hiddenSize;
            const cN = state[1].data.subarray(final, final + hiddenSize);
            if (!cN.every((x, unit) => x === c[at + unit])) throw new Error("cN is not the last c");
            const hFinal = (index * batch + row) * width;
            const hN = state[0].data.subarray(hFinal, hFinal + width);
            if (!hN.every((x, unit) => x === h[out + unit])) throw new Error("hN is not the last h");
          }
        }
      }
    }
  }

  /** Within some ULP of the terms: the trace activates apart what the cell computes over one denominator. */
  function close(what: string, actual: number, expected: number, magnitude: number): void {
    if (!(Math.abs(actual - expected) <= 8 * EPSILON * magnitude + 2 ** -140)) {
      throw new Error(`${what}: ${actual}, expected ${expected} of terms ${magnitude}`);
    }
  }

  for (const batchFirst of [false, true]) {
    holds(
      `equals forward, and its gates make c and h${batchFirst ? ", with batchFirst" : ""}`,
      (spec, drawn) => {
        checkTrace(spec, drawn, batchFirst);
        checkTrace(spec, drawn, batchFirst, lengthsOf(drawn));
      },
      { kind: "LSTM" },
      { numRuns: 20 },
    );
  }

  holds(
    "of one sequence without a batch equals a batch of one",
    (spec, drawn) => {
      const input = inputOf(spec, { ...drawn, batch: 1 });
      using module = makeNetwork(spec) as LSTM;
      const batched = module.trace(input);
      const unbatched = module.trace(reshape(input, [drawn.steps, spec.inputSize]));
      expectSameBits(reshape(unbatched.output, batched.output.shape), batched.output);
      for (const [at, layer] of unbatched.layers.entries()) {
        for (const name of ["i", "f", "g", "o", "c", "h"] as const) {
          expect(layer[name].shape.length).toBe(2);
          expectSameBits(
            reshape(layer[name], batched.layers[at]![name].shape),
            batched.layers[at]![name],
            name,
          );
        }
      }
    },
    { kind: "LSTM" },
  );
});
