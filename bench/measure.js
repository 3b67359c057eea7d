/** Timing of one call inside one process. */

/** A sample is at least this long, so that the clock's own cost (about 0.05 us) does not count. */
const SAMPLE_MS = 1;
const LEAST_SAMPLES = 3;

/**
 * Times `call`, synchronous or not. Warms up first: V8 compiles wasm and JavaScript anew while they run.
 * @returns the median time of a call in us, the number of calls, and the share of a core that the process had while it
 *   was timed: below 1 something else ran there.
 */
export async function measure(call, { warmupMs, measureMs }) {
  const repeat = call() instanceof Promise ? repeatAsync : repeatSync;
  let calls = 1;
  let took = 0;
  const warmupEnd = performance.now() + warmupMs;
  do {
    took = await repeat(call, calls);
    if (took < SAMPLE_MS) calls = Math.ceil(calls * Math.min(10, Math.max(1.2, SAMPLE_MS / took)));
  } while (performance.now() < warmupEnd || took < SAMPLE_MS);

  const samples = [];
  const cpuBegin = process.cpuUsage();
  const begin = performance.now();
  do {
    samples.push((await repeat(call, calls)) / calls);
  } while (performance.now() < begin + measureMs || samples.length < LEAST_SAMPLES);
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBegin);
  return {
    us: median(samples) * 1000,
    calls: calls * samples.length,
    coreShare: (user + system) / 1000 / wall,
  };
}

function repeatSync(call, calls) {
  const begin = performance.now();
  for (let at = 0; at < calls; at++) call();
  return performance.now() - begin;
}

async function repeatAsync(call, calls) {
  const begin = performance.now();
  for (let at = 0; at < calls; at++) await call();
  return performance.now() - begin;
}

export function median(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
