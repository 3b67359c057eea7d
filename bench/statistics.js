/** From the raw numbers of a run to what the table and the chart show. */
import { CASES, work } from "./cases.js";
import { median } from "./measure.js";

/** Median, least and greatest over the rounds; undefined for a cell that was not run. */
export function cellTime(cells, caseName, peer) {
  const cell = cells.find((candidate) => candidate.caseName === caseName && candidate.peer === peer);
  if (cell === undefined) return undefined;
  const times = cell.rounds.map((round) => round.us);
  return {
    us: median(times),
    least: Math.min(...times),
    greatest: Math.max(...times),
    coreShare: Math.min(...cell.rounds.map((round) => round.coreShare)),
  };
}

/** How many times faster `peer` is than `against`: the median over rounds of the ratio within a round. */
export function ratio(cells, caseName, peer, against) {
  const rounds = (name) =>
    cells.find((candidate) => candidate.caseName === caseName && candidate.peer === name)?.rounds;
  const ours = rounds(peer);
  const theirs = rounds(against);
  if (ours === undefined || theirs === undefined) return undefined;
  return median(ours.map((round, index) => theirs[index].us / round.us));
}

/** Geometric mean and least of the ratios over the ranked cases. */
export function summary(cells, peer, against) {
  const ratios = CASES.filter((spec) => spec.ranked)
    .map((spec) => ({ caseName: spec.name, ratio: ratio(cells, spec.name, peer, against) }))
    .filter((entry) => entry.ratio !== undefined);
  if (ratios.length === 0) return undefined;
  const mean = Math.exp(ratios.reduce((total, entry) => total + Math.log(entry.ratio), 0) / ratios.length);
  const least = ratios.reduce((lowest, entry) => (entry.ratio < lowest.ratio ? entry : lowest));
  return { cases: ratios.length, mean, least };
}

export function peakGigaflops({ tiles }) {
  return Math.max(...tiles.map((tile) => tile.gigaflops));
}

/**
 * Read bandwidth in GB/s of a working set, interpolated between the measured sizes by the logarithm of the
 * size.
 */
export function bandwidthOf({ bandwidth }, bytes) {
  const above = bandwidth.findIndex((point) => point.bytes >= bytes);
  if (above === 0) return bandwidth[0].gigabytesPerSecond;
  if (above < 0) return bandwidth.at(-1).gigabytesPerSecond;
  const [low, high] = [bandwidth[above - 1], bandwidth[above]];
  const share = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return low.gigabytesPerSecond + share * (high.gigabytesPerSecond - low.gigabytesPerSecond);
}

/**
 * The recurrent steps by themselves. Their reading is a fraction of the measured bandwidth at the matrix's
 * size.
 */
export function stepFractions(measured) {
  return measured.recurrentSteps.map((step) => ({
    ...step,
    fraction: step.gigabytesPerSecond / bandwidthOf(measured, step.bytes),
  }));
}

/**
 * The least time of a call that the measured roofline allows, in us. A phase takes the longer of two times:
 * its multiply-adds at the peak rate, and its weights at the bandwidth of its matrix.
 */
export function roofline(spec, measured) {
  const peak = peakGigaflops(measured);
  let us = 0;
  let flops = 0;
  let bytes = 0;
  for (const phase of work(spec)) {
    const compute = phase.flops / peak / 1e3;
    const memory = phase.weightBytes / bandwidthOf(measured, phase.workingSet) / 1e3;
    us += Math.max(compute, memory);
    flops += phase.flops;
    bytes += phase.weightBytes;
  }
  return { us, flops, bytes };
}

const CONFIDENCE = 0.95;

/**
 * The median and its interval by order statistics: from the k-th least number to the k-th greatest, with the largest k
 * whose coverage is still 95 %. The coverage is exact for independent numbers of any distribution. Fewer than
 * six numbers give no 95 %: then the interval goes from least to greatest, and `coverage` says how much that is.
 */
export function medianInterval(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const count = sorted.length;
  // The chance that exactly `left` numbers lie below the true median, and that at most `left` do.
  let chance = 0.5 ** count;
  let tail = chance;
  let left = 0;
  for (;;) {
    chance *= (count - left) / (left + 1);
    if (1 - 2 * (tail + chance) < CONFIDENCE) break;
    tail += chance;
    left++;
  }
  return {
    median: median(sorted),
    low: sorted[left],
    high: sorted[count - 1 - left],
    coverage: Math.max(0, 1 - 2 * tail),
  };
}

/** A difference of less than this is none: the machine's state gives as much. */
const LEAST_DIFFERENCE = 0.01;

/**
 * Pairs of times, each of two processes that ran right after one another: the ratio new / old, below 1 where the new
 * one is faster. The verdict is `slower` or `faster` by more than 1 % in the median and with an interval of at least 95 %
 * that excludes 1, else empty.
 * @param {{ oldUs: number, newUs: number }[]} pairs
 */
export function pairedRatio(pairs) {
  const { median: ratio, ...interval } = medianInterval(pairs.map(({ oldUs, newUs }) => newUs / oldUs));
  const sure = interval.coverage >= CONFIDENCE;
  let verdict = "";
  if (sure && ratio > 1 + LEAST_DIFFERENCE && interval.low > 1) verdict = "slower";
  if (sure && ratio < 1 - LEAST_DIFFERENCE && interval.high < 1) verdict = "faster";
  return {
    oldUs: median(pairs.map(({ oldUs }) => oldUs)),
    newUs: median(pairs.map(({ newUs }) => newUs)),
    ratio,
    ...interval,
    verdict,
  };
}
