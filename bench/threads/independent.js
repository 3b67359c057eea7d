/**
 * The ceiling: threads that share nothing, each with the library, a memory and a module for itself, begin a call at once.
 * This file is also such a thread's script.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createSubject, repeat } from "./subject.js";

/** Words that all share: the turn that has begun, calls of it, and how many have come and ended in all turns. */
const [TURN, CALLS, CAME, ENDED] = [0, 16, 32, 48];
const WORDS = 64;

/**
 * @param count  of threads, this one among them
 * @returns what gives the ms until all have made so many calls, `call` those of this thread
 */
export async function independents(count, caseName, path) {
  const words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  for (let index = 1; index < count; index++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { caseName, path, count, words } });
    await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.on("error", reject);
    });
  }
  let turn = 0;
  return (call, calls) => {
    Atomics.store(words, CALLS, calls);
    Atomics.store(words, TURN, ++turn);
    Atomics.notify(words, TURN);
    meet(words, { count, turn, call });
    const begin = performance.now();
    repeat(call, calls);
    Atomics.add(words, ENDED, 1);
    while (Atomics.load(words, ENDED) < turn * count);
    return performance.now() - begin;
  };
}

/** All wait for one another awake, so that waking is no part of the time. */
function meet(words, { count, turn, call }) {
  call();
  Atomics.add(words, CAME, 1);
  while (Atomics.load(words, CAME) < turn * count);
}

/** Asleep between turns, so that nothing but what is timed runs on its core. */
async function live({ caseName, path, count, words }) {
  const { call } = await createSubject(caseName, path);
  parentPort.postMessage("ready");
  for (let turn = 1; ; turn++) {
    Atomics.wait(words, TURN, turn - 1);
    const calls = Atomics.load(words, CALLS);
    meet(words, { count, turn, call });
    repeat(call, calls);
    Atomics.add(words, ENDED, 1);
  }
}

if (!isMainThread) await live(workerData);
