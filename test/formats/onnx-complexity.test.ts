/** What an ONNX model may cost: work and memory grow in proportion to the file. Counted, not timed. */
import { describe, expect, it } from "vitest";
import { listOnnxNodes, readOnnx } from "../../src/formats/index.js";
import {
  floats,
  func,
  graph,
  int64s,
  integer,
  lengthDelimited,
  model,
  node,
  tensor,
} from "../support/onnx-writer.js";
import { reliabilityRow } from "../support/reliability.js";
import { expectLinear, workOf } from "../support/work.js";

const attributes = { hidden_size: 1 };
const WEIGHTS = [floats("w", [1, 4, 1], [1, 2, 3, 4]), floats("r", [1, 4, 1], [5, 6, 7, 8])];
const many = <Item>(count: number, item: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => item(at));
const lstm = (inputs: string[], outputs: string[] = [], more = {}) =>
  node("LSTM", inputs, outputs, { attributes: { ...attributes, ...more } });
const calls = (count: number, inputs: string[] = []) =>
  many(count, () => node("f", inputs, [], { domain: "d" }));
/** A function `f` of these nodes, and calls of it. */
const called = (count: number, nodes: number[][], inputs: string[] = []) =>
  model({ inputs: ["x"], nodes: calls(count, inputs), initializers: WEIGHTS }, [
    func("d", "f", { nodes, inputs }),
  ]);

/** Each file holds `size` nodes or calls, and a list, a tensor or a name that is as long. */
const MODELS: Record<string, (size: number) => Uint8Array> = {
  "a broken Concat that every node asks for": (size) =>
    model({
      nodes: [
        ...many(size, () => lstm(["x", "v", "r"])),
        node("Concat", [...many(size, () => "w"), "one"], ["v"], { attributes: { axis: 0 } }),
      ],
      initializers: [...WEIGHTS, floats("one", [1], [1])],
    }),
  "a Split of many outputs": (size) =>
    model({
      nodes: [
        node(
          "Split",
          ["w"],
          many(size, (at) => `s${at}`),
        ),
        ...many(size, (at) => lstm(["x", `s${at}`, "r"])),
      ],
      initializers: WEIGHTS,
    }),
  "another operator of many outputs": (size) =>
    model({
      nodes: [
        node(
          "Foo",
          ["w"],
          many(size, (at) => `s${at}`),
        ),
        ...many(size, (at) => lstm(["x", `s${at}`, "r"])),
      ],
      initializers: WEIGHTS,
    }),
  "long Squeeze axes between all layers": (size) =>
    model({
      inputs: ["x"],
      nodes: many(size, (at) => [
        lstm([at === 0 ? "x" : `q${at}`, "w", "r"], [`y${at}`]),
        node("Squeeze", [`y${at}`, "axes"], [`q${at + 1}`]),
      ]).flat(),
      initializers: [...WEIGHTS, int64s("axes", new Array(20 * size).fill(1))],
    }),
  "the zeros of a state that all nodes share": (size) =>
    model({
      inputs: ["x"],
      nodes: many(size, () => lstm(["x", "w", "r", "", "", "h"])),
      initializers: [...WEIGHTS, floats("h", [1, size, 1], new Array(size).fill(0))],
    }),
  "the zeros of a state that all calls expand": (size) =>
    model(
      {
        inputs: ["x"],
        nodes: calls(size, ["x", "w", "r", "h"]),
        initializers: [...WEIGHTS, floats("h", [1, size, 1], new Array(size).fill(0))],
      },
      [
        func("d", "f", {
          inputs: ["x", "w", "r", "h"],
          nodes: [node("Expand", ["h", "x"], ["e"]), lstm(["x", "w", "r", "", "", "e"])],
        }),
      ],
    ),
  "activations of many names in many calls": (size) =>
    called(size, [lstm(["x", "w", "r"], [], { activations: new Array(size).fill("Elu") })]),
  "activations of long names in many calls": (size) =>
    called(size, [lstm(["x", "w", "r"], [], { activations: many(6, () => "n".repeat(20 * size)) })]),
  "a Concat of many rows without numbers": (size) =>
    model({
      nodes: [
        node("Concat", ["rows", ...many(size, () => "none")], ["v"], { attributes: { axis: 1 } }),
        lstm(["x", "v", "r"]),
      ],
      initializers: [
        ...WEIGHTS,
        tensor("rows", { type: 2, dims: [size, 1], raw: new Uint8Array(size) }),
        tensor("none", { type: 2, dims: [size, 0], raw: new Uint8Array(0) }),
      ],
    }),
  "many nodes behind more than 200 others": (size) =>
    model({
      nodes: [
        ...many(size, (at) => node("Identity", [`v${at}`], [`v${at + 1}`])),
        ...many(size, (at) => lstm(["x", `v${size - at}`, "r"])),
      ],
      initializers: [floats("v0", [1], [1]), ...WEIGHTS],
    }),
  "a chain of Reshapes that all nodes look at": (size) =>
    model({
      nodes: [
        ...many(size, (at) => node("Reshape", ["w", "shape"], [`v${at}`])),
        ...many(size, (at) => lstm(["x", `v${at}`, "r"])),
      ],
      initializers: [...WEIGHTS, int64s("shape", [1, 4, -1])],
    }),
  "MatMuls and Adds that share a weight and a bias": (size) =>
    model({
      inputs: ["x"],
      nodes: many(size, (at) => [
        node("MatMul", [`y${at}`, "m"], [`z${at}`]),
        node("Add", [`z${at}`, "b"], [`y${at + 1}`]),
      ]).flat(),
      initializers: [
        floats("m", [2, size], new Array(2 * size).fill(1)),
        floats("b", [size], new Array(size).fill(1)),
      ],
    }),
  "Gemms of weights that pass through each other": (size) =>
    model({
      inputs: ["x"],
      nodes: many(size, (at) => [
        node("Transpose", [`w${at}`], [`w${at + 1}`]),
        node("Gemm", ["x", `w${at + 1}`, "b"], [`y${at}`]),
      ]).flat(),
      initializers: [floats("w0", [2, 2], [1, 2, 3, 4]), floats("b", [2], [1, 2])],
    }),
  "layers whose weights share their way": (size) =>
    model({
      inputs: ["x"],
      nodes: [
        ...many(100, (at) => node("Identity", [`v${at}`], [`v${at + 1}`])),
        ...many(size, (at) => lstm(["x", `v${at % 100}`, "r"])),
      ],
      initializers: [floats("v0", [1, 4, 1], [1, 2, 3, 4]), WEIGHTS[1]!],
    }),
  "many inputs, attributes and weights": (size) =>
    model({
      nodes: [
        node(
          "LSTM",
          many(size, (at) => `i${at}`),
          [],
          { attributes: Object.fromEntries(many(size, (at) => [`a${at}`, at])) },
        ),
        ...many(size, (at) => node("Constant", [], [`c${at}`], { attributes: { value_ints: [at, at + 1] } })),
      ],
      initializers: many(size, (at) => floats(`t${at}`, [1], [at])),
    }),
  "fields of one number each": (size) =>
    model({
      nodes: [
        lstm(["x", "c", "t"], [], { [`a${size}`]: many(20 * size, (at) => at) }),
        lstm(["x", "t", "c"]),
        node("Constant", [], ["c"], {
          attributes: { value_floats: { floats: new Array(20 * size).fill(1) } },
        }),
      ],
      initializers: [
        tensor("t", { type: 2, dims: [20 * size], more: many(20 * size, () => integer(5, 1)).flat() }),
      ],
    }),
  "many calls of a function of layers": (size) =>
    called(
      size,
      many(4, () => lstm(["x", "w", "r"])),
      ["x", "w", "r"],
    ),
};

const linear: string[] = [];

describe("work in proportion to the file", () => {
  it.each(Object.entries(MODELS))("of readers: %s", async (name, make) => {
    await expectLinear(60, (size) => {
      const bytes = make(size);
      return () => listOnnxNodes(bytes);
    });
    await expectLinear(60, (size) => {
      const bytes = make(size);
      return () => {
        try {
          readOnnx(bytes);
        } catch (error) {
          expect(error).toHaveProperty("name", "FormatError");
        }
      };
    });
    linear.push(name);
  });

  it("of the nodes within branches, whatever the number of layers around them", async () => {
    const make = (depth: number) => {
      const adds = many(300, () => node("Add", new Array(10).fill("x"), []));
      let inner = graph({ nodes: adds });
      for (let at = 0; at < depth; at++) {
        const nodes = [
          lstm(["x", "w", "r"], ["y"]),
          node("If", [], [], { attributes: { then_branch: { graph: inner } } }),
        ];
        inner = graph({ nodes, inputs: ["x"], initializers: WEIGHTS });
      }
      const bytes = Uint8Array.from(lengthDelimited(7, inner));
      return () => readOnnx(bytes);
    };
    expect((await workOf(make(30))) / (await workOf(make(3)))).toBeLessThan(1.5);
  });

  it("of a list of wanted nodes", async () => {
    await expectLinear(60, (size) => {
      const bytes = model({
        nodes: many(size, (at) => node("LSTM", ["x", "w", "r"], [], { name: `n${at}`, attributes })),
        inputs: ["x"],
        initializers: WEIGHTS,
      });
      const nodes = many(size, (at) => `n${at}`);
      return () => readOnnx(bytes, { nodes });
    });
  });

  it("of a cast that fails at its last number: what is looked through counts as memory", () => {
    const numbers = new Float32Array(2 ** 16);
    numbers[numbers.length - 1] = 0.5;
    const nodes = many(200, (at) => [
      node("Cast", ["c"], [`v${at}`], { attributes: { to: 7 } }),
      lstm(["x", `v${at}`, "r"]),
    ]).flat();
    const initializers = [...WEIGHTS, tensor("c", { dims: [numbers.length], raw: numbers })];
    const problems = listOnnxNodes(model({ nodes, initializers })).map(({ problem }) => problem);
    expect(problems[0]).toContain("is computed by Cast to type 7");
    expect(problems.at(-1)).toContain("constants take more memory");
    // A number costs 64 bytes here, since bigints are slow to make.
    expect(problems.filter((problem) => problem!.includes("Cast to type 7")).length).toBeLessThan(20);
  });

  it("of a transposition, whatever the number of its axes", async () => {
    const make = (axes: number) => {
      const dims = [...new Array(axes - 1).fill(1), 4000];
      const bytes = model({
        nodes: [
          node("Transpose", ["t"], ["v"], {
            attributes: { perm: [axes - 1, ...many(axes - 1, (at) => at)] },
          }),
          lstm(["x", "v", "r"]),
        ],
        initializers: [...WEIGHTS, tensor("t", { type: 2, dims, raw: new Uint8Array(4000) })],
      });
      return () => listOnnxNodes(bytes);
    };
    expect((await workOf(make(64))) / (await workOf(make(2)))).toBeLessThan(2);
  });
});

describe("messages", () => {
  const long = "n".repeat(10_000);
  it.each<[string, Uint8Array]>([
    ["a value that is not defined", model({ nodes: [lstm(["x", long, "r"])] })],
    [
      "a long perm",
      model({
        nodes: [
          node("Transpose", ["w"], ["t"], { attributes: { perm: many(5000, () => 1) } }),
          lstm(["x", "t", "r"]),
        ],
        initializers: WEIGHTS,
      }),
    ],
    [
      "activations",
      called(1, [lstm(["x", "w", "r"], [], { activations: many(5000, () => "Elu") })], ["x", "w", "r"]),
    ],
    ["an attribute", model({ nodes: [lstm(["x", "w", "r"], [], { [long]: 1 })], initializers: WEIGHTS })],
  ])("do not repeat all of %s", (_, bytes) => {
    expect(listOnnxNodes(bytes)[0]!.problem!.length).toBeLessThan(300);
    expect(() => readOnnx(bytes, { nodes: [long] })).toThrow(/^.{1,300}$/);
  });
});

describe("memory in proportion to the file", () => {
  const megabyte = tensor("big", { dims: [1, 4, 2 ** 16], raw: new Float32Array(2 ** 18).fill(1) });
  const state = tensor("h", { dims: [1, 2 ** 18, 1], raw: new Float32Array(2 ** 18).fill(1) });
  const turned = tensor("h", { dims: [2 ** 18, 1, 1], raw: new Float32Array(2 ** 18).fill(1) });
  const stack = (count: number, states: (at: number) => string[]) =>
    many(count, (at) => [
      lstm([at === 0 ? "x" : `q${at}`, "w", "r", ...states(at)], [`y${at}`]),
      node("Squeeze", [`y${at}`], [`q${at + 1}`], { attributes: { axes: [1] } }),
    ]).flat();
  /** A megabyte each, of which `count` nodes would make 80 or more. */
  const ATTACKS: [string, Uint8Array, string][] = [
    [
      "layers that share a weight",
      model({
        inputs: ["x"],
        nodes: many(80, () => lstm(["x", "big", "r"])),
        initializers: [megabyte, ...WEIGHTS],
      }),
      "constants",
    ],
    [
      "layers that share a state",
      model({
        inputs: ["x"],
        nodes: many(80, () => lstm(["x", "w", "r", "", "", "h"])),
        initializers: [state, ...WEIGHTS],
      }),
      "constants",
    ],
    [
      "layers of which one has a state",
      model({
        inputs: ["x"],
        nodes: stack(80, (at) => (at === 0 ? ["", "", "h"] : [])),
        initializers: [state, ...WEIGHTS],
      }),
      "constants",
    ],
    [
      "layers that turn a state",
      model({
        inputs: ["x"],
        nodes: many(80, () => lstm(["x", "w", "r", "", "", "h"], [], { layout: 1 })),
        initializers: [turned, ...WEIGHTS],
      }),
      "constants",
    ],
    [
      "layers of a function that is called often",
      called(
        100,
        many(200, () => lstm(["x", "w", "r"])),
        ["x", "w", "r"],
      ),
      "recurrent nodes",
    ],
    [
      "long names of nodes",
      model(
        {
          nodes: [
            node("f", [], [], { domain: "d", name: "n".repeat(1000) }),
            ...many(9, () => node("f", [], [], { domain: "d", name: "m".repeat(1000) })),
          ],
        },
        [func("d", "f", { nodes: many(1000, () => node("g", [], [], { domain: "d" })) }), func("d", "g", {})],
      ),
      "names of nodes",
    ],
  ];

  it("is refused where nodes would make more of it", () => {
    const survived = ATTACKS.filter(([name, bytes, what]) => {
      expect(() => readOnnx(bytes), name).toThrow(
        `onnx: ${what} take more memory than a file of this size may`,
      );
      return true;
    });
    reliabilityRow({
      attack: "ONNX nodes that make much of little",
      tried: ATTACKS.length,
      survived: survived.length,
      note: "refused at 64 MB + 7 times the file's size",
    });
  });

  it("is not taken by names of nodes that nobody asks for", () => {
    const plain = many(1000, () => node("A", [], []));
    const nodes = many(90, () => node("f", [], [], { domain: "d", name: "m".repeat(1000) }));
    expect(readOnnx(model({ nodes }, [func("d", "f", { nodes: plain })])).layers).toEqual([]);
  });

  it("is not shared between layers that share a weight", () => {
    const bytes = model({
      inputs: ["x"],
      nodes: many(3, () => lstm(["x", "w", "r", "", "", "h"])),
      initializers: [...WEIGHTS, floats("h", [1, 1, 1], [1])],
    });
    const { layers, tensors } = readOnnx(bytes);
    const all = [
      ...layers.flatMap(({ stateDict, initialState }) => [
        ...stateDict.values(),
        initialState!.h0,
        initialState!.c0!,
      ]),
      ...tensors.values(),
    ];
    expect(new Set(all.map(({ data }) => data.buffer)).size).toBe(all.length);
  });
});

it("counts the attacks on work", () => {
  reliabilityRow({
    attack: "ONNX files made to be slow",
    tried: Object.keys(MODELS).length,
    survived: linear.length,
    note: "twice the size is at most 2.8 times the work, over three doublings",
  });
});
