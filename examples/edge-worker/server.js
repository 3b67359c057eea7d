/** The worker in dist/, as wrangler bundled it, in workerd on this machine. */
import { readdirSync, readFileSync } from "node:fs";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const TYPES = { js: "ESModule", wasm: "CompiledWasm", safetensors: "Data" };

/** @returns the worker's own address, and stop() */
export async function startWorker() {
  const modules = readdirSync("dist")
    .filter((name) => name.split(".").at(-1) in TYPES)
    .map((name) => ({
      type: TYPES[name.split(".").at(-1)],
      path: `dist/${name}`,
      contents: readFileSync(`dist/${name}`),
    }))
    // Miniflare takes the first as the worker.
    .sort((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules,
      modulesRoot: "dist",
      compatibilityDate: "2026-11-17",
      durableObjects: { STREAMS: { className: "StreamState", useSQLite: true } },
      // Not through miniflare's own worker, which halves the throughput.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  await miniflare.ready;
  return { address: await miniflare.unsafeGetDirectURL(), stop: () => miniflare.dispose() };
}
