import { expect, it } from "vitest";
import { bfloat16ToFloat32, float16ToFloat32 } from "../../src/formats/half.js";

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

/** The value by the definition of the format, in float64. */
function definition(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const most = 2 ** exponentBits - 1;
  const exponent = (bits >> fractionBits) & most;
  const fraction = (bits % 2 ** fractionBits) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === most) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

it.each([
  ["float16", float16ToFloat32, 5, 10],
  ["bfloat16", bfloat16ToFloat32, 8, 7],
] as const)("converts every %s exactly", (_, convert, exponentBits, fractionBits) => {
  const converted = convert(ALL);
  const wrong = [...ALL].filter(
    (bits) => !Object.is(converted[bits], definition(bits, exponentBits, fractionBits)),
  );
  expect(wrong).toEqual([]);
});
