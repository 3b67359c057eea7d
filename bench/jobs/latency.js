/**
 * Percentiles of the latency of a stream step, in us. Each step is timed by itself, and the clock's cost is
 * included.
 */
import { caseNamed } from "../cases.js";
import { createPeer } from "../peers/index.js";

const WARMUP_MS = 500;

export default async function latency({ caseName, peer, steps }) {
  const { call } = await createPeer(peer, caseNamed(caseName));
  const times = new Float64Array(steps);
  // The same function warms up as measures, so that it is compiled by then.
  const warmup = new Float64Array(1000);
  const first = call();
  const take = first instanceof Promise ? takeAsync : takeSync;
  await first;
  for (const end = performance.now() + WARMUP_MS; performance.now() < end; ) await take(call, warmup);
  await take(call, times);
  times.sort();
  const at = (share) => times[Math.min(steps - 1, Math.floor(share * steps))] * 1000;
  return { steps, p50: at(0.5), p99: at(0.99), p999: at(0.999), largest: times[steps - 1] * 1000 };
}

function takeSync(call, times) {
  for (let at = 0; at < times.length; at++) {
    const begin = performance.now();
    call();
    times[at] = performance.now() - begin;
  }
}

async function takeAsync(call, times) {
  for (let at = 0; at < times.length; at++) {
    const begin = performance.now();
    await call();
    times[at] = performance.now() - begin;
  }
}
