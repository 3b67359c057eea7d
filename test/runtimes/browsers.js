/** Chromium, Firefox and WebKitGTK from Debian, headless, on pages that a server on localhost hands out. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { bundleSites } from "./bundles.js";
import { startServer } from "./server.js";
import { startWebKit } from "./webkit.js";

const CONTEXTS = ["page", "worker", "service worker", "AudioWorklet"];
const START_TIMEOUT = 60_000;
const RESULT_TIMEOUT = 60_000;

const CHROMIUM_OPTIONS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
];

/** How to start each browser; a driver is { version, goto(url), close() }. */
const BROWSERS = {
  Chromium: {
    engine: "V8",
    packages: { chromium: "/usr/bin/chromium" },
    start: () =>
      startPuppeteer({ browser: "chrome", executablePath: "/usr/bin/chromium", args: CHROMIUM_OPTIONS }),
  },
  Firefox: {
    engine: "SpiderMonkey",
    packages: { "firefox-esr": "/usr/bin/firefox-esr" },
    start: () => startPuppeteer({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" }),
  },
  WebKitGTK: {
    engine: "JavaScriptCore",
    packages: {
      "webkit2gtk-driver": "/usr/bin/WebKitWebDriver",
      xvfb: "/usr/bin/xvfb-run",
      xauth: "/usr/bin/xauth",
    },
    start: startWebKit,
  },
};

async function startPuppeteer(options) {
  const browser = await puppeteer.launch({ headless: true, timeout: START_TIMEOUT, ...options });
  const page = await browser.newPage();
  return {
    version: (await browser.version()).replace(/^.*\//, ""),
    goto: (url) => page.goto(url),
    close: () => browser.close(),
  };
}

/** A row per browser, site and scope. */
export async function runBrowsers(names, app) {
  const root = join(app, "sites");
  const server = await startServer(root);
  const rows = [];
  try {
    const sites = await bundleSites(app, root, server.cdn);
    for (const name of names) {
      const { engine, packages, start } = BROWSERS[name];
      const planned = plan(sites).map((step) => ({ runtime: name, engine, version: "", ...step }));
      rows.push(...planned);
      let driver;
      try {
        install(packages);
        driver = await within(start(), START_TIMEOUT, "the browser did not start");
      } catch (error) {
        for (const row of planned) row.notRun = error.message;
        continue;
      }
      for (const row of planned) {
        row.version = driver.version;
        row.report = row.error ? { error: row.error } : await visit(driver, server, row);
      }
      await within(driver.close(), START_TIMEOUT, "").catch(() => {});
    }
  } finally {
    server.close();
  }
  return rows;
}

/** What each browser visits: every scope of every site, and under the strict policy the scopes that it governs. */
function plan(sites) {
  const steps = sites.flatMap(({ name, error }) =>
    CONTEXTS.map((context) => ({ how: `${name}, ${context}`, site: name, context, error })),
  );
  for (const context of ["page", "worker", "AudioWorklet"]) {
    steps.push({ how: `plain under strict CSP, ${context}`, site: "csp", context });
  }
  steps.push({
    how: "plain under a CSP without 'wasm-unsafe-eval'",
    site: "no-wasm",
    context: "refusal",
    refusal: "Allow 'wasm-unsafe-eval' in script-src",
  });
  return steps;
}

async function visit(driver, server, { site, context }) {
  try {
    const { id, report } = server.expectReport();
    const url = `${server.address}/${site}/index.html?context=${encodeURIComponent(context)}&id=${id}`;
    await within(driver.goto(url), RESULT_TIMEOUT, "the page did not load");
    return await within(report, RESULT_TIMEOUT, "the page sent no result");
  } catch (error) {
    return { error: String(error) };
  }
}

/** Debian's packages that are missing. */
function install(packages) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["update", "-qq"], { env, stdio: "ignore", timeout: 300_000 });
  const options = ["install", "-y", "-qq", "--no-install-recommends"];
  execFileSync("apt-get", [...options, ...missing], { env, stdio: "ignore", timeout: 900_000 });
}

function within(promise, milliseconds, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
