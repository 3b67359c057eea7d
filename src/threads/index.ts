/** The entry `lstm-wasm/threads`: one network over several cores. */

import { sharing } from "#thread-binaries";
import { MOST_THREADS } from "../../build/threads-abi.js";
import { checkBoolean, checkInteger, checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import { compiled, init, isDeterministic, setThreaded } from "../wasm/current.js";
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
/** What is started or ended now: the next call waits for it. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Starts threads. Recurrent modules of at least 64 units, large Linears and whole models that are made afterwards run on
 * them, with the same results; all calls stay as they are. Threads of an earlier call are ended. `init` after it keeps the
 * threads, also with a module of its own, which is then that of small modules alone.
 *
 * Where there can be none it resolves to one thread and the reason. A worker that fails later is missed by nobody, but for
 * one that fails within a call, which is then an Error.
 *
 * The thread that called it is the one whose modules run on the others. No other thread can call them: each one that
 * imports this package has modules of its own, and none can be sent to it.
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
  const core = module === undefined ? undefined : compiled("options.module", module, ["abi", "runLayer"]);
  return inTurn(async () => {
    await endAll();
    if (deterministic !== undefined) init({ deterministic });
    try {
      return await begin(threads, core, worker);
    } catch (cause) {
      await endAll();
      if (!(cause instanceof RangeError)) throw cause;
      return { threads: 1, reason: cause.message };
    }
  });
}

async function begin(
  threads: number | undefined,
  core: WebAssembly.Module | undefined,
  worker: string | URL | undefined,
): Promise<Threads> {
  if (threads === 1) return { threads: 1, reason: undefined };
  const start = starter(worker);
  if (typeof start === "string") return { threads: 1, reason: start };
  const reason = refusal();
  if (reason !== undefined || sharing === undefined) return { threads: 1, reason: reason ?? NO_THREADS };
  const wanted = threads ?? Math.min(cores(), MOST_BY_DEFAULT);
  if (wanted === 1) return { threads: 1, reason: "this machine has one core" };

  const make = (count: number, baseline: boolean, given?: WebAssembly.Module) => {
    const options = { threads: count, deterministic: baseline, module: given, sharing: sharing!(), start };
    const pool = new Pool(options);
    pools.push(pool);
    return pool;
  };
  const asked = isDeterministic();
  const pool = make(wanted, asked, core);
  const started = 1 + (await pool.ready());
  const decided = threads === undefined ? Math.min(started, pool.pace()) : started;
  const fewer =
    started < wanted ? (pool.failure ?? late(started - 1, wanted - 1, worker)) : atOnce(decided, wanted);
  if (decided === 1) {
    await endAll();
    return { threads: 1, reason: fewer };
  }
  pool.decide(decided);
  // Another `init` makes modules in another runtime, on as many threads: one for each build.
  const made = new Map([[asked, pool]]);
  setThreaded((baseline) => {
    let next = made.get(baseline);
    if (next === undefined) {
      next = make(decided, baseline);
      next.decide(decided);
      made.set(baseline, next);
    }
    return next.runtime;
  });
  return { threads: decided, reason: decided === wanted ? undefined : fewer };
}

/**
 * Ends all threads but this one. Modules that ran on them go on with one thread and the same results; modules made
 * afterwards are made as without `initThreads`.
 */
export async function endThreads(): Promise<void> {
  setThreaded(undefined);
  return inTurn(endAll);
}

/** Calls that come together begin and end threads one after the other. */
function inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
  const result = turn.then(act);
  turn = result.catch(() => undefined);
  return result;
}

async function endAll(): Promise<void> {
  const ending = pools;
  pools = [];
  setThreaded(undefined);
  await Promise.all(ending.map((pool) => pool.end()));
}

const NO_THREADS = "this platform has no threads";

const atOnce = (count: number, wanted: number) =>
  `of ${wanted} threads ${count} ran at once: the others have no core`;

const late = (started: number, wanted: number, worker: string | URL | undefined) =>
  `${started} of ${wanted} workers started within 10 seconds: ${
    started > 0 || worker === undefined
      ? "this machine is busy, ask for fewer threads"
      : "options.worker has to be a copy of this release's lstm-wasm/threads/worker.js"
  }`;

/** Why memory cannot be shared here. A page that is not isolated can make a shared memory, but send it to no worker. */
function refusal(): string | undefined {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (crossOriginIsolated === false) {
    return "this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp";
  }
  return typeof SharedArrayBuffer === "function"
    ? undefined
    : "this engine has no SharedArrayBuffer, which threads share their memory by: take a newer one";
}

/** How many cores the machine says it has. */
function cores(): number {
  const { navigator, process } = globalThis as {
    navigator?: { hardwareConcurrency?: number };
    process?: { getBuiltinModule?: (name: string) => { availableParallelism(): number } };
  };
  return process?.getBuiltinModule?.("node:os").availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
}
