/** The results of a run of threads as text: on the console, and as a section of bench/README.md. */
import { markdownTable, plainTable } from "../text.js";
import { aloneTable, crowdTable, judged, latencyTable, shareTable, waitingText } from "./tables.js";

const TITLE = "## Several cores";
/** The section that it stands before. */
const NEXT = "## Two revisions";

function machineText({ machine, node, versions, settings }) {
  const caches = machine.caches.map(({ level, size }) => `L${level} ${size}`).join(", ");
  const web = `onnxruntime-web ${versions["onnxruntime-web"]}`;
  return `${machine.cpu}, ${machine.cores} cores, ${caches}, ${machine.memoryGiB} GiB, ${machine.system}, load ${machine.load.toFixed(1)} at the start; cores ${settings.cores}, Node ${node}, ${web}`;
}

const leftOut = ({ cases }) =>
  cases.filter((one) => one.leftOut).map(({ name, leftOut: why }) => `${name} is left out: ${why}.`);

export function consoleReport(results) {
  const { cases, latency, crowds, settings, tookSeconds } = results;
  const parts = [`${machineText(results)}\n${settings.rounds} rounds, ${tookSeconds} s`];
  if (cases !== undefined) {
    for (const table of [shareTable(results), aloneTable(results)]) {
      if (table[1].length > 0) parts.push(plainTable(...table));
    }
    parts.push(...leftOut(results));
    const { floors, below, void: voids } = judged(results);
    if (floors > 0)
      parts.push(`Of ${floors} floors ${below.length} not reached: ${below.join("; ") || "none"}.`);
    if (voids.length > 0) {
      parts.push(`VOID, since both cores together gave less than 1.6 times one: ${voids.join("; ")}.`);
    }
  }
  if (latency !== undefined) parts.push(`${plainTable(...latencyTable(results))}\n${waitingText(results)}`);
  if (crowds !== undefined) parts.push(plainTable(...crowdTable(results)));
  return parts.join("\n\n");
}

/** The section of bench/README.md, without an empty line at its end. */
export function section(results) {
  const { settings, date, tookSeconds } = results;
  const { threads, rounds } = settings;
  return [
    TITLE,
    [
      `\`npm run bench:threads -- --write\` on ${date}, ${rounds} rounds, ${tookSeconds} s.`,
      "",
      `- Machine: ${machineText(results)}.`,
      "- Raw numbers: [threads/results.json](threads/results.json).",
    ].join("\n"),
    [
      "A round is a process. In it a module on one thread, one on several and the ceiling take turns, call by call. The ceiling",
      `is what ${threads} threads that share nothing make at once: each has the library, a memory and a module for itself, and they`,
      "begin together. So it tells what the cores gave in those minutes. The share is (one thread / several) / ceiling. All",
      "are timed after a call of the same, so that threads are awake, as those of the ceiling are; *from sleep* is how many times",
      "faster than one thread a call by several is that has to wake the others first. A",
      `round whose ceiling is below ${(0.8 * threads).toFixed(1)} is void: it is made again, twice at most. A case with more void rounds than others is`,
      "void. onnxruntime-web runs with as many threads on the same cores in a process of its own, after one of ours. In brackets",
      "stand the least and the greatest of the rounds.",
    ].join("\n"),
    markdownTable(...shareTable(results)),
    "What is too small to be shared, or nearly so: its time beside waiting threads.",
    markdownTable(...aloneTable(results)),
    ...leftOut(results),
    "Latency of a step, each timed by itself, and the processor time that all threads took for it:",
    markdownTable(...latencyTable(results)),
    waitingText(results),
    "More threads than free cores: the time of a call on several threads over that on one, in rows of 20 ms in turn.",
    markdownTable(...crowdTable(results)),
  ].join("\n\n");
}

/** bench/README.md with the section, in the place of an older one. */
export function withSection(page, results) {
  const [before, rest] = page.split(`\n${NEXT}\n`);
  if (rest === undefined) throw new Error(`bench/README.md: expected ${NEXT}`);
  const [kept] = before.split(`${TITLE}\n`);
  return `${kept.trimEnd()}\n\n${section(results)}\n\n${NEXT}\n${rest}`;
}
