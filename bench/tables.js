/** The tables of a run: each is [header, rows], for a console or for bench/README.md. */
import { CASES, caseNamed } from "./cases.js";
import { median } from "./measure.js";
import { PEERS, takes } from "./peers/index.js";
import { cellTime, ratio, roofline, summary } from "./statistics.js";
import { INT8, MEAN_FLOOR, RATIO_FLOORS } from "./targets.js";
import { digits, microseconds, percent, times } from "./text.js";

/** Our float32 in both builds. */
export const BUILDS = ["relaxed", "deterministic"];
export const OURS = [...BUILDS, "int8", "int8Deterministic"];

/** Half the distance between the least and the greatest round, as a part of the median; nothing of a single round. */
function spread({ us, least, greatest }) {
  return greatest === least ? "" : ` ±${percent((greatest - least) / 2 / us)}`;
}

function cellText(time) {
  return time === undefined ? "–" : microseconds(time.us) + spread(time);
}

/** What stands where a peer cannot run the case. */
const NOT_AVAILABLE = "not available";

export function rankedCases(cells) {
  return CASES.filter((spec) => spec.ranked && cells.some((cell) => cell.caseName === spec.name));
}

/** Names of the peers that were run, in the order of PEERS. */
export function peersOf(cells) {
  return Object.keys(PEERS).filter((peer) => cells.some((cell) => cell.peer === peer));
}

export function timeTable(cells, describe, specs = rankedCases(cells)) {
  const peers = peersOf(cells);
  const header = ["case", ...peers.map((peer) => PEERS[peer].title)];
  const rows = specs.map((spec) => [
    describe(spec),
    ...peers.map((peer) => (takes(peer, spec) ? cellText(cellTime(cells, spec.name, peer)) : NOT_AVAILABLE)),
  ]);
  return [header, rows];
}

/** How many times faster ours is: a row for each case, and the geometric mean; a column for each [title, ours, other]. */
function ratioRows(cells, floors, meanFloor, pairs) {
  const rows = rankedCases(cells).map((spec) => [
    spec.name,
    times(floors[spec.name]),
    ...pairs.map(([, peer, other]) =>
      takes(other, spec) ? times(ratio(cells, spec.name, peer, other)) : NOT_AVAILABLE,
    ),
  ]);
  const means = pairs.map(([, peer, other]) => times(summary(cells, peer, other)?.mean));
  rows.push(["geometric mean", times(meanFloor), ...means]);
  return [["case", "floor", ...pairs.map(([title]) => title)], rows];
}

export function ratioTable(cells) {
  const against = peersOf(cells).filter((peer) => !OURS.includes(peer) && !PEERS[peer].int8);
  return ratioRows(cells, RATIO_FLOORS, MEAN_FLOOR, [
    ["to onnxruntime-web", "relaxed", "web"],
    ["deterministic to onnxruntime-web", "deterministic", "web"],
    ...against.filter((peer) => peer !== "web").map((peer) => [`to ${PEERS[peer].title}`, "relaxed", peer]),
  ]);
}

export function int8Table(cells) {
  return ratioRows(cells, INT8.floors, undefined, [
    ["to onnxruntime-web", "int8", "web"],
    ["deterministic to onnxruntime-web", "int8Deterministic", "web"],
    ["to onnxruntime-node", "int8", "node"],
    ["to onnxruntime-web, int8", "int8", "webInt8"],
    ["to onnxruntime-node, int8", "int8", "nodeInt8"],
    ["to our float32", "int8", "relaxed"],
    ["deterministic to our float32, deterministic", "int8Deterministic", "deterministic"],
  ]);
}

/** Largest and mean difference to our float32 of what has int8 weights. Ours has the same sums in both builds. */
export function int8Errors(check) {
  const peers = Object.keys(PEERS).filter(
    (peer) => PEERS[peer].int8 && Object.values(check.differences).some((one) => peer in one),
  );
  const header = ["case", ...peers.flatMap((peer) => [`${PEERS[peer].title}: largest`, "mean"])];
  const rows = CASES.filter(({ ranked, name }) => ranked && name in check.differences).map((spec) => [
    spec.name,
    ...peers.flatMap((peer) => {
      const difference = check.differences[spec.name][peer];
      if (difference === undefined) return [NOT_AVAILABLE, NOT_AVAILABLE];
      const { max, mean } = difference;
      return [max.toExponential(1), mean.toExponential(1)];
    }),
  ]);
  return [header, rows];
}

/** Each of our cells against the roofline: counts, the least time that the machine allows, and the fraction reached. */
export function rooflineTable({ cells, roofline: measured }) {
  const header = [
    "case",
    "MFLOP",
    "weights read",
    "least time (relaxed)",
    "relaxed",
    "fraction",
    "deterministic",
    "fraction",
  ];
  const rows = CASES.filter((spec) => BUILDS.some((peer) => cellTime(cells, spec.name, peer))).map((spec) => {
    const bounds = BUILDS.map((peer) => roofline(spec, measured[peer]));
    const columns = BUILDS.flatMap((peer, index) => {
      const time = cellTime(cells, spec.name, peer);
      return time === undefined ? ["–", "–"] : [microseconds(time.us), percent(bounds[index].us / time.us)];
    });
    const [{ us, flops, bytes }] = bounds;
    return [spec.name, digits(flops / 1e6), `${digits(bytes / 2 ** 20)} MiB`, microseconds(us), ...columns];
  });
  return [header, rows];
}

/** Where the time of each `forward` goes, beside the least that the roofline allows its kernels. */
export function splitTable({ split, roofline: measured }) {
  const header = ["case", "call", "kernels", "least time", "the rest", "results copied by themselves"];
  const rows = split.map(({ caseName, rounds }) => {
    const [whole, kernels, results] = ["wholeUs", "kernelsUs", "resultsUs"].map((name) =>
      median(rounds.map((round) => round[name])),
    );
    const { us } = roofline(caseNamed(caseName), measured.relaxed);
    return [caseName, whole, kernels, us, whole - kernels, results].map((cell, column) =>
      column === 0 ? cell : microseconds(cell),
    );
  });
  return [header, rows];
}
