/**
 * Processor time, which waits for no other process. But it counts the collector's and the compilers' threads, and a
 * busy machine's caches make it longer: one measurement may be too long, the least of several is what a call costs.
 */

/**
 * The milliseconds that a call takes. Above `limit` it is made again, up to twice, and the least counts.
 * @param before is called before each of them, and not measured
 */
export function processorTime(limit: number, call: () => void, before?: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 3 && least > limit; turn++) {
    before?.();
    const start = process.cpuUsage();
    call();
    least = Math.min(least, process.cpuUsage(start).user / 1000);
  }
  return least;
}
