/** Whole models by hand-written files: inputs and outputs, plans, and memory. */
import { describe, expect, it } from "vitest";
import { Add, Equal, If, loadOnnx, loadOnnxWith, Neg, Relu } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { memoryUsage } from "../../src/wasm/current.js";
import { floats, graph, int64s, modelOf, node } from "../support/onnx-writer.js";

const OPEN = { name: "x", shape: ["n", 2] };

/** y = relu(x + [1, -5]) */
const ADD_RELU = modelOf({
  inputs: [OPEN],
  outputs: ["y"],
  initializers: [floats("w", [2], [1, -5])],
  nodes: [node("Add", ["x", "w"], ["s"]), node("Relu", ["s"], ["y"])],
});

describe("a model", () => {
  it("tells what its file declares", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["batch", 576, ""] },
          { name: "sr", type: 7, shape: [] },
        ],
        outputs: ["y"],
        nodes: [node("Identity", ["x"], ["y"])],
      }),
    );
    expect(built.inputs).toEqual([
      { name: "x", shape: ["batch", 576, "?"], dtype: "float32" },
      { name: "sr", shape: [], dtype: "int64" },
    ]);
    expect(built.outputs).toEqual([{ name: "y", shape: undefined, dtype: undefined }]);
    expect(built.operators).toEqual([{ domain: "", operator: "Identity", opset: 20, count: 1 }]);
    expect(String(built)).toBe("Model(x, sr -> y)");
  });

  it("gives its outputs by name, in tensors of the caller's own", () => {
    using built = loadOnnx(ADD_RELU);
    const x = new Tensor(Float32Array.of(1, 2, 3, 9), [2, 2]);
    const first = built.run({ x });
    const second = built.run({ x: new Tensor(Float32Array.of(-3, 7), [1, 2]) });
    expect(first.y).toEqual(new Tensor(Float32Array.of(2, 0, 4, 4), [2, 2]));
    expect(second.y).toEqual(new Tensor(Float32Array.of(0, 2), [1, 2]));
    expect(x.data).toEqual(Float32Array.of(1, 2, 3, 9));
  });

  it("gives a tensor at each run that no later one changes, also when memory has grown", () => {
    using built = loadOnnx(ADD_RELU);
    const first = built.run({ x: Float32Array.of(1, 9) }).y!;
    const second = built.run({ x: Float32Array.of(3, 7) }).y!;
    const before = memoryUsage().memory;
    const rows = before >>> 3;
    built.run({ x: new Float32Array(2 * rows) });
    expect(memoryUsage().memory).toBeGreaterThan(before);
    const third = built.run({ x: Float32Array.of(5, 8) }).y!;
    expect([first, second, third].map(({ data }) => [...data])).toEqual([
      [2, 4],
      [4, 2],
      [6, 3],
    ]);
    expect(Object.isFrozen(first.shape)).toBe(true);
  });

  it.each(["__proto__", "toString", "constructor"])("may call an output %s", (name) => {
    using built = loadOnnx(
      modelOf({ inputs: [OPEN], outputs: [name], nodes: [node("Relu", ["x"], [name])] }),
    );
    const outputs = built.run(Float32Array.of(-1, 1));
    expect(Object.keys(outputs)).toEqual([name]);
    expect(Object.entries(outputs)[0]![1].data).toEqual(Float32Array.of(0, 1));
  });

  it.each([
    ["a tensor", new Tensor(Float32Array.of(1, 9), [1, 2])],
    ["an object with numbers and a shape", { data: [1, 9], shape: [1, 2] }],
    ["one as onnxruntime has it", { data: Float64Array.of(1, 9), dims: [1, 2] }],
    ["numbers alone, where one size is open", Float32Array.of(1, 9)],
    ["integers alone", Int32Array.of(1, 9)],
  ])("takes %s, named or bare", (_, x) => {
    using built = loadOnnx(ADD_RELU);
    expect(built.run({ x }).y).toEqual(new Tensor(Float32Array.of(2, 4), [1, 2]));
    expect(built.run(x).y).toEqual(new Tensor(Float32Array.of(2, 4), [1, 2]));
  });

  it.each([
    [{ name: "x", type: 7, shape: [] }, 5, BigInt64Array.of(5n), []],
    [{ name: "x", type: 7, shape: [1] }, 5n, BigInt64Array.of(5n), [1]],
    [
      { name: "x", type: 7, shape: ["n"] },
      BigInt64Array.of(2n ** 53n - 1n, -3n),
      BigInt64Array.of(2n ** 53n - 1n, -3n),
      [2],
    ],
    [{ name: "x", type: 6, shape: ["n"] }, [4, -4], Int32Array.of(4, -4), [2]],
    [{ name: "x", type: 9, shape: [] }, true, Uint8Array.of(1), []],
    [{ name: "x", type: 2, shape: ["n"] }, Uint8Array.of(255), Uint8Array.of(255), [1]],
    [{ name: "x", type: 3, shape: ["n"] }, Int8Array.of(-128), Int8Array.of(-128), [1]],
    [{ name: "x", type: 11, shape: ["n"] }, Float64Array.of(0.5), Float32Array.of(0.5), [1]],
    [{ name: "x", type: 1, shape: [1, 1] }, 0.5, Float32Array.of(0.5), [1, 1]],
  ])("keeps numbers of each type: %j", (input, given, data, shape) => {
    using built = loadOnnx(
      modelOf({ inputs: [input], outputs: ["y"], nodes: [node("Identity", ["x"], ["y"])] }),
    );
    const x = Array.isArray(given) ? { data: given, shape: [given.length] } : given;
    const { y } = built.run({ x: x as never });
    expect(y!.data).toEqual(data);
    expect(y!.shape).toEqual(shape);
    expect(y!.dtype).toBe(input.type === 9 ? "bool" : new Tensor(data as never, shape).dtype);
  });

  it("computes only what depends on its inputs at each run", () => {
    using built = loadOnnx(
      modelOf({
        inputs: [{ name: "x", shape: ["n", 2] }],
        outputs: ["y"],
        initializers: [int64s("one", [1]), int64s("all", [-1]), floats("w", [2], [1, 2])],
        nodes: [
          node("Shape", ["x"], ["shape"]),
          node("Gather", ["shape", "one"], ["columns"], { attributes: { axis: 0 } }),
          node("Concat", ["all", "columns"], ["target"], { attributes: { axis: 0 } }),
          node("Add", ["w", "w"], ["twice"]),
          node("Add", ["x", "twice"], ["s"]),
          node("Reshape", ["s", "target"], ["y"]),
        ],
      }),
      { shapes: { x: [2, 2] } },
    );
    expect(built.summary().map(({ operator, shape }) => [operator, shape])).toEqual([["Add", [2, 2]]]);
    expect(built.run({ x: { data: [1, 2, 3, 4], shape: [2, 2] } }).y!.data).toEqual(
      Float32Array.of(3, 6, 5, 8),
    );
  });

  /** Adds x to itself at a rate of 16,000, else does what the node says. */
  const switched = (other: ReturnType<typeof node>) => {
    const taken = graph({ outputs: ["a"], nodes: [node("Add", ["x", "x"], ["a"])] });
    const rest = graph({ outputs: ["b"], nodes: [other] });
    return modelOf({
      inputs: [
        { name: "x", shape: ["n"] },
        { name: "sr", type: 7, shape: [] },
      ],
      outputs: ["y"],
      initializers: [int64s("rate", [16000])],
      nodes: [
        node("Equal", ["sr", "rate"], ["is"]),
        node("If", ["is"], ["y"], {
          attributes: { then_branch: { graph: taken }, else_branch: { graph: rest } },
        }),
      ],
    });
  };

  it("takes the branch that a small integer input tells, and reads no other", () => {
    const bytes = switched(node("Concat", ["x", "nobody"], ["b"]));
    using built = loadOnnx(bytes);
    expect(built.run({ x: Float32Array.of(1, 2), sr: 16000 }).y!.data).toEqual(Float32Array.of(2, 4));
    expect(built.summary().map(({ operator }) => operator)).toEqual(["Add"]);
    expect(() => built.run({ x: Float32Array.of(1, 2), sr: 8000 })).toThrow(/makes its input "nobody"/);
    expect(built.run({ x: Float32Array.of(1, 2), sr: 16000 }).y!.data).toEqual(Float32Array.of(2, 4));

    using fixed = loadOnnx(bytes, { constants: { sr: 16000 } });
    expect(fixed.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(fixed.run(Float32Array.of(3)).y!.data).toEqual(Float32Array.of(6));
    expect(() => fixed.run({ x: Float32Array.of(3), sr: 1 })).toThrow(
      'inputs["sr"]: expected one of the model\'s: "x"',
    );
  });

  it("never looks at the branch that a small integer input does not tell", () => {
    const bytes = switched(node("Neg", ["x"], ["b"]));
    let looks = 0;
    const { operator } = Neg as unknown as { operator: { shape: () => unknown } };
    const shape = (...given: []) => {
      looks++;
      return operator.shape(...given);
    };
    const watched = { ...Neg, operator: { ...operator, shape } } as unknown as typeof Neg;
    using built = loadOnnxWith(bytes, [Equal, If, Add, watched]);
    expect(built.run({ x: Float32Array.of(1, 2), sr: 16000 }).y!.data).toEqual(Float32Array.of(2, 4));
    expect(looks).toBe(0);
    expect(built.run({ x: Float32Array.of(1, 2), sr: 8000 }).y!.data).toEqual(Float32Array.of(-1, -2));
    expect(looks).toBe(1);
  });

  it("reads a branch that is broken where it is taken, and tells so each time", () => {
    const taken = graph({ outputs: ["a"], nodes: [node("Add", ["x", "x"], ["a"])] });
    const whole = graph({ outputs: ["b"], nodes: [node("Neg", ["x"], ["b"]), node("Neg", ["x"], ["c"])] });
    const broken = whole.slice(0, -1);
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: ["n"] },
          { name: "is", type: 9, shape: [] },
        ],
        outputs: ["y"],
        nodes: [
          node("If", ["is"], ["y"], {
            attributes: { then_branch: { graph: taken }, else_branch: { graph: broken } },
          }),
        ],
      }),
    );
    const x = Float32Array.of(1, 2);
    expect(built.run({ x, is: true }).y!.data).toEqual(Float32Array.of(2, 4));
    for (let time = 0; time < 3; time++) {
      expect(() => built.run({ x, is: false })).toThrow(/^onnx: graph: /);
    }
    expect(built.run({ x, is: true }).y!.data).toEqual(Float32Array.of(2, 4));
  });

  it("plans for declared shapes while it loads, but not for a branch that an input tells", () => {
    const taken = graph({ outputs: ["a"], nodes: [node("Add", ["x", "x"], ["a"])] });
    const other = graph({ outputs: ["b"], nodes: [node("Neg", ["x"], ["b"])] });
    using built = loadOnnx(
      modelOf({
        inputs: [
          { name: "x", shape: [2] },
          { name: "is", type: 9, shape: [] },
        ],
        outputs: ["y"],
        nodes: [
          node("If", ["is"], ["y"], {
            attributes: { then_branch: { graph: taken }, else_branch: { graph: other } },
          }),
        ],
      }),
    );
    expect(built.memory.plans).toBe(0);
    expect(built.summary().map(({ operator, shape }) => [operator, shape])).toEqual([["If", undefined]]);
    const x = Float32Array.of(1, 2);
    expect(built.run({ x, is: true }).y!.data).toEqual(Float32Array.of(2, 4));
    expect(built.summary().map(({ operator, onHost }) => [operator, onHost])).toEqual([["Add", false]]);
    expect(built.run({ x, is: false }).y!.data).toEqual(Float32Array.of(-1, -2));
    expect(built.run({ x, is: true }).y!.data).toEqual(Float32Array.of(2, 4));
  });

  it("takes a branch that numbers tell, and what follows from it, at each run", () => {
    const twice = graph({ outputs: ["a"], nodes: [node("Add", ["s", "s"], ["a"])] });
    const same = graph({ outputs: ["b"], nodes: [node("Identity", ["s"], ["b"])] });
    using built = loadOnnx(
      modelOf({
        inputs: [{ name: "x", shape: ["n"] }],
        outputs: ["y", "s"],
        initializers: [floats("zero", [], [0])],
        nodes: [
          node("Relu", ["x"], ["s"]),
          node("Relu", ["s"], ["unused"]),
          node("ReduceSum", ["x"], ["sum"], { attributes: { keepdims: 0 } }),
          node("Less", ["sum", "zero"], ["is"]),
          node("If", ["is"], ["chosen"], {
            attributes: { then_branch: { graph: twice }, else_branch: { graph: same } },
          }),
          node("Neg", ["chosen"], ["y"]),
        ],
      }),
    );
    for (const [numbers, expected] of [
      [
        [1, -5],
        [-2, -0],
      ],
      [
        [1, 5],
        [-1, -5],
      ],
      [
        [4, -9, 2],
        [-8, -0, -4],
      ],
    ] as const) {
      expect(built.run(Float32Array.from(numbers)).y!.data).toEqual(Float32Array.from(expected));
    }
  });

  it("keeps four plans, whose values lie in the room of the largest", () => {
    using built = loadOnnx(ADD_RELU);
    const run = (rows: number) => built.run({ x: Tensor.zeros([rows, 2]) });
    run(1000);
    const largest = built.memory.plans;
    for (let rows = 1; rows <= 1000; rows++) run(rows);
    expect(built.memory.plans).toBeLessThan(1.1 * largest);
    const { bytes } = memoryUsage();
    for (let rows = 1; rows <= 1000; rows++) run(rows);
    expect(memoryUsage().bytes).toBe(bytes);
  });

  it("gives its memory back, and refuses to run then", () => {
    const before = memoryUsage();
    const built = loadOnnx(ADD_RELU);
    built.run(Float32Array.of(1, 2));
    expect(memoryUsage().modules).toBe(before.modules + 1);
    expect(built.memory.plans).toBeGreaterThan(0);
    built.dispose();
    built.dispose();
    expect(memoryUsage()).toMatchObject({ modules: before.modules, bytes: before.bytes });
    expect(() => built.run(Float32Array.of(1, 2))).toThrow("Model: used after dispose()");
    expect(() => built.stream({})).toThrow("Model: used after dispose()");
    expect(() => built.summary()).toThrow("Model: used after dispose()");
  });

  it("tells how far loading has come, and ends where that throws", () => {
    const before = memoryUsage();
    const told: number[][] = [];
    loadOnnx(ADD_RELU, { shapes: { x: [1, 2] }, onProgress: (...progress) => told.push(progress) }).dispose();
    expect(told).toEqual([
      [0, 2],
      [1, 2],
      [2, 2],
    ]);
    const stop = (done: number) => {
      if (done === 1) throw new Error("enough");
    };
    expect(() => loadOnnx(ADD_RELU, { shapes: { x: [1, 2] }, onProgress: stop })).toThrow("enough");
    expect(memoryUsage()).toMatchObject({ modules: before.modules, bytes: before.bytes });
  });

  it("has only the operators that it is given", () => {
    using built = loadOnnxWith(ADD_RELU, [Add, Relu]);
    expect(built.run(Float32Array.of(1, 9)).y!.data).toEqual(Float32Array.of(2, 4));
    expect(() => loadOnnxWith(ADD_RELU, [Add])).toThrow(
      'onnx: operators are not among those given to loadOnnxWith: node "Relu_1" (Relu, opset 20)',
    );
  });

  it("times its nodes where it is given inputs", () => {
    using built = loadOnnx(ADD_RELU);
    const rows = built.summary({ inputs: Float32Array.of(1, 2), runs: 2 });
    expect(rows.map(({ node: name, operator, parameters }) => [name, operator, parameters])).toEqual([
      ["Add_0", "Add", 2],
      ["Relu_1", "Relu", 0],
    ]);
    for (const { time } of rows) expect(time).toBeGreaterThanOrEqual(0);
  });
});

describe("a model refuses", () => {
  const run = (inputs: never) => () => {
    using built = loadOnnx(ADD_RELU);
    built.run(inputs);
  };
  it.each<[string, unknown, string]>([
    ["a missing input", {}, "inputs.x: expected an input, got undefined"],
    ["an unknown input", { x: 1, z: 1 }, 'inputs["z"]: expected one of the model\'s: "x", got "z"'],
    ["no inputs", undefined, "inputs: expected an object with x, got undefined"],
    [
      "a text",
      { x: "1" },
      'inputs.x: expected a Tensor, { data, shape }, a typed array or a number, got "1"',
    ],
    ["another rank", { x: Tensor.zeros([2]) }, "inputs.x.shape: expected [n, 2], got [2]"],
    ["another size", { x: Tensor.zeros([1, 3]) }, "inputs.x.shape: expected [n, 2], got [1, 3]"],
    [
      "numbers that fill no rows",
      { x: new Float32Array(3) },
      "inputs.x.length: expected numbers of shape [n, 2], got 3",
    ],
    ["one number", { x: 1 }, "inputs.x: expected numbers of shape [n, 2], got one number"],
    ["texts", { x: { data: ["a", "b"], shape: [1, 2] } }, 'inputs.x.data[0]: expected a number, got "a"'],
  ])("%s", (_, inputs, message) => {
    expect(run(inputs as never)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    [
      "a fraction",
      0.5,
      "inputs.x[0]: expected an integer from -9007199254740991 to 9007199254740991, got 0.5",
    ],
    ["what is beyond 2^53", 2n ** 53n, "inputs.x[0]: expected an integer from -9007199254740991"],
  ])("%s as an int64", (_, x, message) => {
    using built = loadOnnx(
      modelOf({
        inputs: [{ name: "x", type: 7, shape: [] }],
        outputs: ["y"],
        nodes: [node("Identity", ["x"], ["y"])],
      }),
    );
    expect(() => built.run({ x: x as never })).toThrow(message);
  });

  it.each<[string, object, string]>([
    ["an unknown option", { shape: {} }, "options.shape: unknown option"],
    ["another precision", { precision: "int4" }, 'options.precision: expected "float32" or "int8"'],
    ["another reading of GRUs", { gru: "keras" }, 'options.gru: expected "file" or "pytorch"'],
    ["a shape of no input", { shapes: { z: [1] } }, 'options.shapes["z"]: expected one of the model\'s: "x"'],
    [
      "a shape that is not the file's",
      { shapes: { x: [1, 3] } },
      "options.shapes.x: expected a shape like [n, 2], got [1, 3]",
    ],
    [
      "a shape that is no list",
      { shapes: { x: 3 } },
      "options.shapes.x.shape: expected an array of sizes, got 3",
    ],
    ["a number of no input", { constants: { z: 1 } }, 'options.constants["z"]: expected one of the model\'s'],
    ["constants that are none", { constants: 4 }, "options.constants: expected a plain object, got 4"],
    ["a progress that is no function", { onProgress: 1 }, "options.onProgress: expected a function, got 1"],
  ])("%s", (_, options, message) => {
    expect(() => loadOnnx(ADD_RELU, options)).toThrow(message);
  });

  it("operators that are none", () => {
    expect(() => loadOnnxWith(ADD_RELU, "Add" as never)).toThrow("operators: expected an array of operators");
    expect(() => loadOnnxWith(ADD_RELU, [{} as never])).toThrow(
      "operators[0]: expected an operator of lstm-wasm/models, got an Object",
    );
  });

  it("inputs that its nodes cannot take, and runs on", () => {
    using built = loadOnnx(
      modelOf({
        inputs: ["x", "w"],
        outputs: ["y"],
        nodes: [node("Add", ["x", "w"], ["y"], { name: "sum" })],
      }),
    );
    const x = Tensor.zeros([2, 3]);
    expect(() => built.run({ x, w: Tensor.zeros([2]) })).toThrow(/node "sum" \(Add, opset 20\)/);
    expect(built.run({ x, w: Tensor.zeros([3]) }).y!.shape).toEqual([2, 3]);
  });
});
