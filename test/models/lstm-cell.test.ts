/** Steps of an LSTM that converters write in their parts run as LSTM nodes. */
import { describe, expect, it } from "vitest";
import { LSTM as LSTM_OPERATOR, loadOnnx, loadOnnxWith } from "../../src/models/index.js";
import { ALL_OPERATORS } from "../../src/models/operators/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { type AttributeValue, floats, int64s, modelOf, node } from "../support/onnx-writer.js";

const [BATCH, INPUTS, HIDDEN] = [2, 3, 4];

type Line = readonly [string, string, string, Record<string, AttributeValue>?];

interface Written {
  /** Places of i, f, g and o among the parts. */
  readonly places?: readonly [number, number, number, number];
  /** Gemm of turned weights in the place of MatMul. */
  readonly gemm?: boolean;
  /** Where a bias is added: to the sum, to both products by Gemm, or nowhere. */
  readonly bias?: "sum" | "products" | "none";
  /** An operator in the place of a cell's own. */
  readonly other?: Readonly<Record<string, string>>;
  /** A value within the cell that is an output of the graph too. */
  readonly read?: string;
  /** Nodes in the place of the one that gives a value of the cell: what they give, operator, inputs, attributes. */
  readonly changes?: Readonly<Record<string, readonly Line[]>> | undefined;
  /** The next cell reads what this one gives, before h' is made. */
  readonly two?: boolean;
}

/** The nodes of a cell, and its weights. */
function cell(name: string, x: string, h: string, c: string, written: Written) {
  const { places = [0, 1, 2, 3], gemm = false, bias = "sum", other = {} } = written;
  const n = (value: string) => name + value;
  const rows = 4 * HIDDEN;
  const width = x === "x" ? INPUTS : HIDDEN;
  const random = (value: string, shape: number[], seed: number) =>
    floats(
      n(value),
      shape,
      [...Tensor.randn(shape, seed).data].map((each) => each * 0.4),
    );
  const initializers = [
    random("W", gemm ? [rows, width] : [width, rows], 1),
    random("R", gemm ? [rows, HIDDEN] : [HIDDEN, rows], 2),
    random("b", [rows], 3),
    random("b2", [1, rows], 4),
    random("rows", [BATCH, rows], 8),
    random("column", [width, 1], 9),
    int64s(n("axes"), [0]),
  ];
  const byGemm = (input: string, weight: string, added: string, output: string) =>
    node("Gemm", bias === "products" ? [input, n(weight), n(added)] : [input, n(weight)], [n(output)], {
      attributes: { transB: 1 },
    });
  const products = gemm
    ? [byGemm(x, "W", "b", "xw"), byGemm(h, "R", "b2", "hr")]
    : [node("MatMul", [h, n("R")], [n("hr")]), node("MatMul", [x, n("W")], [n("xw")])];
  const parts = ["p0", "p1", "p2", "p3"].map(n);
  const [i, f, g, o] = places.map((place) => parts[place]!) as [string, string, string, string];
  const operator = (value: string, own: string) => other[value] ?? own;
  const own = (value: string, operator: string, inputs: string[]) =>
    (written.changes?.[value] ?? [[value, operator, inputs.join(" ")]]).map(
      ([output, made, read, attributes = {}]) =>
        node(
          made,
          read.split(" ").map((input) => ({ x, h, c_: c })[input] ?? n(input)),
          [n(output)],
          { attributes },
        ),
    );
  const nodes = [
    ...(written.changes?.xw
      ? [...own("xw", "MatMul", ["x", "W"]), ...own("hr", "MatMul", ["h", "R"])]
      : products),
    ...(written.changes?.s0
      ? own("s0", "Add", [])
      : [node("Add", [n("xw"), n("hr")], [bias === "sum" ? n("s0") : n("sum")])]),
    ...(bias === "sum" ? own("sum", "Add", ["b", "s0"]) : []),
    node("Split", [n("sum")], parts, { attributes: { axis: 1, num_outputs: 4 } }),
    node(operator("o", "Sigmoid"), [o], [n("so")]),
    ...(written.changes?.sf ? own("sf", "Sigmoid", []) : [node(operator("f", "Sigmoid"), [f], [n("sf")])]),
    ...(written.changes?.si ? own("si", "Sigmoid", []) : [node("Sigmoid", [i], [n("si")])]),
    node(operator("g", "Tanh"), [g], [n("tg")]),
    ...own("fc", "Mul", ["sf", "c_"]),
    ...own("ig", "Mul", ["si", "tg"]),
    ...own("c", operator("c", "Add"), ["fc", "ig"]),
    node("Identity", [n("c")], [n("cOut")]),
    node("Tanh", [n("c")], [n("tc")]),
    ...own("h", "Mul", ["so", "tc"]),
  ];
  return { nodes, initializers };
}

function file(written: Written): Uint8Array {
  const first = cell("a_", "x", "h", "c", written);
  const second = written.two ? cell("b_", "a_h", "h", "c", written) : { nodes: [], initializers: [] };
  const outputs = [
    "a_h",
    "a_cOut",
    ...(written.two ? ["b_h", "b_cOut"] : []),
    ...(written.read ? [written.read] : []),
  ];
  return modelOf({
    inputs: [
      { name: "x", shape: [BATCH, INPUTS] },
      { name: "h", shape: [BATCH, HIDDEN] },
      { name: "c", shape: [BATCH, HIDDEN] },
    ],
    outputs,
    nodes: [...first.nodes, ...second.nodes],
    initializers: [...first.initializers, ...second.initializers],
  });
}

/** Runs a file with and without rewrites; returns how many LSTM nodes it has become. */
function check(written: Written): number {
  const bytes = file(written);
  using fused = loadOnnx(bytes);
  using plain = loadOnnx(bytes, { fuse: false });
  const feeds = {
    x: Tensor.randn([BATCH, INPUTS], 5),
    h: Tensor.randn([BATCH, HIDDEN], 6),
    c: Tensor.randn([BATCH, HIDDEN], 7),
  };
  const [got, expected] = [fused.run(feeds), plain.run(feeds)];
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape).toEqual(shape);
    for (const [at, number] of Array.from(data, Number).entries()) {
      expect(Number(got[name]!.data[at]), `${name}[${at}]`).toBeCloseTo(number, 5);
    }
  }
  return fused.summary().filter(({ operator, onHost }) => operator === "LSTM" && !onHost).length;
}

describe("a cell in its parts becomes an LSTM node", () => {
  it.each([
    ["of products by MatMul", {}],
    ["of products by Gemm", { gemm: true }],
    ["with biases of both products", { gemm: true, bias: "products" }],
    ["without a bias", { bias: "none" }],
    ["with its gates in another order", { places: [2, 0, 3, 1] }],
  ] as const)("%s", (_, written) => {
    expect(check(written)).toBe(1);
    expect(check({ ...written, two: true })).toBe(2);
  });

  it.each<[string, Written["changes"]]>([
    ["whose sum of products is turned", { s0: [["s0", "Add", "hr xw"]] }],
    ["whose products are turned", { ig: [["ig", "Mul", "tg si"]], h: [["h", "Mul", "tc so"]] }],
    ["whose sum is turned", { c: [["c", "Add", "ig fc"]] }],
    ["whose state is kept by a turned product", { fc: [["fc", "Mul", "c_ sf"]] }],
    ["whose products are in the order of x and h", { xw: [["xw", "MatMul", "x W"]] }],
  ])("%s", (_, changes) => {
    expect(check({ changes })).toBe(1);
  });

  it.each<[string, Written["changes"]]>([
    [
      "a gate of a part that is changed",
      {
        sf: [
          ["k", "Neg", "p1"],
          ["sf", "Sigmoid", "k"],
        ],
      },
    ],
    ["two products of x", { xw: [["xw", "MatMul", "x W"]], hr: [["hr", "MatMul", "x W"]] }],
    [
      "a cell of three axes",
      {
        fc: [
          ["u", "Unsqueeze", "c_ axes"],
          ["fc", "Mul", "sf u"],
        ],
      },
    ],
    ["a bias of each row", { sum: [["sum", "Add", "s0 rows"]] }],
    ["a sum of another operator", { sum: [["sum", "Sub", "s0 b"]] }],
    ["a product with a factor", { xw: [["xw", "Gemm", "x W", { alpha: { float: 0.5 } }]] }],
    [
      "a product that is no constant's",
      {
        xw: [
          ["k", "ReduceMax", "x", { keepdims: 0 }],
          ["v", "Mul", "W k"],
          ["xw", "MatMul", "x v"],
        ],
      },
    ],
    ["a product of one column", { xw: [["xw", "MatMul", "x column"]] }],
    [
      "three products",
      {
        sum: [
          ["p", "MatMul", "x W"],
          ["s1", "Add", "s0 p"],
          ["sum", "Add", "s1 b"],
        ],
      },
    ],
    [
      "a gate of another sum",
      {
        si: [
          ["k", "Neg", "p0"],
          ["si", "Sigmoid", "k"],
        ],
      },
    ],
    [
      "a candidate that is scaled",
      {
        ig: [
          ["u", "Mul", "si tg"],
          ["ig", "Neg", "u"],
        ],
      },
    ],
    [
      "a state that is not multiplied by a gate",
      {
        fc: [
          ["u", "Neg", "sf"],
          ["fc", "Mul", "u c_"],
        ],
      },
    ],
  ])("but not with %s", (_, changes) => {
    expect(check({ changes })).toBe(0);
  });

  it("but not where it differs from one", () => {
    expect(check({ other: { o: "Tanh" } })).toBe(0);
    expect(check({ other: { f: "Tanh" } })).toBe(0);
    expect(check({ other: { g: "Relu" } })).toBe(0);
    expect(check({ other: { c: "Mul" } })).toBe(0);
  });

  it("but not where something within it is read", () => {
    for (const read of ["a_sum", "a_p0", "a_si", "a_tc", "a_fc", "a_xw", "a_so"]) {
      expect([read, check({ read })]).toEqual([read, 0]);
    }
  });

  it("but not where a model has no LSTM", () => {
    const bytes = file({});
    const others = Array.from(ALL_OPERATORS.values()).filter((operator) => operator !== LSTM_OPERATOR);
    using model = loadOnnxWith(bytes, others);
    expect(model.summary().some(({ operator }) => operator === "LSTM")).toBe(false);
  });
});
