/** What a model takes as an input and as a state, beyond the forms that model.test.ts and stream.test.ts have. */
import { describe, expect, it } from "vitest";
import { loadOnnx, loadOnnxWith, type Model } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { modelOf, node, type ValueOptions } from "../support/onnx-writer.js";

/** y = x, whatever is declared of it. */
const same = (input: string | ValueOptions) =>
  loadOnnx(modelOf({ inputs: [input], outputs: ["y"], nodes: [node("Identity", ["x"], ["y"])] }));

type Inputs = Parameters<Model["run"]>[0];

describe("an input", () => {
  it.each<[string, string | ValueOptions, unknown, Tensor]>([
    ["of no declared shape is a number", "x", 5, new Tensor(Float32Array.of(5), [])],
    [
      "of no declared shape is a row of numbers",
      "x",
      Float32Array.of(5, 6),
      new Tensor(Float32Array.of(5, 6), [2]),
    ],
    ["of no declared shape has any", "x", Tensor.zeros([2, 1]), Tensor.zeros([2, 1])],
    [
      "that is all fixed takes as many numbers",
      { name: "x", shape: [2, 1] },
      Float32Array.of(5, 6),
      new Tensor(Float32Array.of(5, 6), [2, 1]),
    ],
    [
      "whose open size has no name takes any",
      { name: "x", shape: ["", 2] },
      Float32Array.of(5, 6),
      new Tensor(Float32Array.of(5, 6), [1, 2]),
    ],
    [
      "of one element takes a number where sizes are open",
      { name: "x", shape: ["n", ""] },
      -1,
      new Tensor(Float32Array.of(-1), [1, 1]),
    ],
    [
      "of floats takes bigints",
      { name: "x", shape: ["n"] },
      BigInt64Array.of(3n),
      new Tensor(Float32Array.of(3), [1]),
    ],
  ])("%s", (_, input, x, expected) => {
    using built = same(input);
    expect(built.run({ x } as Inputs).y).toEqual(expected);
  });

  it.each<[string, ValueOptions, unknown, string]>([
    [
      "numbers alone where two sizes are open",
      { name: "x", shape: ["n", "m"] },
      new Float32Array(4),
      "inputs.x: expected { data, shape }, since several sizes of [n, m] are open, got a Float32Array",
    ],
    [
      "bits of half floats",
      { name: "x", type: 10, shape: [2] },
      { data: Uint16Array.of(0x3c00, 0), shape: [2], dtype: "float16" },
      "inputs.x.data: expected numbers, and not the bits of float16, got a Uint16Array",
    ],
    [
      "too few numbers",
      { name: "x", shape: [2, 2] },
      new Float32Array(3),
      "inputs.x.length: expected numbers of shape [2, 2], got 3",
    ],
    [
      "numbers of which no open size can be told",
      { name: "x", shape: ["n", 0] },
      new Float32Array(0),
      "inputs.x.length: expected numbers of shape [n, 0], got 0",
    ],
    [
      "of another shape than is open without a name",
      { name: "x", shape: ["", 2] },
      Tensor.zeros([1, 3]),
      "inputs.x.shape: expected [?, 2], got [1, 3]",
    ],
    [
      "nothing",
      { name: "x", shape: ["n"] },
      null,
      "inputs.x: expected a Tensor, { data, shape }, a typed array or a number, got null",
    ],
    [
      "a text as numbers",
      { name: "x", shape: ["n"] },
      { data: "ab", shape: [2] },
      'inputs.x.data: expected numbers, got "ab"',
    ],
    [
      "what a byte has not",
      { name: "x", type: 2, shape: ["n"] },
      Float32Array.of(1, 256),
      "inputs.x[1]: expected an integer from 0 to 255, got 256",
    ],
    [
      "what no truth value is",
      { name: "x", type: 9, shape: [] },
      2,
      "inputs.x[0]: expected an integer from 0 to 1, got 2",
    ],
    [
      "what is below int32",
      { name: "x", type: 6, shape: [] },
      -(2 ** 31) - 1,
      "inputs.x[0]: expected an integer from -2147483648 to 2147483647",
    ],
    [
      "no number",
      { name: "x", type: 6, shape: ["n"] },
      { data: [NaN], shape: [1] },
      "inputs.x.data[0]: expected an integer from",
    ],
  ])("is not %s", (_, input, x, message) => {
    using built = same(input);
    expect(() => built.run({ x } as Inputs)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    ["a list", [1, 2], "inputs: expected an object with x, got"],
    ["null", null, "inputs: expected an object with x, got null"],
    ["a text", "x", "inputs"],
    ["data without a shape", { data: [1] }, 'inputs["data"]: expected one of the model\'s: "x"'],
  ])("has a name, so that inputs are not %s", (_, inputs, message) => {
    using built = same("x");
    expect(() => built.run(inputs as Inputs)).toThrow(message);
  });

  it("has a name where there are several", () => {
    using built = loadOnnx(
      modelOf({ inputs: ["a", "b"], outputs: ["y"], nodes: [node("Sub", ["a", "b"], ["y"])] }),
    );
    expect(built.run({ a: 5, b: 3 }).y!.data).toEqual(Float32Array.of(2));
    expect(() => built.run(Float32Array.of(1))).toThrow("inputs: expected an object with a, b, got");
    expect(() => built.run(new Tensor(Float32Array.of(1), []))).toThrow(
      'expected one of the model\'s: "a", "b"',
    );
  });

  it("of int32 takes its own array, which stays as it is", () => {
    using built = same({ name: "x", type: 6, shape: ["n"] });
    const x = Int32Array.of(-(2 ** 31), 2 ** 31 - 1);
    const { y } = built.run({ x });
    expect(y).toEqual(new Tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1), [2]));
    expect(y!.data).not.toBe(x);
  });

  it("may be disposed of by a getter of its own", () => {
    const built = same("x");
    const inputs = {
      get x() {
        built.dispose();
        return 1;
      },
    };
    expect(() => built.run(inputs)).toThrow("Model: used after dispose()");
  });
});

describe("loading refuses", () => {
  const bytes = modelOf({ inputs: ["x"], outputs: ["y"], nodes: [node("Identity", ["x"], ["y"])] });
  it.each<[string, object, string]>([
    ["shapes that are null", { shapes: null }, "options.shapes: expected a plain object, got null"],
    [
      "shapes in a Map",
      { shapes: new Map([["x", [1]]]) },
      "options.shapes: expected a plain object, got a Map",
    ],
    ["shapes in a list", { shapes: [[1]] }, "options.shapes: expected a plain object, got"],
    ["a size below 0", { shapes: { x: [-1] } }, "options.shapes.x"],
    ["a constant that is no number", { constants: { x: "1" } }, "options.constants.x: expected a Tensor"],
  ])("%s", (_, options, message) => {
    expect(() => loadOnnx(bytes, options)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    ["no list of operators", {}, "operators: expected an array of operators, got"],
    ["an operator that is none", [undefined], "operators[0]: expected an operator of lstm-wasm/models"],
    [
      "an operator without a name",
      [{ operator: {} }],
      "operators[0]: expected an operator of lstm-wasm/models",
    ],
  ])("%s", (_, operators, message) => {
    expect(() => loadOnnxWith(bytes, operators as never)).toThrow(message);
  });

  it("no shape for an input of which the file declares none", () => {
    using built = loadOnnx(bytes, { shapes: { x: [2, 1] } });
    expect(built.inputs).toEqual([{ name: "x", shape: [2, 1], dtype: undefined }]);
    expect(built.run(Float32Array.of(3, 4)).y).toEqual(new Tensor(Float32Array.of(3, 4), [2, 1]));
  });
});

describe("a state", () => {
  it("of integers counts on, in the same tensor", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", type: 7, shape: [] },
          { name: "n", type: 7, shape: [] },
        ],
        outputs: ["total"],
        nodes: [node("Add", ["x", "n"], ["total"])],
      }),
    );
    using stream = built.stream({ n: "total" });
    expect(stream.state.n).toEqual(new Tensor(BigInt64Array.of(0n), []));
    const { total } = stream.step({ x: 4 });
    expect(total!.data).toEqual(BigInt64Array.of(4n));
    expect(stream.step(3n).total).toBe(total);
    expect(total!.data).toEqual(BigInt64Array.of(7n));
    expect(stream.state.n!.data).toEqual(BigInt64Array.of(7n));
    expect(() => {
      stream.state = null as never;
    }).toThrow("state: expected an object of states, got null");
  });

  it("that nothing is declared of is a number at first, and then what it is given", () => {
    using built = loadOnnx(
      modelOf({ inputs: ["x", "h"], outputs: ["y"], nodes: [node("Add", ["x", "h"], ["y"])] }),
    );
    using stream = built.stream({ h: "y" });
    const first = stream.step({ x: Float32Array.of(1, 2) }).y;
    expect(first).toEqual(new Tensor(Float32Array.of(1, 2), [2]));
    const second = stream.step({ x: new Tensor(Float32Array.of(1, 2), [1, 2]) }).y;
    expect(second).toEqual(new Tensor(Float32Array.of(2, 4), [1, 2]));
    expect(second).not.toBe(first);
    expect(stream.state.h).toEqual(second);
  });

  it("has 1 for sizes that no input tells", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["batch", ""] },
          { name: "h", shape: ["batch", "", "other"] },
        ],
        outputs: ["hn"],
        nodes: [node("Add", ["h", "x"], ["hn"])],
      }),
    );
    using stream = built.stream({ h: "hn" });
    expect(stream.state.h).toEqual(Tensor.zeros([1, 1, 1]));
    expect(stream.step({ x: Tensor.zeros([2, 1]) }).hn!.shape).toEqual([2, 2, 1]);
    stream.reset();
    expect(() => stream.step(undefined as never)).toThrow("inputs: expected an object with x, got undefined");
  });

  it("goes to two inputs only where it is said to", () => {
    using built = loadOnnx(
      modelOf({
        inputs: ["h", "h_in"],
        outputs: ["h_out"],
        nodes: [node("Add", ["h", "h_in"], ["h_out"])],
      }),
    );
    expect(() => built.stream()).toThrow("several inputs that h_out may be given to");
    using stream = built.stream({ h: "h_out", h_in: "h_out" });
    stream.state = { h: 1, h_in: 2 };
    expect(stream.step({}).h_out!.data).toEqual(Float32Array.of(3));
    expect(stream.step({}).h_out!.data).toEqual(Float32Array.of(6));
  });

  it.each<[ValueOptions, ValueOptions, boolean]>([
    [{ name: "h", shape: [1, 2] }, { name: "hn", shape: [1, 3] }, false],
    [{ name: "h", shape: [1, 2] }, { name: "hn", shape: [1] }, false],
    [{ name: "h", shape: [2] }, { name: "hn", type: 7, shape: [2] }, false],
    [{ name: "h", shape: ["n"] }, { name: "hn", shape: [3] }, true],
    [{ name: "h", shape: [3] }, { name: "hn", shape: ["n"] }, true],
    [{ name: "out", shape: [3] }, { name: "in", shape: [3] }, false],
  ])("as %j is told apart from %j by type and shape: %j", (input, output, fits) => {
    using built = loadOnnx(
      modelOf({
        inputs: [input],
        outputs: [output],
        nodes: [node("Identity", [input.name], [output.name])],
      }),
    );
    const pair = { input: input.name, output: output.name };
    expect(built.summary().states).toEqual(fits ? [pair] : []);
  });
});
