/** What initThreads refuses, and where it gives one thread and the reason. The texts say what to do. */
// First of all: Node.js makes of SharedArrayBuffer what it is when this is loaded, and tests take it away.
import "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LSTM, Tensor } from "../../src/index.js";
import { endThreads, initThreads, type Threads } from "../../src/threads/index.js";
import { Pool } from "../../src/threads/pool.js";
import { WORKER_TEXT } from "../../src/threads/worker.js";
import { currentRuntime } from "../../src/wasm/current.js";

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await endThreads();
});

const EMPTY = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));

describe("initThreads throws", () => {
  it.each([
    [{ threads: 0 }, "RangeError", "options.threads: expected an integer from 1 to 64, got 0"],
    [{ threads: 65 }, "RangeError", "options.threads: expected an integer from 1 to 64, got 65"],
    [{ threads: 1.5 }, "RangeError", "options.threads: expected an integer from 1 to 64, got 1.5"],
    [{ threads: Number.NaN }, "RangeError", "options.threads: expected an integer from 1 to 64, got NaN"],
    [{ threads: "2" }, "TypeError", 'options.threads: expected a number, got "2"'],
    [{ deterministic: 1 }, "TypeError", "options.deterministic: expected true or false, got 1"],
    [{ worker: 5 }, "TypeError", "options.worker: expected a string or a URL, got 5"],
    [{ module: 5 }, "TypeError", "options.module: expected a WebAssembly.Module, got 5"],
    [
      { module: EMPTY },
      "TypeError",
      "options.module: expected lstm-wasm's binary (it exports abi and runLayer)",
    ],
    [
      { module: EMPTY, deterministic: true },
      "RangeError",
      "options: expected either module or deterministic, got both",
    ],
    [{ thread: 2 }, "TypeError", "options.thread: "],
    [5, "TypeError", "options: "],
  ])("of %o", async (options, name, text) => {
    const error = await initThreads(options as never).then(
      () => undefined,
      (cause: Error) => cause,
    );
    expect(`${error?.name}: ${error?.message}`.slice(0, name.length + 2 + text.length)).toBe(
      `${name}: ${text}`,
    );
    expect(currentRuntime(true).threads).toBe(1);
  });
});

/** initThreads in such a place, with its globals as they were again after it. */
async function within(globals: Record<string, unknown>, options = { threads: 2 }): Promise<Threads> {
  for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  try {
    return await initThreads(options);
  } finally {
    vi.unstubAllGlobals();
  }
}

/** This Node.js' globals with others of `process`. */
const nodeWith = (more: object) => ({
  process: new Proxy(process, {
    get: (target, name) => (name in more ? Reflect.get(more, name) : Reflect.get(target, name, target)),
  }),
});
/** As in a browser, whose workers are such. */
const browserWith = (Worker: unknown, more: object = {}) => ({
  ...nodeWith({ versions: {} }),
  Worker,
  crossOriginIsolated: true,
  ...more,
});

/** A worker that fires its error event. */
class Refused {
  onerror?: (event: { message?: string; preventDefault?(): void }) => void;
  constructor() {
    setTimeout(() => this.onerror?.({ preventDefault() {}, ...this.event }), 1);
  }
  get event(): { message?: string } {
    return {};
  }
  postMessage() {}
  terminate() {}
}

describe("initThreads gives one thread", () => {
  it.each([
    [
      "without SharedArrayBuffer",
      { SharedArrayBuffer: undefined },
      "this engine has no SharedArrayBuffer, which threads share their memory by: take a newer one",
    ],
    [
      "on a page that is not isolated",
      { crossOriginIsolated: false },
      "this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp",
    ],
    [
      "where there is no Worker",
      browserWith(undefined),
      "this scope has no Worker: call initThreads on a page or in a worker",
    ],
    [
      "in a Node.js that is too old",
      nodeWith({ getBuiltinModule: undefined }),
      "this Node.js has no process.getBuiltinModule: take 20.16, 22.3 or a later one",
    ],
    [
      "where a policy refuses workers",
      browserWith(Refused),
      "the page's policy refuses workers: allow worker-src blob: or give options.worker",
    ],
    [
      "where workers fail",
      browserWith(
        class extends Refused {
          override get event() {
            return { message: "as a test has it" };
          }
        },
      ),
      "a worker failed: as a test has it",
    ],
    [
      "where workers cannot be made",
      browserWith(
        class {
          constructor() {
            throw new Error("as a test has it");
          }
        },
      ),
      "a worker could not be started: Error: as a test has it",
    ],
    [
      "where workers are sent nothing",
      browserWith(
        class extends Refused {
          override postMessage() {
            throw new TypeError("as a test has it");
          }
        },
      ),
      "a worker could not be started: TypeError: as a test has it",
    ],
  ])("%s", async (_, globals, reason) => {
    expect(await within(globals)).toEqual({ threads: 1, reason });
    expect(currentRuntime(true).threads).toBe(1);
    expect(new LSTM({ inputSize: 4, hiddenSize: 64 }).forward(Tensor.zeros([2, 4]))[0].shape).toEqual([
      2, 64,
    ]);
    // Who asks for no more than one thread is told nothing.
    expect(await within(globals, { threads: 1 })).toEqual({ threads: 1, reason: undefined });
  });

  it("where the machine has one core", async () => {
    const os = { availableParallelism: () => 1 };
    const { getBuiltinModule } = process as unknown as { getBuiltinModule: (name: string) => object };
    const globals = nodeWith({
      getBuiltinModule: (name: string) => (name === "node:os" ? os : getBuiltinModule(name)),
    });
    expect(await within(globals, {} as never)).toEqual({ threads: 1, reason: "this machine has one core" });
  });

  it("where no worker starts in time, and fewer where some do", async () => {
    const { ready } = Pool.prototype;
    for (const started of [0, 1]) {
      vi.spyOn(Pool.prototype, "ready").mockImplementation(async function (this: Pool) {
        await ready.call(this);
        return started;
      });
      expect(await initThreads({ threads: 4 })).toEqual({
        threads: 1 + started,
        reason: `${started} of 3 workers started within 10 seconds: this machine is busy, ask for fewer threads`,
      });
    }
  });

  it("where only one runs at once, and as many as do", async () => {
    const os = { availableParallelism: () => 4 };
    const { getBuiltinModule } = process as unknown as { getBuiltinModule: (name: string) => object };
    const globals = nodeWith({
      getBuiltinModule: (name: string) => (name === "node:os" ? os : getBuiltinModule(name)),
    });
    for (const most of [1, 3, 4]) {
      vi.spyOn(Pool.prototype, "pace").mockReturnValue(most);
      expect(await within(globals, {} as never)).toEqual({
        threads: most,
        reason: most === 4 ? undefined : `of 4 threads ${most} ran at once: the others have no core`,
      });
    }
    // Who asks for a number has it.
    expect(await within(globals, { threads: 4 })).toEqual({ threads: 4, reason: undefined });
  });
});

describe("a worker's URL", () => {
  const worker = "/own/worker.js";

  it("that does not load is named", async () => {
    expect(await within(browserWith(Refused), { threads: 2, worker } as never)).toEqual({
      threads: 1,
      reason:
        "options.worker, /own/worker.js, could not be loaded: it has to be there, of this origin and with this page's Cross-Origin-Embedder-Policy, and worker-src has to allow it",
    });
  });

  it("of another script is suspected, where none starts", async () => {
    class Silent {
      postMessage() {}
      terminate() {}
    }
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => 100 * clock());
    expect(await within(browserWith(Silent), { threads: 3, worker } as never)).toEqual({
      threads: 1,
      reason:
        "0 of 2 workers started within 10 seconds: options.worker has to be a copy of this release's lstm-wasm/threads/worker.js",
    });
  });
});

describe("a page's workers", () => {
  it("are made of a blob, once, or of the URL that is given", async () => {
    const urls: unknown[] = [];
    class Recorded extends Refused {
      constructor(url: unknown) {
        super();
        urls.push(url);
      }
    }
    const create = vi.spyOn(URL, "createObjectURL");
    await within(browserWith(Recorded), { threads: 3 });
    await within(browserWith(Recorded), { threads: 2 });
    expect(new Set(urls).size).toBe(1);
    expect(create.mock.calls.length).toBeLessThanOrEqual(1);
    const text = await (await fetch(String(urls[0]))).text();
    expect(text).toBe(WORKER_TEXT);
    const worker = new URL("https://example.org/worker.js");
    await within(browserWith(Recorded), { threads: 2, worker } as never);
    expect(urls.at(-1)).toBe(worker);
  });
});

it("has codes for its errors", async () => {
  const codes = await Promise.all(
    [{ threads: 0 }, { threads: "2" }, { module: 5 }].map((options) =>
      initThreads(options as never).catch((error) => error.code),
    ),
  );
  expect(codes).toEqual(["LSTM_WASM_RANGE", "LSTM_WASM_TYPE", "LSTM_WASM_TYPE"]);
});
