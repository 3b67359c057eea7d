/** Loops that differ in one place from a GRU's or an LSTM's: those that are one still become it, others stay loops. */
import { describe, expect, it } from "vitest";
import { loadOnnx, loadOnnxWith, Reshape } from "../../src/models/index.js";
import { ALL_OPERATORS } from "../../src/models/operators/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { floats, graph, int64s, modelOf, node, tensor } from "../support/onnx-writer.js";

const [STEPS, BATCH, INPUTS, HIDDEN] = [5, 3, 3, 4];

/** Lines of a body by what they give: `value: "operator inputs attribute=number"`, `_` for no output. */
type Lines = Readonly<Record<string, string>>;

const COUNTERS: Lines = {
  following: "Add at oneInt",
  following2: "Add at2 oneInt",
  goesOn: "Less following end",
};

/** h' = z h + (1 - z) tanh(x Wn + (r h) Rn) */
const GRU: Lines = {
  x: "Gather sequence at",
  xz: "MatMul x Wz",
  hz: "MatMul h Rz",
  sz: "Add xz hz",
  z: "Sigmoid sz",
  xr: "MatMul x Wr",
  hr: "MatMul h Rr",
  sr: "Add xr hr",
  r: "Sigmoid sr",
  rh: "Mul r h",
  hn: "MatMul rh Rn",
  xn: "MatMul x Wn",
  sn: "Add xn hn",
  n: "Tanh sn",
  rest: "Sub one z",
  kept: "Mul z h",
  written: "Mul rest n",
  h2: "Add kept written",
  ...COUNTERS,
};

/** c' = f c + i tanh(x Wn + h Rn), h' = o tanh(c') */
const LSTM: Lines = {
  x: "Gather sequence at",
  si: "MatMul x Wz",
  i: "Sigmoid si",
  xf: "MatMul x Wr",
  hf: "MatMul h Rr",
  sf: "Add xf hf",
  f: "Sigmoid sf",
  xg: "MatMul x Wn",
  hg: "MatMul h Rn",
  sg: "Add xg hg",
  g: "Tanh sg",
  so: "MatMul h Rz",
  o: "Sigmoid so",
  fc: "Mul f c",
  ig: "Mul i g",
  c2: "Add fc ig",
  t: "Tanh c2",
  h2: "Mul o t",
  ...COUNTERS,
};

interface Around {
  /** The shape of h at first. */
  readonly first?: readonly number[];
  /** A constant or an input of the graph for the number of turns. */
  readonly most?: "turns" | "given";
  /** An input of the graph for whether it runs at all. */
  readonly runs?: "may";
  /** What is collected, the first as `all` and others unread. */
  readonly collected?: readonly string[];
  /** Whether what is collected second is read. */
  readonly read?: boolean;
}

const random = (name: string, shape: number[], seed: number) =>
  floats(
    name,
    shape,
    [...Tensor.randn(shape, seed).data].map((each) => each * 0.5),
  );
const int32 = (name: string, number: number) =>
  tensor(name, { type: 6, dims: [], raw: Int32Array.of(number) });
const scalar = (name: string, number: number) =>
  tensor(name, { type: 1, dims: [], raw: Float32Array.of(number) });

const CONSTANTS = [
  ...["Wz", "Wr", "Wn"].map((name, at) => random(name, [INPUTS, HIDDEN], at + 1)),
  ...["Rz", "Rr", "Rn"].map((name, at) => random(name, [HIDDEN, HIDDEN], at + 4)),
  random("Wturned", [HIDDEN, INPUTS], 7),
  random("Wtwo", [INPUTS, 2 * HIDDEN], 8),
  random("Wcolumn", [INPUTS, 1], 9),
  random("Rcolumn", [HIDDEN, 1], 10),
  random("row", [HIDDEN], 11),
  random("rows", [BATCH, HIDDEN], 12),
  random("other", [STEPS, BATCH, INPUTS], 13),
  random("flat", [STEPS, INPUTS], 14),
  ...Object.entries({ zero: 0, one: 1, half: 0.5, two: 2, hundred: 100 }).map(([name, x]) => scalar(name, x)),
  ...Object.entries({ start: 0, oneInt: 1, end: STEPS }).map(([name, x]) => int32(name, x)),
  tensor("turns", { type: 7, dims: [], raw: BigInt64Array.of(BigInt(STEPS)) }),
  ...Object.entries({ i0: [0], i1: [1], i2: [2], i4: [4], i8: [8], last4: [-4], evens: [4, 4] }).map(
    ([name, list]) => int64s(name, list),
  ),
];

function nodesOf(lines: Lines): number[][] {
  return Object.entries(lines).map(([outputs, line]) => {
    const [operator, ...words] = line.split(" ");
    const attributes = words.filter((word) => word.includes("="));
    return node(
      operator!,
      words.filter((word) => !word.includes("=")),
      outputs.split(",").map((name) => (name === "_" ? "" : name)),
      {
        attributes: Object.fromEntries(
          attributes.map((word) => {
            const [name, number] = word.split("=");
            return [name!, number!.includes(".") ? { float: Number(number) } : Number(number)];
          }),
        ),
      },
    ) as number[];
  });
}

/** `own` with lines replaced, each by as many as are given. */
function written(own: Lines, changes: Readonly<Record<string, Lines>>): Lines {
  return Object.fromEntries(
    Object.entries(own).flatMap(([name, line]) =>
      changes[name] === undefined ? [[name, line]] : Object.entries(changes[name]),
    ),
  );
}

function file(lines: Lines, around: Around): Uint8Array {
  const { first = [BATCH, HIDDEN], most = "", runs = "runs", collected = ["h2"], read = false } = around;
  const states = own(lines) === "LSTM" ? ["h", "c"] : ["h"];
  const body = graph({
    inputs: ["turn", "condition", "at", "at2", ...states],
    outputs: ["goesOn", "following", "following2", ...states.map((state) => `${state}2`), ...collected],
    nodes: nodesOf(lines),
  });
  const names = collected.map((_, at) => (at === 0 ? "all" : read ? "more" : ""));
  return modelOf({
    inputs: [
      { name: "sequence", shape: [STEPS, BATCH, INPUTS] },
      { name: "h0", shape: first },
      { name: "c0", shape: [BATCH, HIDDEN] },
      ...(runs === "may" ? [{ name: "may", type: 9, shape: [] }] : []),
      ...(most === "given" ? [{ name: "given", type: 7, shape: [] }] : []),
    ],
    outputs: ["all", ...states.map((state) => `${state}n`), ...(read ? ["more"] : [])],
    initializers: CONSTANTS,
    nodes: [
      node("Less", ["start", "end"], ["runs"]),
      node(
        "Loop",
        [most, runs, "start", "start", ...states.map((state) => `${state}0`)],
        ["", "", ...states.map((state) => `${state}n`), ...names],
        { attributes: { body: { graph: body } } },
      ),
    ],
  });
}

const own = (lines: Lines) => ("c2" in lines ? "LSTM" : "GRU");

/** Runs a file with and without rewrites, and tells the operators that it has become. */
function check(lines: Lines, around: Around = {}): string {
  const bytes = file(lines, around);
  using fused = loadOnnx(bytes);
  using plain = loadOnnx(bytes, { fuse: false });
  const feeds = {
    sequence: Tensor.randn([STEPS, BATCH, INPUTS], 20),
    h0: Tensor.randn([...(around.first ?? [BATCH, HIDDEN])], 21),
    c0: Tensor.randn([BATCH, HIDDEN], 22),
    ...(around.runs === "may" ? { may: { data: Uint8Array.of(1), shape: [] } } : {}),
    ...(around.most === "given" ? { given: { data: BigInt64Array.of(BigInt(STEPS)), shape: [] } } : {}),
  };
  const [got, expected] = [fused.run(feeds), plain.run(feeds)];
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape).toEqual(shape);
    for (const [at, number] of Array.from(data, Number).entries()) {
      expect(Number(got[name]!.data[at]), `${name}[${at}]`).toBeCloseTo(number, 5);
    }
  }
  return fused
    .summary({ inputs: feeds, runs: 1 })
    .map(({ operator }) => operator)
    .join();
}

const bounded = (...lines: readonly string[]): Record<string, Lines> => ({
  z: { z: lines.at(-1)! },
  sz: { s: "Add xz hz", ...Object.fromEntries(lines.slice(0, -1).map((line, at) => [`b${at}`, line])) },
});

describe("a GRU is one", () => {
  it.each<[string, Record<string, Lines>]>([
    ["by a turned matrix", { xz: { xz: "Gemm x Wturned transB=1" } }],
    ["whose sums are turned", { h2: { h2: "Add written kept" }, sn: { sn: "Add hn xn" } }],
    ["whose products are turned", { kept: { kept: "Mul h z" }, written: { written: "Mul n rest" } }],
    [
      "with its reset after the product, turned",
      { rh: { p: "MatMul h Rn" }, hn: { hn: "Mul p r" }, sn: { sn: "Add hn xn" } },
    ],
    ["with two products of x", { xz: { xa: "MatMul x Wz", xb: "MatMul x Wr", xz: "Add xa xb" } }],
    ["with a scale before a sum", { sz: { s: "Add xz hz", sz: "Mul half s" } }],
    ["with a divisor", { sz: { s: "Add xz hz", sz: "Div s two" } }],
    ["with an identity", { xz: { y: "Identity x", xz: "MatMul y Wz" } }],
    ["with a gate of the state alone", { sz: { sz: "Identity hz" } }],
    ["with two readers of a step", { xz: { y: "Gather sequence at", xz: "MatMul y Wz" } }],
    ["by parts of stated sizes", { xz: { w: "MatMul x Wtwo", "_,xz": "Split w evens axis=1" } }],
    ["by a matrix that is cut", { xz: { "W,_": "Split Wtwo axis=1 num_outputs=2", xz: "MatMul x W" } }],
    [
      "with gates that are bounded, the bounds first",
      {
        sz: { s: "Add xz hz", sz: "Min one s" },
        z: { z: "Max zero sz" },
        sr: { u: "Add xr hr", sr: "Max zero u" },
        r: { r: "Min one sr" },
      },
    ],
  ])("%s", (_, changes) => {
    expect(check(written(GRU, changes))).toBe("GRU");
  });

  it("whatever tells how often it runs, and where more is collected that nobody reads", () => {
    expect(check(GRU, { most: "turns" })).toBe("GRU");
    expect(check(GRU, { collected: ["h2", "z"] })).toBe("GRU");
  });
});

describe("a loop stays one", () => {
  it.each<[string, Record<string, Lines>]>([
    ["with a bias of each row", { sz: { s: "Add xz hz", sz: "Add s rows" } }],
    ["with a sum of other sizes", { xz: { xz: "MatMul x Wcolumn" } }],
    ["with a gate of one column", { xz: { xz: "MatMul x Wcolumn" }, hz: { hz: "MatMul h Rcolumn" } }],
    ["with two resets", { hn: { zh: "Mul z h", p: "MatMul rh Rn", q: "MatMul zh Rz", hn: "Add p q" } }],
    ["that keeps and writes by two gates", { kept: { kept: "Mul r h" } }],
    ["without a reset", { hn: { hn: "MatMul h Rn" } }],
    ["whose candidate has the state too", { hn: { p: "MatMul rh Rn", q: "MatMul h Rz", hn: "Add p q" } }],
    ["with two activations", { n: { m: "Relu sn", n: "Tanh m" } }],
    ["with two kinds of gates", { sz: { s: "Add xz hz", sz: "Min s one" }, z: { z: "Max sz zero" } }],
    ["with a row of bounds", bounded("Min s row", "Max b0 zero")],
    ["with a bound above 0 below", bounded("Min s one", "Max b0 half")],
    ["with two bounds above", bounded("Min s one", "Min b0 half")],
    ["with a bound of three", bounded("Min s one", "Max b0 zero zero")],
    ["that divides a product by another", { sz: { sz: "Div xz hz" } }],
    ["with a squeezed state", { hz: { y: "Squeeze h", hz: "MatMul y Rz" } }],
    ["with a slice of the state", { hz: { y: "Slice h i0 i4 i1", hz: "MatMul y Rz" } }],
    ["by the number of the turn", { x: { x: "Gather sequence turn" } }],
    ["of two sequences", { xz: { y: "Gather other at", xz: "MatMul y Wz" } }],
    ["of two places", { xz: { y: "Gather sequence at2", xz: "MatMul y Wz" } }],
    ["of a sequence of rows", { x: { x: "Gather flat at" } }],
    ["of a sequence made in it", { xz: { s: "Neg sequence", y: "Gather s at", xz: "MatMul y Wz" } }],
    ["of no sequence", { xz: { xz: "MatMul h Rr" }, xr: { xr: "MatMul h Rn" }, xn: { xn: "MatMul rh Rz" } }],
    ["by the turned step", { xz: { xz: "Gemm x Wz transA=1" } }],
    ["with a factor of a product", { xz: { xz: "Gemm x Wz alpha=0.5" } }],
    ["by parts of rows", { xz: { w: "MatMul x Wz", "xz,_,_": "Split w axis=0 num_outputs=3" } }],
    ["by each other column", { xz: { w: "MatMul x Wtwo", xz: "Slice w i0 i8 i1 i2" } }],
    ["by columns from the end", { xz: { w: "MatMul x Wtwo", xz: "Slice w last4 i8 i1" } }],
    [
      "with a part of no column",
      { xz: { w: "MatMul x Wz", e: "Slice w i4 i4 i1", xz: "Concat w e axis=1" } },
    ],
    [
      "whose end depends on the state",
      {
        goesOn: {
          m: "ReduceMax h keepdims=0",
          a: "Less m hundred",
          b: "Less following end",
          goesOn: "And a b",
        },
      },
    ],
  ])("%s", (_, changes) => {
    expect(check(written(GRU, changes)).split(",")).toContain("Loop");
  });

  it("but not where an input tells its count, or whether it runs: each number has a plan", () => {
    expect(check(GRU, { most: "given" })).toBe("GRU");
    expect(check(GRU, { runs: "may" })).toBe("GRU");
  });

  it("where what is around it differs", () => {
    expect(check(GRU, { first: [1, HIDDEN] })).toBe("Loop");
    expect(check(GRU, { first: [HIDDEN] })).toBe("Loop");
    expect(check(GRU, { collected: ["z"] })).toBe("Loop");
    expect(check(GRU, { collected: ["h2", "z"], read: true })).toBe("Loop");
  });

  it("in a model that has no Reshape", () => {
    const others = Array.from(ALL_OPERATORS.values()).filter((operator) => operator !== Reshape);
    using model = loadOnnxWith(file(GRU, {}), others);
    expect(model.summary().map(({ operator }) => operator)).toEqual(["Loop"]);
  });
});

it.each<[string, Record<string, Lines>, string]>([
  ["as it is", {}, "LSTM"],
  ["with its sum turned", { c2: { c2: "Add ig fc" } }, "LSTM"],
  [
    "with its products turned",
    { fc: { fc: "Mul c f" }, ig: { ig: "Mul g i" }, h2: { h2: "Mul t o" } },
    "LSTM",
  ],
  ["with two kinds of gates", { f: { b: "Min sf one", f: "Max b zero" } }, "Loop"],
  ["with a gate of a state that is reset", { hf: { ih: "Mul i h", hf: "MatMul ih Rr" } }, "Loop"],
])("a loop of an LSTM %s", (_, changes, operators) => {
  expect(check(written(LSTM, changes))).toBe(operators);
});
