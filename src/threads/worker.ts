/**
 * Workers without a file to host: from a text of theirs, by node:worker_threads in Node, Deno and Bun, and by a blob URL
 * elsewhere. Deno's workers of blobs would keep a process alive.
 */

/** What a worker is sent. */
export interface Order {
  readonly core: WebAssembly.Module;
  readonly sharing: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Whether groups of int8 inputs are planes in this memory. */
  readonly planes: number;
  /** Address of the block that all threads share. */
  readonly control: number;
  /** Address of thread 0's own block, and the bytes of each: first its scratch. */
  readonly own: number;
  readonly ownBytes: number;
  readonly scratchBytes: number;
  /** How many there are. */
  readonly threads: number;
}

export interface WorkerLike {
  terminate(): unknown;
}

/** A text, since bundlers rename what functions refer to. */
const LIFE = `({ core, sharing, memory, planes, control, own, ownBytes, scratchBytes, threads }) => {
  const kernels = new WebAssembly.Instance(core, { env: { memory } }).exports;
  const broken = () => { throw broken };
  let models;
  const place = {
    now: () => performance.now(),
    broken,
    hasModels: (at, bytes) => {
      try {
        if (models === undefined) {
          const binary = new Uint8Array(memory.buffer, at, bytes).slice();
          models = null;
          models = new WebAssembly.Instance(new WebAssembly.Module(binary), imports).exports;
        }
      } catch {}
      return !!models;
    },
    convolveTiles: (...given) => models.convolveTiles(...given),
  };
  const imports = { env: { memory }, core: kernels, place };
  const shared = new WebAssembly.Instance(sharing, imports).exports;
  const me = shared.join(control);
  try {
    if (me < shared.awaitDecided(control)) {
      const block = own + me * ownBytes;
      kernels.configure(block, planes);
      shared.enlist(me, threads, control, block + scratchBytes, 1);
      try {
        shared.work();
      } catch (error) {
        // A part that was begun here will never be done, unless it was another thread that failed.
        if (error !== broken) {
          shared.fail(control);
          throw error;
        }
      }
    }
  } finally {
    shared.leave(control);
  }
}`;

/**
 * Deno and Bun evaluate the text where "module" and the like are declared already. There is no `require` in Node.js where it
 * was started with --input-type=module, which workers inherit.
 */
const OF_NODE = `(${LIFE})(process.getBuiltinModule("node:worker_threads").workerData);`;
/** The script of a worker in browsers: dist/threads/worker.js has it too. */
export const WORKER_TEXT = `onmessage = ({ data }) => (${LIFE})(data);`;

interface NodeWorker extends WorkerLike {
  on(event: "error" | "exit", listener: (errorOrCode: unknown) => void): void;
  unref(): void;
}

interface NodeThreads {
  Worker: new (text: string, options: { eval: true; workerData: Order; execArgv: string[] }) => NodeWorker;
}

/** Starts a worker; `failed` is told that it has ended by itself, and why. @throws whatever the platform does */
export type Starter = (order: Order, failed: (reason: string) => void) => WorkerLike;

/** The page's own URL of the text, made once. */
let blob: string | undefined;

/**
 * How workers are started here, or why they cannot be.
 * @param url of dist/threads/worker.js, where a page's policy forbids blobs
 */
export function starter(url: string | URL | undefined): Starter | string {
  const { process, Worker: BrowserWorker } = globalThis as {
    process?: { versions?: { node?: string }; getBuiltinModule?: (name: string) => NodeThreads };
    Worker?: typeof Worker;
  };
  if (process?.versions?.node !== undefined) {
    const threads = process.getBuiltinModule?.("node:worker_threads");
    if (threads === undefined) {
      return "this Node.js has no process.getBuiltinModule: take 20.16, 22.3 or a later one";
    }
    return (order, failed) => {
      // Without the program's own flags: --input-type=module would make a module of the text, and --import run a file.
      const worker = new threads.Worker(OF_NODE, { eval: true, workerData: order, execArgv: [] });
      worker.on("error", (error) => failed(`a worker failed: ${error}`));
      worker.on("exit", (code) => failed(`a worker ended with exit code ${code}`));
      // Workers never keep a process alive.
      worker.unref();
      return worker;
    };
  }
  if (typeof BrowserWorker !== "function")
    return "this scope has no Worker: call initThreads on a page or in a worker";
  return (order, failed) => {
    if (url === undefined) blob ??= URL.createObjectURL(new Blob([WORKER_TEXT], { type: "text/javascript" }));
    const worker = new BrowserWorker(url ?? blob!);
    worker.onerror = (event) => {
      event.preventDefault?.();
      // A policy that refuses a worker says nothing, and neither does a server that has none.
      failed(event.message ? `a worker failed: ${event.message}` : notLoaded(url));
    };
    worker.postMessage(order);
    return worker;
  };
}

const notLoaded = (url: string | URL | undefined) =>
  url === undefined
    ? "the page's policy refuses workers: allow worker-src blob: or give options.worker"
    : `options.worker, ${url}, could not be loaded: it has to be there, of this origin and with this page's Cross-Origin-Embedder-Policy, and worker-src has to allow it`;
