/**
 * The rows of docs/reliability.md. A test that attacks the library counts what it tried and what survived, and hands
 * the counts to `reliabilityRow`: the page has the same row, or the test fails. `npm run reliability` writes the rows.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const page = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

/** What one attack tried, and what came of it. Counts only: they are the same on every machine. */
export interface Attack {
  /** What was tried, in a few words; the row's key. */
  readonly attack: string;
  readonly tried: number;
  readonly survived: number;
  /** What is lost where one does not survive, or what bounds the attack. */
  readonly note: string;
}

/** Expects the row on the page, or writes it there. */
export function reliabilityRow({ attack, tried, survived, note }: Attack): void {
  const cells = [attack, tried.toLocaleString("en"), survived.toLocaleString("en"), note];
  const row = `| ${cells.join(" | ")} |`;
  const lines = readFileSync(page, "utf8").split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${attack} |`));
  if (process.env.WRITE_RELIABILITY === undefined) {
    expect(lines[at], `docs/reliability.md, which \`npm run reliability\` writes: ${attack}`).toBe(row);
    return;
  }
  if (at >= 0) lines[at] = row;
  else lines.splice(lines.lastIndexOf("") < 0 ? lines.length : lines.length - 1, 0, row);
  writeFileSync(page, lines.join("\n"));
}
