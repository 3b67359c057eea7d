/** What the reader of ONNX graphs makes of attributes, declarations, functions and branches, and what it refuses. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Attribute, HostTensor } from "../../src/graph/ir.js";
import { readOnnxGraph } from "../../src/graph/onnx.js";
import { floatsOf, graph, runGraph, scalarOf } from "../support/host-graph.js";
import {
  attribute,
  float,
  floats,
  func,
  int64s,
  integer,
  lengthDelimited,
  model,
  modelOf,
  node,
  opsetImport,
  tensor,
} from "../support/onnx-writer.js";

const x = floatsOf([2], -1, 2);

/** The attribute `a` of a node whose attribute has these fields. */
function attributeOf(...fields: number[]): Attribute | undefined {
  const named = lengthDelimited(5, [...lengthDelimited(1, "a"), ...fields]);
  const read = readOnnxGraph(modelOf({ nodes: [[...node("Foo", [], [], { name: "n" }), ...named]] }));
  return read.graph.nodes[0]!.attributes.get("a");
}

describe("an attribute", () => {
  const texts = [...lengthDelimited(9, "p"), ...lengthDelimited(9, "q")];
  const listed = [...integer(8, 3), ...integer(8, 4)];

  it.each<[Attribute["kind"], number, number[], unknown]>([
    ["float", 1, float(2, 0.5), 0.5],
    ["int", 2, integer(3, -7), -7],
    ["string", 3, lengthDelimited(4, "text"), "text"],
    ["floats", 6, [...float(7, 0.5), ...float(7, 2)], [0.5, 2]],
    ["ints", 7, listed, [3, 4]],
    ["strings", 8, texts, ["p", "q"]],
  ])("of kind %s is read with its type, and without", (kind, type, fields, value) => {
    expect(attributeOf(...fields, ...integer(20, type))).toEqual({ kind, value });
    expect(attributeOf(...fields)).toEqual({ kind, value });
  });

  it("of a tensor is made once", () => {
    const fields = lengthDelimited(5, floats("t", [2], [1, 2]));
    for (const type of [[], integer(20, 4)]) {
      const { kind, value } = attributeOf(...fields, ...type) as Attribute & { kind: "tensor" };
      expect(kind).toBe("tensor");
      expect(value()).toEqual(floatsOf([2], 1, 2));
      expect(value()).toBe(value());
    }
  });

  it("of a graph is made once", () => {
    const fields = lengthDelimited(6, graph({ inputs: ["i"], outputs: ["i"] }));
    for (const type of [[], integer(20, 5)]) {
      const { kind, value } = attributeOf(...fields, ...type) as Attribute & { kind: "graph" };
      expect(kind).toBe("graph");
      expect(value().inputs.map(({ name }) => name)).toEqual(["i"]);
      expect(value()).toBe(value());
    }
  });

  it.each([
    ["float", 1],
    ["int", 2],
    ["string", 3],
    ["tensor", 4],
    ["graph", 5],
  ])("that should be a %s and holds none is broken", (kind, type) => {
    expect(() => attributeOf(...integer(20, type))).toThrow(
      `onnx: node "n" (Foo, opset 20): attribute "a" holds no ${kind}`,
    );
  });

  it("that holds nothing is an empty list", () => {
    expect(attributeOf()).toEqual({ kind: "ints", value: [] });
    expect(attributeOf(...integer(20, 6))).toEqual({ kind: "floats", value: [] });
  });

  it("of a kind that no operator has is told from the others", () => {
    expect(attributeOf(...integer(20, 9))).toEqual({ kind: "unknown", value: undefined });
  });

  it.each([22, 23])("of sparse tensors (field %i) is refused", (number) => {
    expect(() => attributeOf(...lengthDelimited(number, []))).toThrow(
      'onnx: node "n" (Foo, opset 20): attribute a: sparse tensors are not supported',
    );
  });

  it("that refers to one of a call is none outside of functions", () => {
    expect(attributeOf(...lengthDelimited(21, "slope"))).toBeUndefined();
  });
});

/** A model that has these fields in its graph. */
const withFields = (...fields: number[]): Uint8Array =>
  Uint8Array.from([...opsetImport(8, 20), ...lengthDelimited(7, fields)]);

describe("what a graph declares", () => {
  /** Of its input `x`, whose type has these fields. */
  const declared = (...type: number[]) => {
    const value = [
      ...lengthDelimited(1, "x"),
      ...lengthDelimited(2, type),
      ...lengthDelimited(3, "about it"),
    ];
    const { dtype, shape } = readOnnxGraph(withFields(...lengthDelimited(11, value))).graph.inputs[0]!;
    return { dtype, shape };
  };
  const dim = (...fields: number[]) => lengthDelimited(1, fields);
  const ofShape = (...dims: number[]) => lengthDelimited(1, [...integer(1, 7), ...lengthDelimited(2, dims)]);

  it("is types and sizes, named and open ones too", () => {
    const dims = [
      ...dim(...integer(1, 3)),
      ...dim(...lengthDelimited(2, "batch")),
      ...dim(...lengthDelimited(3, "CHANNEL")),
      ...integer(2, 1),
    ];
    expect(declared(...ofShape(...dims), ...lengthDelimited(6, "IMAGE"))).toEqual({
      dtype: "int64",
      shape: [3, "batch", -1],
    });
  });

  it("is nothing where no type is stated", () => {
    expect(declared()).toEqual({ dtype: undefined, shape: undefined });
    expect(declared(...lengthDelimited(1, integer(3, 1)))).toEqual({ dtype: undefined, shape: undefined });
  });

  it("is no shape of more axes than tensors have", () => {
    const dims = Array.from({ length: 100 }, () => dim(...integer(1, 1))).flat();
    expect(declared(...ofShape(...dims))).toEqual({ dtype: "int64", shape: undefined });
  });

  it.each([
    ["a sequence", lengthDelimited(4, []), "sequences, optionals and maps are not supported"],
    ["text", lengthDelimited(1, integer(1, 8)), "type string is not supported"],
    ["uint16", lengthDelimited(1, integer(1, 4)), "type torch.uint16 is not supported"],
    ["a type to come", lengthDelimited(1, integer(1, 99)), "type 99 is not supported"],
  ])("may not be %s", (_, type, message) => {
    expect(() => declared(...type)).toThrow(`onnx: input "x": ${message.replace("torch.", "")}`);
    const output = [...lengthDelimited(1, "o"), ...lengthDelimited(2, type)];
    expect(() => readOnnxGraph(withFields(...lengthDelimited(12, output)))).toThrow('onnx: output "o": ');
  });

  it("is no input twice", () => {
    expect(() => readOnnxGraph(modelOf({ inputs: ["x", "x"] }))).toThrow('onnx: input "x" occurs twice');
  });

  it("has no constant of a type that no operator takes", () => {
    const initializers = [tensor("w", { type: 4, dims: [1], raw: Uint16Array.of(1) })];
    expect(() => readOnnxGraph(modelOf({ initializers }))).toThrow(
      /"w": type uint16 is not supported in graphs/,
    );
  });
});

describe("an opset", () => {
  const opsetOf = (domain: string, ...imports: number[]) =>
    readOnnxGraph(
      Uint8Array.from([
        ...imports,
        ...lengthDelimited(7, lengthDelimited(1, node("Foo", [], [], { domain }))),
      ]),
    ).graph.nodes[0]!.opset;
  const stated = (domain: string, version: number) =>
    lengthDelimited(8, [...lengthDelimited(1, domain), ...integer(2, version)]);

  it("is that of the node's domain, and 1 where none is stated", () => {
    expect(opsetOf("own", ...stated("own", 3), ...stated("", 20))).toBe(3);
    expect(opsetOf("own", ...stated("", 20))).toBe(1);
    expect(opsetOf("", ...stated("ai.onnx", 17))).toBe(17);
  });

  it("that is newer is warned of once", () => {
    const nodes = [node("Relu", ["x"], ["a"]), node("Relu", ["a"], ["y"])];
    expect(readOnnxGraph(modelOf({ inputs: ["x"], nodes }, 30)).warnings).toHaveLength(1);
  });
});

describe("a function", () => {
  const own = (inputs: string[], outputs: string[]) =>
    node("F", inputs, outputs, { name: "f", domain: "own" });
  const relu = (outputs = ["z"]) =>
    func("own", "F", { inputs: ["a"], outputs, nodes: [node("Relu", ["a"], ["z"])] }, opsetImport(9, 20));

  it.each([
    [
      "given more than it takes",
      [own(["x", "x"], ["y"])],
      relu(),
      "(own.F): more inputs than the function takes",
    ],
    ["asked for more than it gives", [own(["x"], ["y", "more"])], relu(), "does not make output 1"],
    ["that does not make its output", [own(["x"], ["y"])], relu(["q"]), "does not make output 0"],
    ["that makes a value again", [own(["x"], ["y"]), own(["x"], ["y"])], relu(), 'value "y" is made twice'],
    ["given what nothing makes", [own(["q"], ["y"])], relu(), 'nothing before it makes its input "q"'],
  ])("%s is refused", (_, nodes, body, message) => {
    expect(() => runGraph({ nodes }, { x }, [body])).toThrow(message);
  });

  it("may be asked for some of its outputs", () => {
    const two = func(
      "own",
      "F",
      { inputs: ["a"], outputs: ["p", "q"], nodes: [node("Relu", ["a"], ["p"]), node("Neg", ["a"], ["q"])] },
      opsetImport(9, 20),
    );
    expect(runGraph({ nodes: [own(["x"], ["", "y"])] }, { x }, [two]).data).toEqual(Float32Array.of(1, -2));
  });

  it("counts its nodes for every call, of which there may be 100000", () => {
    const small = Array.from({ length: 250 }, () => node("Foo", [], [], { name: "n" }));
    const many = func("own", "F", { nodes: small }, opsetImport(9, 20));
    const calls = (count: number) => Array.from({ length: count }, () => own([], []));
    const read = (count: number) => readOnnxGraph(model({ nodes: calls(count) }, [many], 20));
    // 398 calls with 250 nodes each are 99,898.
    expect(read(398).graph.nodes).toHaveLength(99_500);
    expect(() => read(399)).toThrow(
      'onnx: node "f" (own.F): more than 100000 nodes, those of functions counted per call',
    );
  });

  it("passes attributes of its call on to one that it calls", () => {
    const leaky = node("LeakyRelu", ["a"], ["z"], { attributes: { alpha: { reference: "slope" } } });
    const body = { inputs: ["a"], outputs: ["z"] };
    const inner = func("own", "Inner", { ...body, nodes: [leaky] }, [
      ...opsetImport(9, 20),
      ...lengthDelimited(11, attribute("slope", { float: 0.25 })),
    ]);
    const call = node("Inner", ["a"], ["z"], { domain: "own", attributes: { slope: { reference: "tilt" } } });
    const outer = func("own", "F", { ...body, nodes: [call] }, opsetImport(9, 20));
    const nodes = [node("F", ["x"], ["y"], { domain: "own", attributes: { tilt: { float: 0.5 } } })];
    expect(runGraph({ nodes }, { x }, [inner, outer]).data).toEqual(Float32Array.of(-0.5, 2));
  });
});

describe("a branch", () => {
  const choose = (body: number[], outputs = ["y"]) =>
    node("If", ["c"], outputs, { attributes: { then_branch: { graph: body } } });
  const c = scalarOf("bool", 1);

  it("does not see what is made after it", () => {
    const body = graph({ nodes: [node("Neg", ["late"], ["b"])], outputs: ["b"] });
    const nodes = [choose(body), node("Neg", ["x"], ["late"])];
    expect(() => runGraph({ nodes }, { x, c })).toThrow(
      'onnx: node "If_0/then_branch/Neg_0" (Neg): nothing before it makes its input "late"',
    );
  });

  it("may give a value around it, and name one of its own as others are named", () => {
    expect(runGraph({ nodes: [choose(graph({ outputs: ["x"] }))] }, { x, c }).data).toEqual(x.data);
    const body = graph({ nodes: [node("Neg", ["x"], ["x2"]), node("Neg", ["x2"], ["y"])], outputs: ["y"] });
    expect(runGraph({ nodes: [choose(body)] }, { x, c }).data).toEqual(x.data);
  });

  it.each([
    ["is missing", scalarOf("bool", 0), graph({}), "(If, opset 20): attribute else_branch is missing"],
    [
      "has an operator that is not known",
      c,
      graph({ nodes: [node("Foo", [], ["b"])], outputs: ["b"] }),
      "not supported",
    ],
    ["gives too little", c, graph({}), "(If, opset 20): output 0 is not supported"],
    ["takes an input", c, graph({ inputs: ["i"], outputs: ["i"] }), "a graph of 1 inputs is given 0"],
    ["hangs on no bool", x, graph({}), "(If, opset 20): input 0 of float32 is not supported"],
    ["hangs on several", { ...c, shape: [2], data: Uint8Array.of(1, 1) }, graph({}), "expected one number"],
  ])("that %s is refused", (_, condition, body, message) => {
    expect(() => runGraph({ nodes: [choose(body)] }, { x, c: condition })).toThrow(message);
  });
});

describe("a loop", () => {
  const loop = (inputs: string[], outputs: string[], body: number[]) =>
    node("Loop", inputs, outputs, { attributes: { body: { graph: body } } });
  /** Doubles what it carries and collects what it was. */
  const doubling = graph({
    inputs: ["i", "go", "s"],
    outputs: ["go", "t", "s"],
    nodes: [node("Add", ["s", "s"], ["t"])],
  });
  const three = scalarOf("int64", 3);
  const start = floatsOf([1], 1);

  it("carries values and collects others", () => {
    const given = { n: three, s: start };
    const nodes = (outputs: string[]) => [loop(["n", "", "s"], outputs, doubling)];
    expect(runGraph({ nodes: nodes(["y", "all"]) }, given)).toEqual(floatsOf([1], 8));
    expect(runGraph({ nodes: nodes(["last", "y"]) }, given)).toEqual(floatsOf([3, 1], 1, 2, 4));
  });

  it("ends at its condition", () => {
    const below = graph({
      inputs: ["i", "go", "s"],
      outputs: ["more", "t"],
      nodes: [node("Add", ["s", "s"], ["t"]), node("Less", ["i", "two"], ["more"])],
    });
    const nodes = [loop(["", "go", "s"], ["y"], below)];
    const given = { go: scalarOf("bool", 1), two: scalarOf("int64", 2), s: start };
    expect(runGraph({ nodes }, given).data).toEqual(Float32Array.of(8));
    expect(runGraph({ nodes }, { ...given, go: scalarOf("bool", 0) }).data).toEqual(Float32Array.of(1));
  });

  it("that never runs collects nothing", () => {
    const given = { n: scalarOf("int64", 0), s: start };
    const nodes = [loop(["n", "", "s"], ["last", "y"], doubling)];
    expect(runGraph({ nodes }, given)).toEqual({ dtype: "float32", shape: [0], data: new Float32Array(0) });
  });

  it.each([
    [
      "whose body gives too little",
      graph({ inputs: ["i", "go", "s"], outputs: ["go"] }),
      ["y"],
      "the body gives fewer outputs than the loop carries",
    ],
    [
      "whose body takes too little",
      graph({ inputs: ["i", "go"], outputs: ["go"] }),
      ["y"],
      "a graph of 2 inputs is given 3",
    ],
    [
      "that collects different shapes",
      graph({
        inputs: ["i", "go", "s"],
        outputs: ["go", "t", "s"],
        nodes: [node("Concat", ["s", "s"], ["t"], { attributes: { axis: 0 } })],
      }),
      ["last", "y"],
      "what it collects is not of one shape",
    ],
    [
      "that collects too much",
      graph({ inputs: ["i", "go", "s"], outputs: ["go", "s", "big"] }),
      ["last", "y"],
      "it collects more than 16777216 elements",
    ],
  ])("%s is refused", (_, body, outputs, message) => {
    const big: HostTensor = { dtype: "bool", shape: [2 ** 23], data: new Uint8Array(2 ** 23) };
    const nodes = [loop(["n", "", "s"], outputs, body)];
    expect(() => runGraph({ nodes }, { n: three, s: start, big })).toThrow(
      `onnx: node "Loop_0" (Loop, opset 20): ${message}`,
    );
  });
});

describe("a GRU whose exporter left out linear_before_reset = 1", () => {
  const folder = new URL("../formats/files/onnx-dynamo/", import.meta.url);
  const read = (file: string, gru?: "file" | "pytorch") => {
    const { graph, warnings } = readOnnxGraph(
      new Uint8Array(readFileSync(new URL(file, folder))),
      undefined,
      gru,
    );
    const node = graph.nodes.find(({ operator }) => operator === "GRU")!;
    return { stated: node.attributes.get("linear_before_reset"), warnings };
  };

  it("is read as the file says, with a warning, or as PyTorch meant it", () => {
    const file = read("gru-onnxscript-0.7.0.onnx");
    expect(file.stated?.value ?? 0).toBe(0);
    expect(file.warnings).toEqual([expect.stringContaining("read as the file says")]);
    const meant = read("gru-onnxscript-0.7.0.onnx", "pytorch");
    expect(meant.stated).toEqual({ kind: "int", value: 1 });
    expect(meant.warnings).toEqual([expect.stringContaining("read as PyTorch meant it")]);
  });

  it("is told from one that states it", () => {
    const { stated, warnings } = read("gru-state.onnx", "pytorch");
    expect(stated).toEqual({ kind: "int", value: 1 });
    expect(warnings).toEqual([]);
  });
});

describe("a run", () => {
  it("needs its inputs", () => {
    const bytes = { nodes: [node("Relu", ["x"], ["y"])], inputs: ["x"] };
    expect(() => runGraph(bytes)).toThrow(RangeError);
    expect(() => runGraph(bytes)).toThrow('a tensor "x"');
  });

  it("leaves out outputs without a name", () => {
    const nodes = [node("Split", ["x"], ["", "y"])];
    expect(runGraph({ nodes }, { x })).toEqual(floatsOf([1], 2));
  });

  it("makes no tensor of more than 16 axes", () => {
    const initializers = [int64s("size", new Array<number>(17).fill(1))];
    expect(() =>
      runGraph({ nodes: [node("Expand", ["x", "size"], ["y"])], initializers }, { x: floatsOf([1], 1) }),
    ).toThrow('onnx: node "Expand_0" (Expand, opset 20): an output of more than 16 axes');
  });

  it("names what a model lacks", () => {
    expect(() => readOnnxGraph(model({ outputs: ["y"] }))).toThrow('onnx: output "y" is not made');
  });
});
