/** Plans of whole models: which of them a run takes, and what its values share. */
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { outputsOf } from "../support/model-outputs.js";
import { floats, type GraphOptions, int64s, modelOf, node } from "../support/onnx-writer.js";

const row = (...numbers: number[]) => new Tensor(Float32Array.from(numbers), [1, numbers.length]);
const axis = (number: number) => ({ attributes: { axis: number } });

describe("plans", () => {
  const TWICE = modelOf({
    inputs: [{ name: "x", shape: ["n"] }],
    outputs: ["y"],
    nodes: [node("Add", ["x", "x"], ["y"])],
  });

  it("are taken again for shapes that come back", () => {
    using built = loadOnnx(TWICE);
    expect(built.run(Float32Array.of(1)).y!.data).toEqual(Float32Array.of(2));
    expect(built.run(Float32Array.of(1, 2)).y!.data).toEqual(Float32Array.of(2, 4));
    const { plans } = built.memory;
    for (const x of [Float32Array.of(5), Float32Array.of(6, 7), Float32Array.of(8)]) {
      expect(built.run(x).y!.data).toEqual(x.map((number) => 2 * number));
    }
    expect(built.memory.plans).toBe(plans);
  });

  /** y = x reshaped to what `to` says. */
  const RESHAPE = modelOf({
    inputs: [
      { name: "x", shape: ["n"] },
      { name: "to", type: 7, shape: ["rank"] },
    ],
    outputs: ["y"],
    nodes: [node("Reshape", ["x", "to"], ["r"]), node("Neg", ["r"], ["y"])],
  });

  it("are one for each value of an input that shapes depend on", () => {
    using built = loadOnnx(RESHAPE);
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const to of [[2, 3], [3, 2], [6], [2, 3], [-1, 1, 2]]) {
      const { y } = built.run({ x, to: BigInt64Array.from(to, BigInt) });
      expect(y!.shape).toEqual(to.map((size) => (size < 0 ? 3 : size)));
      expect(y!.data).toEqual(x.map((number) => -number));
    }
    expect(() => built.run({ x, to: BigInt64Array.of(4n, 2n) })).toThrow(/Reshape/);
  });

  it("notice other values in the same array", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["n"] },
          { name: "from", type: 6, shape: [1] },
        ],
        outputs: ["y"],
        nodes: [node("Slice", ["x", "from", "end"], ["y"])],
        initializers: [int64s("end", [9])],
      }),
    );
    const x = Float32Array.of(1, 2, 3);
    const from = Int32Array.of(1);
    for (const at of [1, 2, 0, 1]) {
      from[0] = at;
      expect(built.run({ x, from }).y!.data).toEqual(x.slice(at));
    }
  });

  it("are one for all values of an input that no shape depends on", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["n"] },
          { name: "k", type: 7, shape: [] },
        ],
        outputs: ["zeros", "kk"],
        nodes: [
          node("Cast", ["x"], ["shape"], { attributes: { to: 7 } }),
          node("ConstantOfShape", ["shape"], ["zeros"]),
          node("Add", ["k", "k"], ["kk"]),
        ],
      }),
    );
    const first = built.run({ x: Float32Array.of(2, 3), k: 3 });
    expect(first.zeros).toEqual(Tensor.zeros([2, 3]));
    expect(first.kk!.data).toEqual(BigInt64Array.of(6n));
    const { plans } = built.memory;
    const second = built.run({ x: Float32Array.of(1, 4), k: -4n });
    expect(second.zeros).toEqual(Tensor.zeros([1, 4]));
    expect(second.kk!.data).toEqual(BigInt64Array.of(-8n));
    expect(built.memory.plans).toBe(plans);
  });

  it("are as long as numbers of a run say", () => {
    const built = {
      inputs: [{ name: "x", shape: ["n"] }],
      outputs: ["where", "what"],
      nodes: [
        node("NonZero", ["x"], ["where"]),
        node("Squeeze", ["where", "first"], ["flat"]),
        node("Gather", ["x", "flat"], ["found"]),
        node("Add", ["found", "found"], ["what"]),
      ],
      initializers: [int64s("first", [0])],
    };
    using model = loadOnnx(modelOf(built));
    for (const [x, where] of [
      [
        [3, 0, 4],
        [0, 2],
      ],
      [[0, 0, 0], []],
      [[0, 0, 5], [2]],
    ] as const) {
      const outputs = model.run(Float32Array.from(x));
      expect(outputs.where).toEqual(new Tensor(BigInt64Array.from(where, BigInt), [1, where.length]));
      expect(Array.from<number | bigint>(outputs.what!.data)).toEqual(where.map((at) => 2 * x[at]!));
    }
  });

  it("are those of the file, without shapes, where no shape is known yet", () => {
    using built = loadOnnx(TWICE);
    expect(Array.from(built.summary())).toEqual([
      { node: "Add_0", operator: "Add", shape: undefined, parameters: 0, onHost: false },
    ]);
    expect(built.memory.plans).toBe(0);
    expect(() => built.summary({ runs: 0 })).toThrow("options.runs: expected");
  });
});

describe("values that share room", () => {
  it.each<[string, GraphOptions, Record<string, unknown>]>([
    [
      "one that is joined twice",
      { outputs: ["y"], nodes: [node("Neg", ["x"], ["a"]), node("Concat", ["a", "a"], ["y"], axis(1))] },
      {
        y: [
          [1, 8],
          [-1, -2, -3, -4, -1, -2, -3, -4],
        ],
      },
    ],
    [
      "one that is joined with a constant and with itself elsewhere",
      {
        outputs: ["y", "z"],
        initializers: [floats("w", [1, 1], [9])],
        nodes: [
          node("Neg", ["x"], ["a"]),
          node("Concat", ["a", "w"], ["y"], axis(1)),
          node("Concat", ["w", "a"], ["z"], axis(1)),
        ],
      },
      {
        y: [
          [1, 5],
          [-1, -2, -3, -4, 9],
        ],
        z: [
          [1, 5],
          [9, -1, -2, -3, -4],
        ],
      },
    ],
    [
      "parts, of which one is left out",
      {
        outputs: ["y"],
        nodes: [
          node("Neg", ["x"], ["a"]),
          node("Split", ["a"], ["", "b"], { attributes: { axis: 1, num_outputs: 2 } }),
          node("Relu", ["b"], ["c"]),
          node("Sub", ["c", "b"], ["y"]),
        ],
      },
      {
        y: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      "parts of a constant",
      {
        outputs: ["y"],
        initializers: [floats("w", [1, 4], [1, 2, 3, 4])],
        nodes: [
          node("Split", ["w"], ["b", "c"], { attributes: { axis: 1, num_outputs: 2 } }),
          node("Concat", ["c", "x", "b"], ["y"], axis(1)),
        ],
      },
      {
        y: [
          [1, 8],
          [3, 4, 1, 2, 3, 4, 1, 2],
        ],
      },
    ],
    [
      "parts that are joined again in another order",
      {
        outputs: ["y"],
        nodes: [
          node("Neg", ["x"], ["a"]),
          node("Split", ["a"], ["b", "c"], { attributes: { axis: 1, num_outputs: 2 } }),
          node("Concat", ["c", "b"], ["d"], axis(1)),
          node("Add", ["d", "a"], ["y"]),
        ],
      },
      {
        y: [
          [1, 4],
          [-4, -6, -4, -6],
        ],
      },
    ],
    [
      "values without numbers",
      {
        outputs: ["y", "none"],
        initializers: [int64s("zero", [0])],
        nodes: [
          node("Slice", ["x", "zero", "zero", "one"], ["none"]),
          node("Concat", ["none", "x"], ["y"], axis(1)),
        ],
      },
      {
        y: [
          [1, 4],
          [1, 2, 3, 4],
        ],
        none: [[1, 0], []],
      },
    ],
    [
      "an input that is an output",
      { outputs: ["x", "y"], nodes: [node("Relu", ["x"], ["y"])] },
      {
        x: [
          [1, 4],
          [1, 2, 3, 4],
        ],
        y: [
          [1, 4],
          [1, 2, 3, 4],
        ],
      },
    ],
    [
      "a constant that is an output, under a name of its own",
      {
        outputs: ["w", "y"],
        initializers: [floats("w", [2], [7, 8])],
        nodes: [node("Neg", ["x"], ["y"])],
      },
      {
        w: [[2], [7, 8]],
        y: [
          [1, 4],
          [-1, -2, -3, -4],
        ],
      },
    ],
    [
      "one that is read after its room could have been taken",
      {
        outputs: ["y"],
        nodes: [
          node("Neg", ["x"], ["a"]),
          node("Neg", ["a"], ["b"]),
          node("Relu", ["b"], ["c"]),
          node("Add", ["b", "a"], ["d"]),
          node("Add", ["d", "c"], ["y"]),
        ],
      },
      {
        y: [
          [1, 4],
          [1, 2, 3, 4],
        ],
      },
    ],
  ])("%s", (_, main, expected) => {
    const initializers = [...(main.initializers ?? []), int64s("one", [1])];
    const whole = { ...main, initializers, inputs: [{ name: "x", shape: ["n", 4] }] };
    for (const fuse of [true, false]) {
      expect(outputsOf(whole, { x: row(1, 2, 3, 4) }, { fuse })).toEqual(expected);
    }
  });

  it("lie in the stretches that others left, of any size", () => {
    const nodes = [node("Neg", ["x"], ["v0"])];
    const sums: number[] = [];
    // v0 is read all along; each p is longer than the last one, and gone after its sum.
    for (let at = 0; at < 12; at++) {
      const copies = ((at * 5) % 7) + 1;
      nodes.push(
        node(
          "Concat",
          Array.from({ length: copies }, () => "v0"),
          [`c${at}`],
          axis(1),
        ),
        node("Exp", [`c${at}`], [`e${at}`]),
        node("Log", [`e${at}`], [`l${at}`]),
        node("ReduceSum", [`l${at}`], [`s${at}`]),
      );
      sums.push(-10 * copies);
    }
    const names = sums.map((_, at) => `s${at}`);
    nodes.push(node("Concat", names, ["y"], axis(1)));
    using built = loadOnnx(modelOf({ inputs: [{ name: "x", shape: ["n", 4] }], outputs: ["y"], nodes }));
    const { y } = built.run({ x: row(1, 2, 3, 4) });
    for (const [at, sum] of sums.entries()) expect(y!.data[at]).toBeCloseTo(sum, 3);
  });
});

describe("kernels of a plan", () => {
  it("multiply two matrices that are made at run time", () => {
    const main: GraphOptions = {
      inputs: [
        { name: "a", shape: ["n", 2] },
        { name: "b", shape: [2, "m"] },
      ],
      outputs: ["y"],
      nodes: [node("MatMul", ["a", "b"], ["y"])],
    };
    const a = new Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const b = new Tensor(Float32Array.of(5, 6, 7, 8), [2, 2]);
    expect(outputsOf(main, { a, b })).toEqual({
      y: [
        [2, 2],
        [19, 22, 43, 50],
      ],
    });
  });

  it("have nothing to do where there are no numbers", () => {
    const main: GraphOptions = {
      inputs: [{ name: "x", shape: ["n", 2] }],
      outputs: ["y", "sum"],
      nodes: [
        node("Neg", ["x"], ["a"]),
        node("Exp", ["a"], ["b"]),
        node("Sub", ["b", "a"], ["c"]),
        node("Relu", ["c"], ["y"]),
        node("ReduceSum", ["c"], ["sum"]),
      ],
    };
    expect(outputsOf(main, Tensor.zeros([0, 2]))).toEqual({ y: [[0, 2], []], sum: [[1, 1], [0]] });
  });

  it("read constants that shapes make, of each plan its own", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [{ name: "x", shape: ["n", 2] }],
        outputs: ["y"],
        nodes: [
          node("Shape", ["x"], ["shape"]),
          node("Cast", ["shape"], ["sizes"], { attributes: { to: 1 } }),
          node("Mul", ["x", "sizes"], ["y"]),
        ],
      }),
    );
    const { weights } = built.memory;
    for (const rows of [1, 3, 2, 3]) {
      const x = new Tensor(new Float32Array(2 * rows).fill(1), [rows, 2]);
      const expected = Array.from({ length: rows }, () => [rows, 2]).flat();
      expect(Array.from(built.run({ x }).y!.data as Float32Array)).toEqual(expected);
    }
    expect(built.memory.weights).toBe(weights);
  });
});
