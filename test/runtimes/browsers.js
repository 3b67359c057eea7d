/** Chromium, Firefox and WebKitGTK from Debian, headless, on pages that a server on localhost hands out. */
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { bundleSites } from "./bundles.js";
import { install } from "./debian.js";
import { PAGES, serveExamples } from "./examples.js";
import { startServer } from "./server.js";
import { startWebKit } from "./webkit.js";

const CONTEXTS = ["page", "worker", "service worker", "AudioWorklet"];
/** Why these have one thread, but for pages that are isolated. */
const NOT_ISOLATED = "not cross-origin isolated";
const NO_THREADS = {
  page: NOT_ISOLATED,
  worker: NOT_ISOLATED,
  "service worker": "no Worker",
  AudioWorklet: "no Worker",
};
const START_TIMEOUT = 180_000;
const RESULT_TIMEOUT = 180_000;

const CHROMIUM_OPTIONS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update"],
  // A microphone that beeps, and may be heard without asking.
  ...["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
];

/**
 * How to start each browser; a driver is { version, goto(url), close() }, and for the examples { click(selector),
 * choose(selector, file), text(selector) }. Without a sound card only Chromium runs an AudioContext in real time.
 * `isolated` is how many threads its isolated pages have, or why only one.
 */
const BROWSERS = {
  Chromium: {
    engine: "V8",
    packages: { chromium: "/usr/bin/chromium" },
    examples: ["browser", "audio-worklet", "denoise"],
    isolated: 2,
    start: () =>
      startPuppeteer({ browser: "chrome", executablePath: "/usr/bin/chromium", args: CHROMIUM_OPTIONS }),
  },
  Firefox: {
    engine: "SpiderMonkey",
    packages: { "firefox-esr": "/usr/bin/firefox-esr" },
    examples: ["browser"],
    isolated: 2,
    start: () => startPuppeteer({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" }),
  },
  WebKitGTK: {
    engine: "JavaScriptCore",
    packages: {
      "webkit2gtk-driver": "/usr/bin/WebKitWebDriver",
      xvfb: "/usr/bin/xvfb-run",
      xauth: "/usr/bin/xauth",
    },
    examples: ["browser"],
    // Nor do workers of its isolated pages load.
    isolated: "no SharedArrayBuffer",
    start: startWebKit,
  },
};

async function startPuppeteer(options) {
  const browser = await puppeteer.launch({ headless: true, timeout: START_TIMEOUT, ...options });
  const page = await browser.newPage();
  return {
    version: (await browser.version()).replace(/^.*\//, ""),
    goto: (url) => page.goto(url),
    click: (selector) => page.click(selector),
    choose: async (selector, file) => (await page.$(selector)).uploadFile(file),
    text: (selector) => page.$eval(selector, ({ textContent }) => textContent),
    close: () => browser.close(),
  };
}

/** Debian's packages of these browsers, as `install` takes them. */
export const packagesOf = (names) => Object.assign({}, ...names.map((name) => BROWSERS[name].packages));

/** A row per browser, site and scope. */
export async function runBrowsers(names, app) {
  const root = join(app, "sites");
  const server = await startServer(root);
  const rows = [];
  try {
    const sites = await bundleSites(app, root, server.cdn);
    await serveExamples(app, root);
    for (const name of names) {
      const { engine, packages, start, examples, isolated } = BROWSERS[name];
      const planned = plan(sites, examples, isolated).map((step) => ({
        runtime: name,
        engine,
        version: "",
        ...step,
      }));
      rows.push(...planned);
      let driver;
      try {
        await install(packages);
        driver = await within(start(), START_TIMEOUT, "the browser did not start");
      } catch (error) {
        for (const row of planned) row.notRun = error.message;
        continue;
      }
      for (const row of planned) {
        row.version = driver.version;
        if (row.error) row.report = { error: row.error };
        else if (row.example) row.report = await use(driver, server, app, row.example);
        else row.report = await visit(driver, server, row);
      }
      await within(driver.close(), START_TIMEOUT, "").catch(() => {});
    }
  } finally {
    server.close();
  }
  return rows;
}

/** What each browser visits: every scope of every site, under the strict policy the scopes that it governs, and examples. */
function plan(sites, examples, isolated) {
  const steps = sites.flatMap(({ name, error }) =>
    CONTEXTS.map((context) => ({
      ...{ how: `${name}, ${context}`, site: name, context, error },
      threads: NO_THREADS[context],
    })),
  );
  const ofIsolated = isolated === 2 ? ["page", "worker"] : ["page"];
  for (const context of ofIsolated)
    steps.push({ how: `plain, isolated, ${context}`, site: "isolated", context, threads: isolated });
  for (const context of ["page", "worker", "AudioWorklet"]) {
    steps.push({
      ...{ how: `plain under strict CSP, ${context}`, site: "csp", context },
      threads: NO_THREADS[context],
    });
  }
  if (isolated === 2) {
    steps.push({
      ...{ how: "plain, isolated, under strict CSP", site: "isolated-csp", context: "threads" },
      threads: "worker-src blob:",
    });
    steps.push({
      ...{
        how: "plain, isolated, under strict CSP, options.worker",
        site: "isolated-csp",
        context: "threads by a URL",
      },
      threads: 2,
    });
  }
  steps.push({
    how: "plain under a CSP without 'wasm-unsafe-eval'",
    site: "no-wasm",
    context: "refusal",
    refusal: "Allow 'wasm-unsafe-eval' in script-src",
  });
  steps.push({
    ...{ how: "webpack, page of another encoding", site: "other-charset", context: "page" },
    threads: NO_THREADS.page,
  });
  for (const example of examples) steps.push({ how: `examples/${example}`, example });
  return steps;
}

/** Uses an example's page. */
async function use(driver, server, app, example) {
  try {
    await within(driver.goto(`${server.address}/examples/${example}/index.html`), RESULT_TIMEOUT, "no page");
    await within(PAGES[example](driver, app), RESULT_TIMEOUT, "the page did not do what it should");
    return { done: "shows what it should" };
  } catch (error) {
    return { error: String(error) };
  }
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

function within(promise, milliseconds, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
