/** Convolutions beside the host's: one and two axes, groups, strides, dilations, padding, transposed ones. */
import { describe, expect, it } from "vitest";
import { compileConv, compileConvTranspose } from "../../../src/models/kernels/conv.js";
import { checkKernels, integers, random, runKernels } from "./harness.js";

/** Sums of hundreds of products, rounded at each in the kernels and once on the host. */
const LOOSE = { relative: 2e-5, absolute: 2e-5 };

interface Shape {
  readonly batch?: number;
  readonly group?: number;
  readonly channels: number;
  readonly units: number;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
}

const SHAPES: readonly (readonly [string, Shape, Record<string, number | string | number[]>])[] = [
  ["one position of all there is", { channels: 8, units: 32, sizes: [5], kernel: [5] }, {}],
  [
    "an STFT: one channel, a long stride",
    { channels: 1, units: 34, sizes: [640], kernel: [256] },
    { strides: [128] },
  ],
  ["1 x 1", { channels: 7, units: 9, sizes: [6, 5], kernel: [1, 1] }, {}],
  ["padding at both ends", { channels: 3, units: 5, sizes: [11], kernel: [3] }, { pads: [1, 1] }],
  ["padding at one end", { channels: 3, units: 5, sizes: [4, 11], kernel: [3, 2] }, { pads: [2, 0, 0, 1] }],
  [
    "strides and dilations",
    { batch: 2, channels: 4, units: 6, sizes: [9, 12], kernel: [3, 2] },
    { strides: [2, 3], dilations: [2, 3], pads: [2, 1, 2, 1] },
  ],
  [
    "numbers at the end that no window reads",
    { channels: 2, units: 3, sizes: [10], kernel: [3] },
    { strides: [4] },
  ],
  ["groups", { group: 2, channels: 6, units: 8, sizes: [7], kernel: [3] }, { pads: [1, 1] }],
  [
    "each channel by itself",
    { batch: 2, group: 16, channels: 16, units: 16, sizes: [3, 33], kernel: [3, 3] },
    { pads: [0, 1, 0, 1] },
  ],
  [
    "40 channels by themselves",
    { group: 40, channels: 40, units: 80, sizes: [12], kernel: [5] },
    { pads: [4, 0] },
  ],
  ["many positions", { channels: 2, units: 3, sizes: [20, 50], kernel: [3, 3] }, { pads: [1, 1, 1, 1] }],
  ["a long row", { channels: 1, units: 2, sizes: [700], kernel: [3] }, { strides: [1] }],
  [
    "SAME_UPPER",
    { channels: 2, units: 3, sizes: [8, 7], kernel: [4, 3] },
    { auto_pad: "SAME_UPPER", strides: [2, 2] },
  ],
  ["SAME_LOWER", { channels: 2, units: 3, sizes: [8, 7], kernel: [4, 3] }, { auto_pad: "SAME_LOWER" }],
  ["no item", { batch: 0, channels: 2, units: 3, sizes: [4], kernel: [2] }, {}],
];

describe.each([
  ["Conv", compileConv],
  ["ConvTranspose", compileConvTranspose],
] as const)("%s", (operator, compile) => {
  it.each(SHAPES)(
    "computes %s",
    (_, { batch = 1, group = 1, channels, units, sizes, kernel }, attributes) => {
      const weight = operator === "Conv" ? [units, channels / group] : [channels, units / group];
      for (const offset of [0, 1]) {
        checkKernels(
          {
            operator,
            attributes: { ...attributes, group },
            inputs: [
              random([batch, channels, ...sizes], 1),
              random([...weight, ...kernel], 2),
              random([units], 3),
            ],
            constants: [1, 2],
            offset,
          },
          compile,
          LOOSE,
        );
      }
    },
  );

  it("has no bias, and activations", () => {
    const inputs = [random([1, 3, 9], 1), random([3, 3, 3], 2)];
    for (const name of ["Relu", "Sigmoid", "Tanh", "LeakyRelu"]) {
      checkKernels(
        { operator, inputs, constants: [1], activation: { name, alpha: 0.1, beta: 0 } },
        compile,
        LOOSE,
      );
    }
  });

  it("computes a hundred random ones", () => {
    const next = integers(7);
    for (let at = 0; at < 100; at++) {
      const rank = 1 + next(2);
      const list = (least: number, below: number) => Array.from({ length: rank }, () => least + next(below));
      const group = 1 + next(3);
      const [channels, units] = [group * (1 + next(4)), group * (1 + next(20))];
      const weight = operator === "Conv" ? [units, channels / group] : [channels, units / group];
      const attributes = {
        group,
        strides: list(1, 3),
        dilations: list(1, 2),
        pads: Array.from({ length: 2 * rank }, () => next(2)),
      };
      checkKernels(
        {
          operator,
          attributes,
          inputs: [
            random([1 + next(2), channels, ...list(6, 9)], at),
            random([...weight, ...list(1, 3)], at + 200),
            random([units], at + 400),
          ],
          constants: [1, 2],
          offset: next(4),
        },
        compile,
        LOOSE,
      );
    }
  });

  it("leaves weights and biases that are not constant to the host, and other types", () => {
    const inputs = [random([1, 3, 9], 1), random([3, 3, 3], 2), random([3], 3)];
    expect(runKernels({ operator, inputs, constants: [1] }, compile)).toBeUndefined();
    expect(runKernels({ operator, inputs, constants: [2] }, compile)).toBeUndefined();
    const half = inputs.map((input) => ({ ...input, dtype: "float16" as const }));
    expect(runKernels({ operator, inputs: half, constants: [1, 2] }, compile)).toBeUndefined();
    const activation = { name: "Gelu", alpha: 0, beta: 0 };
    expect(runKernels({ operator, inputs, constants: [1, 2], activation }, compile)).toBeUndefined();
  });
});
