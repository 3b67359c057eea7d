/** Streams of whole models: outputs fed back, the same tensors at every step, states. */
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { modelOf, node } from "../support/onnx-writer.js";

/** stateN = state + x; y = 2 stateN */
const SUM = modelOf({
  inputs: [
    { name: "x", shape: ["batch", 2] },
    { name: "state", shape: ["batch", 2] },
  ],
  outputs: ["y", { name: "stateN", shape: ["batch", 2] }],
  nodes: [node("Add", ["x", "state"], ["stateN"]), node("Add", ["stateN", "stateN"], ["y"])],
});

const row = (...numbers: number[]) => new Tensor(Float32Array.from(numbers), [1, 2]);

describe("a stream of a model", () => {
  it("feeds outputs back, from zeros on", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream({ state: "stateN" });
    expect(stream.step({ x: row(1, 2) }).y!.data).toEqual(Float32Array.of(2, 4));
    expect(stream.step({ x: row(1, 2) }).y!.data).toEqual(Float32Array.of(4, 8));
    stream.reset();
    expect(stream.step(row(1, 2)).y!.data).toEqual(Float32Array.of(2, 4));
    expect(String(stream)).toBe("ModelStream(state <- stateN)");
  });

  it("notices what has changed of an input that is the same object", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream();
    const sums = (x: Parameters<typeof stream.step>[0]) =>
      Array.from(stream.step(x).stateN!.data as Float32Array);
    const numbers = Float32Array.of(1, 2);
    expect(sums({ x: numbers })).toEqual([1, 2]);
    numbers[0] = 10;
    expect(sums({ x: numbers })).toEqual([11, 4]);
    const x = { data: numbers, shape: [1, 2] };
    expect(sums({ x })).toEqual([21, 6]);
    x.data = Float32Array.of(5, 5);
    expect(sums({ x })).toEqual([26, 11]);
    x.shape[1] = 1;
    expect(() => sums({ x })).toThrow("inputs.x");
    x.shape = [1, 2];
    const plain = { data: [1, 1], shape: [1, 2] };
    expect(sums({ x: plain })).toEqual([27, 12]);
    plain.data[0] = 3;
    expect(sums({ x: plain })).toEqual([30, 13]);
    const wide = Float64Array.of(1, 0);
    expect(sums({ x: wide })).toEqual([31, 13]);
    wide[0] = 2;
    expect(sums({ x: wide })).toEqual([33, 13]);
    expect(sums(x)).toEqual([38, 18]);
    const { buffer } = x.data;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(() => sums({ x })).toThrow("inputs.x");
    expect(() => sums(Object.assign(Object.create({ y: 1 }), { z: numbers }))).toThrow('inputs["z"]');
  });

  it("may be stepped within a getter of an input", () => {
    using built = loadOnnx(SUM);
    using outer = built.stream();
    using inner = built.stream();
    outer.step(row(0, 0));
    const x = {
      get data() {
        inner.step(row(7, 7));
        return Float32Array.of(1, 2);
      },
      shape: [1, 2],
    };
    expect(outer.step({ x }).stateN!.data).toEqual(Float32Array.of(1, 2));
    expect(inner.step(row(0, 0)).stateN!.data[0]).toBeGreaterThan(6);
  });

  it("gives the same tensors at every step", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream({ state: "stateN" });
    const first = stream.step({ x: row(1, 2) });
    const { y } = first;
    const second = stream.step({ x: row(3, 3) });
    expect(second).toBe(first);
    expect(second.y).toBe(y);
    expect(y!.data).toEqual(Float32Array.of(8, 10));
  });

  it("finds states by their names, and shows them", () => {
    using built = loadOnnx(SUM);
    expect(built.summary().states).toEqual([{ input: "state", output: "stateN" }]);
    using stream = built.stream();
    stream.step({ x: row(1, 2) });
    expect(stream.state).toEqual({ state: row(1, 2) });
  });

  it("tells what a step takes", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream();
    expect(stream.inputs).toEqual([{ name: "x", shape: ["batch", 2], dtype: "float32" }]);
  });

  it.each([
    [["h", "hn"]],
    [["h0", "hn"]],
    [["h_in", "h_out"]],
    [["conv_cache", "conv_cache_out"]],
    [["in_state", "out_state"]],
    [["state", "new_state"]],
    [["prevState", "nextState"]],
    [["state", "stateN"]],
  ])("takes %j for one", ([input, output]) => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "input", shape: [2] },
          { name: input!, shape: [2] },
        ],
        outputs: [
          { name: "output", shape: [2] },
          { name: output!, shape: [2] },
        ],
        nodes: [node("Add", ["input", input!], [output!]), node("Relu", ["input"], ["output"])],
      }),
    );
    expect(built.summary().states).toEqual([{ input, output }]);
  });

  it("says where states are not obvious", () => {
    using none = loadOnnx(modelOf({ inputs: ["x"], outputs: ["y"], nodes: [node("Relu", ["x"], ["y"])] }));
    expect(() => none.stream()).toThrow(
      "states: expected a map from inputs to outputs, got no input and output whose names pair up",
    );
    using two = loadOnnx(
      modelOf({
        inputs: ["h"],
        outputs: ["hn", "h_out"],
        nodes: [node("Relu", ["h"], ["hn"]), node("Neg", ["h"], ["h_out"])],
      }),
    );
    expect(() => two.stream()).toThrow("got several outputs that may be the next h");
  });

  it("takes the batch of its states from the inputs of the first step", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream();
    stream.step({ x: new Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]) });
    expect(stream.state.state).toEqual(new Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]));
  });

  it("lets states grow", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: [1, 1] },
          { name: "cache", shape: ["past", 1] },
        ],
        outputs: [{ name: "cache_out", shape: ["all", 1] }],
        nodes: [node("Concat", ["cache", "x"], ["cache_out"], { attributes: { axis: 0 } })],
      }),
    );
    using stream = built.stream();
    stream.state = { cache: Tensor.zeros([0, 1]) };
    for (const x of [1, 2, 3]) stream.step({ x });
    expect(stream.state.cache).toEqual(new Tensor(Float32Array.of(1, 2, 3), [3, 1]));
  });

  it("has states that can be copied out and in, and clones that go on alone", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream();
    stream.step(row(1, 2));
    const kept = stream.state;
    using clone = stream.clone();
    expect(stream.step(row(1, 1)).y!.data).toEqual(Float32Array.of(4, 6));
    expect(clone.step(row(5, 5)).y!.data).toEqual(Float32Array.of(12, 14));
    stream.state = kept;
    expect(kept).toEqual({ state: row(1, 2) });
    expect(stream.step(row(1, 1)).y!.data).toEqual(Float32Array.of(4, 6));
  });

  it("refuses what does not fit, and goes on", () => {
    using built = loadOnnx(SUM);
    using stream = built.stream({ state: "stateN" });
    stream.step(row(1, 2));
    expect(() => stream.step({ x: Tensor.zeros([1, 3]) })).toThrow(
      "inputs.x.shape: expected [batch, 2], got [1, 3]",
    );
    expect(() => stream.step({ x: row(1, 2), state: row(0, 0) })).toThrow('inputs["state"]: expected one of');
    expect(() => {
      stream.state = { state: Tensor.zeros([3]) };
    }).toThrow("state.state.shape: expected [batch, 2], got [3]");
    expect(() => {
      stream.state = { z: row(1, 2) };
    }).toThrow('state["z"]: expected one of the model\'s: "state"');
    expect(() => built.stream({ z: "stateN" })).toThrow(
      'states["z"]: expected one of the model\'s: "x", "state"',
    );
    expect(() => built.stream({ state: "z" })).toThrow(
      'states["z"]: expected one of the model\'s: "y", "stateN"',
    );
    expect(() => built.stream(null as never)).toThrow("states: expected an object of names, got null");
    expect(stream.step(row(1, 2)).y!.data).toEqual(Float32Array.of(4, 8));
    stream.dispose();
    expect(() => stream.step(row(1, 2))).toThrow("stream: used after dispose()");
  });

  it("begins as if a first step that was refused had not been", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["batch", 2] },
          { name: "z", shape: ["batch", 2] },
          { name: "state", shape: ["batch", 2] },
        ],
        outputs: [{ name: "stateN", shape: ["batch", 2] }],
        nodes: [node("Add", ["x", "state"], ["s"]), node("Add", ["s", "z"], ["stateN"])],
      }),
    );
    using stream = built.stream();
    expect(() => stream.step({ x: Tensor.zeros([3, 2]), z: Tensor.zeros([2, 2]) })).toThrow(/node "Add_0"/);
    expect(stream.step({ x: row(1, 2), z: row(3, 4) }).stateN).toEqual(row(4, 6));
  });

  it("ends with its model", () => {
    const built = loadOnnx(SUM);
    const stream = built.stream();
    stream.step(row(1, 2));
    built.dispose();
    expect(() => stream.step(row(1, 2))).toThrow("Model: used after dispose()");
  });
});
