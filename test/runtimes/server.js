/** The server on localhost that hands out the pages of the browser tests and takes their results. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".map": "application/json" };

const STRICT = { "Content-Security-Policy": "script-src 'self' 'wasm-unsafe-eval'" };
/** Of pages that may share memory, and of their workers' scripts. */
const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** By the path's first folder. */
const HEADERS = {
  csp: STRICT,
  isolated: ISOLATED,
  "isolated-csp": { ...STRICT, ...ISOLATED },
  "no-wasm": { "Content-Security-Policy": "script-src 'self'" },
  npm: { "Access-Control-Allow-Origin": "*" },
};

/**
 * Serves `root`, at `address` and at `cdn`, which is another origin to a browser; what a page posts to /result?id=
 * resolves that id's promise.
 */
export async function startServer(root) {
  const waiting = new Map();
  let reports = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/result") {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        waiting.get(url.searchParams.get("id"))?.(JSON.parse(body));
        response.end();
      });
      return;
    }
    const file = normalize(join(root, decodeURIComponent(url.pathname)));
    if (!file.startsWith(root + sep) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      ...HEADERS[url.pathname.split("/")[1]],
    });
    response.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    address: `http://localhost:${port}`,
    cdn: `http://127.0.0.1:${port}`,
    expectReport() {
      const id = String(reports++);
      return { id, report: new Promise((resolve) => waiting.set(id, resolve)) };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
