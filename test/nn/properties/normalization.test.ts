/** Normalisation against its definition in float64, and rows to the bit. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupNorm, LayerNorm, Tensor } from "../../../src/index.js";
import { RUNS, seed, size } from "../../support/properties.js";
import { expectSameBits, reshape, take, unmodified } from "../../support/tensors.js";

/** Numbers `away` from zero. */
function shifted(shape: readonly number[], from: number, away: number): Tensor {
  const { data } = Tensor.randn(shape, from);
  return new Tensor(
    data.map((x) => x + away),
    shape,
  );
}

/** The definition, for one row and the place of its weights. */
function naive(
  row: Float32Array,
  weightOf: (at: number) => number,
  biasOf: (at: number) => number,
): number[] {
  const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
  const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
  return Array.from(row, (x, at) => ((x - mean) / Math.sqrt(variance + 1e-5)) * weightOf(at) + biasOf(at));
}

/** Float64 arithmetic is rounded once: half a unit in the last place. */
function expectRounded(actual: Float32Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const wrong = expected.findIndex((x, at) => Math.abs(actual[at]! - x) > Math.abs(x) * 6e-8 + 1e-11);
  expect(wrong < 0 ? undefined : [wrong, actual[wrong], expected[wrong]]).toBeUndefined();
}

const away = fc.constantFrom(0, 1, 1000);

describe("LayerNorm", () => {
  it("is its definition, rounded once, each row alone as in the batch", () => {
    const rows = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1000, max: 1100 }));
    fc.assert(
      fc.property(size, rows, seed, away, (width, count, from, shift) => {
        using norm = new LayerNorm({ normalizedShape: width });
        const [weight, bias] = [Tensor.randn([width], from + 1), Tensor.randn([width], from + 2)];
        norm.loadStateDict({ weight, bias });
        const input = shifted([count, width], from, shift);
        const output = unmodified([input], () => norm.forward(input));
        for (const row of [0, count >> 1, count - 1]) {
          const one = take(input, 0, [row]);
          const expected = naive(
            one.data,
            (at) => weight.data[at]!,
            (at) => bias.data[at]!,
          );
          expectRounded(take(output, 0, [row]).data, expected);
          expectSameBits(norm.forward(reshape(one, [width])), reshape(take(output, 0, [row]), [width]));
        }
      }),
      RUNS,
    );
  });
});

describe("GroupNorm", () => {
  it("is its definition, rounded once, each row alone as in the batch", () => {
    const drawn = fc.record({
      groups: fc.integer({ min: 1, max: 4 }),
      channels: fc.integer({ min: 1, max: 4 }),
      width: fc.oneof(size, fc.constant(4999)),
      count: fc.integer({ min: 2, max: 9 }),
    });
    fc.assert(
      fc.property(drawn, seed, away, ({ groups, channels, width, count }, from, shift) => {
        const numChannels = groups * channels;
        using norm = new GroupNorm({ numGroups: groups, numChannels });
        const [weight, bias] = [Tensor.randn([numChannels], from + 1), Tensor.randn([numChannels], from + 2)];
        norm.loadStateDict({ weight, bias });
        const input = shifted([count, numChannels, width], from, shift);
        const output = unmodified([input], () => norm.forward(input));
        const length = channels * width;
        for (const [row, group] of [
          [0, 0],
          [count - 1, groups - 1],
        ] as const) {
          const begin = (row * groups + group) * length;
          const channelOf = (at: number) => group * channels + Math.floor(at / width);
          const expected = naive(
            input.data.subarray(begin, begin + length),
            (at) => weight.data[channelOf(at)]!,
            (at) => bias.data[channelOf(at)]!,
          );
          expectRounded(output.data.subarray(begin, begin + length), expected);
        }
        if (length > 1) expectSameBits(norm.forward(take(input, 0, [1])), take(output, 0, [1]));
        expectSameBits(
          norm.forward(reshape(input, [...input.shape, 1])),
          reshape(output, [...input.shape, 1]),
        );
      }),
      RUNS,
    );
  });
});
