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
