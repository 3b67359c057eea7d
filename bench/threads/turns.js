/**
 * A process of one round: ours on one thread, on several, and the ceiling, call by call in turns. Calls shorter than a
 * millisecond are made in a row that takes one. An untimed call comes before, so that workers are awake as those of the
 * ceiling are; and a call by itself tells what it takes to wake them.
 */
import { initThreads } from "../../dist/threads/index.js";
import { median } from "../measure.js";
import { threadCase } from "./cases.js";
import { independents } from "./independent.js";
import { callsOf, createSubject, expectSame, repeat, rest } from "./subject.js";

/**
 * Of batch-256 three turns took 600 ms. By the medians of three its rounds said 0.79 to 1.49, and those that said more were void
 * more often: a ceiling is low by chance as well.
 */
const LEAST_TURNS = 9;
const WARMUP_TURNS = 3;

export default async function turns({ caseName, path, threads, warmupMs, measureMs }) {
  const one = await createSubject(caseName, path);
  const found = await initThreads({ threads });
  if (found.threads !== threads) {
    throw new Error(`initThreads: expected ${threads} threads, got ${found.threads}: ${found.reason}`);
  }
  const many = await createSubject(caseName, path);
  expectSame(one, many);
  const variants = {
    oneUs: (calls) => inRow(one.call, calls),
    manyUs: (calls) => inRow(many.call, calls),
  };
  if (threads > 1 && threadCase(caseName).alone === undefined) {
    // A sample stands for so many calls.
    variants.asleepUs = (calls) => calls * repeat(many.call, 1);
    const together = await independents(threads, caseName, path);
    variants.togetherUs = (calls) => together(one.call, calls);
  }
  timeTurns(variants, callsOf(one.call), warmupMs, WARMUP_TURNS);
  return timeTurns(variants, callsOf(one.call), measureMs, LEAST_TURNS);
}

function inRow(call, calls) {
  call();
  return repeat(call, calls);
}

/** The median us of a call by each way, of so many turns at least. Another begins at each turn. */
function timeTurns(variants, calls, ms, leastTurns) {
  const names = Object.keys(variants);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const begin = performance.now();
  for (let turn = 0; turn < leastTurns || performance.now() - begin < ms; turn++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(turn + at) % names.length];
      rest();
      samples[name].push((1000 * variants[name](calls)) / calls);
    }
  }
  return {
    calls,
    turns: samples.oneUs.length,
    ...Object.fromEntries(names.map((name) => [name, median(samples[name])])),
  };
}
