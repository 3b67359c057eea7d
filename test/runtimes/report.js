/** From rows to verdicts, and to the table in README.md. */
import { readFileSync, writeFileSync } from "node:fs";

const README = new URL("./README.md", import.meta.url);
const BEGIN = "<!-- table begins -->";
const END = "<!-- table ends -->";

/** Adds `passed` and `result` to each row. Anything but a full report with the expected bits has not passed. */
export function judge(rows, expected) {
  return rows.map((row) => ({ ...row, ...verdict(row, expected) }));
}

function verdict({ notRun, report, refusal }, expected) {
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
  const { passed, failures, leftOut, checksums, builds } = report;
  if (failures.length > 0) {
    return { passed: false, result: `failed: ${failures.length} golden cases, ${firstLine(failures[0])}` };
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
  return { passed: true, result: `${passed} golden cases, same bits${without}` };
}

const firstLine = (text) => String(text).trim().split("\n")[0].slice(0, 160);

const timing = (value) => {
  if (value === undefined) return "";
  return value < 1000 ? `${value.toFixed(1)} us` : `${(value / 1000).toFixed(2)} ms`;
};

function markdown(rows) {
  const titles = Object.keys(rows.find(({ report }) => report?.timings)?.report.timings ?? {});
  const header = ["Runtime", "Version", "Engine", "How", "Build", "Result", ...titles];
  const lines = rows.map(({ runtime, version, engine, how, report, passed, result }) => [
    runtime,
    version,
    engine,
    how,
    { "relaxed-simd": "relaxed", simd: "baseline" }[report?.builds?.default] ?? report?.builds?.default ?? "",
    passed ? result : `**${result.replaceAll("|", "/")}**`,
    ...titles.map((title) => timing(report?.timings?.[title])),
  ]);
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function printTable(rows) {
  console.log(markdown(rows));
  console.log(`${rows.filter(({ passed }) => passed).length} of ${rows.length} passed`);
}

/** Replaces the table in README.md. */
export function writeTable(rows) {
  const text = readFileSync(README, "utf8");
  const start = text.indexOf(BEGIN) + BEGIN.length;
  const end = text.indexOf(END);
  if (start < BEGIN.length || end < start) throw new Error("README.md has no place for the table");
  const passed = rows.filter((row) => row.passed).length;
  const table = `\n\n${passed} of ${rows.length} passed.\n\n${markdown(rows)}\n\n`;
  writeFileSync(README, text.slice(0, start) + table + text.slice(end));
}
