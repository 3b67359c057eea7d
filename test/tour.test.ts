/** The README's story in one test: weights in, a sequence, the same step by step, weights out and in again, the end. */
import { expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../src/formats/index.js";
import { LSTM, Tensor } from "../src/index.js";

it("loads an LSTM, runs a sequence, streams it, keeps its weights, and ends", () => {
  // One input and one unit, so that each of PyTorch's gates i, f, g, o has one weight for x and one for h.
  const lstm = LSTM.fromStateDict({
    weight_ih_l0: Tensor.from([[0.5], [-1], [2], [1]]),
    weight_hh_l0: Tensor.from([[1], [0.25], [-0.5], [1.5]]),
  });
  expect([lstm.inputSize, lstm.hiddenSize, lstm.bias]).toEqual([1, 1, false]);

  const xs = [1, -2, 0.5];
  const sequence = new Tensor(Float32Array.from(xs), [3, 1, 1]); // (sequence, batch, input)
  const [output, [hN, cN]] = lstm.forward(sequence);

  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  let [h, c] = [0, 0];
  for (const [step, x] of xs.entries()) {
    c = sigmoid(-x + 0.25 * h) * c + sigmoid(0.5 * x + h) * Math.tanh(2 * x - 0.5 * h);
    h = sigmoid(x + 1.5 * h) * Math.tanh(c);
    expect(output.data[step]).toBeCloseTo(h, 6);
  }
  expect(hN.toArray()).toEqual([[[output.data[2]]]]);
  expect(cN.data[0]).toBeCloseTo(c, 6);

  const stream = lstm.stream();
  const steps = xs.map((x) => stream.step(Float32Array.of(x)).data[0]);
  expect(steps).toEqual([...output.data]);

  const file = writeSafetensors(lstm.stateDict());
  using copy = new LSTM({ inputSize: 1, hiddenSize: 1, bias: false }).loadStateDict(readSafetensors(file));
  expect(copy.forward(sequence)[0]).toEqual(output);

  lstm.dispose();
  expect(() => lstm.forward(sequence)).toThrow("LSTM: used after dispose()");
});
