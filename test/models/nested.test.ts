/** Loops and branches that are planned with the graph around them give what the host gives. */
import { describe, expect, it } from "vitest";
import { readOnnxGraph } from "../../src/graph/onnx.js";
import { runOnHost } from "../../src/graph/run-host.js";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { GRAPH_OPERATORS } from "../support/graph-operators.js";
import { floats, type GraphOptions, graph, int64s, modelOf, node, tensor } from "../support/onnx-writer.js";

type Lines = readonly string[];
/** `made <- Operator taken taken attribute=1`, the body of a loop or a branch by its name. */
function nodesOf(lines: Lines, graphs: Readonly<Record<string, number[]>> = {}): number[][] {
  return lines.map((line) => {
    const [left, right] = line.split(" <- ") as [string, string];
    const [operator, ...words] = right.split(" ") as [string, ...string[]];
    const attributes: Record<string, number | { graph: number[] }> = {};
    for (const word of words.filter((each) => each.includes("="))) {
      const [name, text] = word.split("=") as [string, string];
      attributes[name] = text in graphs ? { graph: graphs[text]! } : Number(text);
    }
    const inputs = words.filter((each) => !each.includes("=")).map((each) => (each === "_" ? "" : each));
    const outputs = left.split(" ").map((each) => (each === "_" ? "" : each));
    return node(operator, inputs, outputs, { attributes }) as number[];
  });
}

const bool = (name: string, ...numbers: number[]) =>
  tensor(name, { type: 9, dims: [], raw: Uint8Array.from(numbers) });
const int64 = (name: string, number: number) =>
  tensor(name, { type: 7, dims: [], raw: BigInt64Array.of(BigInt(number)) });

const INITIALIZERS = [
  int64("none", 0),
  int64("one", 1),
  int64("three", 3),
  int64("forty", 40),
  int64("twenty", 20),
  int64("many", 20_000),
  int64("millions", 3_000_000),
  tensor("truths", { type: 9, dims: [2], raw: Uint8Array.of(1, 1) }),
  bool("no", 0),
  bool("yes", 1),
  int64s("axis0", [0]),
  floats("half", [], [0.5]),
  floats("hundred", [], [100]),
  floats("W", [3, 3], [...Tensor.randn([3, 3], 5).data]),
];

function modelFile(main: Omit<GraphOptions, "initializers" | "inputs">): Uint8Array {
  return modelOf({ ...main, inputs: [{ name: "x", shape: [2, 3] }], initializers: INITIALIZERS });
}

const body = (inputs: string, outputs: string, lines: Lines, graphs?: Record<string, number[]>) =>
  graph({
    inputs: inputs.split(" "),
    outputs: outputs.split(" "),
    nodes: nodesOf(lines, graphs),
  }) as number[];

/** Runs a file twice, with other numbers first, and compares it with the host. */
function check(file: Uint8Array, onHost = false): void {
  using model = loadOnnx(file);
  const x = Tensor.randn([2, 3], 1);
  const rows = model.summary({ inputs: { x: Tensor.randn([2, 3], 2) }, runs: 1 });
  const nested = rows.filter(({ operator }) => operator === "Loop" || operator === "If");
  expect(nested.length).toBeGreaterThan(0);
  for (const row of nested) expect(row.onHost, row.node).toBe(onHost);
  const outputs = model.run(x);
  const { graph: read } = readOnnxGraph(file);
  const given = new Map([["x", { dtype: "float32" as const, shape: [2, 3], data: x.data }]]);
  for (const [name, expected] of runOnHost(read, GRAPH_OPERATORS, given)) {
    const { data, shape } = outputs[name]!;
    expect(shape, name).toEqual(expected.shape);
    for (const [at, number] of Array.from(expected.data).entries()) {
      expect(Number(data[at]), `${name}[${at}]`).toBeCloseTo(number, 5);
    }
  }
}

/** h' = tanh(h W), of which a bounded count is collected. */
const CELL = ["p <- MatMul h W", "h2 <- Tanh p"];
/** So many nodes that change a sign each. */
const chain = (from: string, to: string, count: number): Lines =>
  Array.from(
    { length: count },
    (_, at) => `${at + 1 === count ? to : `n${at}`} <- Neg ${at === 0 ? from : `n${at - 1}`}`,
  );
/** What is as long as a number says. */
const RANGE = ["r <- Range none k one", "f <- Cast r to=1", "s <- ReduceSum f keepdims=0", "h2 <- Add h s"];
const loop = (line: string, inner: number[], ...outputs: string[]) =>
  modelFile({ nodes: nodesOf([line], { body: inner }), outputs });

describe("a loop", () => {
  it("carries a state and collects rows of every type", () => {
    const cell = body("i go h", "go h2 h2 h i small", [...CELL, "small <- Less h2 half"]);
    check(
      loop(
        "last all were turns small <- Loop three _ x body=body",
        cell,
        "last",
        "all",
        "were",
        "turns",
        "small",
      ),
    );
    check(loop("_ all _ turns <- Loop three yes x body=body", cell, "all", "turns"));
    check(loop("last _ <- Loop three yes x body=body", cell, "last"));
  });

  it("runs as often as an input of the node says", () => {
    const cell = body("i go h", "go h2 h2", CELL);
    const lines = [
      "size <- ReduceSum x keepdims=0",
      "abs <- Abs size",
      "count <- Cast abs to=7",
      "begins <- Greater abs half",
      "last all <- Loop count begins x body=body",
      "sum <- Add last last",
    ];
    check(modelFile({ nodes: nodesOf(lines, { body: cell }), outputs: ["last", "all", "sum"] }));
  });

  it("goes on after plans of other lengths have been dropped", () => {
    const cell = body("i go v", "go v2", ["t <- Tanh v", "v2 <- Add t a"]);
    const lines = [
      "a <- Abs x",
      "most <- ReduceMax a keepdims=0",
      "count <- Cast most to=7",
      "y <- Loop count _ a body=body",
    ];
    const nodes = nodesOf(lines, { body: cell });
    const file = modelOf({ inputs: [{ name: "x", shape: ["n"] }], outputs: ["y"], nodes });
    using model = loadOnnx(file);
    const { graph: read } = readOnnxGraph(file);
    for (const length of [2, 300, 3, 4, 2, 1000, 5, 300, 6, 2]) {
      const data = Float32Array.from({ length }, (_, at) => 4.5 / (at + 1));
      const given = new Map([["x", { dtype: "float32" as const, shape: [length], data }]]);
      const [expected] = runOnHost(read, GRAPH_OPERATORS, given).values();
      const { y } = model.run(data);
      for (const [at, number] of Array.from(expected!.data).entries()) {
        expect(Number(y!.data[at]), `${length}: y[${at}]`).toBeCloseTo(number, 5);
      }
    }
  });

  it("ends when its condition says so", () => {
    const growing = body("i go h", "goes h2 h2 most", [
      "h2 <- Add h h",
      "most <- ReduceMax h2 keepdims=0",
      "goes <- Less most hundred",
    ]);
    const lines = ["from <- Abs x", "last all most <- Loop forty _ from body=body"];
    check(modelFile({ nodes: nodesOf(lines, { body: growing }), outputs: ["last", "all", "most"] }));
  });

  it("has states that change places, are the same, or are taken from around it", () => {
    const turning = body("i go a b c", "go b a2 c a sum", ["a2 <- Mul a half", "sum <- Add b y"]);
    const lines = ["y <- Exp x", "a b c as sums <- Loop three _ x y x body=body"];
    check(modelFile({ nodes: nodesOf(lines, { body: turning }), outputs: ["a", "b", "c", "as", "sums"] }));
  });

  it("keeps states apart from values that take their room", () => {
    const rooms = body("i go a b", "go b2 a2 d", [
      "a1 <- Exp a",
      "b1 <- Tanh b",
      "c <- Add a1 b1",
      "d <- Sigmoid c",
      "a2 <- Mul d half",
      "b2 <- Sub a2 half",
    ]);
    check(loop("a b d <- Loop forty _ x x body=body", rooms, "a", "b", "d"));
  });

  it("of no turns gives what it began with", () => {
    const cell = body("i go h", "go h2", CELL);
    check(loop("last <- Loop none _ x body=body", cell, "last"));
    check(loop("last <- Loop three no x body=body", cell, "last"));
  });

  it("has others in it, and branches", () => {
    const inner = body("j going s", "going s2 s2", ["s1 <- Mul s half", "s2 <- Add s1 h"]);
    const lines = [
      "s all <- Loop three _ x body=inner",
      "m <- ReduceMean all axis0 keepdims=0",
      "h2 <- Tanh m",
    ];
    check(
      loop(
        "last all <- Loop forty _ x body=body",
        body("i go h", "go h2 h2", lines, { inner }),
        "last",
        "all",
      ),
    );
  });

  it("is left to the host where shapes change from turn to turn", () => {
    const growing = body("i go h", "go h2", ["h2 <- Concat h x axis=0"]);
    check(loop("last <- Loop three _ x body=body", growing, "last"), true);
  });

  it("ends after one turn where its condition is false", () => {
    const cell = body("i go h", "no h2 h2", CELL);
    check(loop("last all <- Loop three _ x body=body", cell, "last", "all"));
    check(loop("last all <- Loop _ _ x body=body", cell, "last", "all"));
  });

  it("runs as often as its counter says, beyond what is counted before", () => {
    const counted = ["goes <- Less i twenty", "h1 <- Mul h half", "h2 <- Add h1 half"];
    const long = [...counted.slice(0, 1), ...chain("h", "h2", 1001)];
    for (const lines of [counted, long]) {
      check(loop("last turns <- Loop _ _ x body=body", body("i go h", "goes h2 i", lines), "last", "turns"));
    }
    const many = ["goes <- Less i many", "h1 <- Mul h half", "h2 <- Add h1 half"];
    check(loop("last <- Loop _ _ x body=body", body("i go h", "goes h2", many), "last"));
  });

  it.each<[string, string, string, Lines]>([
    [
      "sizes depend on numbers",
      "i go h",
      "go h2",
      ["c <- ReduceMax h keepdims=0", "k <- Cast c to=7", ...RANGE],
    ],
    ["the condition is a number", "i go h", "i h2", CELL],
    ["the condition is six truths", "i go h", "c h2", ["c <- Less h half", ...CELL]],
    ["a state becomes of another type", "i go h", "go h2", ["h2 <- Less h half"]],
  ])("is left to the host where %s", (_, inputs, outputs, lines) => {
    check(loop("last <- Loop one _ x body=body", body(inputs, outputs, lines), "last"), true);
  });

  it.each<[string, string, string, string, Lines, RegExp]>([
    [
      "a body that takes more than is carried",
      "last <- Loop three _ x",
      "i go h more",
      "go h2",
      CELL,
      /"Loop_1".*a graph of 4 inputs is given 3/,
    ],
    [
      "a body that gives less than is carried",
      "last <- Loop three _ x",
      "i go h",
      "go",
      CELL,
      /"Loop_1".*the body gives fewer outputs than the loop carries/,
    ],
    [
      "a node that gives more than the body",
      "last more <- Loop three _ x",
      "i go h",
      "go h2",
      CELL,
      /"Loop_1".*output 1 is not supported/,
    ],
    [
      "a count of two numbers",
      "last <- Loop size _ x",
      "i go h",
      "go h2",
      CELL,
      /"Loop_1".*input 0: expected one number, got shape \[2\]/,
    ],
    [
      "a condition that leaves its list",
      "last <- Loop three _ x",
      "i go h",
      "c h2",
      ["c <- Gather truths i axis=0", ...CELL],
      /"Loop_1\/body\/Gather_0".*index 2 is not in an axis of size 2/,
    ],
    [
      "rows of too many numbers",
      "last all <- Loop millions _ x",
      "i go h",
      "go h2 h2",
      CELL,
      /"Loop_1.*more than \d+ (steps|elements)/,
    ],
  ])("is refused with %s", (_, node, inputs, outputs, lines, message) => {
    const nodes = nodesOf(["size <- Shape x", `${node} body=body`], { body: body(inputs, outputs, lines) });
    const run = () => {
      using model = loadOnnx(modelFile({ nodes, outputs: ["last"] }));
      model.run(Tensor.randn([2, 3], 1));
    };
    expect(run).toThrow(message);
  });

  it.each(["yes", "condition"])("without end is refused: %s", (condition) => {
    const lines = ["m <- ReduceMax h keepdims=0", "condition <- Less m hundred", "h2 <- Mul h half"];
    const file = loop("last <- Loop _ _ x body=body", body("i go h", `${condition} h2`, lines), "last");
    using model = loadOnnx(file);
    for (let time = 0; time < 2; time++) {
      expect(() => model.run(Tensor.randn([2, 3], 1))).toThrow(/node "Loop_0.*more than \d+ steps/);
    }
  });
});

describe("a branch", () => {
  const lines = [
    "m <- ReduceSum x keepdims=0",
    "c <- Less m bound",
    "y s <- If c then_branch=taken else_branch=other",
  ];
  const taken = graph({ outputs: ["t", "half"], nodes: nodesOf(["t <- MatMul x W"]) }) as number[];
  const other = graph({ outputs: ["t", "m"], nodes: nodesOf(["u <- Neg x", "t <- Exp u"]) }) as number[];
  const file = (bound: number, graphs: Record<string, number[]>) =>
    modelOf({
      nodes: nodesOf(lines, graphs),
      inputs: [{ name: "x", shape: [2, 3] }],
      initializers: [...INITIALIZERS, floats("bound", [], [bound])],
      outputs: ["y", "s"],
    });

  it.each([-100, 100])("is taken at run time, below %i", (bound) => check(file(bound, { taken, other })));

  it("may be what is around it, as it is or as a view", () => {
    const whole = graph({ outputs: ["t", "m"], nodes: nodesOf(["t <- Identity x"]) }) as number[];
    const itself = graph({ outputs: ["x", "m"] }) as number[];
    for (const bound of [-100, 100]) check(file(bound, { taken: whole, other: itself }));
  });

  it("may have outputs that nothing reads", () => {
    const main = [...lines.slice(0, 2), "y _ <- If c then_branch=taken else_branch=other"];
    for (const bound of [-100, 100]) {
      check(
        modelOf({
          nodes: nodesOf(main, { taken, other }),
          inputs: [{ name: "x", shape: [2, 3] }],
          initializers: [...INITIALIZERS, floats("bound", [], [bound])],
          outputs: ["y"],
        }),
      );
    }
  });

  it.each<[string, Lines, number[], RegExp]>([
    [
      "a condition of six truths",
      ["c <- Less x half"],
      other,
      /"If_1".*expected one number, got shape \[2, 3\]/,
    ],
    [
      "a branch that takes an input",
      lines.slice(0, 2),
      body("i", "i i", []),
      /"If_2".*a graph of 1 inputs is given 0/,
    ],
    ["a branch that gives too little", lines.slice(0, 2), body("", "m", []), /"If_2"/],
  ])("is refused with %s", (_, first, graphs, message) => {
    const nodes = nodesOf([...first, lines[2]!], { taken: graphs, other: graphs });
    const initializers = [...INITIALIZERS, floats("bound", [], [100])];
    const run = () => {
      using model = loadOnnx(
        modelOf({ nodes, initializers, inputs: [{ name: "x", shape: [2, 3] }], outputs: ["y", "s"] }),
      );
      model.run(Tensor.randn([2, 3], 1));
    };
    expect(run).toThrow(message);
  });

  it("is left to the host where the types differ", () => {
    const wide = graph({ outputs: ["t", "m"], nodes: nodesOf(["t <- Concat x x axis=0"]) }) as number[];
    check(file(100, { taken, other: wide }), true);
  });
});
