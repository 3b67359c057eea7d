/** `npm run bench -- --threads 1,2,4`: the model on paper beside what this machine does, its own reading put in. */
import os from "node:os";
import { caseNamed } from "../cases.js";
import { lastCore, runJob } from "../machine.js";
import { digits, microseconds, plainTable, times } from "../text.js";
import { caseFigures } from "./figures.js";
import { HIDDEN_SIZES, stepUs } from "./model.js";

const MOST = 64;
const timing = { warmupMs: 300, measureMs: 400 };

/** @throws RangeError for what is no list of counts */
export function threadCounts(text) {
  const counts = text.split(",").map(Number);
  if (counts.every((count) => Number.isInteger(count) && count >= 1 && count <= MOST)) return counts;
  throw new RangeError(`--threads: expected integers from 1 to ${MOST} with commas between, got ${text}`);
}

/** Prints a row for each size and count. @param reading  of the roofline: what one core reads, by size */
export async function checkModel({ runtime, counts, rounds, reading, progress }) {
  const cores = os.cpus().length;
  const rows = [];
  for (const hidden of HIDDEN_SIZES) {
    const { name: caseName, steps } = caseNamed(`recurrent-${hidden}`);
    for (const threads of counts) {
      const predicted = stepUs(hidden, threads, reading);
      const about = [String(hidden), String(threads)];
      if (threads > cores) {
        rows.push([
          ...about,
          `${cores} cores only`,
          microseconds(predicted),
          "–",
          faster(hidden, threads, reading),
          "–",
          "–",
        ]);
        continue;
      }
      const attempts = [];
      for (let round = 0; round < rounds; round++) {
        progress(`${hidden} units, ${threads} threads, round ${round + 1} of ${rounds}`);
        const list = Array.from({ length: threads }, (_, at) => cores - threads + at).join();
        const place = lastCore() === undefined ? {} : { core: list };
        const job = { caseName, threads, ...timing };
        attempts.push(await runJob(runtime, "../threads/turns", job, place));
      }
      const found = caseFigures(attempts, threads);
      const measured = threads === 1 ? found.oneUs : found.manyUs;
      rows.push([
        ...about,
        range(measured, (us) => microseconds(us / steps)),
        microseconds(predicted),
        threads === 1 ? "–" : range(found.faster, times),
        faster(hidden, threads, reading),
        threads === 1 ? "–" : range(found.ceiling, times),
        threads === 1 ? "–" : `${found.voidRounds} of ${found.rounds}${found.isVoid ? ": void" : ""}`,
      ]);
    }
  }
  const header = [
    "units",
    "threads",
    "a step",
    "predicted",
    "times faster",
    "predicted",
    "ceiling",
    "void rounds",
  ];
  const read = reading.bandwidth.map(
    ({ bytes, gigabytesPerSecond }) => `${bytes / 1024}K ${digits(gigabytesPerSecond)}`,
  );
  console.log(`One core reads, GB/s: ${read.join(", ")}\n\n${plainTable(header, rows)}`);
}

function faster(hidden, threads, reading) {
  return threads === 1 ? "–" : times(stepUs(hidden, 1, reading) / stepUs(hidden, threads, reading));
}

function range({ median, least, greatest }, show) {
  return least === greatest ? show(median) : `${show(median)} (${show(least)} to ${show(greatest)})`;
}
