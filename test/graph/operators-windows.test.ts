/** What operators of windows, normalisations and sizes give, computed by hand, and what they refuse. */
import { describe, expect, it } from "vitest";
import { runGraph } from "../support/host-graph.js";
import { node } from "../support/onnx-writer.js";
import {
  type Attributes,
  floats as f,
  type Inputs,
  ints,
  itGives,
  itRefuses,
  of,
  ones,
  type Refusal,
  type Result,
  row,
  signal,
} from "../support/operator-cases.js";

describe("a convolution", () => {
  const two = [signal(1, 2), signal(1, 1)];
  const three = [signal(1, 2), signal(1, 1, 1)];
  const gives = (
    what: string,
    operator: string,
    inputs: Inputs,
    attributes: Attributes,
    ...numbers: number[]
  ): Result => [what, operator, inputs, attributes, 20, [1, 1, numbers.length], numbers];
  itGives([
    gives("sums within the input", "Conv", [signal(1, 2, 3), signal(1, 1)], { auto_pad: "VALID" }, 3, 5),
    gives(
      "padding after first",
      "Conv",
      [signal(1, 2, 3), signal(1, 1)],
      { auto_pad: "SAME_UPPER" },
      3,
      5,
      3,
    ),
    gives(
      "padding before first",
      "Conv",
      [signal(1, 2, 3), signal(1, 1)],
      { auto_pad: "SAME_LOWER" },
      1,
      3,
      5,
    ),
    gives("a bias", "Conv", [...two, row(10)], { kernel_shape: [2] }, 13),
    gives("all that it reaches", "ConvTranspose", two, { auto_pad: "VALID" }, 1, 3, 2),
    gives("less pads", "ConvTranspose", three, { pads: [1, 0] }, 3, 3, 2),
    gives("the same size", "ConvTranspose", three, { auto_pad: "SAME_UPPER" }, 3, 3),
    gives("the same size, its end cut first", "ConvTranspose", two, { auto_pad: "SAME_UPPER" }, 1, 3),
    gives("the same size, its begin cut first", "ConvTranspose", two, { auto_pad: "SAME_LOWER" }, 3, 2),
    gives("a stated size", "ConvTranspose", two, { output_shape: [2] }, 3, 2),
    gives("a stated size with batch and channels", "ConvTranspose", two, { output_shape: [1, 1, 2] }, 3, 2),
    gives("more than it reaches", "ConvTranspose", two, { output_shape: [4] }, 1, 3, 2, 0),
    gives(
      "bytes less their zero points",
      "ConvInteger",
      [of("uint8", [1, 1, 3], 5, 6, 8), of("int8", [1, 1, 2], 2, 3), of("uint8", [], 5), of("int8", [1], 1)],
      {},
      2,
      7,
    ),
    gives(
      "bytes as they are",
      "ConvInteger",
      [of("uint8", [1, 1, 2], 5, 6), of("int8", [1, 1, 2], 2, -3)],
      {},
      -8,
    ),
    [
      "bytes less a zero point for each filter",
      "ConvInteger",
      [of("uint8", [1, 1, 1], 5), of("int8", [2, 1, 1], 2, 3), undefined, of("int8", [2], 1, -1)],
      {},
      20,
      [1, 2, 1],
      [5, 20],
    ],
  ]);

  const cube = ones(1, 1, 2, 2, 2);
  itRefuses([
    ["Conv", [ones(1, 2), ones(1, 2)], {}, 20, "an input of 2 axes and weights of 2"],
    ["Conv", [signal(1), ones(1, 1)], {}, 20, "an input of 3 axes and weights of 2"],
    ["Conv", two, { kernel_shape: [3] }, 20, "attribute kernel_shape [3] for weights of [1, 1, 2]"],
    ["Conv", two, { group: 0 }, 20, "1 channels in 0 groups for weights of [1, 1, 2]"],
    ["Conv", two, { group: 2 }, 20, "1 channels in 2 groups for weights of [1, 1, 2]"],
    ["Conv", [signal(1, 2), ones(1, 2, 2)], {}, 20, "1 channels in 1 groups for weights of [1, 2, 2]"],
    [
      "Conv",
      [ones(1, 2, 2), ones(3, 1, 2)],
      { group: 2 },
      20,
      "2 channels in 2 groups for weights of [3, 1, 2]",
    ],
    ["Conv", [...two, row(1, 2)], {}, 20, "a bias of shape [2] for 1 channels"],
    ["Conv", [cube, cube], {}, 20, "windows over 3 axes are not supported"],
    ["Conv", [signal(1), signal(1, 1)], {}, 20, "a kernel of 2 over an axis of 1"],
    ["Conv", [signal(1), ones(1, 1, 0)], {}, 20, "a kernel of [0] for 1 axes"],
    ["Conv", two, { strides: [0] }, 20, "attribute strides [0] does not fit 1 axes"],
    ["Conv", two, { dilations: [1, 1] }, 20, "attribute dilations [1, 1] does not fit 1 axes"],
    ["Conv", two, { pads: [-1, 0] }, 20, "attribute pads [-1, 0] does not fit 2 axes"],
    ["Conv", two, { auto_pad: "MOST" }, 20, "attribute auto_pad: MOST is not supported"],
    ["ConvTranspose", two, { auto_pad: "MOST" }, 20, "attribute auto_pad: MOST is not supported"],
    ["ConvTranspose", [cube, cube], {}, 20, "windows over 3 axes are not supported"],
    [
      "ConvTranspose",
      [ones(1, 1, 2, 2), ones(1, 1, 1, 1)],
      { output_shape: [2] },
      20,
      "attribute output_shape does not fit the input",
    ],
    ["ConvInteger", two, {}, 20, "input 0 of float32 is not supported"],
    ["ConvInteger", [of("int8", [1, 1, 1], 1), signal(1)], {}, 20, "input 1 of float32 is not supported"],
  ]);
});

describe("a pool", () => {
  const x = signal(1, 3, 5, 7);
  const pads = { kernel_shape: [2], pads: [1, 0] };
  itGives([
    ["means of what is there", "AveragePool", [x], pads, 20, [1, 1, 4], [1, 2, 4, 6]],
    [
      "means with padding",
      "AveragePool",
      [x],
      { ...pads, count_include_pad: 1 },
      20,
      [1, 1, 4],
      [0.5, 2, 4, 6],
    ],
    ["a last window cut off", "MaxPool", [x], { kernel_shape: [3], strides: [2] }, 20, [1, 1, 1], [5]],
    [
      "a last window in part",
      "MaxPool",
      [x],
      { kernel_shape: [3], strides: [2], ceil_mode: 1 },
      20,
      [1, 1, 2],
      [5, 7],
    ],
    [
      "no window that begins behind the input",
      "MaxPool",
      [signal(1, 2)],
      { kernel_shape: [1], strides: [2], pads: [0, 1], ceil_mode: 1 },
      20,
      [1, 1, 1],
      [1],
    ],
    ["largest bytes", "MaxPool", [of("int8", [1, 1, 2], -3, -2)], { kernel_shape: [2] }, 20, [1, 1, 1], [-2]],
    [
      "the mean of each channel",
      "GlobalAveragePool",
      [f([1, 2, 2], 1, 2, 3, 5)],
      {},
      20,
      [1, 2, 1],
      [1.5, 4],
    ],
  ]);
  itRefuses([
    ["MaxPool", [ones(1, 2)], { kernel_shape: [1] }, 20, "an input of 2 axes"],
    ["MaxPool", [x], { kernel_shape: [1, 1] }, 20, "a kernel of [1, 1] for 1 axes"],
    [
      "AveragePool",
      [of("int8", [1, 1, 1], 1)],
      { kernel_shape: [1] },
      20,
      "input 0 of int8 is not supported",
    ],
  ]);

  it("gives no places of what is largest", () => {
    const nodes = [node("MaxPool", ["x"], ["y", "places"], { attributes: { kernel_shape: [1] } })];
    expect(() => runGraph({ nodes }, { x })).toThrow("(MaxPool, opset 20): output Indices is not supported");
  });
});

describe("a softmax", () => {
  const [a, b, whole] = [Math.E, Math.E ** 2, 1 + Math.E + Math.E ** 2 + Math.E ** 3];
  const x = f([1, 2, 2], 0, 1, 2, 3);
  const all = [1, a, b, Math.E ** 3].map((power) => power / whole);
  const each = [1 / (1 + a), a / (1 + a)];
  itGives([
    ["rows of the last axis", "Softmax", [x], {}, 13, [1, 2, 2], [...each, ...each]],
    ["rows of all axes from the second on", "Softmax", [x], {}, 12, [1, 2, 2], all],
    ["rows from a stated axis on", "Softmax", [x], { axis: -1 }, 12, [1, 2, 2], [...each, ...each]],
    ["logarithms", "LogSoftmax", [x], {}, 12, [1, 2, 2], all.map(Math.log)],
  ]);

  it("rounds powers and sums of 16 bits", () => {
    // A bfloat16 has 8 bits, in which 1 + 2^-9 is 1; a float16 has 11.
    const small = Math.log(2 ** -9);
    const run = (type: "bfloat16" | "float16") =>
      runGraph({ nodes: [node("Softmax", ["x"], ["y"])] }, { x: of(type, [2], 0, small) }).data;
    expect(run("bfloat16")[0]).toBe(1);
    expect(run("float16")[0]).toBeLessThan(1 - 2 ** -10);
  });
});

describe("a normalisation", () => {
  const batch = (shape: number[], opset: number, attributes: Attributes, ...numbers: number[]): Result => [
    "what was learnt",
    "BatchNormalization",
    [f(shape, ...numbers), row(2), row(1), row(3), row(4)],
    { ...attributes, epsilon: { float: 0 } },
    opset,
    shape,
    // Less 3, by 2 / sqrt(4), and 1.
    numbers.map((number) => number - 2),
  ];
  const channels = f([1, 2, 2], 1, 3, 10, 30);
  const exact = { epsilon: { float: 0 } };
  itGives([
    batch([2, 1], 20, {}, 1, 5),
    batch([2], 20, {}, 1, 5),
    batch([1, 1, 2], 6, { is_test: 1 }, 1, 5),
    batch([1, 1, 2], 8, { spatial: 1 }, 1, 5),
    [
      "each channel by itself",
      "InstanceNormalization",
      [channels, row(1, 2), row(0, 5)],
      exact,
      20,
      [1, 2, 2],
      [-1, 1, 3, 7],
    ],
    [
      "a scale for each group",
      "GroupNormalization",
      [f([1, 4, 1], 1, 3, 10, 30), row(1, 2), row(0, 5)],
      { ...exact, num_groups: 2 },
      20,
      [1, 4, 1],
      [-1, 1, 3, 7],
    ],
    [
      "a scale for each channel",
      "GroupNormalization",
      [f([1, 4, 1], 1, 3, 10, 30), row(1, 2, 3, 4), row(0, 0, 5, 6)],
      { ...exact, num_groups: 2 },
      21,
      [1, 4, 1],
      [-1, 2, 2, 10],
    ],
    [
      "rows without a bias",
      "LayerNormalization",
      [channels, row(1, 2)],
      exact,
      20,
      [1, 2, 2],
      [-1, 2, -1, 2],
    ],
    [
      "rows with one",
      "LayerNormalization",
      [channels, row(1), row(0, 1)],
      exact,
      20,
      [1, 2, 2],
      [-1, 2, -1, 2],
    ],
    [
      "all from an axis on",
      "LayerNormalization",
      [f([1, 2, 2], 1, 1, 3, 3), row(1, 1)],
      { ...exact, axis: 1 },
      20,
      [1, 2, 2],
      [-1, -1, 1, 1],
    ],
  ]);

  const learnt = [channels, row(1, 1), row(0, 0), row(0, 0), row(1, 1)];
  const training = "training mode and its outputs are not supported";
  itRefuses([
    ["BatchNormalization", learnt, { training_mode: 1 }, 20, training],
    ["BatchNormalization", learnt, {}, 6, training],
    ["BatchNormalization", learnt, { spatial: 0 }, 8, "attribute spatial: 0 is not supported"],
    ["BatchNormalization", [channels, row(1)], {}, 20, "input 1 of shape [1]; expected 2 numbers"],
    ["GroupNormalization", [channels, row(1), row(1)], {}, 20, "2 channels in 0 groups"],
    ["GroupNormalization", [channels, row(1), row(1)], { num_groups: 3 }, 20, "2 channels in 3 groups"],
    [
      "GroupNormalization",
      [channels, row(1), row(1)],
      { num_groups: 1 },
      21,
      "input 1 of shape [1]; expected 2 numbers",
    ],
    ["InstanceNormalization", [row(1), row(1), row(1)], {}, 20, "an input of 1 axes"],
    ["GroupNormalization", [row(1), row(1), row(1)], { num_groups: 1 }, 20, "an input of 1 axes"],
    [
      "InstanceNormalization",
      [channels, row(1, 1), row(1)],
      {},
      20,
      "input 2 of shape [1]; expected 2 numbers",
    ],
    ["LayerNormalization", [channels, row(1, 1, 1)], {}, 20, "input 1 of shape [3] does not fit [1, 2, 2]"],
    [
      "LayerNormalization",
      [channels, row(1), ones(2, 1, 1)],
      {},
      20,
      "input 2 of shape [2, 1, 1] does not fit [1, 2, 2]",
    ],
  ]);

  it("gives no running means of a batch", () => {
    const nodes = [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "mean"])];
    const one = row(1);
    expect(() => runGraph({ nodes }, { x: signal(1), s: one, b: one, m: one, v: one })).toThrow(training);
  });
});

describe("another size", () => {
  const x = row(10, 20, 30, 40);
  const resize = (
    what: string,
    inputs: Inputs,
    attributes: Attributes,
    opset: number,
    ...numbers: number[]
  ): Result => [what, "Resize", inputs, attributes, opset, [numbers.length], numbers];
  const sized = (size: number) => [x, undefined, undefined, ints(size)];
  const mode = (coordinate_transformation_mode: string) => ({
    mode: "linear",
    coordinate_transformation_mode,
  });
  const nearest = (nearest_mode: string) => ({ nearest_mode, coordinate_transformation_mode: "half_pixel" });
  itGives([
    resize("numbers twice by an old scale", [row(1, 2), row(2)], {}, 10, 1, 1, 2, 2),
    resize("numbers twice", [row(1, 2), undefined, row(2)], {}, 20, 1, 1, 2, 2),
    resize("sizes where scales are empty", [row(1, 2), row(), row(), ints(4)], {}, 20, 1, 1, 2, 2),
    resize("scales where sizes are empty", [row(1, 2), row(), row(2), ints()], {}, 20, 1, 1, 2, 2),
    // Places 0.5 and 2.5.
    resize("the one before a half", sized(2), nearest("round_prefer_floor"), 20, 10, 30),
    resize("the one after a half", sized(2), nearest("round_prefer_ceil"), 20, 20, 40),
    resize("the one before", sized(2), nearest("floor"), 20, 10, 30),
    resize("the one after", sized(2), nearest("ceil"), 20, 20, 40),
    resize("lines between centres", sized(2), mode("half_pixel"), 20, 15, 35),
    resize("lines between begins", sized(2), mode("asymmetric"), 20, 10, 30),
    resize("lines from end to end", sized(2), mode("align_corners"), 20, 10, 40),
    resize("the first corner", sized(1), mode("align_corners"), 20, 10),
    resize("the middle", sized(1), mode("half_pixel"), 20, 25),
    resize("the first of PyTorch", sized(1), mode("pytorch_half_pixel"), 20, 10),
    resize("the first of PyTorch by a scale", [x, undefined, row(0.4)], mode("pytorch_half_pixel"), 20, 10),
    resize("centres of PyTorch", sized(2), mode("pytorch_half_pixel"), 20, 15, 35),
    [
      "one of two axes",
      "Resize",
      [f([2, 1], 1, 2), undefined, undefined, ints(2)],
      { axes: [-1] },
      20,
      [2, 2],
      [1, 1, 2, 2],
    ],
  ]);
  const refuses = (attributes: Attributes, message: string): Refusal => [
    "Resize",
    sized(2),
    attributes,
    20,
    message,
  ];
  itRefuses([
    refuses({ mode: "cubic" }, "attribute mode: cubic is not supported"),
    refuses(
      { keep_aspect_ratio_policy: "not_larger" },
      "attribute keep_aspect_ratio_policy: not_larger is not supported",
    ),
    refuses({ antialias: 1 }, "attribute antialias: 1 is not supported"),
    refuses(mode("odd"), "attribute coordinate_transformation_mode: odd is not supported"),
    refuses({ nearest_mode: "odd" }, "attribute nearest_mode: odd is not supported"),
    ["Resize", [x, undefined, row(1, 2)], {}, 20, "2 sizes for 1 axes"],
    ["Resize", [x, undefined, row(0)], {}, 20, "a size or scale of 0"],
    ["Resize", [x, undefined, row(Number.NaN)], {}, 20, "a size or scale of NaN"],
  ]);
});
