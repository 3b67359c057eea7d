/** From rows to verdicts, and to the table in README.md. */
import { readFileSync, writeFileSync } from "node:fs";

const README = new URL("./README.md", import.meta.url);
const BEGIN = "<!-- table begins -->";
const END = "<!-- table ends -->";

/** Adds `passed` and `result` to each row. Anything but a full report with the expected bits has not passed. */
export function judge(rows, expected) {
  return rows.map((row) => ({ ...row, ...verdict(row, expected) }));
}

function verdict({ notRun, report, refusal, threads }, expected) {
  if (notRun !== undefined) return { passed: false, result: `not run: ${firstLine(notRun)}` };
  if (report.error !== undefined) return { passed: false, result: `failed: ${firstLine(report.error)}` };
  if (report.done !== undefined) return { passed: true, result: report.done };
  if (refusal !== undefined) {
    const passed = report.refusal?.includes(refusal) === true;
    return {
      passed,
      result: passed ? `an error: ${refusal}` : `failed: ${firstLine(report.refusal ?? "no error")}`,
    };
  }
  if (!hasThreads(threads, report.threads)) {
    const got = threadsOf(report) || "no answer";
    return { passed: false, result: `failed: threads: expected ${threads}, got ${firstLine(got)}` };
  }
  // A page that was asked for threads alone.
  if (report.checksums === undefined) return { passed: true, result: "same bits" };
  const { passed, models, failures, leftOut, checksums, builds } = report;
  if (failures.length > 0) {
    return { passed: false, result: `failed: ${failures.length} cases, ${firstLine(failures[0])}` };
  }
  if (builds.deterministic !== "simd") {
    return { passed: false, result: `failed: deterministic mode ran the build ${builds.deterministic}` };
  }
  const names = Object.keys(expected).filter((name) => !leftOut.includes(name));
  const others = names.filter((name) => checksums[name] !== expected[name]);
  if (others.length > 0 || Object.keys(checksums).length !== names.length) {
    return {
      passed: false,
      result: `failed: other bits in ${others.length} of ${names.length}, ${others[0]}`,
    };
  }
  const without = leftOut.length > 0 ? `; without ${leftOut.length} on subnormal numbers` : "";
  return { passed: true, result: `${passed} golden cases, ${models} models, same bits${without}` };
}

/** Whether there are as many threads as expected, or one alone for a reason that has the expected words. */
function hasThreads(expected, found) {
  if (typeof expected === "string") return found?.threads === 1 && found.reason?.includes(expected) === true;
  return expected !== undefined && found?.threads === expected;
}

/** How many threads there are, and why not more. */
function threadsOf(report) {
  const { threads, reason } = report?.threads ?? {};
  if (threads === undefined) return "";
  return reason === undefined ? String(threads) : `${threads}: ${reason.split(":")[0]}`;
}

const firstLine = (text) => String(text).trim().split("\n")[0].slice(0, 160);

const timing = (value) => {
  if (value === undefined) return "";
  return value < 1000 ? `${value.toFixed(1)} us` : `${(value / 1000).toFixed(2)} ms`;
};

function markdown(rows) {
  const titles = Object.keys(rows.find(({ report }) => report?.timings)?.report.timings ?? {});
  const header = ["Runtime", "Version", "Engine", "How", "Build", "Threads", "Result", ...titles];
  const lines = rows.map(({ runtime, version, engine, how, report, passed, result }) => [
    runtime,
    version,
    engine,
    how,
    { "relaxed-simd": "relaxed", simd: "baseline" }[report?.builds?.default] ?? report?.builds?.default ?? "",
    threadsOf(report),
    passed ? result : `**${result.replaceAll("|", "/")}**`,
    ...titles.map((title) => timing(report?.timings?.[title])),
  ]);
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function printTable(rows) {
  console.log(markdown(rows));
  console.log(`${rows.filter(({ passed }) => passed).length} of ${rows.length} passed`);
}

/** README.md's text before its table, the table, and the text after it. */
function parts(text) {
  const start = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  if (start < BEGIN.length || end < start) throw new Error("README.md has no place for the table");
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}

/** The text with the table of these rows. */
export function withTable(text, rows) {
  const [before, , after] = parts(text);
  const passed = rows.filter((row) => row.passed).length;
  return `${before}\n\n${passed} of ${rows.length} passed.\n\n${markdown(rows)}\n\n${after}`;
}

/** Replaces the table in README.md. */
export function writeTable(rows) {
  writeFileSync(README, withTable(readFileSync(README, "utf8"), rows));
}

/**
 * Where the text's table says something else than these rows, a line for each: another build, other threads, another
 * result, a runtime more or less. Versions, timings and how many cases there are were those of the day it was written.
 */
export function staleRows(text, rows) {
  const written = statements(parts(text)[1]);
  const measured = statements(markdown(rows));
  return [
    ...without(written, measured).map((row) => `in the table, not measured: ${row}`),
    ...without(measured, written).map((row) => `measured, not in the table: ${row}`),
  ];
}

/** The same of README.md. */
export const staleTable = (rows) => staleRows(readFileSync(README, "utf8"), rows);

/** What each row of a table says of its runtime: how it was used, its build, threads and the result. */
function statements(table) {
  const rows = table.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((line) => {
    const [runtime, , , how, build, threads, result] = line.slice(2, -2).split(" | ");
    return [runtime, how, build, threads, result.replace(/\d+/g, "N")].map((cell) => cell.trim()).join(" | ");
  });
}

/** The items that the others have not, or not as often. */
function without(items, others) {
  const rest = [...others];
  return items.filter((item) => {
    const at = rest.indexOf(item);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
