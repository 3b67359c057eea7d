/** Timing of one call inside one process. */

/** A sample is at least this long, so that the clock's own cost (about 0.05 us) does not count. */
const SAMPLE_MS = 1;
const LEAST_SAMPLES = 3;
/**
 * The warm-up ends after so many windows in a row that are not faster by 2 %, at the latest after four times
 * its least time.
 */
const STEADY_WINDOWS = 3;
const LONGEST_WARMUP = 4;
const WINDOW_MS = 40;

/**
 * Times `call`, synchronous or not.
 *
 * It warms up for at least `warmupMs` and until it gets no faster. V8 compiles wasm and JavaScript anew while
 * they run, in threads that share the pinned core. That takes far longer for 14 MB of wasm than for 10 KB.
 *
 * @returns `us`, the median time of a call; the number of calls; and the share of the core that the process
 *   had. Below 1, something else ran there. With the clock `cpu`, `us` is the mean processor time, which a
 *   busy machine disturbs less.
 */
export async function measure(call, { warmupMs, measureMs, clock = "wall" }) {
  const first = call();
  const repeat = first instanceof Promise ? repeatAsync : repeatSync;
  await first;
  let calls = 1;
  for (let took = 0; took < SAMPLE_MS; ) {
    took = await repeat(call, calls);
    if (took < SAMPLE_MS) calls = Math.ceil(calls * Math.min(10, Math.max(1.2, SAMPLE_MS / took)));
  }

  const begin = performance.now();
  let best = Number.POSITIVE_INFINITY;
  for (
    let steady = 0, elapsed = 0;
    elapsed < warmupMs || (steady < STEADY_WINDOWS && elapsed < LONGEST_WARMUP * warmupMs);
  ) {
    const time = median(await samplesOf(repeat, call, calls, WINDOW_MS, 1));
    steady = time < 0.98 * best ? 0 : steady + 1;
    best = Math.min(best, time);
    elapsed = performance.now() - begin;
  }
  // The number of calls was chosen before the code was optimised, which may have made it many times faster.
  calls = Math.max(calls, Math.ceil(SAMPLE_MS / best));

  const cpuBegin = process.cpuUsage();
  const wallBegin = performance.now();
  const samples = await samplesOf(repeat, call, calls, measureMs, LEAST_SAMPLES);
  const wallMs = performance.now() - wallBegin;
  const { user, system } = process.cpuUsage(cpuBegin);
  return {
    us: clock === "cpu" ? (user + system) / (calls * samples.length) : median(samples) * 1000,
    calls: calls * samples.length,
    coreShare: (user + system) / 1000 / wallMs,
  };
}

/**
 * Ms of a call, sample after sample: for `ms`, or up to four times that for the `least` number of samples.
 */
async function samplesOf(repeat, call, calls, ms, least) {
  const samples = [];
  const begin = performance.now();
  for (let elapsed = 0; elapsed < ms || (samples.length < least && elapsed < 4 * ms); ) {
    samples.push((await repeat(call, calls)) / calls);
    elapsed = performance.now() - begin;
  }
  return samples;
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
