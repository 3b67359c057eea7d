/** Nodes that are fused with what makes their input, and those that must not be. */
import { describe, expect, it } from "vitest";
import { loadOnnx } from "../../src/models/index.js";
import { Tensor } from "../../src/tensor/tensor.js";
import { type AttributeValue, floats, modelOf, node } from "../support/onnx-writer.js";

interface Case {
  /** Lines: what is given, the operator, its inputs, its attributes. */
  readonly nodes: readonly (readonly [string, string, string, Record<string, AttributeValue>?])[];
  readonly x?: readonly number[];
  /** What an output is read as, besides the last line's. */
  readonly outputs?: readonly string[];
  readonly left: readonly string[];
}

const random = (name: string, shape: number[], seed: number, least = false) =>
  floats(
    name,
    shape,
    [...Tensor.randn(shape, seed).data].map((each) => (least ? 0.5 + Math.abs(each) : each)),
  );

/** Of four channels, if it is no weight of another shape. */
const CONSTANTS = [
  random("W", [4, 2, 3], 1),
  random("Wdepth", [4, 1, 3], 2),
  random("Wturned", [2, 4, 3], 3),
  random("Wgroups", [2, 2, 3], 4),
  random("M", [5, 4], 5),
  random("rows", [2, 4], 6),
  random("b", [4], 7),
  random("scale", [4], 8),
  random("shift", [4], 9),
  random("mean", [4], 10),
  random("variance", [4], 11, true),
];
const NORMAL = "scale shift mean variance";

function check({ nodes, x = [1, 2, 5], outputs = [], left }: Case): void {
  const bytes = modelOf({
    inputs: [
      { name: "x", shape: [...x] },
      { name: "given", shape: [4] },
    ],
    outputs: [nodes.at(-1)![0], ...outputs],
    initializers: CONSTANTS,
    nodes: nodes.map(([output, operator, inputs, attributes = {}]) =>
      node(operator, inputs.split(" "), [output], { attributes }),
    ),
  });
  using fused = loadOnnx(bytes);
  using plain = loadOnnx(bytes, { fuse: false });
  const feeds = { x: Tensor.randn([...x], 20), given: Tensor.randn([4], 21) };
  const [got, expected] = [fused.run(feeds), plain.run(feeds)];
  for (const [name, { data, shape }] of Object.entries(expected)) {
    expect(got[name]!.shape).toEqual(shape);
    for (const [at, number] of Array.from(data, Number).entries()) {
      expect(Math.abs(Number(got[name]!.data[at]) - number), `${name}[${at}]`).toBeLessThan(
        1e-5 * Math.max(1, Math.abs(number)),
      );
    }
  }
  expect(plain.summary().map(({ operator }) => operator)).toEqual(nodes.map(([, operator]) => operator));
  expect(fused.summary().map(({ operator }) => operator)).toEqual(left);
}

describe("a normalisation becomes part of", () => {
  it.each<[string, Case]>([
    [
      "a convolution with a bias",
      {
        nodes: [
          ["c", "Conv", "x W b"],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["Conv"],
      },
    ],
    [
      "a convolution without one, of another epsilon",
      {
        nodes: [
          ["c", "Conv", "x W"],
          ["y", "BatchNormalization", `c ${NORMAL}`, { epsilon: { float: 0.1 } }],
        ],
        left: ["Conv"],
      },
    ],
    [
      "a transposed convolution",
      {
        nodes: [
          ["c", "ConvTranspose", "x Wturned b"],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["ConvTranspose"],
      },
    ],
    [
      "a transposed convolution of two groups",
      {
        nodes: [
          ["c", "ConvTranspose", "x Wgroups", { group: 2 }],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["ConvTranspose"],
      },
    ],
    [
      "a convolution of four groups",
      {
        x: [1, 4, 5],
        nodes: [
          ["c", "Conv", "x Wdepth", { group: 4 }],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["Conv"],
      },
    ],
  ])("%s", (_, one) => check(one));
});

describe("a normalisation stays one", () => {
  it.each<[string, Case]>([
    [
      "of what is no convolution",
      {
        x: [1, 4, 5],
        nodes: [
          ["c", "Neg", "x"],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["Neg", "BatchNormalization"],
      },
    ],
    [
      "of an input",
      { x: [1, 4, 5], nodes: [["y", "BatchNormalization", `x ${NORMAL}`]], left: ["BatchNormalization"] },
    ],
    [
      "with a scale that is no constant",
      {
        nodes: [
          ["c", "Conv", "x W"],
          ["y", "BatchNormalization", "c given shift mean variance"],
        ],
        left: ["Conv", "BatchNormalization"],
      },
    ],
    [
      "of a bias that is no constant",
      {
        nodes: [
          ["c", "Conv", "x W given"],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        left: ["Conv", "BatchNormalization"],
      },
    ],
    [
      "after an activation",
      {
        nodes: [
          ["c", "Conv", "x W"],
          ["a", "Relu", "c"],
          ["y", "BatchNormalization", `a ${NORMAL}`],
        ],
        left: ["Conv", "BatchNormalization"],
      },
    ],
    [
      "of what is read",
      {
        nodes: [
          ["c", "Conv", "x W"],
          ["y", "BatchNormalization", `c ${NORMAL}`],
        ],
        outputs: ["c"],
        left: ["Conv", "BatchNormalization"],
      },
    ],
  ])("%s", (_, one) => check(one));
});

describe("a product takes", () => {
  const x = [2, 5];
  it.each<[string, Case]>([
    [
      "a bias after it",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["y", "Add", "p b"],
        ],
        left: ["MatMul"],
      },
    ],
    [
      "a bias before it, and an activation",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["s", "Add", "b p"],
          ["y", "Tanh", "s"],
        ],
        left: ["MatMul"],
      },
    ],
    [
      "an activation with a constant",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["y", "LeakyRelu", "p", { alpha: { float: 0.3 } }],
        ],
        left: ["MatMul"],
      },
    ],
    [
      "the first of two activations",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["s", "Sigmoid", "p"],
          ["y", "Relu", "s"],
        ],
        left: ["MatMul", "Relu"],
      },
    ],
    [
      "the first of two biases",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["s", "Add", "p b"],
          ["y", "Add", "s scale"],
        ],
        left: ["MatMul", "Add"],
      },
    ],
    [
      "no bias after an activation",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["s", "Relu", "p"],
          ["y", "Add", "s b"],
        ],
        left: ["MatMul", "Add"],
      },
    ],
    [
      "no bias of each row",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["y", "Add", "p rows"],
        ],
        left: ["MatMul", "Add"],
      },
    ],
    [
      "no bias that is no constant",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["y", "Add", "p given"],
        ],
        left: ["MatMul", "Add"],
      },
    ],
    [
      "no activation of what is read",
      {
        x,
        nodes: [
          ["p", "MatMul", "x M"],
          ["y", "Relu", "p"],
        ],
        outputs: ["p"],
        left: ["MatMul", "Relu"],
      },
    ],
  ])("%s", (_, one) => check(one));
});
