/**
 * The floors that the project set itself: times faster than onnxruntime-web on the same core in the same run.
 */
export const RATIO_FLOORS = {
  "step-1x40": 25,
  "step-32": 25,
  "step-128": 4.3,
  "step-256": 2.9,
  "step-512": 1.5,
  "step-1024": 1.1,
  "block-1x40": 2.4,
  "sequence-64": 1.75,
  "sequence-128": 1.45,
  "sequence-256": 1.4,
  "sequence-512": 1.5,
  "sequence-1024": 1.2,
  "bidirectional-128x256": 1.35,
  "batch-128": 1.6,
  "batch-256": 1.6,
  "batch-512": 1.6,
  "tiny-6x3": 20,
  "gru-step-128": 1.1,
  "gru-sequence-256": 1.1,
  "gru-batch-128": 1.1,
};

/** Of int8 weights. */
export const INT8 = {
  /** Times faster than onnxruntime-web's float32. */
  floors: {
    "step-128": 7,
    "step-256": 6.5,
    "step-512": 6.5,
    "step-1024": 4.5,
    "sequence-128": 2.4,
    "sequence-256": 2.4,
    "sequence-512": 3.6,
    "sequence-1024": 3.4,
    "batch-128": 2,
    "batch-256": 2,
    "batch-512": 2,
    "gru-batch-128": 2,
  },
  /** Than onnxruntime-node's float32, at batch 1 from this size on. */
  native: { hidden: 128, ratio: 1 },
  /** Than our own float32, at batch 1 from this size on; the deterministic build. */
  deterministic: { hidden: 256, ratio: 1.4 },
};

export const MEAN_FLOOR = 2.8;
export const DETERMINISTIC = { ratio: 1, mean: 2.1 };

export const BLOCK_US_PER_SAMPLE = 0.53;
export const OVERHEAD_US = 0.3;
export const COLD_START_MS = 8;

const kilobytes = (count) => Math.floor(1000 * count);
/** The most bytes that each part may have. test/package/sizes.test.ts asserts them. */
export const SIZES = {
  /** What esbuild makes of these names of `lstm-wasm`, minified, with both binaries inside, after gzip -9. "*" is all of them. */
  bundles: { LSTM: kilobytes(31.6), "*": kilobytes(40.9) },
  /**
   * The same of `lstm-wasm/models`: `loadOnnx`, and `loadOnnxWith` with the operators that `lstm-wasm inspect` prints for
   * Silero VAD v5 and v6; `loadKeras`, and all names. All four binaries are inside.
   */
  modelBundles: {
    loadOnnx: kilobytes(100.1),
    loadOnnxWith: kilobytes(74.1),
    loadKeras: kilobytes(134.5),
    "*": kilobytes(164.4),
  },
  /** What `lstm-wasm/threads` adds to a bundle of LSTM, and its worker's script, which is a file for whoever names it. */
  threads: { bundle: kilobytes(9.6), worker: 670 },
  sileroOperators:
    "Add, Cast, Concat, Constant, ConstantOfShape, Conv, Equal, Gather, Identity, If, LSTM, Not, Pad, Pow, ReduceMean, " +
    "Relu, Reshape, Shape, Sigmoid, Size, Slice, Sqrt, Squeeze, Transpose, Unsqueeze",
  /** Each of the core's two binaries, as it is. */
  binary: kilobytes(28),
  /** Each of the two with the kernels of whole models. */
  models: kilobytes(40),
  /** The one by which threads share a job, and each of the core's two for a shared memory. */
  sharing: kilobytes(10),
  shared: kilobytes(32),
};

/** Of the measured peak of multiply-adds, asked of matmul by itself. */
export const MATMUL_FRACTION = 0.95;
/**
 * Of the measured read bandwidth, by the case that shows it. Asked of the kernel by itself, and of the case
 * as a whole. From H = 512 on (4 MB) the weights are larger than a second-level cache of 2 MB.
 */
export const RECURRENT_FRACTIONS = {
  "recurrent-128": 0.85,
  "recurrent-256": 0.85,
  "recurrent-512": 0.9,
  "recurrent-1024": 0.9,
};
