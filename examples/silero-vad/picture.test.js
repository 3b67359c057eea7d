/** The README's picture is what `npm run picture` draws (needs Debian's alsa-utils). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const COMMITTED = "../../docs/silero.svg";

/** Last bits differ between CPUs, and may move a point by the last digit that is written. */
const PIXELS = 0.11;

it("docs/silero.svg shows what the model says today", () => {
  const { scripts } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const [, script, ...args] = scripts.picture.split(" ");
  assert.equal(args.at(-1), COMMITTED);
  const folder = mkdtempSync(join(tmpdir(), "silero-picture-"));
  try {
    const file = join(folder, "silero.svg");
    execFileSync(process.execPath, [script, ...args.slice(0, -1), file], { cwd: here });
    const [committed, drawn] = [join(here, COMMITTED), file].map((path) => readFileSync(path, "utf8"));
    const number = /-?\d+(\.\d+)?/g;
    assert.equal(drawn.replace(number, "#"), committed.replace(number, "#"));
    const numbers = (svg) => svg.match(number).map(Number);
    const before = numbers(committed);
    const moved = numbers(drawn).map((value, at) => Math.abs(value - before[at]));
    assert.ok(Math.max(...moved) <= PIXELS, `a point moved by ${Math.max(...moved)} pixels`);
    assert.ok(committed.length < 40_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
