/** Workers take part, and nobody misses those that are late or fail. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { GRU, Linear, LSTM, Tensor } from "../../src/index.js";
import { setThreaded } from "../../src/wasm/current.js";
import {
  callUntil,
  endPools,
  jobsOf,
  partSizes,
  partsMade,
  poolOf,
  setShares,
  tellWaits,
  use,
} from "../support/pools.js";
import { expectSameBits } from "../support/tensors.js";

const SIZES = { inputSize: 16, hiddenSize: 128 };
/** A step of it is worth sharing with threads that are awake, and not worth waking them. */
const SMALL = { inputSize: 128, hiddenSize: 256 };
const input = Tensor.randn([60, 2, 16], 1);
const LENGTHS = Array.from({ length: 16 }, (_, row) => 60 - row);

/** Kernels of which call `number` throws, after it was begun, and all later ones. */
const throwing = (number: number) => `(() => {
  let calls = 0;
  const failing = (kernel) => (...given) => {
    if (++calls >= ${number}) throw new Error("as a test has it");
    kernel(...given);
  };
  return { ...kernels, runLayer: failing(kernels.runLayer), matmul: failing(kernels.matmul) };
})()`;

/** A module on this thread, and its twin in the pool that is used. */
function twins<M extends LSTM | GRU>(make: () => M): [alone: M, twin: () => M] {
  const alone = make();
  const dict = alone.stateDict();
  return [
    alone,
    () => {
      const twin = make();
      twin.loadStateDict(dict);
      return twin;
    },
  ];
}

afterEach(async () => {
  vi.restoreAllMocks();
  await endPools();
});

describe("workers", () => {
  it.each([
    ["a layer's steps", () => new LSTM(SIZES), () => input],
    ["directions", () => new LSTM({ ...SIZES, hiddenSize: 64, bidirectional: true }), () => input],
    [
      "phases of a projection",
      () => new LSTM({ ...SIZES, hiddenSize: 256, projSize: 40 }),
      () => Tensor.randn([60, 16], 2),
    ],
    [
      "a reset before the product",
      () => new GRU({ ...SIZES, hiddenSize: 256, resetAfter: false }),
      () => input,
    ],
    [
      "a product's blocks",
      () => new Linear({ inFeatures: 1024, outFeatures: 1024 }),
      () => Tensor.randn([40, 1024], 3),
    ],
  ])("take parts of %s", async (_, make, given) => {
    const pool = poolOf(2);
    await use(pool, 2);
    const module = make() as LSTM;
    const numbers = given();
    await callUntil(
      () => void module.forward(numbers),
      () => partsMade(pool)[1]! > 0,
    );
    expect(pool.failure).toBeUndefined();
  });

  it.each([
    [
      "rows of a batch, for each a tile and what is left of a half",
      [60, 16],
      SIZES,
      {},
      [6, 6, 2, 2],
      "once",
    ],
    ["rows of a small one, a half for each", [60, 12], SIZES, {}, [6, 6], "once"],
    ["rows of which tiles are no part", [60, 21], SIZES, {}, [6, 6, 4, 5], "once"],
    ["rows of 256 units", [60, 16], { ...SIZES, hiddenSize: 256 }, {}, [6, 6, 2, 2], "once"],
    ["units of a batch of several lengths", [60, 16], SIZES, { lengths: LENGTHS }, [4, 4], "at each step"],
    [
      "units of large weights and many rows, for each three quarters and what is left of a half",
      [60, 16],
      { ...SIZES, hiddenSize: 512 },
      {},
      [12, 12, 4, 4],
      "at each step",
    ],
    ["units of large weights", [60, 15], { ...SIZES, hiddenSize: 512 }, {}, [16, 16], "at each step"],
  ] as const)("share %s", async (_, [steps, batch], sizes, options, parts, meet) => {
    const pool = poolOf(2);
    await use(pool, 2);
    const module = new LSTM(sizes);
    const numbers = Tensor.randn([steps, batch, 16], 4);
    await callUntil(
      () => void module.forward(numbers, undefined, options),
      () => partsMade(pool)[1]! > 0,
    );
    const made = partsMade(pool).reduce((sum, count) => sum + count);
    if (meet === "once") expect(made).toBe(parts.length);
    // And the gates.
    else expect(made).toBeGreaterThan(parts.length * steps);
    expect(partSizes(pool, parts.length)).toEqual(parts);
  });

  it("sleep, and are woken by what is worth it", async () => {
    const pool = poolOf(2);
    await use(pool, 2);
    const module = new LSTM({ inputSize: 16, hiddenSize: 256 });
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      let before = partsMade(pool)[1]!;
      // What it made last stays told until it makes others: other counts of parts tell that it did.
      await callUntil(
        () => {
          before = partsMade(pool)[1]!;
          module.forward(input);
        },
        () => partsMade(pool)[1]! > 0 && partsMade(pool)[1] !== before,
      );
    }
  });

  it("sleep on where the work is small and rare", async () => {
    const pool = poolOf(2);
    await use(pool, 2);
    const stream = new LSTM(SMALL).stream();
    const frame = new Float32Array(128);
    // They begin awake, and on a busy machine it takes them a while to find a core to fall asleep on.
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (let call = 0; call < 20; call++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      stream.step(frame);
    }
    // The caller has made no job of it either.
    expect(partsMade(pool)).toEqual([0, 0]);
  });

  it("are woken by a burst of small work", async () => {
    const pool = poolOf(2);
    await use(pool, 2);
    const stream = new LSTM(SMALL).stream();
    const frame = new Float32Array(128);
    const isJoined = () => partsMade(pool)[1]! > 0;
    await callUntil(() => {
      for (let call = 0; call < 1000 && !isJoined(); call++) stream.step(frame);
    }, isJoined);
  });

  it("all leave when a pool ends, and exit", async () => {
    const ended: number[] = [];
    const pool = poolOf(4, {}, ended);
    await use(pool, 4);
    const module = new LSTM(SIZES);
    const [before] = module.forward(input);
    await pool.end();
    expect(ended).toHaveLength(3);
    expectSameBits(module.forward(input)[0], before);
  });
});

describe("a thread that waits for others", () => {
  it("has more of a layer's units than they from then on", async () => {
    const pool = poolOf(2);
    const [alone, twin] = twins(() => new LSTM({ ...SIZES, hiddenSize: 256 }));
    const [expected] = alone.forward(input);
    await use(pool, 2);
    const module = twin();
    for (const waiting of [0, 1]) {
      const call = () => {
        // One after the other, so that workers are awake. What they tell is not left to this machine's cores.
        for (let turn = 0; turn < 4; turn++) {
          module.forward(input);
          tellWaits(pool, waiting === 0 ? [1, 0] : [0, 1]);
        }
        expectSameBits(module.forward(input)[0], expected);
        const sizes = partSizes(pool, 2);
        expect(sizes[0]! + sizes[1]!).toBe(16);
      };
      await callUntil(call, () => partSizes(pool, 2)[waiting]! >= 10);
    }
  });

  it("has more of a product's blocks by its share", async () => {
    const pool = poolOf(2);
    const clock = vi.spyOn(performance, "now");
    const linear = new Linear({ inFeatures: 512, outFeatures: 512 });
    const numbers = Tensor.randn([40, 512], 1);
    const expected = linear.forward(numbers);
    await use(pool, 2);
    const twin = new Linear({ inFeatures: 512, outFeatures: 512 }).loadStateDict(linear.stateDict());
    for (const [shares, sizes] of [
      [
        [0.5, -0.5],
        [12, 4],
      ],
      [
        [-0.25, 0.25],
        [6, 10],
      ],
      // Cores so little apart count as even.
      [
        [0.09, -0.09],
        [8, 8],
      ],
    ] as const) {
      const before = jobsOf(pool);
      await callUntil(
        () => {
          setShares(pool, shares);
          // Nothing is learned of a job that takes no time.
          clock.mockReturnValue(0);
          const output = twin.forward(numbers);
          clock.mockReset();
          expectSameBits(output, expected);
        },
        () => jobsOf(pool) > before,
      );
      expect(partSizes(pool, 2)).toEqual(sizes);
    }
  });
});

describe("workers by whom a call gets no faster", () => {
  it("are left out, but for a comparison now and then", async () => {
    const pool = poolOf(2);
    await use(pool, 2);
    const module = new LSTM({ inputSize: 16, hiddenSize: 64 });
    const sequence = Tensor.randn([200, 16], 1);
    const clock = vi.spyOn(performance, "now");
    const jobsIn = (calls: number, now: () => number) => {
      const before = jobsOf(pool);
      clock.mockImplementation(now);
      for (let call = 0; call < calls; call++) module.forward(sequence);
      clock.mockReset();
      return jobsOf(pool) - before;
    };
    // By one clock all calls take the same time, by the other those alone take none.
    let looks = 0;
    const same = () => looks++;
    const alone = () => 20 * jobsOf(pool);
    for (const [now, least, most] of [
      [same, 50, 100],
      [alone, 1, 30],
      [same, 50, 100],
    ] as const) {
      let jobs = 0;
      await callUntil(
        () => {
          jobs = jobsIn(100, now);
        },
        () => least <= jobs && jobs <= most,
      );
    }
  });
});

describe("late workers", () => {
  it("leave by themselves where threads were decided without them", async () => {
    const ended: number[] = [];
    const pool = poolOf(4, {}, ended);
    pool.decide(2);
    // One of them came in time for its number; the two others find that there is no room.
    await callUntil(
      () => {},
      () => ended.length === 2,
    );
    expect(ended).toEqual([0, 0]);
    await pool.end();
    expect(ended).toHaveLength(3);
  });

  it("are missed by no call", async () => {
    const pool = poolOf(3, { first: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)" });
    const [alone, twin] = twins(() => new LSTM(SIZES));
    pool.decide(3);
    setThreaded(() => pool.runtime);
    const module = twin();
    const [expected] = alone.forward(input);
    for (let turn = 0; turn < 30; turn++) expectSameBits(module.forward(input)[0], expected);
    expect(partsMade(pool)).toHaveLength(3);
  });

  it("are left alone after two calls that none of them came to", async () => {
    const pool = poolOf(2, { first: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)" });
    pool.decide(2);
    setThreaded(() => pool.runtime);
    const module = new LSTM(SIZES);
    const jobs: number[] = [];
    for (let call = 0; call < 2 + 16 + 2 + 32 + 1; call++) {
      module.forward(input);
      jobs.push(jobsOf(pool));
    }
    expect(jobs).toEqual([1, ...Array(17).fill(2), 3, ...Array(33).fill(4), 5]);
  });

  it("are told of an end that came before them", async () => {
    const ended: number[] = [];
    const pool = poolOf(
      3,
      { first: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)" },
      ended,
    );
    await pool.end();
    expect(ended).toHaveLength(2);
  });
});

describe("a worker that fails", () => {
  it("before it is ready is not awaited", async () => {
    const pool = poolOf(3, { first: 'throw new Error("as a test has it")' });
    expect(await pool.ready()).toBe(0);
    expect(pool.failure).toBe("a worker failed: Error: as a test has it");
  });

  it("where the others are ready leaves those", async () => {
    const pool = poolOf(4, {
      put: [
        "const me = shared.join(control);",
        `if (require("node:worker_threads").threadId % 3 === 0) throw new Error("as a test has it");
         const me = shared.join(control);`,
      ],
    });
    expect(await pool.ready()).toBe(2);
    expect(pool.failure).toBe("a worker failed: Error: as a test has it");
    const [alone, twin] = twins(() => new LSTM(SIZES));
    await use(pool, 3);
    expectSameBits(twin().forward(input)[0], alone.forward(input)[0]);
  });

  it("once it is ready and before it works is missed by nobody", async () => {
    const pool = poolOf(3, {
      put: ["kernels.configure(block, planes)", 'throw new Error("as a test has it")'],
    });
    expect(await pool.ready()).toBe(2);
    const [alone, twin] = twins(() => new LSTM(SIZES));
    await use(pool, 3);
    const module = twin();
    const [expected] = alone.forward(input);
    await callUntil(
      () => expectSameBits(module.forward(input)[0], expected),
      () => pool.failure !== undefined,
    );
    expect(pool.failure).toBe("a worker failed: Error: as a test has it");
    await endPools();
  });

  it.each([1, 2, 7, 50])("in part %i of those that it makes ends the call with an error", async (number) => {
    const pool = poolOf(3, { core: throwing(number) });
    const [alone, twin] = twins(() => new LSTM(SIZES));
    await use(pool, 3);
    const [expected] = alone.forward(input);
    const module = twin();
    let error: unknown;
    await callUntil(
      () => {
        try {
          expectSameBits(module.forward(input)[0], expected);
        } catch (cause) {
          error = cause;
        }
      },
      () => error !== undefined,
    );
    expect(error).toEqual(
      new Error(
        "lstm-wasm/threads: a thread failed in the middle of this call. Call it again, a stream with its state set anew: it goes on with one thread",
      ),
    );
    expect((error as { code?: unknown }).code).toBe("LSTM_WASM_THREAD");
    await callUntil(
      () => {},
      () => pool.failure !== undefined,
    );
    expect(pool.failure).toBe("a worker failed: Error: as a test has it");
    // States are given or zeros at each call, and weights are only read.
    for (let turn = 0; turn < 5; turn++) expectSameBits(module.forward(input)[0], expected);
    expectSameBits(twin().forward(input)[0], expected);
    await endPools();
    expectSameBits(module.forward(input)[0], expected);
  });
});

describe("a caller that is thrown out of a job", () => {
  it("by a full stack goes on with one thread", async () => {
    const ended: number[] = [];
    const pool = poolOf(3, {}, ended);
    const [alone, twin] = twins(() => new LSTM({ ...SIZES, bidirectional: true }));
    const sequence = Tensor.randn([60, 16], 4);
    const [expected] = alone.forward(sequence);
    await use(pool, 3);
    const module = twin();
    // What it allocates it has now: a heap that is thrown out of its own work is another matter.
    module.forward(sequence);
    const callAt = (depth: number): unknown => (depth > 0 ? callAt(depth - 1) : module.forward(sequence));
    // The deepest frames are those of kernels: a call that comes deeper each time is thrown out of a job first.
    const overflow = () => {
      for (let depth = 1000; ; depth += 10) {
        try {
          callAt(depth);
        } catch {
          return;
        }
      }
    };
    // It may have been no job, of those that one thread makes after disturbed ones: then another is to be.
    await callUntil(
      () => {
        overflow();
        for (let turn = 0; turn < 20; turn++) expectSameBits(module.forward(sequence)[0], expected);
      },
      () => ended.length === 2,
    );
    expect(ended).toEqual([0, 0]);
  });

  it("comes out of it when no worker writes any more", async () => {
    // A worker is in its part for longer than the caller takes to begin the next call.
    const slow = `{ ...kernels, runLayer: (...given) => {
      for (const end = performance.now() + 50; performance.now() < end; );
      kernels.runLayer(...given);
    } }`;
    const pool = poolOf(2, { core: slow });
    const [alone, twin] = twins(() => new LSTM({ ...SIZES, bidirectional: true }));
    const sequence = Tensor.randn([60, 16], 4);
    const [expected] = alone.forward(sequence);
    await use(pool, 2);
    const module = twin();
    const full = new RangeError("as a full stack has it");
    // The caller looks at the clock when it begins a job, and again when it waits for a part of the worker's.
    const clock = vi.spyOn(performance, "now");
    await callUntil(
      () => {
        clock.mockReturnValueOnce(0).mockImplementationOnce(() => {
          throw full;
        });
        let error: unknown;
        try {
          module.forward(sequence);
        } catch (cause) {
          error = cause;
        }
        clock.mockReset();
        if (error !== undefined) expect(error).toBe(full);
        for (let turn = 0; turn < 3; turn++) expectSameBits(module.forward(sequence)[0], expected);
      },
      () => partsMade(pool)[1]! > 0,
    );
  });
});
