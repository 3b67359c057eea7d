/** What graphs may not have: the messages, and that they come in time. */
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { floatsOf, graph, runGraph } from "../support/host-graph.js";
import { type AttributeValue, floats, int64s, node, tensor } from "../support/onnx-writer.js";

const x = floatsOf([1, 1, 4], 1, 2, 3, 4);

function errorOf(run: () => unknown): FormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("an attribute", () => {
  const run = (attributes: Record<string, AttributeValue>) => () =>
    runGraph({ nodes: [node("Softmax", ["x"], ["y"], { name: "soft", attributes })] }, { x });

  it.each<[string, Record<string, AttributeValue>, string]>([
    ["of another kind", { axis: { float: 1 } }, "attribute axis: expected int, got float"],
    ["that is not known", { colour: 1 }, 'attribute "colour" is not known'],
  ])("%s is refused by name", (_, attributes, message) => {
    const error = errorOf(run(attributes));
    expect(error.message).toBe(`onnx: node "soft" (Softmax, opset 20): ${message}`);
    expect(error.code).toBe("LSTM_WASM_UNSUPPORTED");
  });
});

describe("a recurrent operator", () => {
  const run =
    (attributes: Record<string, AttributeValue>, rows = 8) =>
    () =>
      runGraph(
        {
          nodes: [node("LSTM", ["x", "w", "r"], ["", "y"], { attributes })],
          initializers: [
            floats("w", [1, rows, 4], Array(rows * 4).fill(0)),
            floats("r", [1, 8, 2], Array(16).fill(0)),
          ],
        },
        { x },
      );

  it("of zeros gives zeros", () => {
    const { shape, data } = run({})();
    expect([shape, Array.from(data as Float32Array)]).toEqual([
      [1, 1, 2],
      [0, 0],
    ]);
  });

  it.each<[string, Record<string, AttributeValue>, number, string]>([
    ["another direction", { direction: "sideways" }, 8, "attribute direction: sideways is not supported"],
    [
      "two directions of one",
      { direction: "bidirectional" },
      8,
      "weights of [1, 8, 4] and [1, 8, 2] do not fit",
    ],
    ["weights of another size", {}, 6, "weights of [1, 6, 4] and [1, 8, 2] do not fit"],
    ["another hidden size", { hidden_size: 3 }, 8, "weights of [1, 8, 4] and [1, 8, 2] do not fit"],
    ["activations too few", { activations: ["Tanh"] }, 8, "1 activations; expected 3"],
    [
      "an activation that is none",
      { activations: ["Sigmoid", "Tanh", "Sine"] },
      8,
      "attribute activations: Sine is not supported",
    ],
  ])("is refused with %s", (_, attributes, rows, message) => {
    expect(errorOf(run(attributes, rows)).message).toBe(`onnx: node "LSTM_0" (LSTM, opset 20): ${message}`);
  });
});

describe("an operator", () => {
  it("is refused with every other one that is missing", () => {
    const nodes = [
      node("Foo", ["x"], ["a"]),
      node("Bar", ["a"], ["b"], { domain: "own" }),
      node("Foo", ["b"], ["y"]),
    ];
    const error = errorOf(() => runGraph({ nodes }, { x }));
    expect(error.message).toBe(
      'onnx: operators are not supported: node "Foo_0" (Foo, opset 20), node "Bar_1" (own.Bar, opset 1)',
    );
    expect(error.code).toBe("LSTM_WASM_UNSUPPORTED");
  });

  it("of an opset before 6 is refused", () => {
    const error = errorOf(() => runGraph({ nodes: [node("Relu", ["x"], ["y"])] }, { x }, [], 5));
    expect(error.message).toBe('onnx: node "Relu_0" (Relu, opset 5): opsets before 6 are not supported');
  });

  it.each([
    ["an input too few", node("Add", ["x"], ["y"]), "input 1 is missing"],
    ["another type", node("Not", ["x"], ["y"]), "input 0 of float32 is not supported"],
    ["a mask", node("Dropout", ["x"], ["y", "m"]), "output mask is not supported"],
    ["an output that it has not", node("Relu", ["x"], ["y", "z"]), "output 1 is not supported"],
    ["wrong ranks", node("Gemm", ["x", "x"], ["y"]), "inputs that are no matrices"],
    ["a window of no size", node("MaxPool", ["x"], ["y"]), "a kernel of [] for 1 axes"],
    [
      "an axis outside",
      node("Concat", ["x"], ["y"], { attributes: { axis: 3 } }),
      "axis 3 is not in a tensor of 3 axes",
    ],
  ])("with %s names the node", (_, bytes, message) => {
    const error = errorOf(() => runGraph({ nodes: [bytes] }, { x }));
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^onnx: node "\w+_0" \(\w+, opset 20\): /);
  });
});

describe("what grows beyond measure", () => {
  const one = tensor("one", { dims: [1], raw: Float32Array.of(1) });

  it.each([
    ["a billion elements", [2 ** 30]],
    ["sizes that overflow", [2 ** 40, 2 ** 40]],
    ["a huge axis beside an empty one", [2 ** 50, 0]],
  ])("is refused: an Expand to %s", (_, sizes) => {
    const nodes = [node("Expand", ["one", "sizes"], ["y"])];
    const error = errorOf(() => runGraph({ nodes, initializers: [one, int64s("sizes", sizes)] }));
    expect(error.message).toMatch(/has more than \d+ elements|no such shape/);
  });

  it("is refused: a Range of too many numbers", () => {
    const initializers = [int64s("a", [0]), int64s("b", [2 ** 50]), int64s("c", [1])];
    expect(() => runGraph({ nodes: [node("Range", ["a", "b", "c"], ["y"])], initializers })).toThrow(
      "has more than",
    );
  });

  const body = graph({
    inputs: ["i", "go", "s"],
    outputs: ["go", "t"],
    nodes: [node("Add", ["s", "s"], ["t"])],
  });
  const loop = (state: string) =>
    node("Loop", ["", "", state], ["y"], { attributes: { body: { graph: body } } });

  it("is refused: a Loop without end", () => {
    expect(() => runGraph({ nodes: [loop("one")], initializers: [one] })).toThrow(
      /node "Loop_0.*more than \d+ steps/,
    );
  });

  it("is refused: a Loop without end over many numbers", () => {
    const nodes = [node("Expand", ["one", "sizes"], ["many"]), loop("many")];
    const run = () => runGraph({ nodes, initializers: [one, int64s("sizes", [2 ** 20])] });
    expect(run).toThrow(/node "Loop_1.*more than \d+ steps/);
  });
});
