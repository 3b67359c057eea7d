/** What npm run test:runtimes makes of an engine's answer: nothing but the expected bits, or the expected error, passes. */
import { describe, expect, it } from "vitest";

// @ts-expect-error JavaScript without types
const { judge } = await import("../runtimes/report.js");

const report = {
  passed: 2,
  failures: [],
  leftOut: [],
  checksums: { a: "1", b: "2" },
  builds: { default: "relaxed-simd", deterministic: "simd" },
};
const verdict = (row: object): [boolean, string] => {
  const [{ passed, result }] = judge([row], { a: "1", b: "2" });
  return [passed, result];
};

describe("judge", () => {
  it("passes a full report with the expected bits, and says what was left out", () => {
    expect(verdict({ report })).toEqual([true, "2 golden cases, same bits"]);
    const without = { ...report, passed: 1, leftOut: ["b"], checksums: { a: "1" } };
    expect(verdict({ report: without })).toEqual([
      true,
      "1 golden cases, same bits; without 1 on subnormal numbers",
    ]);
  });

  it.each([
    ["an engine that did not start", { notRun: "no such file\nstack" }, "not run: no such file"],
    ["an error", { report: { error: "TypeError: x\nstack" } }, "failed: TypeError: x"],
    ["a wrong case", { report: { ...report, failures: ["a hN"] } }, "failed: 1 golden cases, a hN"],
    [
      "other bits",
      { report: { ...report, checksums: { a: "1", b: "3" } } },
      "failed: other bits in 1 of 2, b",
    ],
    ["missing bits", { report: { ...report, checksums: { a: "1" } } }, "failed: other bits in 1 of 2, b"],
    [
      "the relaxed build in deterministic mode",
      { report: { ...report, builds: { default: "relaxed-simd", deterministic: "relaxed-simd" } } },
      "failed: deterministic mode ran the build relaxed-simd",
    ],
    ["another error than the expected", { refusal: "allow x", report: { refusal: "no" } }, "failed: no"],
    ["no error where one is expected", { refusal: "allow x", report }, "failed: no error"],
  ])("does not pass %s", (_, row, result) => {
    expect(verdict(row)).toEqual([false, result]);
  });

  it("passes the expected error", () => {
    const row = { refusal: "allow x", report: { refusal: "Error: allow x" } };
    expect(verdict(row)).toEqual([true, "an error: allow x"]);
  });
});
