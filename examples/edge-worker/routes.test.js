/** What each route must answer. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorker } from "./server.js";

const STEPS = 60;
const INPUT_SIZE = 8;
const json = { "Content-Type": "application/json" };
const binary = { "Content-Type": "application/octet-stream" };

let worker;
before(async () => {
  worker = await startWorker();
});
after(() => worker.stop());

const request = (path, options) => fetch(new URL(path, worker.address), options);
const post = (path, headers, body) => request(path, { method: "POST", headers, body });
const answer = async (path, body) => (await post(path, binary, body)).json();

const sequence = Array.from({ length: STEPS }, (_, step) =>
  Array.from({ length: INPUT_SIZE }, (_, at) => Math.fround(Math.sin(step * 0.1 + at))),
);
const numbers = Float32Array.from(sequence.flat());
const part = (start, steps) => numbers.slice(start * INPUT_SIZE, (start + steps) * INPUT_SIZE);

test("JSON and binary get the same scores, one from 0 to 1 for each step", async () => {
  const { scores } = await (await post("/score", json, JSON.stringify({ sequence }))).json();
  assert.equal(scores.length, STEPS);
  assert.ok(scores.every((score) => score > 0 && score < 1));
  assert.deepEqual(await answer("/score", numbers), { scores });
});

test("the chunks of a stream get the numbers of one call", async () => {
  const { scores } = await answer("/score", numbers);
  const chunks = [];
  for (const [start, steps] of [
    [0, 1],
    [1, 39],
    [40, 20],
  ]) {
    const chunk = await answer("/streams/chunks", part(start, steps));
    assert.equal(chunk.steps, start + steps);
    chunks.push(...chunk.scores);
  }
  assert.deepEqual(chunks, scores);
});

test("a stream that was deleted begins anew; others go on", async () => {
  const first = await answer("/streams/deleted", numbers);
  await answer("/streams/kept", numbers);
  assert.equal((await request("/streams/deleted", { method: "DELETE" })).status, 204);
  assert.deepEqual(await answer("/streams/deleted", numbers), first);
  assert.equal((await answer("/streams/kept", numbers)).steps, 2 * STEPS);
});

test("chunks that arrive at once are taken one after the other", async () => {
  const chunk = part(0, 5);
  const inOrder = [];
  for (let at = 0; at < 20; at++) inOrder.push(await answer("/streams/in-order", chunk));
  const atOnce = await Promise.all(inOrder.map(() => answer("/streams/at-once", chunk)));
  assert.deepEqual(
    atOnce.sort((a, b) => a.steps - b.steps),
    inOrder,
  );
});

test("a bad request gets a 400 that says why, and leaves the stream as it was", async () => {
  const bad = [
    [json, "{", /body: not JSON/],
    [json, "{}", /sequence: expected an array/],
    [json, '{"sequence":[]}', /expected 1 to 10080 time steps, got 0/],
    [json, '{"sequence":[[1,2]]}', /sequence\[0\]: expected 8 numbers, got 2/],
    [json, '{"sequence":[[1,2,3,4,5,6,7,"8"]]}', /sequence\[0\]\[7\]: expected a number, got string/],
    [json, '{"sequence":[[1,2,3,4,5,6,7,1e39]]}', /expected a finite float32, got Infinity/],
    [binary, new Uint8Array(33), /expected a multiple of 32 bytes/],
    [binary, new Uint8Array(32 * 10_081), /expected 1 to 10080 time steps, got 10081/],
    [{ "Content-Type": "text/plain" }, "1 2 3", /Content-Type: expected/],
  ];
  await answer("/streams/bad", numbers);
  for (const [headers, body, message] of bad) {
    for (const path of ["/score", "/streams/bad"]) {
      const response = await post(path, headers, body);
      assert.equal(response.status, 400);
      assert.match((await response.json()).error, message);
    }
  }
  assert.equal((await answer("/streams/bad", numbers)).steps, 2 * STEPS);
});

test("other methods get a 405, other paths a 404", async () => {
  for (const path of ["/score", "/streams/a"]) assert.equal((await request(path)).status, 405);
  for (const path of ["/", "/other", "/streams/", "/streams/a/b"]) {
    assert.equal((await post(path, binary, numbers)).status, 404);
  }
});
