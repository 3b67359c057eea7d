/** The comparison of two revisions: its statistics on fixed numbers, and the arguments that bench/ab.js refuses. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// @ts-expect-error JavaScript without types
const { medianInterval, pairedRatio } = await import("../../bench/statistics.js");

const COMMAND = fileURLToPath(new URL("../../bench/ab.js", import.meta.url));

/** 1 to `count`, in another order. */
const shuffled = (count: number) => Array.from({ length: count }, (_, at) => 1 + ((at * 7) % count));

/** Pairs with an old time of 10 us and these ratios. */
const pairs = (ratios: number[]) => ratios.map((ratio) => ({ oldUs: 10, newUs: 10 * ratio }));

describe("medianInterval", () => {
  // Ranks and coverages of the sign test's tables.
  it.each([
    [1, 1, 1, 1, 0],
    [3, 2, 1, 3, 0.75],
    [5, 3, 1, 5, 0.9375],
    [6, 3.5, 1, 6, 0.96875],
    [8, 4.5, 1, 8, 0.9921875],
    [9, 5, 2, 8, 0.9609375],
    [15, 8, 4, 12, 0.96484375],
    [20, 10.5, 6, 15, 0.958610535],
    [25, 13, 8, 18, 0.956714749],
  ])("of %i numbers", (count, median, low, high, coverage) => {
    const found = medianInterval(shuffled(count));
    expect(found).toMatchObject({ median, low, high });
    expect(found.coverage).toBeCloseTo(coverage, 8);
  });
});

describe("pairedRatio", () => {
  it("takes the median of the ratios, not the ratio of the medians", () => {
    const found = pairedRatio([
      { oldUs: 10, newUs: 20 },
      { oldUs: 20, newUs: 20 },
      { oldUs: 40, newUs: 20 },
      { oldUs: 80, newUs: 20 },
      { oldUs: 10, newUs: 30 },
    ]);
    expect(found).toMatchObject({ oldUs: 20, newUs: 20, ratio: 1, low: 0.25, high: 3, verdict: "" });
  });

  it.each([
    ["slower", "all above 1.01", [1.02, 1.02, 1.03, 1.03, 1.04, 1.05]],
    ["faster", "all below 0.99", [0.95, 0.96, 0.97, 0.97, 0.98, 0.98]],
    ["", "an interval with 1", [0.99, 1.02, 1.03, 1.03, 1.04, 1.05]],
    ["", "a median of at most 1.01", [1.001, 1.002, 1.009, 1.01, 1.04, 1.05]],
    ["", "too few for an interval of 95 %", [1.02, 1.02, 1.03, 1.03, 1.04]],
  ])("says '%s' of %s", (verdict, _, ratios) => {
    expect(pairedRatio(pairs(ratios)).verdict).toBe(verdict);
  });
});

describe("bench/ab.js", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8" });

  it.each([
    ["expected one REVISION or --dist FOLDER, got neither", []],
    ["expected one REVISION or --dist FOLDER, got HEAD HEAD~1", ["HEAD", "HEAD~1"]],
    ["expected one REVISION or --dist FOLDER, got HEAD --dist dist", ["HEAD", "--dist", "dist"]],
    ["REVISION: expected a commit of this repository, got no-such-name", ["no-such-name"]],
    ["--dist: expected a folder with index.js, got no/such", ["--dist", "no/such"]],
    ["--rounds: expected an integer of at least 1, got 0", ["HEAD", "--rounds", "0"]],
    ["--rounds: expected an integer of at least 1, got 1.5", ["HEAD", "--rounds", "1.5"]],
    ["--core: expected an integer of at least 0, got x", ["HEAD", "--core", "x"]],
    ["--build: expected relaxed, baseline or both, got fast", ["HEAD", "--build", "fast"]],
    ["--clock: expected wall or cpu, got sun", ["HEAD", "--clock", "sun"]],
    ["--case: expected one of step-1x40", ["HEAD", "--case", "step"]],
    ["Unknown option '--speed'", ["HEAD", "--speed"]],
  ])("refuses: %s", (message, args) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  it("tells its options", () => {
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    expect(stdout).toContain("npm run bench:ab -- REVISION");
  });
});
