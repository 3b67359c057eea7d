/** Our inflate beside Node's: the same numbers of what is right, and an error for what is wrong. */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { inflateExactly } from "../../src/formats/inflate.js";
import { Tensor } from "../../src/tensor/tensor.js";

const noise = (length: number, seed: number) =>
  Uint8Array.from(Tensor.randn([length], seed).data, (value) => value * 40);
const CONTENTS: Record<string, Uint8Array> = {
  nothing: new Uint8Array(),
  "one byte": Uint8Array.of(7),
  zeros: new Uint8Array(100_000),
  noise: noise(70_000, 1),
  floats: new Uint8Array(Tensor.randn([20_000], 2).data.buffer),
  text: new TextEncoder().encode("lstm.weight_ih_l0 ".repeat(3000)),
  "all there is": Uint8Array.from({ length: 50_000 }, (_, at) => (at % 300 < 200 ? at * at : at >> 8)),
  // Few symbols far more frequent than others: codes of 15 bits.
  skewed: Uint8Array.from({ length: 66_000 }, (_, at) => 31 - Math.clz32((at * 2654435761) >>> 15 || 1)),
};
const WAYS = {
  stored: { level: 0 },
  fast: { level: 1 },
  best: { level: 9 },
  "without matches": { strategy: constants.Z_HUFFMAN_ONLY },
  "in fixed codes": { strategy: constants.Z_FIXED },
  runs: { strategy: constants.Z_RLE },
};

describe("inflateExactly", () => {
  it.each(Object.keys(CONTENTS))("gives what was deflated: %s", (name) => {
    const content = CONTENTS[name]!;
    for (const way of Object.values(WAYS)) {
      const got = inflateExactly(deflateRawSync(content, way), content.length, "it");
      expect(Buffer.compare(got, content)).toBe(0);
    }
  });

  it("passes over what follows the last block", () => {
    const deflated = Buffer.concat([deflateRawSync(CONTENTS.text!), Buffer.alloc(9, 255)]);
    expect(Buffer.compare(inflateExactly(deflated, CONTENTS.text!.length, "it"), CONTENTS.text!)).toBe(0);
  });

  it("refuses data that end anywhere else", () => {
    const content = noise(300, 3);
    for (const way of Object.values(WAYS)) {
      const deflated = deflateRawSync(content, way);
      for (let end = 1; end < deflated.length; end++) {
        expect(() => inflateExactly(deflated.subarray(0, end), 300, "it")).toThrow(
          "it does not inflate: the data are cut off",
        );
      }
    }
  });

  it("refuses one byte too many and one too few", () => {
    for (const content of Object.values(CONTENTS)) {
      if (content.length === 0) continue;
      for (const way of Object.values(WAYS)) {
        const deflated = deflateRawSync(content, way);
        const { length } = content;
        expect(() => inflateExactly(deflated, length - 1, "it")).toThrow(
          `it inflates to more than the ${length - 1} bytes it states`,
        );
        if (length < 1000 * deflated.length) {
          expect(() => inflateExactly(deflated, length + 1, "it")).toThrow(
            `it inflates to ${length} bytes, but states ${length + 1}`,
          );
        }
      }
    }
  });

  it("agrees with Node about data of which bits are changed", () => {
    const next = (limit: number) => Math.floor(Math.abs(random[at++ % random.length]! * 1e6)) % limit;
    const random = Tensor.randn([99_991], 4).data;
    let at = 0;
    let [right, wrong] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const content = noise(1 + next(120), round);
      const ways = Object.values(WAYS);
      const deflated = deflateRawSync(content, ways[next(ways.length)]!);
      for (let change = next(4); change >= 0; change--) deflated[next(deflated.length)]! ^= 1 << next(8);
      let expected: Uint8Array | undefined;
      try {
        expected = inflateRawSync(deflated);
      } catch {
        expect(() => inflateExactly(deflated, content.length, "it")).toThrow(FormatError);
        wrong++;
        continue;
      }
      expect(Buffer.compare(inflateExactly(deflated, expected.length, "it"), expected)).toBe(0);
      right++;
    }
    expect(Math.min(right, wrong)).toBeGreaterThan(250);
  });

  it.each<[string, number[], string]>([
    ["a block of the fourth kind", [0b111], "a block of no known kind"],
    ["a stored block of two lengths", [0b001, 1, 0, 1, 0, 0], "a stored block of two lengths"],
    ["a distance to before the data", [0x4b, 0x04, 0x42, 0x00], "a distance to before the data"],
    ["one byte that begins a block", [0b101], "the data are cut off"],
  ])("names %s", (_, data, problem) => {
    expect(() => inflateExactly(Uint8Array.from(data), 4, "it")).toThrow(`it does not inflate: ${problem}`);
  });
});
