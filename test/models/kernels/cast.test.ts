/** Cast between all types, over numbers that the new type holds and those that it does not. */
import { describe, expect, it } from "vitest";
import type { Data, Dtype } from "../../../src/graph/ir.js";
import { ARRAYS } from "../../../src/graph/ir.js";
import { roundingOf } from "../../../src/graph/rounding.js";
import { compileCast } from "../../../src/models/kernels/cast.js";
import { checkKernels, onHost, runKernels, tensor } from "./harness.js";

const NUMBERED: Readonly<Record<Dtype, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};
const DTYPES = Object.keys(NUMBERED) as Dtype[];

const SMALL = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 127, 128, -129, 255, 256, -300, 1000.5, 0.1, -1e-3];
const LARGE = [65519, 65520, -65536, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 5, 3e9, -7e9, 2 ** 53 - 1, 1e15];
const HUGE = [1e20, -3e25, 2 ** 63, 3.4e38, Infinity, -Infinity, NaN];
const TINY = [
  2 ** -14,
  2 ** -15 * 1.3,
  2 ** -24,
  2 ** -25,
  2 ** -25 * 1.01,
  1e-30,
  1e-45,
  2048.5,
  2049,
  4097,
];

/** Numbers as the type has them. */
function numbersOf(dtype: Dtype, numbers: readonly number[]): Data {
  const round = dtype === "int64" ? Math.trunc : roundingOf(dtype);
  if (dtype === "bool") return Uint8Array.from(numbers, (x) => (x > 0 ? 1 : 0));
  return ARRAYS[dtype].from(round === undefined ? numbers : numbers.map(round));
}

describe.each(DTYPES)("from %s", (from) => {
  it.each(DTYPES)("to %s", (to) => {
    const all = numbersOf(from, [...SMALL, ...LARGE, ...TINY, ...HUGE]);
    const isWhole = from === "int64" || to === "int64";
    const data = isWhole ? all.filter((x) => Number.isSafeInteger(Math.trunc(x))) : all;
    for (const count of [0, 1, 4, 5, data.length]) {
      const input = { dtype: from, shape: [count], data: data.slice(0, count) };
      checkKernels(
        { operator: "Cast", attributes: { to: NUMBERED[to] }, inputs: [input] },
        compileCast,
        // To the bit: what is rounded is rounded once.
        { relative: 0, absolute: 0 },
      );
    }
  });
});

describe("Cast", () => {
  it.each([2 ** 53, -1e30, Infinity, NaN])("refuses a float of %f as int64", (x) => {
    const kernelCase = { operator: "Cast", attributes: { to: 7 }, inputs: [tensor([1, x, 2])] };
    expect(() => onHost(kernelCase)).toThrow("Cast node: a number that an int64 within 2^53 does not hold");
    expect(() => runKernels(kernelCase, compileCast)).toThrow(
      "Cast node: a number that an int64 within 2^53 does not hold",
    );
  });

  it("takes its type from another input as CastLike", () => {
    const inputs = [tensor([1.5, -2.5]), tensor([1], [1], "int32")];
    checkKernels({ operator: "CastLike", inputs }, compileCast);
  });
});
