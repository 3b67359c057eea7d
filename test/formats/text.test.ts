import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/formats/bytes.js";
import { parseJson } from "../../src/formats/json.js";
import { decodeUtf8 } from "../../src/formats/utf8.js";

const NATIVE = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text, or undefined where the decoder refuses. */
function attempt(decode: () => string): string | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

describe("decodeUtf8", () => {
  it("agrees with TextDecoder on text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 10_000 }), (text) => {
        expect(decodeUtf8(new TextEncoder().encode(text), "x")).toBe(text);
      }),
    );
  });

  it("agrees with TextDecoder on which bytes are text", () => {
    // Mostly lead and continuation bytes at the edges of their ranges, where refusals differ by one.
    const edges = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4,
      0xf5, 0xff,
    ];
    const bytes = fc.array(fc.constantFrom(...edges), { maxLength: 5 });
    fc.assert(
      fc.property(bytes, (list) => {
        const encoded = Uint8Array.from(list);
        expect(attempt(() => decodeUtf8(encoded, "x"))).toBe(attempt(() => NATIVE.decode(encoded)));
      }),
      { numRuns: 20_000 },
    );
  });

  it("says where bytes stop being text", () => {
    expect(() => decodeUtf8(Uint8Array.of(65, 0xc3, 0x28), "name")).toThrow(
      new FormatError("name: byte 1 is not valid UTF-8"),
    );
  });
});

describe("parseJson", () => {
  it("gives what JSON.parse gives", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseJson(text, "x")).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"a":1,"a":2}', 'x: key "a" occurs twice'],
    ['{"a":{"b":1,"c":[{}],"b":2}}', 'x: key "b" occurs twice'],
    ['{"a":1,"\\u0061":2}', 'x: key "a" occurs twice'],
    [`{"a":1,"a"${" ".repeat(100)}:2}`, 'x: key "a" occurs twice'],
    ["[".repeat(65), "x: nests deeper than 64"],
    ["[".repeat(1_000_000), "x: nests deeper than 64"],
    ['{"a":'.repeat(65), "x: nests deeper than 64"],
    ['{"a":1,}', "x: not valid JSON: "],
    ['"', "x: not valid JSON: "],
    ["", "x: not valid JSON: "],
  ])("refuses %j", (text, message) => {
    expect(() => parseJson(text, "x")).toThrow(FormatError);
    expect(() => parseJson(text, "x")).toThrow(message);
  });

  it("allows equal keys in different objects and equal strings in one", () => {
    expect(parseJson('[{"a":"a","b":["a","a"]},{"a":1}]', "x")).toEqual([
      { a: "a", b: ["a", "a"] },
      { a: 1 },
    ]);
  });
});
