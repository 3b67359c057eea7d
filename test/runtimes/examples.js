/** The examples as a user would have them: in a folder of their own, on the packed package. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const TIMEOUT = 300_000;
const WAIT = 40_000;

/** Copies the examples into the app, where they find the package; their tools are those of this folder. */
export function copyExamples(app) {
  const folder = join(app, "examples");
  cpSync(join(here, "../../examples"), folder, {
    recursive: true,
    filter: (path) => !/node_modules|[\\/]build$|[\\/]dist$/.test(path),
  });
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
}

const run = (app, name, file, args) =>
  promisify(execFile)(file, args, { cwd: join(app, "examples", name), timeout: TIMEOUT });

/** The edge worker's own tests; not by npm, which would take one of this folder's many Nodes. */
export async function testEdgeWorker(app, bundle) {
  await bundle(join(app, "examples/edge-worker"), "dist");
  await run(app, "edge-worker", process.execPath, ["--test", "routes.test.js"]);
}

/** What the pages need beside the sites of bundles.js. */
export async function serveExamples(app, root) {
  await run(app, "audio-worklet", "npm", ["run", "build"]);
  await buildDenoiser(app);
  cpSync(join(app, "node_modules/lstm-wasm/dist"), join(root, "dist"), { recursive: true });
  mkdirSync(join(root, "examples"));
  for (const name of ["audio-worklet", "browser", "denoise"]) {
    cpSync(join(app, "examples", name), join(root, "examples", name), { recursive: true });
  }
}

/** The page, and a model that stands in for those which no package carries. */
async function buildDenoiser(app) {
  const folder = join(app, "examples/denoise");
  const entryPoints = ["page.js", "processor.js"].map((name) => join(folder, name));
  await build({ entryPoints, bundle: true, format: "esm", outdir: join(folder, "build") });
  const source = join(here, "../support/gtcrn-stand-in.ts");
  const outfile = join(app, "gtcrn-stand-in.js");
  await build({ entryPoints: [source], bundle: true, format: "esm", outfile });
  const { GTCRN } = await import(outfile);
  writeFileSync(join(app, "gtcrn.onnx"), GTCRN);
}

const weights = (app) => join(app, "examples/edge-worker/weights.safetensors");

/** Each: uses the page as a person would. Throws unless it shows what it should. */
export const PAGES = {
  async browser(driver, app) {
    await driver.choose("#file", join(app, "examples/edge-worker/package.json"));
    await shows(driver, "#text", /^FormatError: safetensors/);
    await driver.choose("#file", weights(app));
    await shows(driver, "#text", /^inputSize 8, hiddenSize 16: the output over 200 steps/);
  },

  async "audio-worklet"(driver, app) {
    await driver.click("#start");
    await shows(driver, "#load", /^\d+\.\d % of the block time$/);
    await shows(driver, "#start", /^Pause$/);
    await driver.choose("#weights", weights(app));
    await shows(driver, "#error", /expected a key rec\.weight_ih_l0/);
  },

  async denoise(driver, app) {
    await driver.choose("#files", weights(app));
    await shows(driver, "#error", /^FormatError: onnx/);
    await driver.choose("#files", join(app, "models/silero_vad_v5.onnx"));
    await shows(driver, "#error", /got the inputs input, state, sr$/);
    await driver.choose("#files", join(app, "gtcrn.onnx"));
    await shows(driver, "#text", /^gtcrn\.onnx: \d+\.\d % of a core$/);
    await driver.click("#start");
    await shows(driver, "#start", /^Pause$/);
    await shows(driver, "#error", /^$/);
  },
};

/** Waits for the element's text. */
async function shows(driver, selector, pattern) {
  const end = Date.now() + WAIT;
  let text = await driver.text(selector);
  while (!pattern.test(text)) {
    if (Date.now() > end) throw new Error(`${selector}: expected ${pattern}, got "${text}"`);
    await sleep(100);
    text = await driver.text(selector);
  }
}
