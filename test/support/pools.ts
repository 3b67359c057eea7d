/** Pools of their own, whose workers do what a test wants of them. */
import { Worker } from "node:worker_threads";
import * as Lane from "../../build/records/lane.js";
import * as Place from "../../build/records/place.js";
import { APART, HELD, JOB, LANE_ROOM, MOST_LANES, PLACES } from "../../build/threads-abi.js";
import { sharing } from "../../src/bundle/embedded-threads.js";
import { Pool } from "../../src/threads/pool.js";
import { type Order, type Starter, WORKER_TEXT } from "../../src/threads/worker.js";
import { isDeterministic, setThreaded } from "../../src/wasm/current.js";

/** Texts in the worker's program. */
export interface Changes {
  /** What the core's exports are for threads: an expression of `kernels`. */
  readonly core?: string;
  /** What runs before all else. */
  readonly first?: string;
  /** What stands in the place of another text. */
  readonly put?: readonly [text: string, other: string];
  /** In the place of the program by which threads share. */
  readonly sharing?: WebAssembly.Module;
  /** What both have as `workerData.words`. */
  readonly words?: Int32Array;
}

/** Starts changed workers, and collects how each of them ended. */
export function changedStarter(changes: Changes, ended: number[] = []): Starter {
  const { core = "kernels", first = "", put, sharing: other, words } = changes;
  const [text, instead] = put ?? ["core: kernels", `core: ${core}`];
  if (!WORKER_TEXT.includes(text)) throw new Error(`expected ${text} in the text of workers`);
  const program = `let onmessage; ${first}; ${WORKER_TEXT.replace(text, () => instead)}
    onmessage({ data: require("node:worker_threads").workerData });`;
  return (order, failed) => {
    const worker = new Worker(program, {
      eval: true,
      workerData: { ...order, sharing: other ?? order.sharing, words },
      execArgv: [],
    });
    worker.on("error", (error) => failed(`a worker failed: ${error}`));
    worker.on("exit", (code) => ended.push(code));
    worker.unref();
    return worker;
  };
}

const pools = new Map<Pool, Order>();

export function poolOf(threads: number, changes: Changes = {}, ended?: number[]): Pool {
  const starter = changedStarter(changes, ended);
  let order: Order | undefined;
  const pool = new Pool({
    threads,
    deterministic: isDeterministic(),
    module: undefined,
    sharing: sharing!(),
    start: (given, ...rest) => {
      order = given;
      return starter(given, ...rest);
    },
  });
  pools.set(pool, order!);
  return pool;
}

/** How many parts of the last job that it saw each thread of a pool has made. */
export function partsMade(pool: Pool): number[] {
  const { memory, own, ownBytes, scratchBytes, threads } = pools.get(pool)!;
  const words = new Int32Array(memory.buffer);
  return Array.from({ length: threads }, (_, thread) =>
    Array.from({ length: MOST_LANES }, (_, lane) => {
      const at = own + thread * ownBytes + scratchBytes + lane * LANE_ROOM;
      return words[at / 4 + Lane.made]!;
    }).reduce((sum, count) => sum + count),
  );
}

/** How much each part of the last job's first lane has: groups of blocks, blocks or rows. */
export function partSizes(pool: Pool, parts: number): number[] {
  return Array.from({ length: parts }, (_, part) => {
    const words = wordsOf(pool, Int32Array, part);
    return words[Place.to]! - words[Place.from]!;
  });
}

/** Tells in the place of each thread how long it has waited in the last job, in seconds. */
export function tellWaits(pool: Pool, seconds: readonly number[]): void {
  for (const [thread, waited] of seconds.entries())
    wordsOf(pool, Int32Array, thread)[Place.looked] = 1e9 * waited;
}

/** How much more of a job each thread has than an equal part, from the next job on. */
export function setShares(pool: Pool, shares: readonly number[]): void {
  for (const [thread, share] of shares.entries()) wordsOf(pool, Float32Array, thread)[Place.share] = share;
}

/** The place of a part in the first lane, and of what is noted of the thread of that number. */
function wordsOf<Words>(
  pool: Pool,
  View: new (buffer: ArrayBufferLike, at: number) => Words,
  place: number,
): Words {
  const { memory, control } = pools.get(pool)!;
  return new View(memory.buffer, control + PLACES + place * APART);
}

/** How many jobs a pool has had. */
export function jobsOf(pool: Pool): number {
  const { memory, control } = pools.get(pool)!;
  return new Int32Array(memory.buffer, control + JOB, 1)[0]! / 2;
}

/** Whether workers are told that a whole model runs. */
export function isHeld(pool: Pool): boolean {
  const { memory, control } = pools.get(pool)!;
  return new Int32Array(memory.buffer, control + HELD, 1)[0] === 1;
}

/** Modules are made in the pool from now on. */
export async function use(pool: Pool, threads: number): Promise<void> {
  await pool.ready();
  pool.decide(threads);
  setThreaded(() => pool.runtime);
}

export async function endPools(): Promise<void> {
  setThreaded(undefined);
  const ended = [...pools.keys()].map((pool) => pool.end());
  pools.clear();
  await Promise.all(ended);
}

/** Calls until it is so, for a minute at most. @throws Error if it never is */
export async function callUntil(call: () => void, isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  do {
    if (performance.now() > end) throw new Error("it was never so");
    call();
    await new Promise((resolve) => setTimeout(resolve, 0));
  } while (!isSo());
}
