/**
 * Latency and processor time of a stream's step on one thread and on several: step after step, so that workers are awake,
 * and with pauses in which the whole process sleeps, as between blocks of sound.
 */
import { initThreads } from "../../dist/threads/index.js";
import { LATENCY_CASE } from "./cases.js";
import { createSubject, expectSame } from "./subject.js";

/** Pauses in ms, with how many steps are timed and how many of a way in a row. */
const PAUSES = [
  { pauseMs: 0, steps: 20_000, row: 1000 },
  { pauseMs: 1, steps: 5000, row: 250 },
  { pauseMs: 10, steps: 1000, row: 100 },
];
const UNTIMED = 20;
const word = new Int32Array(new SharedArrayBuffer(4));

export default async function latency({ threads, part }) {
  const one = await createSubject(LATENCY_CASE);
  await initThreads({ threads });
  const many = await createSubject(LATENCY_CASE);
  expectSame(one, many);
  for (let step = 0; step < 5 * UNTIMED; step++) for (const { call } of [one, many]) call();
  const rows = [];
  for (const { pauseMs, steps, row } of PAUSES) {
    const ways = [
      { threads: 1, call: one.call, times: [], cpuUs: 0 },
      { threads, call: many.call, times: [], cpuUs: 0 },
    ];
    const timed = Math.ceil(steps * part);
    while (ways[0].times.length < timed) {
      for (const way of ways) {
        for (let step = 0; step < UNTIMED; step++) way.call();
        const before = process.cpuUsage();
        for (let step = 0; step < Math.min(row, timed); step++) takeStep(way, pauseMs);
        const { user, system } = process.cpuUsage(before);
        way.cpuUs += user + system;
        // The workers of this row sleep before the next begins.
        sleep(5);
      }
    }
    rows.push(...ways.map((way) => ({ pauseMs, ...percentiles(way) })));
  }
  const before = process.cpuUsage();
  sleep(1000);
  const { user, system } = process.cpuUsage(before);
  return { rows, idleCpu: (user + system) / 1e6 };
}

function takeStep({ call, times }, pauseMs) {
  if (pauseMs > 0) sleep(pauseMs);
  const begin = performance.now();
  call();
  times.push(performance.now() - begin);
}

function sleep(ms) {
  Atomics.wait(word, 0, 0, ms);
}

function percentiles({ threads, times, cpuUs }) {
  const sorted = Float64Array.from(times).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] * 1000;
  return {
    threads,
    steps: times.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    cpuUs: cpuUs / times.length,
  };
}
