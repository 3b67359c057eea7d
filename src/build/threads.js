/**
 * What `lstm-wasm/threads` has beside its bundles: dist/threads/worker.js, the script of a worker for pages whose policy
 * forbids workers of blobs, and the core's binaries for a shared memory, for `initThreads({ module })`. Both are what the
 * entry makes for itself at run time, made by its own sources.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const SOURCES = `
  export { forSharedMemory } from "./src/bundle/shared-memory.ts";
  export { WORKER_TEXT } from "./src/threads/worker.ts";`;
const SHARED = { "lstm-shared": "simd", "lstm-shared-relaxed": "relaxed-simd" };

const { outputFiles } = await build({
  stdin: { contents: SOURCES, resolveDir: "." },
  bundle: true,
  format: "esm",
  target: "node20",
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString("base64");
const { forSharedMemory, WORKER_TEXT } = await import(`data:text/javascript;base64,${code}`);

mkdirSync("dist/threads", { recursive: true });
writeFileSync("dist/threads/worker.js", `${WORKER_TEXT}\n`);
// A script for the URL of a worker, which gives nothing to import.
writeFileSync("dist/threads/worker.d.ts", "export {};\n");
for (const [name, source] of Object.entries(SHARED))
  writeFileSync(`dist/${name}.wasm`, forSharedMemory(new Uint8Array(readFileSync(`build/${source}.wasm`))));
