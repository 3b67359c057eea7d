/**
 * A pool: a shared memory, the runtime in it, and its workers. The runtime works at once, by itself as long as no worker has
 * come: nobody waits for one (assembly/threads/pool.ts).
 *
 *   control [CONTROL_BYTES]                    the job, and the counters that all threads share
 *   a block for each thread                    scratch of its kernels, then its copy of a job's lanes
 */

import { INITIAL_PAGES, type Kernels, SCRATCH_BYTES } from "../../build/abi.js";
import type { ModelKernels } from "../../build/models-abi.js";
import {
  ABI,
  CONTROL_BYTES,
  LANE_ROOM,
  LEFT,
  MODELS,
  MOST_LANES,
  PACE,
  READY,
  type ThreadKernels,
} from "../../build/threads-abi.js";
import { type Build, compileBuild, instantiate } from "../bundle/binaries.js";
import { type Binary, compile } from "../bundle/compile.js";
import { forSharedMemory } from "../bundle/shared-memory.js";
import { coded } from "../tensor/errors.js";
import { align } from "../wasm/block.js";
import { numbersAt } from "../wasm/numbers-at.js";
import { Runtime, type Team } from "../wasm/runtime.js";
import { runningAtOnce } from "./pace.js";
import type { Order, Starter, WorkerLike } from "./worker.js";

/** Pages that a memory may grow to: as many as the engine gives an address space for. */
const MOST_PAGES = [65536, 32768, 16384, 8192];
const OWN_BYTES = align(SCRATCH_BYTES) + MOST_LANES * LANE_ROOM;
/** How long workers are awaited, in ms. */
const LONGEST_START = 10_000;

/** What to run: the compiled core for a shared memory, and the binary by which threads share. */
export interface PoolOptions {
  readonly threads: number;
  readonly deterministic: boolean;
  readonly module: WebAssembly.Module | undefined;
  readonly sharing: Uint8Array<ArrayBuffer>;
  readonly start: Starter;
}

export class Pool {
  readonly runtime: Runtime;
  readonly #words: () => Int32Array;
  readonly #control: number;
  readonly #kernels: ThreadKernels;
  /** Tells this thread's kernels how many threads there are. */
  readonly #enlist: (threads: number) => void;
  readonly #workers: WorkerLike[] = [];
  readonly #failed = new Set<number>();
  readonly #asked: number;
  #failure: string | undefined;
  #started = 0;

  /** @throws RangeError where there is no room; Error as `compile` */
  constructor({ threads, deterministic, module, sharing, start }: PoolOptions) {
    const memory = sharedMemory();
    const adapt = (binary: Binary) => (binary instanceof Uint8Array ? forSharedMemory(binary) : binary);
    const core: { build: Build; module: WebAssembly.Module } =
      module === undefined ? compileBuild(deterministic, adapt) : { build: "given", module };
    const program = compile(sharing);
    let order: Order | undefined;
    let shared: ThreadKernels | undefined;
    const team: Team = {
      threads,
      memory,
      adapt,
      share(kernels, place) {
        const control = place(CONTROL_BYTES + threads * OWN_BYTES);
        kernels.clearFloats(control, CONTROL_BYTES / 4);
        const own = control + CONTROL_BYTES;
        order = {
          core: core.module,
          sharing: program,
          memory,
          planes: kernels.dotIsOneInstruction(),
          control,
          own,
          ownBytes: OWN_BYTES,
          scratchBytes: align(SCRATCH_BYTES),
          threads,
        };
        const broken = () => {
          throw coded("THREAD", new Error(STOPPED));
        };
        let models: ModelKernels | undefined;
        const placed = {
          now: () => performance.now(),
          broken,
          hasModels: () => 1,
          convolveTiles: (...given: Parameters<ModelKernels["convolveTiles"]>) =>
            models!.convolveTiles(...given),
        };
        const imports = { core: kernels, place: placed };
        shared = instantiate<ThreadKernels>(program, memory, ABI, "options.module", imports);
        const { runLayer, matmul, convolve, runPair, settle, hold } = shared;
        // Wasm has no finally: where a call is thrown out of a job, its memory is the host's again only after `settle`.
        const settled =
          <Given extends number[]>(kernel: (...given: Given) => void) =>
          (...given: Given) => {
            try {
              kernel(...given);
            } catch (cause) {
              settle();
              throw cause;
            }
          };
        return {
          kernels: { ...kernels, runLayer: settled(runLayer), matmul: settled(matmul) } as Kernels,
          pair: settled(runPair),
          hold,
          shareModels(own, binary) {
            models = own;
            const bytes = binary as Uint8Array;
            const at = place(bytes.length);
            numbersAt({ memory }, Uint8Array, at, bytes.length)().set(bytes);
            const words = numbersAt({ memory }, Int32Array, control + MODELS, 2)();
            Atomics.store(words, 0, at);
            Atomics.store(words, 1, bytes.length);
            return { ...own, convolve: settled(convolve) };
          },
        };
      },
    };
    this.runtime = new Runtime(core, undefined, team);
    this.#kernels = shared!;
    this.#control = order!.control;
    const { own, scratchBytes } = order!;
    this.#enlist = (count) => shared!.enlist(0, count, order!.control, own + scratchBytes, mayWait() ? 1 : 0);
    this.#enlist(1);
    this.#words = numbersAt(this.runtime, Int32Array, order!.control, CONTROL_BYTES / 4);
    this.#asked = threads - 1;
    for (let index = 0; index < this.#asked; index++) this.#start(start, order!, index);
  }

  /** A worker that a platform refuses at once has failed like any other. */
  #start(start: Starter, order: Order, index: number): void {
    const failed = (reason: string) => {
      this.#failed.add(index);
      this.#failure ??= reason;
    };
    try {
      this.#workers.push(start(order, failed));
    } catch (cause) {
      failed(`a worker could not be started: ${cause}`);
    }
  }

  /** What went wrong with a worker. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Waits until each worker is ready or has failed, 10 s at most. Returns how many are ready. */
  async ready(): Promise<number> {
    await until(() => this.#at(READY) + this.#failed.size >= this.#asked, LONGEST_START);
    this.#started = this.#at(READY);
    return this.#started;
  }

  /** How many threads run at once, as far as can be told in 0.2 s: all count, this one among them. */
  pace(): number {
    this.#kernels.decide(this.#control, -1);
    const count = (steps: number) => {
      for (let left = steps; left > 0; left--) this.#kernels.pace(this.#control);
      return this.#at(PACE);
    };
    return Math.min(runningAtOnce(count, mayWait()), this.#started + 1);
  }

  /** So many of the threads there are, the caller among them; the other workers leave. */
  decide(threads: number): void {
    this.#enlist(threads);
    this.#kernels.decide(this.#control, threads);
  }

  /** Ends the workers; modules in the runtime go on with one thread. */
  async end(): Promise<void> {
    this.#kernels.decide(this.#control, 1);
    this.#kernels.dismiss();
    // Frees workers from a job that the caller was thrown out of.
    this.#kernels.fail(this.#control);
    // A worker is ended only when it has left wasm: terminate() does not stop one that spins in Deno and Bun.
    // One that somebody else has ended does not say that it leaves.
    const isOver = () => this.#at(LEFT) >= this.#at(READY) || this.#failed.size >= this.#asked;
    await until(isOver, LONGEST_START);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #at(byte: number): number {
    return Atomics.load(this.#words(), byte / 4);
  }
}

const STOPPED =
  "lstm-wasm/threads: a thread failed in the middle of this call. Call it again, a stream with its state set anew: it goes on with one thread";

/** A memory that is shared. @throws RangeError where none is given */
function sharedMemory(): WebAssembly.Memory {
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
    }
  }
  throw coded("MEMORY", new RangeError("memory: no room for a shared memory"));
}

/** Whether this thread may wait: a page may not, and Firefox would not say so. */
const mayWait = () => !("document" in globalThis);

/** A timer's turns, until it is so or the time is over. */
async function until(isSo: () => boolean, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1));
}
