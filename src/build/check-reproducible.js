/**
 * `npm run check:reproducible`: builds the package in two folders of different names and compares every file of the two
 * tarballs. What differs would differ for whoever checks that a published package is made of these sources.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = mkdtempSync(join(tmpdir(), "reproducible-"));
const run = async (command, args, cwd) =>
  (await promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 26 })).stdout;

/** The sources as they are here, built with nothing that was built before: a hash of each file of the tarball. */
async function build(folder) {
  const listed = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], ".");
  const files = listed.split("\0").filter(Boolean);
  for (const file of files) cpSync(file, join(folder, file));
  // Copied: source maps name the real paths of what a link leads to.
  cpSync("node_modules", join(folder, "node_modules"), { recursive: true, verbatimSymlinks: true });
  await run("npm", ["pack", "--silent", "--pack-destination", folder], folder);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  await run("tar", ["-xzf", tarball], folder);
  const unpacked = join(folder, "package");
  const packed = readdirSync(unpacked, { recursive: true }).filter((file) =>
    statSync(join(unpacked, file)).isFile(),
  );
  return new Map(
    packed.sort().map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(join(unpacked, file)))
        .digest("hex"),
    ]),
  );
}

try {
  const [one, other] = await Promise.all([
    build(join(root, "one")),
    build(join(root, "another-folder", "deeper")),
  ]);
  const names = [...new Set([...one.keys(), ...other.keys()])];
  const different = names.filter((file) => one.get(file) !== other.get(file));
  for (const file of different) console.error(`differs: ${file}`);
  if (different.length > 0) process.exitCode = 1;
  else console.log(`${names.length} files of two builds are the same, byte for byte`);
} finally {
  rmSync(root, { recursive: true });
}
