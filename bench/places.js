/**
 * Where each library starts, and whether it gives the same bits there: `node bench/places.js` tries it and writes
 * places.json. It takes the browsers and engines of test/runtimes (`npm ci --prefix test/runtimes`, Debian's chromium and
 * firefox-esr) and the libraries of bench/ (`npm ci --prefix bench`). Build lstm-wasm first.
 *
 * Scripts run unbundled. For all else esbuild bundles each library as it comes. Where its interface takes the wasm as
 * bytes it gets them, and elsewhere the address of a server that has them: so no place fails for a file that is missing.
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { startServer } from "../test/runtimes/server.js";
import { caseNamed, stateDict } from "./cases.js";
import { defaultNode, peerVersions } from "./machine.js";
import { onnxModel } from "./onnx.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const sites = mkdtempSync(join(tmpdir(), "places-"));
const runtimes = createRequire(new URL("../test/runtimes/", import.meta.url));
const load = (name) => import(pathToFileURL(runtimes.resolve(name)).href);
const TIMEOUT = 60_000;

/** Each library, and the wasm that it loads in a browser. */
const PEERS = {
  ours: {},
  web: { wasm: "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm" },
  tfjs: { wasm: "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm" },
};

const bin = (path) => fileURLToPath(new URL(`../test/runtimes/node_modules/${path}`, import.meta.url));
const SCRIPTS = {
  "Node.js": [defaultNode()],
  Deno: [bin("@deno/linux-x64-glibc/deno"), "run", "--allow-all", "--no-lock"],
  Bun: [bin("@oven/bun-linux-x64/bin/bun")],
};
const CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const BROWSERS = {
  Chromium: { browser: "chrome", executablePath: "/usr/bin/chromium", args: CHROMIUM },
  Firefox: { browser: "firefox", executablePath: "/usr/bin/firefox-esr" },
};
const SCOPES = ["page", "worker", "service worker", "AudioWorklet"];

const within = (promise) =>
  Promise.race([
    promise,
    new Promise((resolve) =>
      setTimeout(() => resolve({ error: `nothing within ${TIMEOUT / 1000} s` }), TIMEOUT).unref(),
    ),
  ]);

function scripts(peer) {
  const ran = Object.entries(SCRIPTS).map(([name, [command, ...args]]) => {
    const { stdout, stderr, error } = spawnSync(command, [...args, `${here}places/script.js`, peer], {
      encoding: "utf8",
      timeout: TIMEOUT,
      cwd: here,
    });
    const line = stdout?.split("\n").find((text) => text.startsWith("{"));
    return [name, line ? JSON.parse(line) : { error: String(error ?? stderr).slice(0, 300) }];
  });
  return Object.fromEntries(ran);
}

/** Every entry for one library, in a folder with its wasm beside it. */
async function bundle(peer) {
  const site = `${sites}/${peer}`;
  mkdirSync(site, { recursive: true });
  // protobufjs, which writes the model, is no part of what is tried.
  const model = `${sites}/onnx.js`;
  const bytes = Array.from(onnxModel(caseNamed("step-32"), stateDict(caseNamed("step-32"))));
  writeFileSync(
    model,
    `export const onnxModel = () => new Uint8Array([${bytes.join()}]);\nexport const onnxInt8Model = onnxModel;\n`,
  );
  const swap = (library) => ({
    name: "swap",
    setup({ onResolve }) {
      onResolve({ filter: /\/onnx\.js$/ }, () => ({ path: model }));
      onResolve({ filter: /dist\/index\.js$/ }, () => ({ path: library }));
    },
  });
  const make = (entries, library, conditions) =>
    build({
      entryPoints: entries.map((name) => `${here}places/${name}.js`),
      absWorkingDir: here,
      outdir: site,
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions,
      alias: { peer: `${here}places/${peer}.js`, "onnxruntime-web": "onnxruntime-web/wasm" },
      external: ["onnxruntime-node"],
      loader: { ".wasm": "copy" },
      plugins: [swap(library)],
      logLevel: "error",
    });
  await make(["page", "worker", "processor"], `${here}../dist/index.js`, ["module"]);
  await make(["edge"], `${here}../dist/edge.js`, ["workerd", "module"]);
  writeFileSync(`${site}/index.html`, '<!doctype html><script type="module" src="page.js"></script>');
  const { wasm } = PEERS[peer];
  if (wasm === undefined) return;
  for (const name of ["library.wasm", wasm.split("/").at(-1)])
    copyFileSync(`${here}node_modules/${wasm}`, `${site}/${name}`);
}

async function browsers(peers) {
  const { default: puppeteer } = await load("puppeteer-core");
  const server = await startServer(sites);
  const results = Object.fromEntries(peers.map((peer) => [peer, {}]));
  const versions = {};
  for (const [name, options] of Object.entries(BROWSERS)) {
    const browser = await puppeteer.launch({ headless: true, ...options });
    versions[name] = (await browser.version()).replace(/^.*\//, "");
    for (const peer of peers) {
      for (const scope of SCOPES) {
        const page = await browser.newPage();
        const { id, report } = server.expectReport();
        const query = new URLSearchParams({ scope, id });
        await page.goto(`${server.address}/${peer}/index.html?${query}`);
        results[peer][`${name}, ${scope}`] = await within(report);
        await page.close();
      }
    }
    await browser.close();
  }
  server.close();
  return { results, versions };
}

/** Cloudflare's workerd. */
async function edge(peer) {
  const { convertV4MiniflareOptions, Miniflare, Response } = await load("miniflare");
  const site = `${sites}/${peer}`;
  const modules = readdirSync(site)
    .filter((name) => name === "edge.js" || (peer === "ours" && name.includes(".wasm")))
    .map((name) => ({
      type: name === "edge.js" ? "ESModule" : "CompiledWasm",
      path: `${site}/${name}`,
      contents: readFileSync(`${site}/${name}`),
    }));
  const { wasm } = PEERS[peer];
  let worker;
  try {
    worker = new Miniflare(
      convertV4MiniflareOptions({
        modulesRoot: site,
        modules,
        compatibilityDate: "2026-11-17",
        ...(wasm && {
          dataBlobBindings: { BINARY: `${here}node_modules/${wasm}` },
          outboundService: () => new Response(readFileSync(`${here}node_modules/${wasm}`)),
        }),
      }),
    );
    const response = await within(worker.dispatchFetch("http://localhost/"));
    return response.error ? response : await response.json();
  } catch (error) {
    return { error: String(error).slice(0, 300) };
  } finally {
    await worker?.dispose();
  }
}

const names = Object.keys(PEERS);
for (const peer of names) await bundle(peer);
const inBrowsers = await browsers(names);
const peers = {};
for (const peer of names) {
  peers[peer] = { ...scripts(peer), ...inBrowsers.results[peer], workerd: await edge(peer) };
}

/** The bits that most places give; elsewhere `same` is false. */
for (const places of Object.values(peers)) {
  const counts = new Map();
  for (const { bits } of Object.values(places)) {
    if (bits) counts.set(bits.join(), (counts.get(bits.join()) ?? 0) + 1);
  }
  const [common] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  for (const [name, { bits, error }] of Object.entries(places)) {
    places[name] = bits ? { starts: true, same: bits.join() === common } : { starts: false, error };
  }
}
const date = new Date().toISOString().slice(0, 10);
writeFileSync(
  `${here}places.json`,
  `${JSON.stringify({ date, versions: { ...peerVersions(), ...inBrowsers.versions }, peers }, null, 1)}\n`,
);
console.log(JSON.stringify(peers, null, 1));
rmSync(sites, { recursive: true });
process.exit();
