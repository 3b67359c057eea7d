/**
 * The model on paper of docs/performance.md: how many times faster several threads are, by reading, by meetings and by
 * what one thread does alone. `node bench/threads/model.js` prints the page's tables.
 */
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { caseNamed } from "../cases.js";
import { bandwidthOf } from "../statistics.js";
import { markdownTable } from "../text.js";

/** What one core with an L2 of 2 MB read, on the two cores that the meetings were timed on. */
export const READING = {
  bandwidth: [
    { bytes: 1.5e6, gigabytesPerSecond: 62 },
    { bytes: 2e6, gigabytesPerSecond: 42 },
    { bytes: 3e6, gigabytesPerSecond: 42 },
    { bytes: 4e6, gigabytesPerSecond: 30 },
    { bytes: 8e6, gigabytesPerSecond: 24 },
  ],
};
/** Multiply-adds of one core. */
const GIGAFLOPS = 54;
/** A unit's cell. */
const CELL_US = 0.0035;
/** A float that the host copies in or out. */
const COPY_US = 0.0004;
/** A meeting: its own, what each thread adds to one counter, and a cache line of h (16 units) out of another core's cache. */
const MEETING_US = { fixed: 0.15, thread: 0.075, line: 0.07 };
/** A block is 8 units of an LSTM, and a part of a step has at least four: assembly/threads/job.ts. */
const PART_UNITS = 32;

/** With weights of at most so many bytes a batch is cut by rows, two for a thread at least: the same file. */
const BY_ROWS_BYTES = 2 ** 22;
const PART_ROWS = 2;

/** Threads that a step of so many units is cut for. */
function partsOf(hidden, threads) {
  return Math.max(1, Math.min(threads, Math.floor(hidden / PART_UNITS)));
}

/** Us of a recurrent float32 step of an LSTM; `rows` of a batch. */
export function stepUs(hidden, threads, reading = READING, rows = 1) {
  const parts = partsOf(hidden, threads);
  const bytes = (16 * hidden * hidden) / parts;
  const read = bytes / bandwidthOf(reading, bytes) / 1e3;
  const arithmetic = (rows * bytes) / 2 / GIGAFLOPS / 1e3;
  const cells = (CELL_US * hidden * rows) / parts;
  return Math.max(read, rows === 1 ? 0 : arithmetic) + cells + meetingUs(hidden, parts);
}

function meetingUs(hidden, parts) {
  if (parts === 1) return 0;
  const { fixed, thread, line } = MEETING_US;
  return fixed + thread * parts + line * (hidden / 16) * (1 - 1 / parts);
}

/** Us of a whole call of one LSTM layer: copies by one thread, the product with all inputs, the steps. */
export function callUs({ input, hidden, steps, batch }, threads, reading = READING) {
  const copies = COPY_US * steps * batch * (input + hidden);
  const most = Math.min(threads, Math.floor(batch / PART_ROWS));
  const isByRows = 16 * hidden * (input + hidden) <= BY_ROWS_BYTES && most >= partsOf(hidden, threads);
  const rows = isByRows ? Math.ceil(batch / most) : batch;
  const cut = isByRows ? 1 : threads;
  const product = (8 * steps * rows * input * hidden) / (GIGAFLOPS * 1e3 * partsOf(hidden, cut));
  return copies + product + steps * stepUs(hidden, cut, reading, rows);
}

export const HIDDEN_SIZES = [128, 256, 512, 1024];
const COUNTS = [2, 4, 8, 16];
const CALLS = ["sequence-128", "sequence-512", "sequence-1024", "batch-128", "batch-256", "batch-512"];

/** The page's tables: of steps, and of whole calls. */
export function predictions() {
  const row = (title, us) => [title, ...COUNTS.map((threads) => `${(us(1) / us(threads)).toFixed(1)}x`)];
  const header = (title) => [title, ...COUNTS.map((threads) => `${threads} cores`)];
  const steps = HIDDEN_SIZES.map((hidden) => row(`${hidden} units`, (threads) => stepUs(hidden, threads)));
  const calls = CALLS.map((name) => row(name, (threads) => callUs(caseNamed(name), threads)));
  return [markdownTable(header("A step"), steps), markdownTable(header("A whole call"), calls)];
}

if (argv[1] === fileURLToPath(import.meta.url)) console.log(predictions().join("\n\n"));
