/** Throughput, latency and workerd's memory over 10,000 requests to each route, then memory over many more. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { startWorker } from "./server.js";

const REQUESTS = 10_000;
const CONCURRENCY = 16;
const numbers = Float32Array.from({ length: 60 * 8 }, (_, at) => Math.fround(Math.sin(at)));
const sequence = Array.from({ length: 60 }, (_, step) => [...numbers.subarray(step * 8, step * 8 + 8)]);
const body = JSON.stringify({ sequence });

const json = { "Content-Type": "application/json" };
const binary = { "Content-Type": "application/octet-stream" };
const worker = await startWorker();
const post = (path, headers, body) => fetch(new URL(path, worker.address), { method: "POST", headers, body });

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
  throw new Error("workerd is not running");
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
  const memory = workerdMemory();
  const figures = [(REQUESTS / seconds).toFixed(0), quantile(0.5), quantile(0.99)];
  console.log(`| ${name} | ${figures.join(" | ")} | ${before.toFixed(0)} -> ${memory.toFixed(0)} |`);
  return memory;
}

try {
  console.log("| Route | requests/s | p50 ms | p99 ms | workerd MiB |\n| --- | --- | --- | --- | --- |");
  // The control: what the server and its client cost without any scoring.
  await load("a path that does not exist", () => post("/other", binary, numbers), 404);
  await load("/score, JSON", () => post("/score", json, body));
  const score = () => load("/score, binary", () => post("/score", binary, numbers));
  await score();
  await load("/streams, 100 streams", (request) => post(`/streams/load-${request % 100}`, binary, numbers));
  const memory = [];
  for (let round = 0; round < 8; round++) memory.push(await score());
  // V8's heap fills up to its limit before it is collected; what is lost at each request would go on adding up.
  const growth = memory.at(-1) - memory[3];
  assert.ok(growth < 40, `workerd grew by ${growth.toFixed(0)} MiB over the last ${4 * REQUESTS} requests`);
} finally {
  await worker.stop();
}
