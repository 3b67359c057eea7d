/** The benchmark of threads: its figures on fixed numbers, its section, the model's tables, and what it refuses. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const bench = new URL("../../bench/", import.meta.url);
const load = (name: string) => import(new URL(name, bench).href);
const { caseFigures, crowdFigures, roundFigures, spreadOf, verdict } = await load("threads/figures.js");
const { judged, latencyTable, shareTable, waitingText } = await load("threads/tables.js");
const { withSection } = await load("threads/report.js");
const { callUs, predictions, stepUs } = await load("threads/model.js");

/** Two threads are `faster` times as fast, and two instances at once `ceiling` times. */
const attempt = (faster: number, ceiling: number, more = {}) => ({
  oneUs: 1000,
  manyUs: 1000 / faster,
  togetherUs: 2000 / ceiling,
  ...more,
});

describe("figures of a case", () => {
  it("are shares of the ceiling of the same round", () => {
    const { faster, ceiling, share, counts } = roundFigures(attempt(1.5, 2), 2);
    expect([faster, ceiling, share]).toEqual([1.5, 2, 0.75].map((number) => expect.closeTo(number, 10)));
    expect(counts).toBe(true);
  });

  it.each([
    [1.59, 2, false],
    [1.61, 2, true],
    [3.1, 4, false],
    [3.3, 4, true],
  ])("count with a ceiling of %d on %i threads: %s", (ceiling, threads, counts) => {
    const found = { oneUs: 10, manyUs: 5, togetherUs: (threads * 10) / ceiling };
    expect(roundFigures(found, threads).counts).toBe(counts);
  });

  it("leave void rounds out", () => {
    const found = caseFigures([attempt(1.8, 2), attempt(1, 1), attempt(1.6, 2), attempt(1.7, 2)], 2);
    expect(found).toMatchObject({ isVoid: false, voidRounds: 1, rounds: 4 });
    expect(found.faster.median).toBeCloseTo(1.7, 10);
    expect([found.share.least, found.share.greatest]).toEqual([
      expect.closeTo(0.8, 10),
      expect.closeTo(0.9, 10),
    ]);
  });

  it("are void with more void rounds than others, and then of all", () => {
    const found = caseFigures([attempt(1.8, 2), attempt(1, 1), attempt(1, 1.2)], 2);
    expect(found).toMatchObject({ isVoid: true, voidRounds: 2 });
    expect(found.ceiling.median).toBeCloseTo(1.2, 10);
    expect(verdict(found.isVoid, found.share, 0.1)).toBe("void");
  });

  it("compare with the peer where a round has run it", () => {
    const rounds = [attempt(1.8, 2, { besideUs: 10, webUs: 20 }), attempt(1.8, 2)];
    expect(caseFigures(rounds, 2).web).toEqual({ median: 2, least: 2, greatest: 2 });
    expect(spreadOf([])).toBeUndefined();
  });

  it("of a crowd are the times of several threads over those of one", () => {
    const rounds = [2, 3, 4].map((mean) => ({
      one: { median: 10, mean: 10 },
      many: { median: 9, mean: mean * 10 },
    }));
    expect(crowdFigures(rounds)).toEqual({
      median: { median: 0.9, least: 0.9, greatest: 0.9 },
      mean: { median: 3, least: 2, greatest: 4 },
    });
  });
});

const results = {
  date: "2026-01-01",
  machine: { cpu: "a CPU", cores: 2, caches: [], memoryGiB: 1, system: "a system", load: 0 },
  node: "v24",
  versions: { "onnxruntime-web": "1" },
  settings: { threads: 2, rounds: 1, cores: "0,1" },
  cases: [
    { name: "batch-128", attempts: [attempt(1.9, 2, { besideUs: 10, webUs: 12 })] },
    { name: "sequence-512", attempts: [attempt(1, 1)] },
    { name: "tiny-6x3", attempts: [{ oneUs: 1, manyUs: 1 }] },
    { name: "PyanNet, 1 s", leftOut: "a file" },
  ],
  latency: [0.01, 0.02].map((idleCpu, at) => ({
    idleCpu,
    rows: [0, 1, 10].flatMap((pauseMs) =>
      [1, 2].map((threads) => {
        const cpuUs = 100 + threads * (50 + 10 * at);
        return { pauseMs, threads, steps: 100, p50: 1, p99: 2, p999: 3, cpuUs };
      }),
    ),
  })),
  crowds: [],
  tookSeconds: 1,
};

describe("the report", () => {
  it("says which floors are not reached, and which cases are void", () => {
    const { floors, below, void: voids } = judged(results);
    expect({ floors, below, voids }).toEqual({
      floors: 4,
      below: ["batch-128 to onnxruntime-web"],
      voids: ["sequence-512, share of the ceiling"],
    });
    expect(shareTable(results)[1][1].at(-1)).toBe("1 of 1: void");
  });

  it("has no floors of shares for another number of threads than two", () => {
    expect(judged({ ...results, settings: { threads: 4 } }).floors).toBe(1);
  });

  it("tells what waiting workers cost", () => {
    expect(waitingText(results)).toBe(
      "At a step every 1 ms more threads took 55.0 µs (50.0 µs to 60.0 µs) more of processor time a step, 6 % (5 % to 6 %) of a core;\nin the second after the last step the process took 2 % (1 % to 2 %) of a core.",
    );
    expect(latencyTable(results)[1][0]).toEqual([
      "after another (workers awake)",
      "1",
      "2 x 100",
      "1.00 µs",
      "2.00 µs",
      "3.00 µs",
      "155 µs (150 µs to 160 µs)",
    ]);
  });

  it("takes the place of an older section", () => {
    const page = "# Benchmark\n\n## Size\n\ntext\n\n## Two revisions\n\nmore\n";
    const once = withSection(page, results);
    expect(once).toContain("text\n\n## Several cores\n\n");
    expect(once).toContain("\n\n## Two revisions\n\nmore\n");
    expect(withSection(once, results)).toBe(once);
  });
});

describe("the model", () => {
  it("is in docs/performance.md as it is computed", () => {
    const page = readFileSync(new URL("../docs/performance.md", bench), "utf8");
    for (const table of predictions()) expect(page).toContain(`\n${table}\n`);
  });

  it("takes longer of more units, and no longer on more threads where parts are large", () => {
    for (const hidden of [256, 512, 1024]) {
      expect(stepUs(2 * hidden, 2)).toBeGreaterThan(stepUs(hidden, 2));
      expect(stepUs(hidden, 4)).toBeLessThan(stepUs(hidden, 2));
    }
    expect(stepUs(128, 16)).toBe(stepUs(128, 4));
    const spec = { input: 256, hidden: 256, steps: 100, batch: 32 };
    expect(callUs(spec, 4)).toBeGreaterThan(callUs(spec, 1) / 4);
  });
});

describe.each([
  [
    "threads/run.js",
    [
      ["--threads: expected an integer from 2 to 64, got 1", ["--threads", "1"]],
      ["--rounds: expected an integer from 1 to 1000, got x", ["--rounds", "x"]],
      ["--part: expected one of turns, latency, crowd, got all", ["--part", "all"]],
      ["--case: no case is named none", ["--case", "none"]],
      ["--write: expected a complete run", ["--write", "--case", "batch"]],
      ["Unknown option '--speed'", ["--speed"]],
    ],
  ],
  [
    "run.js",
    [
      ["--threads: expected integers from 1 to 64 with commas between, got 0", ["--threads", "0"]],
      ["--threads: expected integers from 1 to 64 with commas between, got 1,two", ["--threads", "1,two"]],
    ],
  ],
] as [string, [string, string[]][]][])("bench/%s", (name, refused) => {
  it.each(refused)("refuses: %s", (message, args) => {
    const command = fileURLToPath(new URL(name, bench));
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});
