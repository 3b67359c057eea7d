/**
 * The API reference, as build/docs/index.html: what `deno doc` makes of the entries' declarations in dist/. It runs on a
 * copy of them. deno names a page after a file unless a deno.json has a name for it, and index.js leads it to the bundle.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ENTRIES, specifierOf } from "./entries.js";

const DENO = "deno@2.9.6";
const COPY = "build/declarations";

rmSync("build/docs", { recursive: true, force: true });
const exports = {};
for (const [path, source] of Object.entries(ENTRIES)) {
  const file = join(COPY, `${path}.d.ts`);
  const [, about] = /^\/\*\*(.*?)\*\//s.exec(readFileSync(source, "utf8"));
  const declarations = readFileSync(`dist/${path}.d.ts`, "utf8").replaceAll(/(from ".*)\.js"/g, '$1.d.ts"');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `/**${about}\n * @module\n */\n${declarations}`);
  exports[`./${specifierOf(path)}`] = `./${path}.d.ts`;
}
writeFileSync(join(COPY, "deno.json"), JSON.stringify({ name: "lstm-wasm", version: "0.0.0", exports }));
const options = ["--html", "--name=lstm-wasm", `--output=${resolve("build/docs")}`];
execFileSync("npx", ["--yes", DENO, "doc", ...options, ...Object.values(exports)], {
  cwd: COPY,
  stdio: "inherit",
});
rmSync(COPY, { recursive: true });
