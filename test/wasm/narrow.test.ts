/**
 * Layers of fewer than four units, whose vectors are of four rows: the bits are those of the kernel that
 * all others take. `trace` takes that one, since a trace is none of the narrow one's work.
 */
import { describe, expect, it } from "vitest";
import { LSTM, Tensor } from "../../src/index.js";

const bitsOf = (tensors: readonly Tensor[]) =>
  tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"));

describe.each([1, 2, 3])("an LSTM of %i units", (hiddenSize) => {
  it.each([
    { batch: 4, steps: 5, numLayers: 2 },
    { batch: 8, steps: 1, bias: false },
    { batch: 12, steps: 7, numLayers: 2, bidirectional: true },
    { batch: 8, steps: 40, batchFirst: true },
    { batch: 4, steps: 9, lengths: [9, 9, 9, 9] },
    { batch: 4, steps: 80, lengths: [40, 80, 79, 80] },
    { batch: 4, steps: 80, lengths: [80, 80, 79, 40] },
    { batch: 4, steps: 5, masked: true },
    { batch: 4, steps: 5, clip: 0.25 },
    { batch: 4, steps: 5, numbers: [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-42] },
  ])("has the bits of other layers, %o", ({ batch, steps, lengths, masked, numbers, ...options }) => {
    using lstm = new LSTM({ inputSize: 6, hiddenSize, ...options });
    const rows = (options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
    const input = Tensor.randn(options.batchFirst ? [batch, steps, 6] : [steps, batch, 6], 1);
    const state = [2, 3].map((seed) => Tensor.randn([rows, batch, hiddenSize], seed)) as [Tensor, Tensor];
    if (numbers !== undefined) for (const { data } of [input, ...state]) data.set(numbers);
    const mask = masked
      ? Array.from({ length: steps }, (_, step) => [1, 0, 1, 1].map((on, row) => on ^ (step & row)))
      : undefined;
    for (const initial of [state, undefined]) {
      const [output, [hN, cN]] = lstm.forward(input, initial, { lengths, mask });
      const traced = lstm.trace(input, initial, { lengths, mask });
      expect(bitsOf([output, hN, cN])).toEqual(bitsOf([traced.output, ...traced.state]));
    }
  });

  it("gives a stream of four rows the outputs of a sequence", () => {
    using lstm = new LSTM({ inputSize: 6, hiddenSize, numLayers: 2 });
    using stream = lstm.stream({ batchSize: 4 });
    const input = Tensor.randn([5, 4, 6], 1);
    const steps = [0, 1, 2, 3, 4].map((step) => [
      ...stream.step(new Tensor(input.data.subarray(step * 24, step * 24 + 24), [4, 6])).data,
    ]);
    expect(steps.flat()).toEqual([...lstm.trace(input).output.data]);
  });
});
