/** What a package that is published says of itself. Needs `npm run build`. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "publish-"));
afterAll(() => rmSync(copy, { recursive: true }));

const built = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((file) =>
  statSync(join(root, "dist", file)).isFile(),
);

it("has a line with the licence at the head of every text of dist/", () => {
  const bare = built.filter((file) => {
    if (file.endsWith(".wasm")) return false;
    const head = readFileSync(join(root, "dist", file))
      .subarray(0, 200)
      .toString("latin1");
    return !head.includes("lstm-wasm, MIT licence; notices of others: dist/NOTICES.md");
  });
  expect(bare).toEqual([]);
  expect(built.length).toBeGreaterThan(12);
});

it("has the licences of what others wrote", () => {
  const notices = readFileSync(join(root, "dist/NOTICES.md"), "utf8");
  expect(notices).toContain("Apache License\n                           Version 2.0, January 2004");
  expect(notices).toContain("Daniel Wirtz");
  expect(notices).toContain("musl");
  expect(notices).toMatch(/## fflate[\s\S]*Copyright \(c\) \d{4} Arjun Barrett/);
});

describe("npm run check:publish", () => {
  const check = (folder: string) =>
    spawnSync(process.execPath, [join(root, "src/build/check-publish.js"), folder], { encoding: "utf8" });

  it("refuses the owner's placeholder, and passes in a copy where it is filled in", () => {
    const refused = check(root);
    expect(refused.status).toBe(1);
    for (const field of ["repository", "bugs", "homepage", "author"]) {
      expect(refused.stderr).toContain(`package.json: ${field} has the placeholder YOUR_ACCOUNT\n`);
    }
    for (const part of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "dist"]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    for (const file of ["package.json", "README.md"]) {
      const text = readFileSync(join(copy, file), "utf8").replaceAll("YOUR_ACCOUNT", "someone");
      writeFileSync(join(copy, file), text);
    }
    const passed = check(copy);
    expect([passed.status, passed.stderr]).toEqual([0, ""]);
    expect(passed.stdout).toMatch(/^lstm-wasm 0\.1\.0: \d+ files, ready to be published\n$/);
    rmSync(join(copy, "dist/NOTICES.md"));
    expect(check(copy).stderr).toContain("dist/NOTICES.md: not in the package\n");
  }, 30_000);
});
