/** The packed package and the app that has it installed: nothing of the source tree is in it but the entries. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fetchModels } from "./models.js";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Packs into `work` and returns the app's folder: node_modules/lstm-wasm from the tarball, the entries, suite.js, models. */
export async function makeApp(work) {
  const run = (file, args, cwd) =>
    execFileSync(file, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const packed = run("npm", ["pack", "--json", "--pack-destination", work], join(here, "../.."));
  // prepack's own output comes before the JSON.
  const [{ filename }] = JSON.parse(packed.slice(packed.lastIndexOf("\n[") + 1));
  const app = join(work, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{ "name": "app", "private": true, "type": "module" }\n');
  run("npm", ["install", "--no-audit", "--no-fund", "--offline", join(work, filename)], app);
  cpSync(join(here, "entries"), app, { recursive: true });
  const entry = readFileSync(join(app, "import.js"), "utf8");
  writeFileSync(join(app, "import-npm.js"), entry.replaceAll('"lstm-wasm', '"npm:lstm-wasm'));
  await buildSuite(app);
  await embedModels(app, fetchModels(work));
  return app;
}

/** The whole models as files, which pages fetch, and as one module for engines that may read no file. */
async function embedModels(app, files) {
  const folder = join(app, "models");
  mkdirSync(folder);
  const imports = Object.entries(files).map(([name, path], at) => {
    cpSync(path, join(folder, name));
    return [`import model${at} from "./models/${name}";`, `"${name}": model${at}`];
  });
  const contents = `${imports.map(([line]) => line).join("")} export default { ${imports.map(([, entry]) => entry)} };`;
  await build({
    stdin: { contents, resolveDir: app },
    outfile: join(app, "model-files.js"),
    bundle: true,
    format: "esm",
    target: ["es2022", "node16.9"],
    loader: { ".onnx": "binary" },
  });
}

/** One file with the golden data inside, which runs in every engine. */
async function buildSuite(app) {
  const { hashBytes } = await suiteModule(app, {});
  const binaries = Object.fromEntries(
    ["simd", "relaxed-simd", "models", "models-relaxed"].map((name) => [
      name,
      hashBytes(readFileSync(join(app, `node_modules/lstm-wasm/dist/${name}.wasm`))),
    ]),
  );
  await suiteModule(app, binaries);
}

async function suiteModule(app, binaries) {
  const outfile = join(app, "suite.js");
  const data = join(here, "entries/embedded-files.ts");
  await build({
    entryPoints: [join(here, "entries/suite.ts")],
    outfile,
    bundle: true,
    format: "esm",
    target: ["es2022", "node16.9"],
    alias: { "node:fs": data },
    inject: [data],
    loader: { ".json": "text", ".bin": "binary", ".keras": "binary" },
    define: { BINARIES: JSON.stringify(binaries) },
  });
  return import(`${outfile}?${Object.keys(binaries).length}`);
}
