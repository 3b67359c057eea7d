/**
 * 10,000 requests against the bundle in dist/, run by miniflare on this machine: first what each route must answer, then
 * throughput, latency and the memory of workerd.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const REQUESTS = 10_000;
const CONCURRENCY = 16;
const STEPS = 60;
const INPUT_SIZE = 8;

const modules = readdirSync("dist")
  .filter((name) => /\.(js|wasm|safetensors)$/.test(name))
  .map((name) => ({
    type: { js: "ESModule", wasm: "CompiledWasm", safetensors: "Data" }[name.split(".").at(-1)],
    path: `dist/${name}`,
    contents: readFileSync(`dist/${name}`),
  }))
  .sort((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule"));
const worker = new Miniflare(
  convertV4MiniflareOptions({
    modules,
    modulesRoot: "dist",
    compatibilityDate: "2026-11-17",
    durableObjects: { STREAMS: { className: "StreamState", useSQLite: true } },
  }),
);
const address = await worker.ready;

const json = { "Content-Type": "application/json" };
const binary = { "Content-Type": "application/octet-stream" };
const post = (path, headers, body) => fetch(new URL(path, address), { method: "POST", headers, body });

const sequence = Array.from({ length: STEPS }, (_, step) =>
  Array.from({ length: INPUT_SIZE }, (_, at) => Math.fround(Math.sin(step * 0.1 + at))),
);
const numbers = Float32Array.from(sequence.flat());

async function checkRoutes() {
  const { scores } = await (await post("/score", json, JSON.stringify({ sequence }))).json();
  assert.equal(scores.length, STEPS);
  assert.deepEqual((await (await post("/score", binary, numbers)).json()).scores, scores);
  const chunked = [];
  for (let start = 0; start < STEPS; start += 20) {
    const chunk = numbers.slice(start * INPUT_SIZE, (start + 20) * INPUT_SIZE);
    chunked.push(...(await (await post("/streams/check", binary, chunk)).json()).scores);
  }
  assert.deepEqual(chunked, scores, "three chunks give the numbers of one call");
  const forgotten = await fetch(new URL("/streams/check", address), { method: "DELETE" });
  assert.equal(forgotten.status, 204);
  const again = await (await post("/streams/check", binary, numbers)).json();
  assert.deepEqual(again, { scores, steps: STEPS });

  const bad = [
    [json, "{", /body: not JSON/],
    [json, "{}", /sequence: expected an array/],
    [json, '{"sequence":[]}', /expected 1 to 10080 time steps, got 0/],
    [json, '{"sequence":[[1,2]]}', /sequence\[0\]: expected 8 numbers, got 2/],
    [json, '{"sequence":[[1,2,3,4,5,6,7,"8"]]}', /sequence\[0\]\[7\]: expected a number, got string/],
    [json, '{"sequence":[[1,2,3,4,5,6,7,1e39]]}', /expected a finite float32, got Infinity/],
    [binary, new Uint8Array(33), /expected a multiple of 32 bytes/],
    [{ "Content-Type": "text/plain" }, "1 2 3", /Content-Type: expected/],
  ];
  for (const [headers, body, message] of bad) {
    for (const path of ["/score", "/streams/bad"]) {
      const response = await post(path, headers, body);
      assert.equal(response.status, 400);
      assert.match((await response.json()).error, message);
    }
  }
  assert.equal((await fetch(new URL("/score", address))).status, 405);
  assert.equal((await fetch(new URL("/other", address))).status, 404);
}

/** Resident memory in MiB of the workerd that this process started. */
function workerdMemory() {
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    let status;
    try {
      status = readFileSync(`/proc/${id}/status`, "utf8");
    } catch {
      continue; // It ended in between.
    }
    if (new RegExp(`^Name:\\s+workerd[^]*^PPid:\\s+${process.pid}$`, "m").test(status)) {
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) / 1024;
    }
  }
  return Number.NaN;
}

async function load(name, send, status = 200) {
  const times = [];
  const before = workerdMemory();
  let next = 0;
  const start = performance.now();
  const client = async () => {
    for (let request = next++; request < REQUESTS; request = next++) {
      const sent = performance.now();
      const response = await send(request);
      await response.arrayBuffer();
      assert.equal(response.status, status);
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (part) => times[Math.floor(part * (times.length - 1))].toFixed(1);
  const memory = `${before.toFixed(0)} -> ${workerdMemory().toFixed(0)}`;
  console.log(
    `| ${name} | ${(REQUESTS / seconds).toFixed(0)} | ${quantile(0.5)} | ${quantile(0.99)} | ${memory} |`,
  );
}

try {
  await checkRoutes();
  console.log(
    `${REQUESTS} requests each, ${CONCURRENCY} at a time, ${STEPS} time steps of ${INPUT_SIZE} numbers`,
  );
  console.log("| Route | requests/s | p50 ms | p99 ms | workerd MiB |\n| --- | --- | --- | --- | --- |");
  const body = JSON.stringify({ sequence });
  // The control: what the server and its client cost without any scoring.
  await load("a path that does not exist", () => post("/other", binary, numbers), 404);
  await load("/score, JSON", () => post("/score", json, body));
  await load("/score, binary", () => post("/score", binary, numbers));
  await load("/streams, 100 streams", (request) => post(`/streams/load-${request % 100}`, binary, numbers));
} finally {
  await worker.dispose();
}
