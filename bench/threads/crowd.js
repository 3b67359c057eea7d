/** Calls where there are more threads than free cores: rows of calls on one thread and on several in turn. */
import { initThreads } from "../../dist/threads/index.js";
import { median } from "../measure.js";
import { createSubject, expectSame, rest } from "./subject.js";

/** In a row workers stay awake, and both ways see the same minutes. What a pool learns of its calls outlasts a row. */
const ROW_MS = 20;
const LEAST_CALLS = 2;
const LEAST_ROWS = 2;

/** @param {{ threads?: number }} job  as initThreads takes it */
export default async function crowd({ caseName, threads, warmupMs, measureMs }) {
  const one = await createSubject(caseName);
  const found = await initThreads({ threads });
  const many = await createSubject(caseName);
  expectSame(one, many);
  rows(one, many, warmupMs);
  return { ...found, ...rows(one, many, measureMs) };
}

function rows(one, many, ms) {
  const samples = { one: [], many: [] };
  const begin = performance.now();
  for (let row = 0; row < LEAST_ROWS || performance.now() - begin < ms; row++) {
    for (const [name, { call }] of Object.entries({ one, many })) {
      rest();
      const rowBegin = performance.now();
      for (let at = 0; at < LEAST_CALLS || performance.now() - rowBegin < ROW_MS; at++) {
        const from = performance.now();
        call();
        samples[name].push((performance.now() - from) * 1000);
      }
    }
  }
  return { one: middles(samples.one), many: middles(samples.many) };
}

function middles(us) {
  return { median: median(us), mean: us.reduce((sum, one) => sum + one) / us.length };
}
