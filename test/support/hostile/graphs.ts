/** Whole models that are broken or hostile, in ONNX's format: what each tries, and what is said of it. */
import { floats, type GraphOptions, int64s, lengthDelimited, node, tensor } from "../onnx-writer.js";
import { type Bytes, body, file, type HostileGraph, inner, own } from "./graph-file.js";

const RECURSION: HostileGraph[] = [
  {
    name: "a node that takes what it makes",
    make: (given) => file(given, { nodes: [node("Relu", ["y"], ["y"], { name: "n" })] }),
    message: /node "n" \(Relu\): nothing before it makes its input "y"/,
  },
  {
    name: "two nodes that take what the other makes",
    make: (given) => file(given, { nodes: [node("Relu", ["b"], ["y"]), node("Relu", ["y"], ["b"])] }),
    message: /node "Relu_0" \(Relu\): nothing before it makes its input "b"/,
  },
  {
    name: "a branch that takes what its If makes",
    make: (given) =>
      file(given, {
        nodes: [
          node("If", ["yes"], ["y"], {
            attributes: {
              then_branch: inner([node("Relu", ["y"], ["o"])]),
              else_branch: inner([node("Relu", ["m"], ["o"])]),
            },
          }),
        ],
      }),
    message: /node "If_0\/then_branch\/Relu_0" \(Relu\): nothing before it makes its input "y"/,
  },
  {
    name: "a function that calls itself",
    make: (given) =>
      file(given, { nodes: [node("F", ["m"], ["y"], own)] }, [body("F", [node("F", ["a"], ["z"], own)])]),
    message: /node "F_0\/F_0.*functions call each other deeper than 64/,
  },
  {
    name: "functions that call each other",
    make: (given) =>
      file(given, { nodes: [node("F", ["m"], ["y"], own)] }, [
        body("F", [node("G", ["a"], ["z"], own)]),
        body("G", [node("F", ["a"], ["z"], own)]),
      ]),
    message: /node "F_0\/G_0.*functions call each other deeper than 64/,
  },
  {
    name: "a function that calls itself in a branch",
    make: (given) => {
      const attributes = {
        then_branch: inner([node("F", ["a"], ["o"], own)]),
        else_branch: inner([node("Relu", ["a"], ["o"])]),
      };
      const flag = tensor("", { type: 9, dims: [], raw: Uint8Array.of(1) });
      const nodes = [
        node("Constant", [], ["c"], { attributes: { value: { tensor: flag } } }),
        node("If", ["c"], ["z"], { attributes }),
      ];
      return file(given, { nodes: [node("F", ["m"], ["y"], own)] }, [body("F", nodes)]);
    },
    message: /node "F_0\/If_1\/then_branch.*functions call each other deeper than 64/,
  },
  {
    name: "functions of branches in branches, each 64 and 31 deep",
    make: (given) => {
      const truth = tensor("", { type: 9, dims: [], raw: Uint8Array.of(1) });
      const deep = (depth: number, last: Bytes): Bytes =>
        depth === 0
          ? last
          : node("If", ["c"], ["o"], {
              attributes: { then_branch: inner([deep(depth - 1, last)]), else_branch: inner([]) },
            });
      const functions = Array.from({ length: 64 }, (_, at) => {
        const last = at === 63 ? node("Relu", ["a"], ["o"]) : node(`F${at + 1}`, ["a"], ["o"], own);
        return body(`F${at}`, [
          node("Constant", [], ["c"], { attributes: { value: { tensor: truth } } }),
          deep(31, last),
          node("Relu", ["o"], ["z"]),
        ]);
      });
      return file(given, { nodes: [node("F0", ["m"], ["y"], own)] }, functions);
    },
    message:
      /take more memory than a file of this size may|graphs nest deeper than|functions call each other/,
  },
];

/** Functions of which each calls the next one twice. */
function doubling(count: number, make: (name: string, at: number) => Bytes[]): Bytes[] {
  return Array.from({ length: count }, (_, at) => body(`F${at}`, make(`F${at + 1}`, at)));
}

const GROWTH: HostileGraph[] = [
  {
    name: "functions that double 40 times",
    make: (given) =>
      file(
        given,
        { nodes: [node("F0", ["m"], ["y"], own)] },
        doubling(40, (next, at) =>
          at === 39
            ? [node("Relu", ["a"], ["z"])]
            : [node(next, ["a"], ["b"], own), node(next, ["b"], ["z"], own)],
        ),
      ),
    message: /more than 100000 nodes|take more memory than a file of this size may/,
  },
  {
    name: "a graph that is handed on and doubles 40 times",
    make: (given) => {
      const handed = {
        then_branch: { reference: "body" },
        else_branch: { reference: "body" },
      } as const;
      const both = { domain: "own", attributes: { body: { reference: "body" } } } as const;
      const functions = doubling(40, (next, at) =>
        at === 39
          ? [node("If", ["a"], ["z"], { attributes: handed })]
          : [node(next, ["a"], ["b"], both), node(next, ["a"], ["z"], both)],
      );
      const attributes = { body: inner([node("Identity", ["yes"], ["o"])]) };
      return file(given, { nodes: [node("F0", ["yes"], ["y"], { ...own, attributes })] }, functions);
    },
    message: /more than 100000 nodes|take more memory than a file of this size may/,
  },
  {
    name: "branches of which each takes the next one twice",
    make: (given) => {
      // In the body of a function, so that the graph is one in the file.
      const functions = doubling(40, (next, at) => {
        const call = (name: string) =>
          node(at === 39 ? "Identity" : next, ["a"], [name], at === 39 ? {} : own);
        const twice = inner([call("p"), call("o")]);
        const attributes = { then_branch: twice, else_branch: twice };
        return [node("If", ["a"], ["z"], { attributes })];
      });
      return file(given, { nodes: [node("F0", ["yes"], ["y"], own)] }, functions);
    },
    message: /more than 100000 nodes|take more memory than a file of this size may/,
  },
  {
    name: "a tensor that doubles 40 times",
    make: (given) =>
      file(given, {
        nodes: Array.from({ length: 40 }, (_, at) =>
          node("Concat", at === 0 ? ["one", "one"] : [`v${at}`, `v${at}`], [at === 39 ? "y" : `v${at + 1}`], {
            attributes: { axis: 0 },
          }),
        ),
      }),
    message: /node "Concat_\d+" .*(more than \d+ (steps|elements))/,
  },
  {
    name: "a tensor that is tiled again and again",
    make: (given) =>
      file(given, {
        nodes: Array.from({ length: 40 }, (_, at) =>
          node("Tile", [at === 0 ? "m" : `v${at}`, "twice"], [at === 39 ? "y" : `v${at + 1}`]),
        ),
        initializers: [int64s("twice", [2, 1])],
      }),
    message: /node "Tile_\d+" .*(more than \d+ (steps|elements))/,
  },
  {
    name: "an outer sum of outer sums",
    make: (given) =>
      file(given, {
        nodes: [
          node("Range", ["zero", "many", "step"], ["r"]),
          node("Unsqueeze", ["r", "step1"], ["c"]),
          ...Array.from({ length: 30 }, (_, at) => node("Add", ["r", "c"], [`v${at}`])),
          node(
            "Sum",
            Array.from({ length: 30 }, (_, at) => `v${at}`),
            ["s"],
          ),
          node("Cast", ["s"], ["y"], { attributes: { to: 1 } }),
        ],
        initializers: [
          tensor("zero", { type: 7, dims: [], raw: BigInt64Array.of(0n) }),
          tensor("many", { type: 7, dims: [], raw: BigInt64Array.of(8000n) }),
          tensor("step", { type: 7, dims: [], raw: BigInt64Array.of(1n) }),
          int64s("step1", [1]),
        ],
      }),
    message: /node "Add_\d+" .*more than \d+ (steps|elements)/,
  },
];

const huge = (name: string, numbers: readonly number[]) => [int64s(name, numbers)];
const expand = (sizes: readonly number[]): GraphOptions => ({
  nodes: [node("Expand", ["one", "s"], ["y"], { name: "n" })],
  initializers: huge("s", sizes),
});

const SHAPES: HostileGraph[] = [
  ["a billion elements", expand([2 ** 30])],
  ["half a billion in many axes", expand(Array.from({ length: 29 }, () => 2))],
  ["sizes that overflow", expand([2 ** 40, 2 ** 40])],
  ["a huge axis beside an empty one", expand([2 ** 50, 0])],
  ["a negative size", expand([-5])],
  [
    "a constant of a billion",
    {
      nodes: [node("ConstantOfShape", ["s"], ["y"], { name: "n" })],
      initializers: huge("s", [2 ** 15, 2 ** 15]),
    },
  ],
  [
    "a padding of a billion",
    { nodes: [node("Pad", ["one", "s"], ["y"], { name: "n" })], initializers: huge("s", [2 ** 30, 2 ** 30]) },
  ],
  [
    "a padding below nothing",
    { nodes: [node("Pad", ["one", "s"], ["y"], { name: "n" })], initializers: huge("s", [-5, 1]) },
  ],
  [
    "a million tiles of a tile",
    { nodes: [node("Tile", ["m", "s"], ["y"], { name: "n" })], initializers: huge("s", [2 ** 20, 2 ** 20]) },
  ],
  [
    "a shape with two open sizes",
    { nodes: [node("Reshape", ["m", "s"], ["y"], { name: "n" })], initializers: huge("s", [-1, -1]) },
  ],
  [
    "a picture a billion times as large",
    {
      nodes: [node("Resize", ["m", "", "s"], ["y"], { name: "n" })],
      initializers: [floats("s", [2], [1e9, 1e9])],
    },
  ],
  [
    "a stride of 2^31 in a transposed convolution",
    {
      nodes: [
        node("ConvTranspose", ["k", "k"], ["y"], { name: "n", attributes: { strides: [2 ** 31 - 1] } }),
      ],
      initializers: [floats("k", [1, 1, 2], [1, 1])],
    },
  ],
  [
    "a window of 2^31 in a padding of as much",
    {
      nodes: [
        node("AveragePool", ["k"], ["y"], {
          name: "n",
          attributes: { kernel_shape: [2 ** 31 - 1], pads: [2 ** 30, 2 ** 30], count_include_pad: 1 },
        }),
      ],
      initializers: [floats("k", [1, 1, 2], [1, 1])],
    },
  ],
  [
    "a padding of 2^31 in a convolution",
    {
      nodes: [
        node("Conv", ["k", "k"], ["y"], { name: "n", attributes: { pads: [2 ** 31 - 1, 2 ** 31 - 1] } }),
      ],
      initializers: [floats("k", [1, 1, 2], [1, 1])],
    },
  ],
].map(([name, main]) => ({
  name: name as string,
  make: (given?: boolean) => file(given, main as GraphOptions),
  message: /^onnx: node "n" \(\w+, opset 20\): /,
}));

const WORK: HostileGraph[] = [
  ...[
    ["without end", ["", "", "one"], [node("Add", ["s", "s"], ["t"])]] as const,
    ["without end that does nothing", ["", "yes", "one"], [node("Identity", ["s"], ["t"])]] as const,
    ["without end that multiplies matrices", ["", "", "big"], [node("MatMul", ["s", "s"], ["t"])]] as const,
  ].map(([name, inputs, nodes]) => ({
    name: `a Loop ${name}`,
    make: (given?: boolean) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "sizes"], ["big"]),
          node("Loop", inputs, ["y"], {
            name: "n",
            attributes: { body: inner(nodes, ["i", "go", "s"], ["go", "t"]) },
          }),
        ],
        initializers: huge("sizes", [300, 300]),
      }),
    message: /node "n.*(more than \d+ steps|take more memory)/,
  })),
  {
    name: "a Loop in a Loop in a Loop",
    make: (given) => {
      const loop = (content: readonly Bytes[]) =>
        node("Loop", ["count", "", "s"], ["t"], {
          attributes: { body: inner(content, ["i", "go", "s"], ["go", "t"]) },
        });
      const nodes = [node("Identity", ["one"], ["s"]), loop([loop([loop([node("Neg", ["s"], ["t"])])])])];
      return file(given, {
        nodes: [...nodes, node("Neg", ["t"], ["y"])],
        initializers: [tensor("count", { type: 7, dims: [], raw: BigInt64Array.of(100_000n) })],
      });
    },
    message: /node "Loop_1.*(more than \d+ steps|made twice)/,
  },
  {
    name: "a product of matrices of 4000 rows",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [node("Expand", ["one", "s"], ["big"]), node("MatMul", ["big", "big"], ["y"], { name: "n" })],
        initializers: huge("s", [4000, 4000]),
      }),
    message: /node "n.*more than \d+ steps/,
  },
  {
    name: "an Einsum of three million million products",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "s"], ["big"]),
          node("Einsum", ["big", "big"], ["y"], { name: "n", attributes: { equation: "ab,bc->" } }),
        ],
        initializers: huge("s", [4000, 4000]),
      }),
    message: /node "n.*more than \d+ steps/,
  },
  {
    name: "a convolution with a kernel of thousands",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "s"], ["big"]),
          node("Conv", ["big", "big"], ["y"], {
            name: "n",
            attributes: { auto_pad: "SAME_UPPER" },
          }),
        ],
        initializers: huge("s", [1, 1, 1000, 1000]),
      }),
    message: /node "n.*more than \d+ steps/,
  },
  {
    name: "a pool with a kernel of thousands",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "s"], ["big"]),
          node("MaxPool", ["big"], ["y"], {
            name: "n",
            attributes: { auto_pad: "SAME_UPPER", kernel_shape: [1000, 1000] },
          }),
        ],
        initializers: huge("s", [1, 1, 1000, 1000]),
      }),
    message: /node "n.*more than \d+ steps/,
  },
  {
    name: "an LSTM of 100,000 steps",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "s"], ["x"]),
          node("Expand", ["one", "w"], ["r"]),
          node("LSTM", ["x", "r", "r"], ["y"], { name: "n" }),
        ],
        initializers: [...huge("s", [100_000, 1, 16]), ...huge("w", [1, 64, 16])],
      }),
    message: /node "n.*more than \d+ steps/,
  },
  {
    name: "a Resize over many axes",
    isHeavy: true,
    make: (given) =>
      file(given, {
        nodes: [
          node("Expand", ["one", "s"], ["x"]),
          node("Resize", ["x", "", "f"], ["y"], { name: "n", attributes: { mode: "linear" } }),
        ],
        initializers: [
          ...huge(
            "s",
            Array.from({ length: 16 }, () => 2),
          ),
          floats(
            "f",
            [16],
            Array.from({ length: 16 }, () => 1.5),
          ),
        ],
      }),
    message: /node "n.*more than \d+ steps/,
  },
];

const DETAILS: HostileGraph[] = [
  {
    name: "external data outside the folder",
    make: (given) => {
      const entry = (key: string, value: string) =>
        lengthDelimited(13, [...lengthDelimited(1, key), ...lengthDelimited(2, value)]);
      const more = [...entry("location", "../../../etc/passwd"), 14 * 8, 1];
      return file(given, {
        nodes: [node("Relu", ["w"], ["y"])],
        initializers: [tensor("w", { dims: [2], more })],
      });
    },
    message: /"w".*"\.\.\/\.\.\/\.\.\/etc\/passwd"/,
  },
  ...(
    [
      ["a float for an axis", node("Softmax", ["m"], ["y"], { attributes: { axis: { float: 1 } } })],
      ["a text for integers", node("Transpose", ["m"], ["y"], { attributes: { perm: "10" } })],
      ["integers for a text", node("Pad", ["m", "p"], ["y"], { attributes: { mode: 3 } })],
      ["a graph for a tensor", node("Constant", [], ["y"], { attributes: { value: inner([]) } })],
      [
        "a tensor for a graph",
        node("If", ["yes"], ["y"], {
          attributes: {
            then_branch: { tensor: floats("", [1], [1]) },
            else_branch: { tensor: floats("", [1], [1]) },
          },
        }),
      ],
      ["an axis of 2^53", node("Softmax", ["m"], ["y"], { attributes: { axis: 2 ** 53 } })],
      [
        "a text for the activations",
        node("LSTM", ["m", "m", "m"], ["y"], { attributes: { activations: "Tanh" } }),
      ],
      ["an input of three axes too few", node("LSTM", ["m", "m", "m"], ["y"])],
      ["no input", node("Add", [], ["y"])],
      ["a missing second input", node("MatMul", ["m", ""], ["y"])],
      ["shapes that do not fit", node("Conv", ["m", "m"], ["y"])],
      ["an axis too many", node("Unsqueeze", ["m", "p"], ["y"])],
      ["a condition that is no truth", node("If", ["m"], ["y"])],
      ["no branch", node("If", ["yes"], ["y"])],
      ["no body", node("Loop", ["", "", "m"], ["y"])],
    ] as const
  ).map(([name, bytes]) => ({
    name: `a node with ${name}`,
    make: (given?: boolean) => file(given, { nodes: [bytes], initializers: huge("p", [9, 9, 9, 9]) }),
    message: /^onnx: node "\w+_0" \(\w+, opset 20\): /,
  })),
];

export const HOSTILE_GRAPHS: readonly HostileGraph[] = [
  ...RECURSION,
  ...GROWTH,
  ...SHAPES,
  ...WORK,
  ...DETAILS,
];
