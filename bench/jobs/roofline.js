/** The machine's roofline: peak multiply-adds, reading by size of the working set, and our product kernel against it. */
import { readFileSync } from "node:fs";

/** Tiles of this many rows x 2 vectors: bench/roofline.ts. */
const TILE_ROWS = [4, 5, 6];

const SAMPLES = 15;
const SAMPLE_MS = 2;
const WARMUP_MS = 100;

/** Sizes of the recurrent step, and how many steps a kernel call runs. */
const HIDDEN_SIZES = [128, 256, 512, 1024];
const STEPS = 50;

/** Bytes: L1, L2, the last level and memory of usual machines. */
const WORKING_SETS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map(
  (kib) => kib * 1024,
);

/** Rows and sizes of the product: K inputs to M outputs. */
const PRODUCTS = [
  { rows: 120, inputs: 128, outputs: 512 },
  { rows: 120, inputs: 256, outputs: 1024 },
  { rows: 120, inputs: 512, outputs: 2048 },
];

export default async function roofline({ rooflineWasm, libraryWasm }) {
  const { instance } = await WebAssembly.instantiate(readFileSync(rooflineWasm));
  const { read, filled } = instance.exports;
  const tileData = filled(64);
  // Small numbers, so that no sum overflows.
  new Float32Array(instance.exports.memory.buffer).fill(2 ** -20, tileData / 4, tileData / 4 + 16);
  const tiles = TILE_ROWS.map((rows) => {
    const tile = instance.exports[`tile${rows}`];
    return { rows, gigaflops: rate((turns) => tile(turns, tileData), rows * 2 * 4 * 2) };
  });

  const data = filled(Math.max(...WORKING_SETS));
  const bandwidth = WORKING_SETS.map((bytes) => ({
    bytes,
    gigabytesPerSecond: rate((turns) => read(data, bytes, turns), bytes),
  }));
  return {
    tiles,
    bandwidth,
    products: await products(libraryWasm),
    recurrentSteps: await recurrentSteps(libraryWasm),
  };
}

/** The library's own product kernel, without the host: assembly/float32.ts. */
async function products(libraryWasm) {
  const { kernels, fill, matrixOf } = await loadKernels(libraryWasm);
  expectArguments(kernels.project, 8);
  return PRODUCTS.map(({ rows, inputs, outputs }) => {
    const matrix = matrixOf(inputs, outputs);
    const input = fill(rows * inputs);
    const start = fill(outputs);
    const output = fill(rows * outputs);
    const flops = 2 * rows * inputs * outputs;
    const run = (turns) => {
      for (; turns > 0; turns--) {
        kernels.project(matrix, rows, input, inputs * 4, start, output, outputs * 4, 0);
      }
    };
    return { rows, inputs, outputs, gigaflops: rate(run, flops) };
  });
}

/** The library's own recurrent steps of one row, without the host: assembly/lstm.ts. A step reads W_hh once. */
async function recurrentSteps(libraryWasm) {
  const { kernels, fill, integers, matrixOf } = await loadKernels(libraryWasm);
  expectArguments(kernels.lstmForward, 28);
  const order = integers([0]);
  const active = integers(Array(STEPS).fill(1));
  return HIDDEN_SIZES.map((hidden) => {
    const matrix = matrixOf(hidden, 4 * hidden);
    const [bias, gates, sums] = [fill(4 * hidden), fill(4 * hidden), fill(4 * hidden)];
    const [state, cells, output] = [fill(hidden), fill(hidden), fill(hidden)];
    const row = 16 * hidden;
    const stateRow = 4 * hidden;
    // biome-ignore format: in the order of the kernel's arguments
    const call = [
      STEPS, hidden, matrix, bias, gates, 0, row, state, stateRow, cells, 0, sums, 0, 0,
      output, 0, stateRow, hidden, order, active, 1, 0, 0, 0, 0, 0, 0, 0,
    ];
    const run = (turns) => {
      for (; turns > 0; turns--) kernels.lstmForward(...call);
    };
    const bytes = 16 * hidden * hidden;
    return { hidden, bytes, gigabytesPerSecond: rate(run, STEPS * bytes) };
  });
}

/** The library's exports, and what fills its memory. */
async function loadKernels(libraryWasm) {
  const { instance } = await WebAssembly.instantiate(readFileSync(libraryWasm));
  const { allocate, memory } = instance.exports;
  const fill = (count) => {
    const block = allocate(count * 4);
    const floats = new Float32Array(memory.buffer, block, count);
    for (let at = 0; at < count; at++) floats[at] = Math.sin(at);
    return block;
  };
  const integers = (numbers) => {
    const block = allocate(numbers.length * 4);
    new Int32Array(memory.buffer, block, numbers.length).set(numbers);
    return block;
  };
  // The fields of assembly/matrix.ts: inputs, vectors of outputs, panel, bytes of a block, and none of int8's.
  const matrixOf = (inputs, outputs) =>
    integers([inputs, outputs / 4, fill(inputs * outputs), inputs * 128, 0, 0]);
  return { kernels: instance.exports, fill, integers, matrixOf };
}

function expectArguments(kernel, count) {
  if (kernel.length !== count)
    throw new Error("a kernel's arguments changed; jobs/roofline.js has to follow");
}

/** 10^9 units a second: the best of many samples of at least 2 ms, since what disturbs only makes them slower. */
function rate(run, unitsPerTurn) {
  // Short calls first: V8 does not replace a function that is running by its optimised code.
  let calls = 0;
  for (const begin = performance.now(); performance.now() < begin + WARMUP_MS; calls++) run(1);
  let turns = Math.ceil((calls * SAMPLE_MS) / WARMUP_MS);
  for (let took = 0; took < SAMPLE_MS; ) {
    const begin = performance.now();
    run(turns);
    took = performance.now() - begin;
    if (took < SAMPLE_MS) turns = Math.ceil(turns * Math.min(10, Math.max(1.2, SAMPLE_MS / took)));
  }
  const samples = Array.from({ length: SAMPLES }, () => {
    const begin = performance.now();
    run(turns);
    return performance.now() - begin;
  });
  return (unitsPerTurn * turns) / Math.min(...samples) / 1e6;
}
