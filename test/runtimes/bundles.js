/** The page without a bundler, and as Vite, esbuild and webpack make it. Each is a folder of the server's root. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

const ENTRIES = ["page", "worker", "service-worker", "processor"];
const PATH_TO_LIBRARY = "/node_modules/lstm-wasm/dist/index.js";

/** Returns { root, sites: [{ name, error? }] }; a site that could not be bundled has an error. */
export async function bundleSites(app) {
  const builders = { plain, Vite: withVite, esbuild: withEsbuild, webpack: withWebpack };
  const sites = [];
  for (const [name, build] of Object.entries(builders)) {
    const folder = join(app, "sites", name);
    mkdirSync(folder, { recursive: true });
    try {
      await build(app, folder);
      sites.push({ name });
    } catch (error) {
      sites.push({ name, error: String(error) });
    }
  }
  cpSync(join(app, "sites/plain"), join(app, "sites/csp"), { recursive: true });
  cpSync(join(app, "node_modules"), join(app, "sites/node_modules"), { recursive: true });
  return { root: join(app, "sites"), sites };
}

const copyPage = (app, folder) => cpSync(join(app, "index.html"), join(folder, "index.html"));

/** As from a CDN: the browser loads the package's own files by their path. */
function plain(app, folder) {
  copyPage(app, folder);
  cpSync(join(app, "suite.js"), join(folder, "suite.js"));
  for (const entry of ENTRIES) {
    const code = readFileSync(join(app, `${entry}.js`), "utf8");
    writeFileSync(join(folder, `${entry}.js`), code.replace('"lstm-wasm"', `"${PATH_TO_LIBRARY}"`));
  }
}

async function withVite(app, folder) {
  const input = { page: join(app, "index.html") };
  for (const entry of ["service-worker", "processor"]) input[entry] = join(app, `${entry}.js`);
  await vite.build({
    root: app,
    base: "./",
    configFile: false,
    logLevel: "warn",
    worker: { format: "es" },
    build: { outDir: folder, rollupOptions: { input, output: { entryFileNames: "[name].js" } } },
  });
}

async function withEsbuild(app, folder) {
  copyPage(app, folder);
  await esbuild.build({
    entryPoints: ENTRIES.map((entry) => join(app, `${entry}.js`)),
    bundle: true,
    format: "esm",
    outdir: folder,
  });
}

async function withWebpack(app, folder) {
  copyPage(app, folder);
  const entry = Object.fromEntries(
    ["page", "service-worker", "processor"].map((name) => [name, join(app, `${name}.js`)]),
  );
  const compiler = webpack({
    mode: "production",
    context: app,
    entry,
    output: { path: folder, filename: "[name].js", publicPath: "auto" },
    performance: false,
  });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
}
