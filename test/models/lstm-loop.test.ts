/** Loops that converters write for LSTMs run as LSTM nodes. */
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { floats, graph, modelOf, node, tensor } from "../support/onnx-writer.js";

const [STEPS, INPUTS, HIDDEN] = [5, 3, 4];
const ROWS = 4 * HIDDEN;

interface Written {
  readonly batch?: number;
  /** Whether c is carried before h. */
  readonly cellFirst?: boolean;
  /** The product of h is the third input of a Gemm, by way of Squeeze. */
  readonly gemm?: boolean;
  /** Operators in the place of an LSTM's own. */
  readonly candidate?: string;
  readonly shown?: string;
  readonly output?: string;
  /** What h' is made of in the place of c'. */
  readonly shows?: string;
}

const int32 = (name: string, number: number) =>
  tensor(name, { type: 6, dims: [], raw: Int32Array.of(number) });
const random = (name: string, shape: number[], seed: number) =>
  floats(
    name,
    shape,
    [...Tensor.randn(shape, seed).data].map((each) => each * 0.5),
  );

function file(written: Written): Uint8Array {
  const { cellFirst = false, gemm = false, candidate = "Tanh", shown = "Tanh", output = "Sigmoid" } = written;
  const states = cellFirst ? ["c", "h"] : ["h", "c"];
  const body = graph({
    inputs: ["turn", "condition", "at", ...states],
    outputs: ["goesOn", "following", ...states.map((state) => `${state}2`), "h2"],
    nodes: [
      node("Gather", ["sequence", "at"], ["x"]),
      node("MatMul", ["h", "R"], ["hr"]),
      ...(gemm
        ? [node("Squeeze", ["hr"], ["row"]), node("Gemm", ["x", "W", "row"], ["s"])]
        : [node("MatMul", ["x", "W"], ["xw"]), node("Add", ["xw", "hr"], ["s"])]),
      node("Add", ["s", "b"], ["sum"]),
      node("Split", ["sum"], ["pi", "pf", "pg", "po"], { attributes: { axis: 1, num_outputs: 4 } }),
      node("Sigmoid", ["pi"], ["i"]),
      node("Sigmoid", ["pf"], ["f"]),
      node(candidate, ["pg"], ["g"]),
      node(output, ["po"], ["o"]),
      node("Mul", ["f", "c"], ["fc"]),
      node("Mul", ["i", "g"], ["ig"]),
      node("Add", ["fc", "ig"], ["c2"]),
      node(shown, [written.shows ?? "c2"], ["t"]),
      node("Mul", ["o", "t"], ["h2"]),
      node("Add", ["at", "one"], ["following"]),
      node("Less", ["following", "end"], ["goesOn"]),
    ],
  });
  return modelOf({
    inputs: [
      { name: "sequence", shape: [STEPS, "n", INPUTS] },
      { name: "h0", shape: ["n", HIDDEN] },
      { name: "c0", shape: ["n", HIDDEN] },
    ],
    outputs: ["all", "hn", "cn"],
    initializers: [
      random("W", [INPUTS, ROWS], 1),
      random("R", [HIDDEN, ROWS], 2),
      random("b", [ROWS], 3),
      int32("start", 0),
      int32("one", 1),
      int32("end", STEPS),
    ],
    nodes: [
      node("Less", ["start", "end"], ["runs"]),
      node(
        "Loop",
        ["", "runs", "start", ...states.map((state) => `${state}0`)],
        ["", ...states.map((state) => `${state}n`), "all"],
        { attributes: { body: { graph: body } } },
      ),
    ],
  });
}

/** Runs a file with and without rewrites, and tells the operators that it has become. */
function check(written: Written): string[] {
  const { batch = 2 } = written;
  const bytes = file(written);
  using fused = loadOnnx(bytes);
  using plain = loadOnnx(bytes, { fuse: false });
  const feeds = {
    sequence: Tensor.randn([STEPS, batch, INPUTS], 5),
    h0: Tensor.randn([batch, HIDDEN], 6),
    c0: Tensor.randn([batch, HIDDEN], 7),
  };
  const [got, expected] = [fused.run(feeds), plain.run(feeds)];
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape).toEqual(shape);
    for (const [at, number] of Array.from(data, Number).entries()) {
      expect(Number(got[name]!.data[at]), `${name}[${at}]`).toBeCloseTo(number, 4);
    }
  }
  return fused.summary({ inputs: feeds, runs: 1 }).map(({ operator }) => operator);
}

describe("a loop of an LSTM becomes an LSTM node", () => {
  it.each([
    ["of h and c", {}],
    ["of c and h", { cellFirst: true }],
    ["of one row, by Gemm of a squeezed row", { batch: 1, gemm: true }],
    ["of other activations", { candidate: "Relu", shown: "Relu" }],
  ] as const)("%s", (_, written) => {
    expect(check(written)).toEqual(["LSTM"]);
  });

  it.each([
    ["whose h' does not show c'", { shows: "c" }],
    ["of a gate that is none", { output: "Tanh" }],
    ["of a candidate that is a gate", { candidate: "Sigmoid" }],
  ] as const)("but not one %s", (_, written) => {
    expect(check(written)).toEqual(["Loop"]);
  });
});
