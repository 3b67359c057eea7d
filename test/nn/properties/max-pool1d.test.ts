/** Max pooling against its definition. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maxPool1d, Tensor } from "../../../src/index.js";
import { seed } from "../../support/properties.js";
import { unmodified } from "../../support/tensors.js";

describe("maxPool1d", () => {
  it("is its definition whatever the options", () => {
    const drawn = fc.record({
      rows: fc.integer({ min: 1, max: 35 }),
      kernelSize: fc.integer({ min: 1, max: 7 }),
      stride: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      dilation: fc.integer({ min: 1, max: 4 }),
      ceilMode: fc.boolean(),
      extra: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 500, max: 1100 })),
    });
    fc.assert(
      fc.property(drawn, seed, ({ rows, part, extra, ...rest }, from) => {
        const { kernelSize, stride = kernelSize, dilation, ceilMode } = rest;
        const padding = Math.floor((part * kernelSize) / 2);
        const reach = dilation * (kernelSize - 1) + 1;
        const length = Math.max(1, reach - 2 * padding) + extra;
        const input = Tensor.randn([rows, length], from);
        const output = unmodified([input], () => maxPool1d(input, { ...rest, padding }));
        const expected: number[] = [];
        for (let row = 0; row < rows; row++) {
          for (let begin = -padding; ; begin += stride) {
            const fits = begin + reach <= length + padding;
            if (!fits && !(ceilMode && begin < length && begin - stride + reach < length + padding)) break;
            let largest = Number.NEGATIVE_INFINITY;
            for (let tap = 0; tap < kernelSize; tap++) {
              const at = begin + tap * dilation;
              if (at >= 0 && at < length) largest = Math.max(largest, input.data[row * length + at]!);
            }
            expected.push(largest);
          }
        }
        expect(Array.from(output.data)).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
