/** How many threads are found to run at once, on machines of which a simulation knows what they have. */
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runningAtOnce } from "../../src/threads/pace.js";

afterEach(() => vi.restoreAllMocks());

/** A step takes so many ms, and a thread runs for SLICE before another one takes its core. */
const STEP = 0.04;
const SLICE = 3;

interface Machine {
  readonly threads: number;
  readonly cores: number;
  /** Of a container: cores in the mean, over a period of so many ms; and how much of a period is over. */
  readonly share?: number;
  readonly period?: number;
  readonly over?: number;
  /** The part of each 100 ms in which nobody gets a core, by an accident of its own length. */
  readonly accidents?: readonly (readonly [from: number, to: number])[];
}

/** What counts on such a machine, whose clock is the process's until mocks are restored. */
function countOn({ threads, cores, share, period = 100, over = 0, accidents = [] }: Machine) {
  let tick = 0;
  let steps = 0;
  let budget = (share ?? 0) * period;
  vi.spyOn(performance, "now").mockImplementation(() => 5 + tick * STEP);
  /** Whether the caller, thread 0, has run. */
  const advance = () => {
    const now = tick * STEP;
    tick++;
    if ((now + over) % period < STEP) budget = (share ?? 0) * period;
    const isOut = share !== undefined && budget <= 0;
    if (isOut || accidents.some(([from, to]) => now >= from && now < to)) return false;
    const running = Math.min(threads, cores);
    budget -= running * STEP;
    steps += running;
    // Cores go round.
    const first = (Math.floor(now / SLICE) * running) % threads;
    return (threads - first) % threads < running;
  };
  return (own: number) => {
    for (let left = own; left > 0; ) if (advance()) left--;
    return steps;
  };
}

describe("as many are found as", () => {
  it.each([
    { threads: 2, cores: 2, found: 2 },
    { threads: 8, cores: 8, found: 8 },
    { threads: 2, cores: 1, found: 1 },
    { threads: 4, cores: 1, found: 1 },
    { threads: 8, cores: 2, found: 2 },
    { threads: 8, cores: 5, found: 5 },
  ])("cores: $found of $threads on $cores", ({ found, ...machine }) => {
    for (const isPatient of [true, false]) {
      expect(runningAtOnce(countOn(machine), isPatient)).toBe(found);
      vi.restoreAllMocks();
    }
  });

  it.each([
    { threads: 2, cores: 2, share: 1, found: 1 },
    { threads: 2, cores: 2, share: 0.5, found: 1 },
    { threads: 8, cores: 8, share: 2, found: 2 },
    { threads: 8, cores: 64, share: 4, found: 4 },
    { threads: 4, cores: 4, share: 1, period: 20, found: 1 },
  ])("a container has: $found of $threads, with $share of $cores cores", ({ found, ...machine }) => {
    for (let over = 0; over < 100; over += 7) {
      expect(runningAtOnce(countOn({ ...machine, over }), true), `${over} ms over`).toBe(found);
      vi.restoreAllMocks();
    }
  });

  it("run when they are not held up", () => {
    const accidents = [
      [10, 30],
      [40, 90],
      [100, 125],
    ] as const;
    expect(runningAtOnce(countOn({ threads: 4, cores: 4, accidents }), true)).toBe(4);
  });
});

/** As if in a container that says it has four cores: Linux's way to keep a process on one. */
it.skipIf(process.platform !== "linux")(
  "initThreads takes no more by default than a core has room for",
  () => {
    const program = `
    import { initThreads } from "lstm-wasm/threads";
    const original = process.getBuiltinModule;
    process.getBuiltinModule = (name) => name === "node:os" ? { availableParallelism: () => 4 } : original(name);
    console.log(JSON.stringify(await initThreads()));`;
    const flags = ["-c", "0", process.execPath, "--input-type=module", "--eval", program];
    const found = execFileSync("taskset", flags, { encoding: "utf8" });
    expect(JSON.parse(found)).toEqual({
      threads: 1,
      reason: "of 4 threads 1 ran at once: the others have no core",
    });
  },
);
