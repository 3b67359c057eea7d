/** The entry `lstm-wasm/threads`: one network over several cores. */

import { sharing } from "#thread-binaries";
import { MOST_THREADS } from "../../build/threads-abi.js";
import { checkBoolean, checkInteger, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import { init, isDeterministic, setThreaded } from "../wasm/current.js";
import { Pool } from "./pool.js";
import { starter } from "./worker.js";

/** Options of `initThreads`. */
export interface ThreadsOptions {
  /** How many, 1 to 64, this one among them. By default as many as the machine runs at once, at most 8. */
  threads?: number | undefined;
  /** Take the baseline build, as `init`. */
  deterministic?: boolean | undefined;
  /** `lstm-wasm/lstm-shared.wasm`, compiled. */
  module?: WebAssembly.Module | undefined;
  /** URL of dist/threads/worker.js, for pages whose policy forbids workers of blobs. */
  worker?: string | URL | undefined;
}

/** What `initThreads` gives. */
export interface Threads {
  /** How many threads work, this one among them. */
  threads: number;
  /** Why they are fewer than asked for, or than the machine says it has. */
  reason: string | undefined;
}

const MOST_BY_DEFAULT = 8;

let pools: Pool[] = [];

/**
 * Starts threads. Recurrent modules of at least 64 units, large Linears and whole models that are made afterwards run on
 * them, with the same results; all calls stay as they are. Threads of an earlier call are ended.
 *
 * Where there can be none it resolves to one thread and the reason.
 * @throws TypeError for an unknown option or one of the wrong type; RangeError for `threads` that is no integer from 1 to
 *   64, or `module` beside `deterministic`
 */
export async function initThreads(options: ThreadsOptions = {}): Promise<Threads> {
  const { threads, deterministic, module, worker } = checkOptions("options", options, [
    "threads",
    "deterministic",
    "module",
    "worker",
  ]);
  if (threads !== undefined) checkInteger("options.threads", threads, 1, MOST_THREADS);
  if (deterministic !== undefined) checkBoolean("options.deterministic", deterministic);
  if (worker !== undefined && typeof worker !== "string" && !(worker instanceof URL)) {
    throw wrongType("options.worker", "a string or a URL", worker);
  }
  if (module !== undefined && deterministic) {
    throw wrongValue("options", "either module or deterministic", "both");
  }
  await endThreads();
  if (deterministic !== undefined) init({ deterministic });
  const available = cores();
  const wanted = threads ?? Math.min(available, MOST_BY_DEFAULT);
  const start = starter(worker);
  if (typeof start === "string") return { threads: 1, reason: start };
  const reason = refusal();
  if (reason !== undefined || sharing === undefined) return { threads: 1, reason: reason ?? NO_THREADS };
  if (wanted === 1) return { threads: 1, reason: threads === 1 ? undefined : "this machine has one core" };

  const make = (count: number, baseline: boolean, core?: WebAssembly.Module) => {
    const pool = new Pool({
      threads: count,
      deterministic: baseline,
      module: core,
      sharing: sharing!(),
      start,
    });
    pools.push(pool);
    return pool;
  };
  const pool = make(wanted, isDeterministic(), module);
  const started = 1 + (await pool.ready());
  const decided = threads === undefined ? Math.min(started, await pool.pace()) : started;
  if (decided === 1) {
    await endThreads();
    return { threads: 1, reason: pool.failure ?? atOnce(1, wanted) };
  }
  pool.decide(decided);
  let next: Pool | undefined = pool;
  // Another `init` makes modules in another runtime, on as many threads.
  setThreaded((baseline) => {
    const { runtime } = next ?? make(decided, baseline);
    if (next === undefined) pools.at(-1)!.decide(decided);
    next = undefined;
    return runtime;
  });
  if (decided === wanted) return { threads: decided, reason: undefined };
  return {
    threads: decided,
    reason: started < wanted ? (pool.failure ?? late(started)) : atOnce(decided, wanted),
  };
}

/**
 * Ends all threads but this one. Modules that ran on them go on with one thread and the same results; modules made
 * afterwards are made as without `initThreads`.
 */
export async function endThreads(): Promise<void> {
  const ending = pools;
  pools = [];
  setThreaded(undefined);
  await Promise.all(ending.map((pool) => pool.end()));
}

const NO_THREADS = "this platform has no threads";

const atOnce = (count: number, wanted: number) =>
  `of ${wanted} threads ${count} ran at once: the others have no core`;

const late = (started: number) => `only ${started - 1} workers started within 10 seconds`;

/** Why memory cannot be shared here. A page that is not isolated can make a shared memory, but send it to no worker. */
function refusal(): string | undefined {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (crossOriginIsolated === false) {
    return "this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  }
  return typeof SharedArrayBuffer === "function" ? undefined : "this engine has no SharedArrayBuffer";
}

/** How many cores the machine says it has. */
function cores(): number {
  const { navigator, process } = globalThis as {
    navigator?: { hardwareConcurrency?: number };
    process?: { getBuiltinModule?: (name: string) => { availableParallelism(): number } };
  };
  return process?.getBuiltinModule?.("node:os").availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
}
