/**
 * The JavaScript heap over a run of stream steps: the bytes left after a collection, the bytes allocated per
 * step, and the number of collections meanwhile. Needs --expose-gc.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { caseNamed } from "../cases.js";
import { createPeer } from "../peers/index.js";

const WARMUP_STEPS = 200_000;

export default async function heap({ caseName, peer, steps }) {
  const { call } = await createPeer(peer, caseNamed(caseName));
  const run = (count) => {
    for (let at = 0; at < count; at++) call();
  };
  for (let done = 0; done < WARMUP_STEPS; done += 1000) run(1000);
  // Let the compiler's threads finish, or their results count as growth.
  await new Promise((resolve) => setTimeout(resolve, 200));
  run(1000);

  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  globalThis.gc();
  await setImmediate();
  globalThis.gc();
  observer.observe({ entryTypes: ["gc"] });
  const before = process.memoryUsage().heapUsed;
  run(steps);
  const used = process.memoryUsage().heapUsed;
  await setImmediate();
  const collected = collections;
  observer.disconnect();
  globalThis.gc();
  const after = process.memoryUsage().heapUsed;
  return { steps, collections: collected, heldBytes: after - before, garbageBytesUncollected: used - before };
}
