/**
 * Compares what of `src/` the tests executed, as vitest measured it, with what docs/reliability.md states: fails where
 * it is less. With WRITE_RELIABILITY=1 it writes the page, whose limits only rise.
 */
import { readFileSync, writeFileSync } from "node:fs";

const PAGE = "docs/reliability.md";

const { total } = JSON.parse(readFileSync("build/coverage/coverage-summary.json", "utf8"));
const isWriting = process.env.WRITE_RELIABILITY !== undefined;
let page = readFileSync(PAGE, "utf8");

/** Percents that are left to runs that differ: what is collected when, and other versions of Node.js. */
const SLACK = 0.5;

for (const kind of ["statements", "branches"]) {
  const { pct, covered, total: all } = total[kind];
  const row = new RegExp(`^\\| ${kind} \\| (\\d+) % \\|[^|]*\\|$`, "m");
  const stated = row.exec(page)?.[1];
  if (stated === undefined) throw new Error(`${PAGE}: expected a row | ${kind} | N % | ... |`);
  const measured = `${pct} % (${covered.toLocaleString("en")} of ${all.toLocaleString("en")})`;
  console.log(`${kind}: ${measured}, ${PAGE} states at least ${stated} %`);
  if (pct < Number(stated)) {
    console.error(`${kind}: expected at least ${stated} %, got ${pct} %`);
    process.exitCode = 1;
  } else if (isWriting) {
    const least = Math.max(Number(stated), Math.floor(pct - SLACK));
    page = page.replace(row, `| ${kind} | ${least} % | ${measured} |`);
  }
}
if (isWriting) writeFileSync(PAGE, page);
