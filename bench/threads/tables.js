/** The tables of a run of threads: each is [header, rows], for a console or for bench/README.md. */
import { microseconds, percent, times } from "../text.js";
import { CROWDS, LATENCY_CASE, THREAD_CASES, threadCase } from "./cases.js";
import { caseFigures, crowdFigures, spreadOf, verdict } from "./figures.js";

/** Shares and ratios are for two cores. */
function floorsOf(name, threads) {
  const { share, web, alone } = threadCase(name);
  return threads === 2 ? { share, web, alone } : { alone };
}

function withSpread(spread, show) {
  if (spread === undefined) return "–";
  const { median, least, greatest } = spread;
  return least === greatest ? show(median) : `${show(median)} (${show(least)} to ${show(greatest)})`;
}
const ratioText = (spread) => withSpread(spread, times);
const hundredths = (number) => number.toFixed(2);
const thousandths = (number) => number.toFixed(3);

function floorText(floor, show, found) {
  if (floor === undefined) return "–";
  return found === "" ? show(floor) : `${show(floor)}, ${found}`;
}

/** What threads share, of the ceiling and beside onnxruntime-web. */
export function shareTable({ cases, settings: { threads } }) {
  const header = [
    "case",
    "one thread",
    `${threads} threads`,
    "times faster",
    "ceiling",
    "share",
    "floor",
    "from sleep",
    `to onnxruntime-web, ${threads} threads`,
    "floor",
    "void rounds",
  ];
  const rows = cases
    .filter(({ name, attempts }) => attempts && threadCase(name).alone === undefined)
    .map(({ name, attempts }) => {
      const found = caseFigures(attempts, threads);
      const { share, web } = floorsOf(name, threads);
      return [
        name,
        withSpread(found.oneUs, microseconds),
        withSpread(found.manyUs, microseconds),
        ratioText(found.faster),
        ratioText(found.ceiling),
        withSpread(found.share, hundredths),
        floorText(share, hundredths, verdict(found.isVoid, found.share, share)),
        ratioText(found.fromSleep),
        ratioText(found.web),
        floorText(web, times, verdict(found.isVoid, found.web, web)),
        `${found.voidRounds} of ${found.rounds}${found.isVoid ? ": void" : ""}`,
      ];
    });
  return [header, rows];
}

/** What is too small to share. */
export function aloneTable({ cases, settings: { threads } }) {
  const header = ["case", "without threads", `beside ${threads} threads`, "times faster", "floor"];
  const rows = cases
    .filter(({ name, attempts }) => attempts && threadCase(name).alone !== undefined)
    .map(({ name, attempts }) => {
      const { oneUs, manyUs, faster } = caseFigures(attempts, threads);
      const { alone } = threadCase(name);
      return [
        name,
        withSpread(oneUs, microseconds),
        withSpread(manyUs, microseconds),
        withSpread(faster, thousandths),
        floorText(alone, hundredths, verdict(false, faster, alone)),
      ];
    });
  return [header, rows];
}

export function latencyTable({ latency }) {
  const header = [`a ${LATENCY_CASE}`, "threads", "steps", "p50", "p99", "p99.9", "CPU time of a step"];
  const rows = latency[0].rows.map(({ pauseMs, threads, steps }, at) => [
    pauseMs === 0 ? "after another (workers awake)" : `every ${pauseMs} ms (workers asleep)`,
    String(threads),
    `${latency.length} x ${steps}`,
    ...["p50", "p99", "p999", "cpuUs"].map((name) =>
      withSpread(spreadOf(latency.map(({ rows: one }) => one[at][name])), microseconds),
    ),
  ]);
  return [header, rows];
}

export function crowdTable({ crowds }) {
  const header = ["", "case", "threads", "one thread", "median of its", "most", "mean of its", "most"];
  const rows = crowds.map(({ name, caseName, rounds }) => {
    const found = crowdFigures(rounds);
    const most = CROWDS.find((crowd) => crowd.name === name).time;
    const kept = (middle) =>
      floorText(
        most[middle],
        hundredths,
        most[middle] === undefined || found[middle].median <= most[middle] ? "met" : "above",
      );
    return [
      name,
      caseName,
      [...new Set(rounds.map(({ threads }) => threads))].join(" or "),
      withSpread(spreadOf(rounds.map(({ one }) => one.median)), microseconds),
      withSpread(found.median, hundredths),
      kept("median"),
      withSpread(found.mean, hundredths),
      kept("mean"),
    ];
  });
  return [header, rows];
}

/** How many floors there are, and which of them are not met. */
export function judged({ cases, settings: { threads } }) {
  const all = cases.flatMap(({ name, attempts }) => {
    if (attempts === undefined) return [];
    const found = caseFigures(attempts, threads);
    const { share, web, alone } = floorsOf(name, threads);
    return [
      { name: `${name}, share of the ceiling`, found: verdict(found.isVoid, found.share, share) },
      { name: `${name} to onnxruntime-web`, found: verdict(found.isVoid, found.web, web) },
      { name: `${name} by itself`, found: verdict(false, found.faster, alone) },
    ].filter(({ found }) => found !== "");
  });
  const namesOf = (wanted) => all.filter(({ found }) => found === wanted).map(({ name }) => name);
  return { floors: all.length, below: namesOf("below"), void: namesOf("void") };
}

/** Cases in the order of the list, whatever the order of a run. */
export function inOrder(cases) {
  const place = ({ name }) => THREAD_CASES.findIndex((spec) => spec.name === name);
  return [...cases].sort((a, b) => place(a) - place(b));
}

/** What waiting workers cost: a part of a core between the steps of the shortest pause, and after the last one. */
export function waitingText({ latency }) {
  const pauses = latency[0].rows.map(({ pauseMs }) => pauseMs).filter((pauseMs) => pauseMs > 0);
  const pauseMs = Math.min(...pauses);
  const found = latency.map(({ rows }) => {
    const [one, many] = rows.filter((row) => row.pauseMs === pauseMs);
    return many.cpuUs - one.cpuUs;
  });
  const share = (us) => percent(us / (1000 * pauseMs));
  const idle = spreadOf(latency.map(({ idleCpu }) => idleCpu));
  return [
    `At a step every ${pauseMs} ms more threads took ${withSpread(spreadOf(found), microseconds)} more of processor time a step, ${withSpread(spreadOf(found), share)} of a core;`,
    `in the second after the last step the process took ${withSpread(idle, percent)} of a core.`,
  ].join("\n");
}
