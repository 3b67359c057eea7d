/** What `.ci/run` tells of its steps (`.ci/steps`): all of them run, and the end says which failed and how. */

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { root } from "../support/pages.js";

/** Runs a script of steps, as .ci/run does. */
function run(script: string) {
  const text = `set -uo pipefail\n. .ci/steps || exit 1\n${script}\nsummary`;
  const { status, stdout } = spawnSync("bash", ["-c", text], { cwd: root, encoding: "utf8" });
  return {
    status,
    lines: stdout
      .replace(/after \d+ s/g, "after N s")
      .trim()
      .split("\n"),
  };
}

describe(".ci/steps", () => {
  it("passes where each step passes", () => {
    const { status, lines } = run('step "one" true\nstep "two" echo printed');
    expect(status).toBe(0);
    expect(lines).toEqual([
      "=== one",
      "=== passed after N s: one",
      "",
      "=== two",
      "printed",
      "=== passed after N s: two",
      "",
      "2 passed, 0 failed",
    ]);
  });

  it("goes on after a failing step, and ends with its name, what failed in it and its last lines", () => {
    const { status, lines } = run(`
      broken() { echo " FAIL  a.test.ts > first"; seq 100; echo "error: late" >&2; return 3; }
      step "broken" broken
      step "fine" echo "fine's output"
      step "missing" no-such-command`);
    expect(status).toBe(1);
    expect(lines).toContain("=== FAILED: broken, status 3 after N s");
    expect(lines).toContain("=== passed after N s: fine");
    const end = lines.slice(lines.lastIndexOf("=== FAILED: broken, status 3 after N s"));
    expect(end.slice(0, 3)).toEqual([
      "=== FAILED: broken, status 3 after N s",
      " FAIL  a.test.ts > first",
      "77",
    ]);
    expect(end.slice(24, 29)).toEqual([
      "99",
      "100",
      "error: late",
      "",
      "=== FAILED: missing, status 127 after N s",
    ]);
    expect(end[29]).toMatch(/no-such-command: command not found$/);
    expect(end.slice(30)).toEqual(["", "1 passed, 2 failed"]);
  });
});
