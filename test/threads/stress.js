/**
 * Random modules and models of convolutions in random calls, on 1 to 8 threads of which some are slowed, in pools that are begun and ended; each result
 * is compared with one thread's, bit by bit:
 *
 *   npm run stress:threads -- [SECONDS] [SEED] [PROCESSES]
 *
 * PROCESSES others take cores away from the threads, each for some milliseconds at a time. Build first.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pausedProgram } from "./paused.js";

/** What pauses with a chance, as threads do that are put aside: now and then for milliseconds. */
const pauseOf = (chance) => `(() => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  return () => {
    const dice = Math.random() / ${chance};
    if (dice > 1) return;
    if (dice < 0.03) Atomics.wait(never, 0, 0, 5 * Math.random());
    else for (const end = performance.now() + 0.2 * Math.random(); performance.now() < end; );
  };
})()`;
/** A worker's part of a convolution, which pauses before and after it and is counted. */
const CONVOLVE = "(...given) => models.convolveTiles(...given)";
const convolveOf = (chance) => `((pause, made) => (...given) => {
  pause();
  models.convolveTiles(...given);
  Atomics.add(made, 0, 1);
  pause();
})(${pauseOf(chance)}, require("node:worker_threads").workerData.made)`;
/** Kernels that pause before and after what they make, and count it. */
const kernelsOf = (chance) => `((kernels, pause, made) => {
  const paused = (kernel) => (...given) => {
    pause();
    kernel(...given);
    Atomics.add(made, 0, 1);
    pause();
  };
  return { ...kernels, runLayer: paused(kernels.runLayer), matmul: paused(kernels.matmul) };
})(kernels, ${pauseOf(chance)}, require("node:worker_threads").workerData.made)`;

/** Chances of a pause around each part, and before each atomic instruction of a pool. */
const PACES = [
  { part: 0, atomic: 0 },
  { part: 0.01, atomic: 0 },
  { part: 0, atomic: 0.003 },
  { part: 0.003, atomic: 0.0005 },
];

/** Takes a core for up to 20 ms, then leaves it for as long. */
const BUSY = `for (;;) {
  for (const end = Date.now() + 20 * Math.random(); Date.now() < end; );
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 * Math.random());
}`;

/** A layers model of TensorFlow.js: two convolutions, and a product of 512 x 512 that has it in the memory of threads. */
function convolutionsOf({ channels, filters, kernel, stride, length }, random) {
  const conv = (name, strides) => ({
    class_name: "Conv1D",
    config: { name, filters, kernel_size: [kernel], strides: [strides], padding: "same", activation: "relu" },
  });
  const dense = (name, units) => ({ class_name: "Dense", config: { name, units, activation: "tanh" } });
  const layers = [conv("first", stride), conv("second", 1), dense("wide", 512), dense("last", 512)];
  layers[0].config.batch_input_shape = [null, length, channels];
  const shapes = {
    "first/kernel": [kernel, channels, filters],
    "first/bias": [filters],
    "second/kernel": [kernel, filters, filters],
    "second/bias": [filters],
    "wide/kernel": [filters, 512],
    "wide/bias": [512],
    "last/kernel": [512, 512],
    "last/bias": [512],
  };
  const weights = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: "float32" }));
  const count = weights.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size), 0);
  const numbers = Float32Array.from({ length: count }, () => (random() - 0.5) / 8);
  return {
    json: {
      format: "layers-model",
      modelTopology: {
        keras_version: "2.15.0",
        class_name: "Sequential",
        config: { name: "convolutions", layers },
      },
      weightsManifest: [{ paths: ["weights"], weights }],
    },
    weights: new Uint8Array(numbers.buffer),
  };
}

/** Numbers from 0 to 1, the same ones of the same seed (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Workers that are started from now on have the pace that `pace` gives, until the function that it gives is called. */
function changeWorkers(pace, made) {
  const original = process.getBuiltinModule;
  const { Worker } = original("node:worker_threads");
  const sharing = pausedProgram();
  class Changed extends Worker {
    constructor(text, options) {
      const { part, atomic } = pace();
      const changed = text
        .replace("core: kernels", `core: ${kernelsOf(part)}`)
        .replace(CONVOLVE, convolveOf(part))
        .replace("const place = {", `const place = { pause: ${pauseOf(atomic)},`);
      if (changed.length < text.length + 1000) throw new Error("the text of workers has changed");
      const { workerData } = options;
      super(changed, {
        ...options,
        workerData: { ...workerData, made, sharing: atomic > 0 ? sharing : workerData.sharing },
      });
    }
  }
  process.getBuiltinModule = (name) =>
    name === "node:worker_threads" ? { Worker: Changed } : original(name);
  return () => {
    process.getBuiltinModule = original;
  };
}

/**
 * @param api  what `lstm-wasm` and `lstm-wasm/threads` export
 * @returns how many pools, modules, calls and parts made by workers there were
 * @throws Error at the first result with other bits
 */
export async function stress(api, { seconds, seed, say = () => {} }) {
  const { LSTM, GRU, RNN, Linear, Tensor, loadTfjs, initThreads, endThreads } = api;
  const random = generator(seed);
  const below = (count) => Math.floor(random() * count);
  const oneOf = (choices) => choices[below(choices.length)];
  const maybe = (chance, options) => (random() < chance ? options : {});
  const made = new Int32Array(new SharedArrayBuffer(4));
  const counts = { pools: 0, modules: 0, calls: 0, parts: 0 };
  let pace = PACES[0];
  const restore = changeWorkers(() => pace, made);

  const KINDS = [
    () => {
      const precision = oneOf(["float32", "float32", "int8"]);
      const hiddenSize =
        precision === "int8" ? oneOf([200, 256, 384]) : oneOf([64, 65, 96, 128, 203, 256, 512]);
      return [
        LSTM,
        {
          hiddenSize,
          precision,
          ...maybe(0.4, { bidirectional: true }),
          ...maybe(0.3, { projSize: oneOf([20, 48]) }),
          ...maybe(0.3, { numLayers: 2 }),
          ...maybe(0.1, { bias: false }),
        },
      ];
    },
    () => [
      GRU,
      {
        hiddenSize: oneOf([128, 256, 300]),
        ...maybe(0.4, { bidirectional: true }),
        ...maybe(0.4, { resetAfter: false }),
      },
    ],
    () => [RNN, { hiddenSize: oneOf([256, 333]), ...maybe(0.5, { bidirectional: true }) }],
    () => [Linear, {}],
    () => [
      Convolutions,
      {
        channels: oneOf([7, 16, 64]),
        filters: oneOf([20, 33, 128]),
        kernel: oneOf([1, 3, 25]),
        stride: oneOf([1, 3]),
        length: oneOf([50, 333, 1000]),
      },
    ],
  ];

  /** Two convolutions and a product, by which the model is always work for several threads. */
  class Convolutions {
    #file;
    #model;

    constructor({ channels, filters, kernel, stride, length, file }) {
      this.#file = file ?? convolutionsOf({ channels, filters, kernel, stride, length }, random);
      this.#model = loadTfjs(this.#file.json, { weights: this.#file.weights });
    }

    stateDict() {
      return this.#file;
    }

    loadStateDict(file) {
      this.dispose();
      this.#file = file;
      this.#model = loadTfjs(file.json, { weights: file.weights });
    }

    forward(given) {
      return Object.values(this.#model.run(given))[0];
    }

    dispose() {
      this.#model.dispose();
    }

    toString() {
      return `convolutions ${JSON.stringify(this.#file.json.modelTopology.config.layers.map(({ config }) => config))}`;
    }
  }

  /** A module and its twin, which is to be made on threads. */
  function make() {
    const [Module, options] = oneOf(KINDS)();
    const sizes =
      Module === Linear
        ? { inFeatures: oneOf([512, 700]), outFeatures: oneOf([512, 1000]) }
        : { inputSize: oneOf([7, 40]), ...options };
    const alone = new Module(sizes);
    counts.modules++;
    return { Module, sizes, alone, dict: alone.stateDict(), twin: undefined, name: `${alone}` };
  }

  function twinOf(pair) {
    const twin = new pair.Module(pair.sizes);
    twin.loadStateDict(pair.dict);
    return twin;
  }

  function compare(got, expected, what) {
    for (const [at, tensor] of expected.entries()) {
      const [a, b] = [got[at].data, tensor.data].map(({ buffer, byteOffset, length }) => {
        if (!(buffer instanceof ArrayBuffer)) throw new Error(`${what}: a result in shared memory`);
        return new Uint32Array(buffer, byteOffset, length);
      });
      const differs = a.length !== b.length ? 0 : a.findIndex((word, index) => word !== b[index]);
      if (differs >= 0) throw new Error(`${what}: result ${at} differs at ${differs} of ${b.length}`);
    }
  }

  /** One call of both. */
  function call({ Module, sizes, alone, twin, name }, threads) {
    const number = counts.calls++;
    const steps = oneOf([1, 1, 2, 3, 10, below(60) + 1]);
    // Of many rows steps of 512 units are long enough for several parts a thread.
    const batch = oneOf([0, 0, 0, 1, 1, below(12) + 1, below(12) + 1, below(17) + 16]);
    const what = `seed ${seed}, call ${number}: ${name}, ${steps} steps, batch ${batch}, ${threads} threads`;
    if (Module === Convolutions) {
      const given = Tensor.randn([1 + below(3), sizes.length, sizes.channels], number);
      compare([twin.forward(given)], [alone.forward(given)], what);
      return;
    }
    if (Module === Linear) {
      const given = Tensor.randn([steps, sizes.inFeatures], number);
      compare([twin.forward(given)], [alone.forward(given)], what);
      return;
    }
    const shape = batch === 0 ? [steps, sizes.inputSize] : [steps, batch, sizes.inputSize];
    const given = Tensor.randn(shape, number);
    if (batch <= 1 && !sizes.bidirectional && random() < 0.3) {
      const [stream, other] = [alone.stream(), twin.stream()];
      for (let step = 0; step < steps; step++) {
        const row = Tensor.randn([sizes.inputSize], number + step);
        const expected = stream.step(row);
        compare([other.step(row)], [expected], what);
      }
      stream.dispose();
      other.dispose();
      return;
    }
    const lengths = Array.from({ length: batch }, () => below(steps) + 1);
    lengths[0] = steps;
    const options = batch > 0 && random() < 0.3 ? { lengths } : {};
    compare(
      twin.forward(given, undefined, options).flat(),
      alone.forward(given, undefined, options).flat(),
      what,
    );
  }

  const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const end = performance.now() + 1000 * seconds;
  let told = performance.now();
  try {
    while (performance.now() < end) {
      const pairs = Array.from({ length: 1 + below(4) }, make);
      pace = oneOf(PACES);
      let threads = 1 + below(8);
      const { threads: got, reason } = await initThreads({ threads });
      if (got !== threads) say(`${got} of ${threads} threads: ${reason}`);
      threads = got;
      counts.pools++;
      for (const pair of pairs) pair.twin = twinOf(pair);
      // A busy machine may take all of a short time to make modules and threads.
      for (let turns = 0, most = 10 + below(120); turns < most; turns++) {
        if (turns >= 10 && performance.now() > end) break;
        const pair = oneOf(pairs);
        call(pair, threads);
        const dice = random();
        if (dice < 0.1) await sleep(3 * random());
        else if (dice < 0.13) {
          pair.twin.dispose();
          pair.twin = twinOf(pair);
        } else if (dice < 0.135) {
          // Twins go on with one thread, and those made from now on with others.
          threads = 1 + below(8);
          if (random() < 0.5) await endThreads();
          else threads = (await initThreads({ threads })).threads;
        }
      }
      for (const { alone, twin } of pairs) {
        alone.dispose();
        twin.dispose();
      }
      await endThreads();
      if (performance.now() - told > 10_000) {
        told = performance.now();
        say(`${JSON.stringify({ ...counts, parts: made[0] })}`);
      }
    }
  } finally {
    restore();
    await endThreads();
  }
  return { ...counts, parts: made[0] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seconds = 60, seed = Date.now() % 1e6, processes = 2] = process.argv.slice(2).map(Number);
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, ["--eval", BUSY], { stdio: "ignore" }),
  );
  try {
    const index = await import("../../dist/index.js");
    // Its operators have names of modules, too.
    const models = await import("../../dist/models/index.js");
    const threads = await import("../../dist/threads/index.js");
    const counts = await stress({ ...models, ...index, ...threads }, { seconds, seed, say: console.log });
    console.log(`${seconds} s, seed ${seed}, ${processes} busy processes: all bits equal`, counts);
  } finally {
    for (const child of children) child.kill();
  }
}
