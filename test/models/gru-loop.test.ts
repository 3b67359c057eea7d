/** Loops that converters write for GRUs run as GRU nodes. */
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { floats, graph, modelOf, node, tensor } from "../support/onnx-writer.js";

const [INPUTS, HIDDEN] = [3, 4];
const ROWS = 3 * HIDDEN;
const COLUMNS = { z: [0, HIDDEN], r: [HIDDEN, 2 * HIDDEN], n: [2 * HIDDEN, ROWS] } as const;

interface Written {
  /** Whether r scales the product of h; h before it when left out. */
  readonly after?: boolean;
  readonly gates?: "sigmoid" | "hard" | "hard6" | "clip" | "tanh";
  readonly candidate?: "Tanh" | "Relu" | "none";
  /** Products by Gemm with their bias, or MatMul and Add. */
  readonly gemm?: boolean;
  /** Parts of sums by Slice in the place of Split. */
  readonly slices?: boolean;
  /** How often the loop runs, in the place of as often as there are steps. */
  readonly turns?: number;
  /** A counter begins so. */
  readonly first?: number;
  /** The state is (1 - z) h + z n, which is no GRU. */
  readonly turned?: boolean;
  /** The state is scaled before it is given on. */
  readonly scaledState?: boolean;
}

const scalar = (name: string, number: number) =>
  tensor(name, { type: 1, dims: [], raw: Float32Array.of(number) });
const int32 = (name: string, dims: number[], ...numbers: number[]) =>
  tensor(name, { type: 6, dims, raw: Int32Array.from(numbers) });

function file(written: Written, steps: number): Uint8Array {
  const { after = false, gates = "sigmoid", candidate = "Tanh", gemm = false, slices = false } = written;
  const nodes: number[][] = [];
  const constants: number[][] = [];
  let names = 0;
  const make = (operator: string, inputs: string[], attributes = {}): string => {
    const output = `v${names++}`;
    nodes.push(node(operator, inputs, [output], { attributes }) as number[]);
    return output;
  };
  const product = (input: string, weight: string, bias: string): string =>
    gemm ? make("Gemm", [input, weight, bias]) : make("Add", [make("MatMul", [input, weight]), bias]);
  const part = (value: string, [from, to]: readonly [number, number]): string => {
    const name = `c${names++}`;
    constants.push(
      int32(`${name}s`, [2], 0, from) as number[],
      int32(`${name}e`, [2], 2 ** 31 - 1, to) as number[],
    );
    return make("Slice", [value, `${name}s`, `${name}e`, "axes01"]);
  };
  const partsOf = (value: string): readonly string[] => {
    if (slices) return [COLUMNS.z, COLUMNS.r, COLUMNS.n].map((columns) => part(value, columns));
    const outputs = [0, 1, 2].map((at) => `v${names}_${at}`);
    names++;
    nodes.push(node("Split", [value], outputs, { attributes: { axis: -1, num_outputs: 3 } }) as number[]);
    return outputs;
  };
  const gate = (sum: string): string => {
    if (gates === "sigmoid") return make("Sigmoid", [sum]);
    if (gates === "tanh") return make("Tanh", [sum]);
    if (gates === "hard6")
      return make("Mul", [make("Clip", [make("Add", ["three", sum]), "zero", "six"]), "sixth"]);
    const scaled = make("Add", [make("Mul", [sum, "fifth"]), "half"]);
    if (gates === "clip") return make("Clip", [scaled, "zero", "one"]);
    return make("Max", [make("Min", [scaled, "one"]), "zero"]);
  };
  const act = (value: string): string => (candidate === "none" ? value : make(candidate, [value]));

  const x = make("Gather", ["sequence", "at"], { axis: 0 });
  const [xz, xr, xn] = partsOf(product(x, "W", "b")) as [string, string, string];
  const hAll = after ? partsOf(product("h", "R", "b2")) : undefined;
  const byState = (columns: readonly [number, number]) => make("MatMul", ["h", part("R", columns)]);
  const [hz, hr] = hAll ?? [byState(COLUMNS.z), byState(COLUMNS.r)];
  const r = gate(make("Add", [xr, hr!]));
  const z = gate(make("Add", [xz, hz!]));
  const n = hAll
    ? act(make("Add", [xn, make("Mul", [r, hAll[2]!])]))
    : act(make("Add", [make("MatMul", [make("Mul", [r, "h"]), part("R", COLUMNS.n)]), xn]));
  const rest = make("Sub", ["one", z]);
  const [forOld, forNew] = written.turned ? [rest, z] : [z, rest];
  let next = make("Add", [make("Mul", [forOld, "h"]), make("Mul", [forNew, n])]);
  if (written.scaledState) next = make("Mul", [next, "half"]);
  const following = make("Add", ["at", "oneInt"]);
  const goesOn = make("Less", [following, "limit"]);
  const body = graph({
    inputs: ["turn", "condition", "at", "h", "limit", "R"],
    outputs: [goesOn, following, next, "limit", "R", make("Identity", [next])],
    nodes,
  });
  const random = (name: string, shape: number[], seed: number) =>
    floats(
      name,
      shape,
      [...Tensor.randn(shape, seed).data].map((each) => each * 0.5),
    );
  return modelOf({
    inputs: [
      { name: "sequence", shape: ["t", "n", INPUTS] },
      { name: "h0", shape: ["n", HIDDEN] },
    ],
    outputs: ["all", "last"],
    initializers: [
      random("W", [INPUTS, ROWS], 1),
      random("R0", [HIDDEN, ROWS], 2),
      random("b", [ROWS], 3),
      random("b2", [ROWS], 4),
      scalar("zero", 0),
      scalar("one", 1),
      scalar("half", 0.5),
      scalar("fifth", 0.2),
      scalar("three", 3),
      scalar("six", 6),
      scalar("sixth", 1 / 6),
      int32("start", [], written.first ?? 0),
      int32("oneInt", [], 1),
      int32("end", [], written.turns ?? steps),
      int32("axes01", [2], 0, 1),
      ...constants,
    ],
    nodes: [
      node("Less", ["start", "end"], ["runs"]),
      node("Loop", ["", "runs", "start", "h0", "end", "R0"], ["", "last", "", "", "all"], {
        attributes: { body: { graph: body } },
      }),
    ],
  });
}

/** Runs a file with and without rewrites, and tells the operators that it has become. */
function check(written: Written, [steps, batch]: readonly [number, number] = [6, 2]): string[] {
  const bytes = file(written, steps);
  using fused = loadOnnx(bytes);
  using plain = loadOnnx(bytes, { fuse: false });
  const feeds = {
    sequence: Tensor.randn([steps, batch, INPUTS], 5),
    h0: Tensor.randn([batch, HIDDEN], 6),
  };
  const [got, expected] = [fused.run(feeds), plain.run(feeds)];
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape).toEqual(shape);
    for (const [at, number] of Array.from(data, Number).entries()) {
      expect(Number(got[name]!.data[at]), `${name}[${at}]`).toBeCloseTo(number, 4);
    }
  }
  return fused
    .summary({ inputs: feeds, runs: 1 })
    .map(({ operator, onHost }) => (onHost ? `${operator} on the host` : operator));
}

describe("a loop of a GRU becomes a GRU node", () => {
  const gates = ["sigmoid", "hard", "hard6", "clip"] as const;

  it.each(gates)("of gates by %s", (kind) => {
    for (const after of [false, true]) {
      for (const candidate of ["Tanh", "Relu", "none"] as const) {
        expect(check({ after, gates: kind, candidate })).toEqual(["GRU"]);
      }
    }
  });

  it("of products and parts by other operators", () => {
    for (const after of [false, true]) {
      for (const gemm of [false, true]) {
        for (const slices of [false, true]) expect(check({ after, gemm, slices })).toEqual(["GRU"]);
      }
    }
  });

  it("for one row, one step, many steps", () => {
    for (const sizes of [
      [6, 1],
      [1, 3],
      [70, 2],
    ] as const) {
      expect(check({ after: true }, sizes)).toEqual(["GRU"]);
    }
  });

  it("but not where it is none", () => {
    const others: Written[] = [
      { gates: "tanh" },
      { turned: true },
      { scaledState: true },
      { turns: 5 },
      { first: 1, turns: 6 },
    ];
    for (const other of others) expect(check(other)).toEqual(["Loop"]);
  });

  it("whose weights are packed once, however many plans there are", () => {
    const bytes = file({ after: true }, 6);
    using model = loadOnnx(bytes);
    const run = (batch: number) => {
      model.run({ sequence: Tensor.zeros([6, batch, INPUTS]), h0: Tensor.zeros([batch, HIDDEN]) });
      return model.memory.weights;
    };
    const first = run(1);
    expect(first).toBeGreaterThan(0);
    expect([run(2), run(3), run(1)]).toEqual([first, first, first]);
  });
});

it("a loop whose body is wrong is an error only where it runs", () => {
  const body = graph({
    inputs: ["turn", "condition", "at", "h"],
    outputs: ["condition", "next", "state"],
    nodes: [
      node("Add", ["at", "two"], ["next"]),
      node("MatMul", ["h", "wrong"], ["m"]),
      node("MatMul", ["wrong", "wrong"], ["w"]),
      node("Add", ["m", "w"], ["state"]),
    ],
  });
  const fileOf = (turns: number) =>
    modelOf({
      inputs: [{ name: "h0", shape: [1, 2] }],
      outputs: ["last"],
      initializers: [
        int32("start", [], 0),
        int32("two", [], 2),
        tensor("most", { type: 7, dims: [], raw: BigInt64Array.of(BigInt(turns)) }),
        floats("wrong", [2, 3], [1, 2, 3, 4, 5, 6]),
      ],
      nodes: [
        node("Loop", ["most", "", "start", "h0"], ["", "last"], { attributes: { body: { graph: body } } }),
      ],
    });
  const h0 = Tensor.randn([1, 2], 1);
  expect(loadOnnx(fileOf(0)).run({ h0 }).last!.data).toEqual(h0.data);
  expect(() => loadOnnx(fileOf(1)).run({ h0 })).toThrow(/MatMul/);
});
