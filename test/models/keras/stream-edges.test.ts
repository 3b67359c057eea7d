/** Streams where the last step of time meets all steps, and of models whose batch is fixed. */
import { describe, expect, it } from "vitest";
import {
  type Call,
  counted,
  layerOf,
  loadCall,
  runCall,
  STEPS,
  tensorOf,
  X,
} from "../../support/keras-calls.js";

const ones = (...shape: number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1),
});

/** A SimpleRNN of three units that gives its last row alone. */
const LAST: Pick<Call, "before" | "arrays" | "x"> = {
  x: STEPS,
  before: [layerOf("SimpleRNN", "last", X, { units: 3, use_bias: false })],
  arrays: { "layers/simple_rnn/cell/vars/0": ones(3, 3), "layers/simple_rnn/cell/vars/1": ones(3, 3) },
};

describe("a stream of the last step of time", () => {
  it.each<[name: string, call: Call]>([
    ["Multiply", {}],
    ["ops.Add", {}],
    ["ops.Where", { args: [X, tensorOf("last"), 1] }],
  ])("is refused where %s joins it with all steps", (name, call) => {
    const args = name === "Multiply" ? [[X, tensorOf("last")]] : [X, tensorOf("last")];
    using model = loadCall(name, { args, ...LAST, ...call });
    expect(() => model.stream()).toThrow(/layer "made" \(\w+\): it joins/);
  });

  it("is refused where a layer in between gives it as many axes", () => {
    const wide = layerOf("Reshape", "wide", tensorOf("last"), { target_shape: [1, 3] });
    const call = { ...LAST, before: [...LAST.before!, wide], args: [[X, tensorOf("wide")]] };
    using model = loadCall("Add", call);
    expect(() => model.stream()).toThrow('layer "made" (Add): it joins the last step of time with all steps');
  });

  it("is possible where it meets another last step", () => {
    const call = { ...LAST, args: [[tensorOf("last"), tensorOf("last")]] };
    using model = loadCall("Add", call);
    const whole = runCall(model, call);
    using stream = model.stream();
    stream.step({ x: { data: [1, 2, 3], shape: [1, 1, 3] } });
    const { made } = stream.step({ x: { data: [4, 5, 6], shape: [1, 1, 3] } });
    expect(Array.from(made!.data, Number)).toEqual(whole.data.map((x) => expect.closeTo(x, 5)));
  });
});

it("keeps the past of a causal convolution in a model of a fixed batch", () => {
  const call: Call = {
    x: counted([2, 3, 1], [2, 3, 1]),
    config: { filters: 1, kernel_size: [2], padding: "causal", use_bias: false },
    arrays: { "layers/conv1d/vars/0": ones(2, 1, 1) },
  };
  using model = loadCall("Conv1D", call);
  using stream = model.stream();
  const steps = [0, 1, 2].map((at) => {
    const { made } = stream.step({ x: { data: [at + 1, at + 4], shape: [2, 1, 1] } });
    return Array.from(made!.data, Number);
  });
  const { data } = runCall(model, call);
  expect([0, 1].flatMap((row) => steps.map((step) => step[row]))).toEqual(
    data.map((x) => expect.closeTo(x, 5)),
  );
});

it("computes on, without a stream, what a sum over time has left of one axis", () => {
  const call: Call = {
    x: STEPS,
    before: [
      {
        module: "keras.src.ops.numpy",
        class_name: "Sum",
        config: { name: "sum", axis: [1, 2] },
        name: "sum",
        inbound_nodes: [{ args: [X], kwargs: {} }],
      },
    ],
    config: { target_shape: [-1] },
    args: [tensorOf("sum")],
  };
  using model = loadCall("Reshape", call);
  expect(runCall(model, call)).toEqual({ shape: [1, 1], data: [21] });
});
