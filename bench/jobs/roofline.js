/** The machine's roofline: peak multiply-adds, reading by size of the working set, and our matmul and steps against it. */
import { readFileSync } from "node:fs";
import {
  ABI,
  INITIAL_PAGES,
  LAYER_BYTES,
  LSTM,
  MATRIX_BYTES,
  RUN_BYTES,
  SCRATCH_BYTES,
  WALK_BYTES,
} from "../../build/abi.js";
import * as LAYER from "../../build/records/layer.js";
import * as MATRIX from "../../build/records/matrix.js";
import * as RUN from "../../build/records/run.js";
import * as WALK from "../../build/records/walk.js";

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

/** The library's own matmul, without the host. */
async function products(libraryWasm) {
  const library = await loadLibrary(libraryWasm);
  const { kernels, floats } = library;
  return PRODUCTS.map(({ rows, inputs, outputs }) => {
    const matrix = library.matrix(inputs, outputs);
    const walk = library.walk(matrix, inputs);
    const input = floats(rows * inputs);
    const output = floats(rows * outputs);
    const flops = 2 * rows * inputs * outputs;
    const run = (turns) => {
      for (; turns > 0; turns--) kernels.matmul(matrix.address, walk, rows, input, output, 0);
    };
    return { rows, inputs, outputs, gigaflops: rate(run, flops) };
  });
}

/**
 * The library's own recurrent steps of one row, without the host. A step reads W_hh once. There is one input number, so
 * nearly all that a call reads is W_hh. STEPS is even: every walk over W_hh begins where the last one ended.
 */
async function recurrentSteps(libraryWasm) {
  const library = await loadLibrary(libraryWasm);
  const { kernels, floats, integers, record } = library;
  const order = integers([0]);
  const active = integers(Array(STEPS).fill(1));
  return HIDDEN_SIZES.map((hidden) => {
    const weightInput = library.matrix(1, 4 * hidden);
    const weightHidden = library.matrix(hidden, 4 * hidden);
    const layer = record("Layer", LAYER_BYTES, LAYER, {
      kind: LSTM,
      activation: 0,
      options: 0,
      units: hidden,
      outputSize: hidden,
      reverse: 0,
      weightInput: weightInput.address,
      weightHidden: weightHidden.address,
      weightProjection: 0,
    });
    const h = floats(hidden);
    const c = floats(hidden);
    const stateRow = 4 * hidden;
    const call = record("Run", RUN_BYTES, RUN, {
      batch: 1,
      order,
      active,
      mask: 0,
      repeat: 0,
      started: 0,
      keptH: 0,
      keptC: 0,
      input: floats(STEPS),
      output: floats(STEPS * hidden),
      outputRow: stateRow,
      gates: floats(STEPS * 4 * hidden),
      gateSteps: STEPS,
      sums: floats(4 * hidden),
      h,
      nextH: h,
      otherH: 0,
      stage: 0,
      hRow: stateRow,
      c,
      cRow: stateRow,
      unprojected: 0,
      resetH: 0,
      callerH: floats(hidden),
      callerC: floats(hidden),
      trace: 0,
      fromUnit: 0,
      toUnit: hidden,
      fromOutput: 0,
      toOutput: hidden,
      inputWalk: library.walk(weightInput, 1),
      hiddenWalk: library.walk(weightHidden, hidden),
      projectionWalk: 0,
    });
    const run = (turns) => {
      for (; turns > 0; turns--) kernels.runLayer(layer, call, STEPS, 0);
    };
    const bytes = 16 * hidden * hidden;
    return { hidden, bytes, gigabytesPerSecond: rate(run, STEPS * bytes) };
  });
}

/** The library's kernels over a memory of their own, and what fills that memory. */
async function loadLibrary(libraryWasm) {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
  const { instance } = await WebAssembly.instantiate(readFileSync(libraryWasm), { env: { memory } });
  const kernels = instance.exports;
  if (kernels.abi.value !== ABI) throw new Error(`${libraryWasm} has other records than build/abi.js`);
  kernels.configure(kernels.allocate(SCRATCH_BYTES), kernels.dotIsOneInstruction());

  /** Addresses of new blocks. */
  const integers = (numbers) => {
    const block = kernels.allocate(numbers.length * 4);
    new Int32Array(memory.buffer, block, numbers.length).set(numbers);
    return block;
  };
  const floats = (count) => {
    const block = kernels.allocate(count * 4);
    const numbers = new Float32Array(memory.buffer, block, count);
    for (let at = 0; at < count; at++) numbers[at] = Math.sin(at);
    return block;
  };
  /** A value for each field, so that a record with a new field or another name is no silent zero. */
  const record = (name, bytes, places, values) => {
    const words = Array(bytes / 4).fill(0);
    for (const [field, place] of Object.entries(places)) {
      if (!(field in values))
        throw new Error(`${name}.${field} has no value; jobs/roofline.js has to follow`);
      words[place] = values[field];
    }
    return integers(words);
  };
  /** A float32 matrix whose numbers of outputs fill its blocks. */
  const matrix = (columns, outputs) => {
    const vectorsPerLine = kernels.vectorsPerLine(0);
    const blocks = outputs / 4 / vectorsPerLine;
    const address = record("Matrix", MATRIX_BYTES, MATRIX, {
      columns,
      vectors: outputs / 4,
      blocks,
      outputRow: outputs * 4,
      panel: floats(columns * outputs),
      blockBytes: columns * vectorsPerLine * 16,
      bias: floats(outputs),
      scales: 0,
      corrections: 0,
    });
    return { address, blocks };
  };
  /** Over all blocks of a matrix, from rows of so many inputs. */
  const walk = ({ blocks }, inputs) =>
    record("Walk", WALK_BYTES, WALK, { fromBlock: 0, toBlock: blocks, inputRow: inputs * 4, rounded: 0 });
  return { kernels, integers, floats, record, matrix, walk };
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
