/** ONNX files as graphs, run on the host. */
import { describe, expect, it } from "vitest";
import { readOnnxGraph } from "../../src/graph/onnx.js";
import { floatsOf, graph, runGraph, scalarOf } from "../support/host-graph.js";
import {
  attribute,
  floats,
  func,
  int64s,
  lengthDelimited,
  model,
  node,
  opsetImport,
  tensor,
} from "../support/onnx-writer.js";

const x = floatsOf([2], -1, 2);

describe("a graph", () => {
  it("runs its nodes in their order", () => {
    const nodes = [node("Relu", ["x"], ["r"]), node("Add", ["r", "w"], ["y"])];
    const { data, shape, dtype } = runGraph({ nodes, initializers: [floats("w", [2], [10, 20])] }, { x });
    expect({ data, shape, dtype }).toEqual({ data: Float32Array.of(10, 22), shape: [2], dtype: "float32" });
  });

  it("tells its inputs, without constants that old files list among them", () => {
    const bytes = model(
      {
        inputs: ["x", "w"],
        outputs: ["y"],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [floats("w", [1], [1])],
      },
      [],
      7,
    );
    expect(readOnnxGraph(bytes).graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("runs a newer opset as the newest one, with a warning", () => {
    const { graph, warnings } = readOnnxGraph(
      model({ nodes: [node("Relu", ["x"], ["y"])], inputs: ["x"] }, [], 99),
    );
    expect(graph.nodes[0]!.opset).toBe(28);
    expect(warnings).toEqual(["onnx: opset 99 is run as 28"]);
  });

  it.each([
    [
      "what nothing makes",
      [node("Relu", ["z"], ["y"], { name: "n" })],
      'nothing before it makes its input "z"',
    ],
    [
      "what a later node makes",
      [node("Relu", ["a"], ["y"]), node("Relu", ["x"], ["a"])],
      "nothing before it makes",
    ],
    ["a cycle", [node("Relu", ["y"], ["y"])], "nothing before it makes"],
    ["one name twice", [node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])], '"y" is made twice'],
    ["no output", [node("Relu", ["x"], ["z"])], 'output "y" is not made'],
  ])("is refused with %s", (_, nodes, message) => {
    expect(() => runGraph({ nodes }, { x })).toThrow(message);
  });

  it("needs an opset", () => {
    const bytes = model({ nodes: [node("Relu", ["x"], ["y"])], inputs: ["x"] });
    expect(() => readOnnxGraph(bytes)).toThrow("no opset is stated");
  });
});

describe("a branch", () => {
  const broken = graph({ nodes: [node("NoSuch", ["nothing"], ["b"])], outputs: ["b"] });
  const good = graph({ nodes: [node("Neg", ["x"], ["b"])], outputs: ["b"] });
  const nodes = [
    node("If", ["c"], ["y"], {
      attributes: { then_branch: { graph: good }, else_branch: { graph: broken } },
    }),
  ];

  it("is left unread where it is not taken, and sees the names around it", () => {
    expect(runGraph({ nodes }, { x, c: scalarOf("bool", 1) }).data).toEqual(Float32Array.of(1, -2));
  });

  it("is read where it is taken", () => {
    expect(() => runGraph({ nodes }, { x, c: scalarOf("bool", 0) })).toThrow('makes its input "nothing"');
  });
});

describe("a function of the file", () => {
  const call = (attributes: Parameters<typeof node>[3] = {}) =>
    node("Leak", ["x"], ["y"], { domain: "own", ...attributes });
  const leak = func(
    "own",
    "Leak",
    {
      inputs: ["a", "b"],
      outputs: ["z"],
      nodes: [node("LeakyRelu", ["a"], ["z"], { attributes: { alpha: { reference: "slope" } } })],
    },
    [...opsetImport(9, 20), ...lengthDelimited(11, attribute("slope", { float: 0.25 }))],
  );

  it("runs through its body, with attributes of the call", () => {
    const nodes = [call({ attributes: { slope: { float: 0.5 } } })];
    expect(runGraph({ nodes }, { x }, [leak]).data).toEqual(Float32Array.of(-0.5, 2));
  });

  it("has attributes of its own where the call has none", () => {
    expect(runGraph({ nodes: [call()] }, { x }, [leak]).data).toEqual(Float32Array.of(-0.25, 2));
  });

  it("leaves out what the call leaves out", () => {
    const clip = func(
      "own",
      "Leak",
      { inputs: ["a", "low", "high"], outputs: ["z"], nodes: [node("Clip", ["a", "low", "high"], ["z"])] },
      opsetImport(9, 20),
    );
    const nodes = [node("Leak", ["x", "", "most"], ["y"], { domain: "own" })];
    const initializers = [tensor("most", { dims: [], raw: Float32Array.of(1) })];
    expect(runGraph({ nodes, initializers }, { x }, [clip]).data).toEqual(Float32Array.of(-1, 1));
  });

  it("may not call itself", () => {
    const self = func("own", "Leak", {
      inputs: ["a"],
      outputs: ["z"],
      nodes: [node("Leak", ["a"], ["z"], { domain: "own" })],
    });
    expect(() => runGraph({ nodes: [call()] }, { x }, [self])).toThrow(
      "functions call each other deeper than 64",
    );
  });

  it("may not double 40 times", () => {
    const doubling = Array.from({ length: 40 }, (_, at) => {
      const next = at === 39 ? { type: "Relu", domain: "" } : { type: `F${at + 1}`, domain: "own" };
      const nodes = [
        node(next.type, ["a"], ["b"], { domain: next.domain }),
        node(next.type, ["b"], ["z"], { domain: next.domain }),
      ];
      return func("own", `F${at}`, { inputs: ["a"], outputs: ["z"], nodes }, opsetImport(9, 20));
    });
    const nodes = [node("F0", ["x"], ["y"], { domain: "own" })];
    expect(() => runGraph({ nodes }, { x }, doubling)).toThrow(
      'onnx: node "F0_0" (own.F0): names of nodes take more memory than a file of this size may',
    );
  });
});

describe("int64", () => {
  it("is exact within 2^53", () => {
    const initializers = [int64s("a", [2 ** 53 - 2]), int64s("b", [1])];
    expect(runGraph({ nodes: [node("Add", ["a", "b"], ["y"])], initializers }).data[0]).toBe(2 ** 53 - 1);
  });

  it("that leaves it is an error that names the node", () => {
    const initializers = [int64s("a", [2 ** 53 - 1]), int64s("b", [2])];
    const nodes = [node("Mul", ["a", "b"], ["y"], { name: "product" })];
    expect(() => runGraph({ nodes, initializers })).toThrow(
      'onnx: node "product" (Mul, opset 20): an int64 of 18014398509481982 is not within 2^53',
    );
  });

  it("of 2^63 - 1 is the end of a Slice", () => {
    const end = tensor("end", { type: 7, dims: [1], raw: BigInt64Array.of(2n ** 63n - 1n) });
    const initializers = [int64s("start", [1]), end];
    expect(
      runGraph({ nodes: [node("Slice", ["x", "start", "end"], ["y"])], initializers }, { x }).data,
    ).toEqual(Float32Array.of(2));
  });
});
