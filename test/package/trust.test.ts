/** What a package that is published says of itself. Needs `npm run build`. */
import { execFileSync, spawnSync } from "node:child_process";
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
});

describe("npm pack", () => {
  const folder = mkdtempSync(join(tmpdir(), "pack-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  /** npm's own scripts but the build, in a copy: the packed README, and the one that stays. */
  const pack = (...args: string[]) => {
    const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "pipe"];
    execFileSync("npm", [...args, "--silent"], { cwd: folder, stdio });
  };
  const read = (file: string) => readFileSync(join(folder, file), "utf8");

  it("packs a README with the repository's addresses, and leaves the old one", () => {
    for (const part of [
      "package.json",
      "README.md",
      "LICENSE",
      "docs",
      "examples/node.mjs",
      "src/build/readme.js",
    ]) {
      cpSync(join(root, part), join(folder, part), { recursive: true });
    }
    const manifest = JSON.parse(read("package.json"));
    manifest.scripts.prepack = manifest.scripts.prepack.replace("npm run build && ", "");
    manifest.scripts.prepublishOnly = "true";
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify(manifest).replaceAll("YOUR_ACCOUNT", "someone"),
    );
    const before = read("README.md");
    pack("pack");
    execFileSync("tar", ["-xzf", "lstm-wasm-0.1.0.tgz"], { cwd: folder });
    const packed = read("package/README.md");
    expect(packed).toContain("](https://raw.githubusercontent.com/someone/lstm-wasm/HEAD/docs/silero.svg)");
    expect(packed).not.toMatch(/\]\((?!https:)/);
    expect(read("README.md")).toBe(before);
    // npm reads the page for its site between postpack and postpublish.
    const readme = (...args: string[]) =>
      spawnSync(process.execPath, ["src/build/readme.js", ...args], {
        cwd: folder,
        env: { ...process.env, npm_command: "publish" },
      }).status;
    expect([readme("absolute"), readme("relative", "--after-pack")]).toEqual([0, 0]);
    expect(read("README.md")).toBe(packed);
    expect([readme("relative"), readme("aside")]).toEqual([0, 2]);
    expect(read("README.md")).toBe(before);
    expect(manifest.scripts.postpublish).toBe("node src/build/readme.js relative");
  });
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
    const manifest = join(copy, "package.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll("YOUR_ACCOUNT", "someone"));
    const passed = check(copy);
    expect([passed.status, passed.stderr]).toEqual([0, ""]);
    expect(passed.stdout).toMatch(/^lstm-wasm 0\.1\.0: \d+ files, ready to be published\n$/);
    const readme = join(copy, "README.md");
    const written = readFileSync(readme, "utf8");
    writeFileSync(readme, `${written}[x](https://github.com/another/lstm-wasm/blob/HEAD/x.md)\n`);
    expect(check(copy).stderr).toContain(
      "README.md: https://github.com/another/lstm-wasm/blob/HEAD/x.md is not at package.json's repository\n",
    );
    writeFileSync(readme, written);
    rmSync(join(copy, "dist/NOTICES.md"));
    expect(check(copy).stderr).toContain("dist/NOTICES.md: not in the package\n");
  });
});
