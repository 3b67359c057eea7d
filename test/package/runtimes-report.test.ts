/** What npm run test:runtimes makes of an engine's answer: nothing but the expected bits, or the expected error, passes. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

// @ts-expect-error JavaScript without types
const { judge, staleRows, withTable } = await import("../runtimes/report.js");

const report = {
  passed: 2,
  models: 3,
  failures: [],
  leftOut: [],
  checksums: { a: "1", b: "2" },
  builds: { default: "relaxed-simd", deterministic: "simd" },
  threads: { threads: 2 },
};
const one = { threads: 1, reason: "this page is not isolated: serve it so" };
const verdict = (row: object): [boolean, string] => {
  const [{ passed, result }] = judge([{ threads: 2, ...row }], { a: "1", b: "2" });
  return [passed, result];
};

describe("judge", () => {
  it("passes a full report with the expected bits, and says what was left out", () => {
    expect(verdict({ report })).toEqual([true, "2 golden cases, 3 models, same bits"]);
    const without = { ...report, passed: 1, leftOut: ["b"], checksums: { a: "1" } };
    expect(verdict({ report: without })).toEqual([
      true,
      "1 golden cases, 3 models, same bits; without 1 on subnormal numbers",
    ]);
  });

  it.each([
    ["an engine that did not start", { notRun: "no such file\nstack" }, "not run: no such file"],
    ["an error", { report: { error: "TypeError: x\nstack" } }, "failed: TypeError: x"],
    ["a wrong case", { report: { ...report, failures: ["a hN"] } }, "failed: 1 cases, a hN"],
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
    [
      "one thread for two",
      { report: { ...report, threads: one } },
      "failed: threads: expected 2, got 1: this page is not isolated",
    ],
    [
      "two threads for one",
      { threads: "not isolated", report },
      "failed: threads: expected not isolated, got 2",
    ],
    [
      "one thread for another reason",
      { threads: "no Worker", report: { ...report, threads: one } },
      "failed: threads: expected no Worker, got 1: this page is not isolated",
    ],
    [
      "no word of threads",
      { report: { ...report, threads: undefined } },
      "failed: threads: expected 2, got no answer",
    ],
    ["a row that expects none", { threads: undefined, report }, "failed: threads: expected undefined, got 2"],
  ])("does not pass %s", (_, row, result) => {
    expect(verdict(row)).toEqual([false, result]);
  });

  it("passes one thread for the expected reason", () => {
    const passed = [true, "2 golden cases, 3 models, same bits"];
    expect(verdict({ threads: "not isolated", report: { ...report, threads: one } })).toEqual(passed);
  });

  it("passes pages that were asked for threads alone", () => {
    expect(verdict({ report: { threads: { threads: 2 } } })).toEqual([true, "same bits"]);
  });

  it("passes the expected error", () => {
    const row = { refusal: "allow x", report: { refusal: "Error: allow x" } };
    expect(verdict(row)).toEqual([true, "an error: allow x"]);
  });
});

describe("the table", () => {
  const runtime = { runtime: "Node.js", version: "24.1", engine: "V8", how: "import", threads: 2 };
  const timings = { step: 5.3 };
  const row = { ...runtime, report: { ...report, timings } };
  const [first] = judge([row], { a: "1", b: "2" });
  const empty = "before\n<!-- table begins -->\nold\n<!-- table ends -->\nafter\n";
  const text = withTable(empty, [first]);

  it("is written between its marks, and is then what was measured", () => {
    expect(text.startsWith("before\n<!-- table begins -->\n\n1 of 1 passed.\n\n| Runtime |")).toBe(true);
    expect(text.endsWith("|\n\n<!-- table ends -->\nafter\n")).toBe(true);
    expect(staleRows(text, [first])).toEqual([]);
    expect(() => withTable("no marks", [first])).toThrow("no place for the table");
  });

  it("stays true with another version, other timings and more cases", () => {
    const later = { ...row, version: "24.2", report: { ...row.report, passed: 9, timings: { step: 900 } } };
    expect(staleRows(text, judge([later], { a: "1", b: "2" }))).toEqual([]);
  });

  it.each([
    ["another result", [{ ...row, report: { error: "TypeError: x" } }], 2],
    [
      "another build",
      [{ ...row, report: { ...row.report, builds: { default: "simd", deterministic: "simd" } } }],
      2,
    ],
    ["other threads", [{ ...row, threads: "isolated", report: { ...row.report, threads: one } }], 2],
    ["another runtime", [{ ...row, runtime: "Deno" }], 2],
    ["another use", [{ ...row, how: "require" }], 2],
    ["one more", [row, row], 1],
    ["none", [], 1],
  ])("is stale with %s", (_, rows, lines) => {
    expect(staleRows(text, judge(rows, { a: "1", b: "2" })).length).toBe(lines);
  });

  it("of README.md has as many rows as it says", () => {
    const readme = readFileSync(new URL("../runtimes/README.md", import.meta.url), "utf8");
    const [, passed, all] = /(\d+) of (\d+) passed/.exec(readme)!;
    expect([passed, staleRows(readme, []).length]).toEqual([all, Number(all)]);
  });
});
