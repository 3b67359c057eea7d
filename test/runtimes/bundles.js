/** The page without a bundler, from a CDN, and as Vite, esbuild and webpack make it. Each is a folder of the server's root. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";

const ENTRIES = ["page", "worker", "service-worker", "processor"];
const PATH_TO_LIBRARY = "/node_modules/lstm-wasm/dist";

/**
 * @param cdn address that serves the root too, to pages of another origin
 * @returns [{ name, error? }]; a site that could not be bundled has an error
 */
export async function bundleSites(app, root, cdn) {
  const builders = {
    plain: (folder) => withoutBundler(app, folder, PATH_TO_LIBRARY),
    CDN: (folder) => withoutBundler(app, folder, publish(app, root, cdn)),
    Vite: (folder) => withVite(app, folder),
    esbuild: (folder) => withEsbuild(app, folder),
    webpack: (folder) => withWebpack(app, folder),
  };
  for (const name of ["node_modules", "models"])
    cpSync(join(app, name), join(root, name), { recursive: true });
  const sites = [];
  for (const [name, build] of Object.entries(builders)) {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    try {
      await build(folder);
      sites.push({ name });
    } catch (error) {
      sites.push({ name, error: String(error) });
    }
  }
  for (const name of ["csp", "no-wasm", "isolated", "isolated-csp"])
    cpSync(join(root, "plain"), join(root, name), { recursive: true });
  // A classic script is read in the encoding of its page.
  cpSync(join(root, "webpack"), join(root, "other-charset"), { recursive: true });
  const page = '<!doctype html><meta charset="shift_jis"><script src="page.js"></script>\n';
  writeFileSync(join(root, "other-charset/index.html"), page);
  return sites;
}

/** Puts the package where jsDelivr would. Returns the address of its dist/. */
function publish(app, root, cdn) {
  const installed = join(app, "node_modules/lstm-wasm");
  const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const path = `npm/lstm-wasm@${version}`;
  cpSync(installed, join(root, path), { recursive: true });
  return `${cdn}/${path}/dist`;
}

const copyPage = (app, folder) => cpSync(join(app, "index.html"), join(folder, "index.html"));

/** The browser loads the package's own files by their path. */
function withoutBundler(app, folder, library) {
  copyPage(app, folder);
  for (const file of ["suite.js", "processor-url.js"]) cpSync(join(app, file), join(folder, file));
  const ofThreads = join(app, "node_modules/lstm-wasm/dist/threads/worker.js");
  cpSync(ofThreads, join(folder, "worker-of-threads.js"));
  for (const entry of ENTRIES) {
    const code = readFileSync(join(app, `${entry}.js`), "utf8");
    const paths = code
      .replace('"lstm-wasm"', `"${library}/index.js"`)
      .replace('"lstm-wasm/models"', `"${library}/models/index.js"`)
      .replace('"lstm-wasm/threads"', `"${library}/threads/index.js"`);
    writeFileSync(join(folder, `${entry}.js`), paths);
  }
}

async function withVite(app, folder) {
  const input = { page: join(app, "index.html"), "service-worker": join(app, "service-worker.js") };
  await vite.build({
    root: app,
    base: "./",
    configFile: false,
    logLevel: "warn",
    resolve: { alias: { "./processor-url.js": join(app, "processor-url.vite.js") } },
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
