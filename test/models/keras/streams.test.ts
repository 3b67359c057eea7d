/** Streams of Keras models: a step of time beside the whole run, a call of a stateful model, and what is refused. */
import { describe, expect, it } from "vitest";
import { loadKeras } from "../../../src/models/index.js";
import { caseOf, inputsFor, kerasFile } from "./cases.js";

/** Rows of time: those of a tensor [N, T, ...] at one step, as [N, 1, ...]. */
function stepOf({ shape, data }: { shape: number[]; data: number[] }, step: number) {
  const [batch, steps, ...rest] = shape as [number, number, ...number[]];
  const size = rest.reduce((a, b) => a * b, 1);
  const rows = Array.from({ length: batch }, (_, at) => {
    const from = (at * steps + step) * size;
    return data.slice(from, from + size);
  });
  return { shape: [batch, 1, ...rest], data: rows.flat() };
}

/** The first steps of a tensor. */
const firstOf = (tensor: { shape: number[]; data: number[] }, steps: number) => {
  const parts = Array.from({ length: steps }, (_, step) => stepOf(tensor, step));
  const [batch, , ...rest] = parts[0]!.shape as [number, number, ...number[]];
  const size = rest.reduce((a, b) => a * b, 1);
  const data = Array.from({ length: batch }, (_, at) =>
    parts.flatMap((part) => part.data.slice(at * size, (at + 1) * size)),
  );
  return { shape: [batch, steps, ...rest], data: data.flat() };
};

const closeTo = (got: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(got.length).toBe(expected.length);
  for (let at = 0; at < got.length; at++) expect(got[at]).toBeCloseTo(expected[at]!, 6);
};

describe("a model that is causal in time", () => {
  it("gives at each step what the steps so far give as a whole", () => {
    for (const mark of ["k2", "k3"]) {
      // Ids, of which 0 does not count: the state stands still, and so does the output.
      const { files, inputs } = caseOf(mark, "causal");
      using model = loadKeras(kerasFile(files[0]!));
      using stream = model.stream();
      const [x] = inputs[0]!;
      const names = model.outputs.map(({ name }) => name);
      for (let step = 0; step < x!.shape[1]!; step++) {
        const whole = model.run(inputsFor(model, [firstOf(x!, step + 1)]));
        const made = stream.step(stepOf(x!, step));
        expect(Object.keys(made)).toEqual(names);
        for (const name of names) {
          const { shape, data } = whole[name]!;
          const all = { shape: shape.slice(), data: Array.from(data, Number) };
          const expected = shape.length === 3 ? stepOf(all, step).data : all.data;
          closeTo(made[name]!.data as Float32Array, expected);
        }
      }
      expect(Object.keys(stream.state)).toEqual(["gru/h", "lstm/h", "lstm/c"]);
    }
  });

  it("begins anew after reset, and goes on in a clone", () => {
    const { files, inputs } = caseOf("k3", "causal");
    using model = loadKeras(kerasFile(files[0]!));
    using stream = model.stream();
    const steps = [0, 1, 2].map((step) => stepOf(inputs[0]![0]!, step));
    const take = (from: typeof stream, step: number) =>
      Array.from(from.step(steps[step]!).dense!.data as Float32Array);
    const first = take(stream, 0);
    using other = stream.clone();
    const second = take(stream, 1);
    expect(take(other, 1)).toEqual(second);
    stream.reset();
    expect(take(stream, 0)).toEqual(first);
    stream.state = other.state;
    expect(take(stream, 2)).toEqual(take(other, 2));
  });

  it("takes the numbers of one step alone", () => {
    const { files } = caseOf("k3", "causal");
    using model = loadKeras(kerasFile(files[0]!));
    expect(model.stream().step(Int32Array.of(3)).dense!.shape).toEqual([1, 1, 2]);
  });
});

describe("a model that cannot be streamed", () => {
  it.each([
    ["recurrent", /layer "back" \(LSTM\): it goes backwards in time/],
    ["both_ways", /layer "m0" \(Bidirectional\): its second half begins at the last step/],
    [
      "translation",
      /layer "(decoder|both)" \((LSTM|Bidirectional)\): its initial state is given by the model/,
    ],
    ["dense", /layer "flatten" \(Flatten\): it puts all steps of time side by side/],
  ])("is refused with the layer's name: %s", (name, message) => {
    const { files, inputs } = caseOf("k3", name);
    using model = loadKeras(kerasFile(files[0]!));
    expect(() => model.stream()).toThrow(message);
    model.run(inputsFor(model, inputs[0]!));
  });

  it("says that a map of states is not needed", () => {
    using model = loadKeras(kerasFile(caseOf("k3", "causal").files[0]!));
    expect(() => model.stream({ a: "b" })).toThrow("states: expected none");
  });
});
