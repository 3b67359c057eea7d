/**
 * The error that assembly/activation.ts states, measured: a sweep over the bit patterns of float32 against float64,
 * in units of the last place of the float32 result (2^-149 where that is subnormal, but for sigmoid).
 *
 * Every 257th of the 2^32 patterns (odd, so that all low bits vary), and every single one of some 4,000 around each
 * place where the arithmetic changes: zero, the powers of two up to 128, where n of 2^n changes, where results saturate
 * or become subnormal, and the clamps of the exponent.
 */
import { describe, expect, it } from "vitest";
import { SIGMOID, TANH } from "../../build/abi.js";
import type { Block } from "../../src/wasm/block.js";
import { currentRuntime } from "../../src/wasm/current.js";

/** The error that assembly/activation.ts states, for both builds. */
const STATED_ULP = 3;
/** The smallest normal float: what may be lost of a sigmoid below it. */
const SMALLEST_NORMAL = 2 ** -126;

const STRIDE = 257;
const CHUNK = 2 ** 16;
const NEIGHBOURS = 2048;
/** The largest finite float. */
const LARGEST_BITS = 0x7f7fffff;

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
const HIGH_WORD = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

function bitsOf(x: number): number {
  float[0] = x;
  return floatBits[0]!;
}

function fromBits(bits: number): number {
  floatBits[0] = bits;
  return float[0]!;
}

const ULP = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 150));

/** The spacing of float32 around a truth in float64. */
function ulpOf(truth: number): number {
  double[0] = truth;
  const exponent = (doubleWords[HIGH_WORD]! >>> 20) & 0x7ff;
  return ULP[Math.max(0, exponent - 1023 + 127)]!;
}

/** 1 / (1 + e^-x) with full relative accuracy for large negative x, where 1 + e^-x would overflow. */
function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

type Kernel = "sigmoid" | "tanh";
const TRUTH: Record<Kernel, (x: number) => number> = { sigmoid, tanh: Math.tanh };

const ACTIVATION: Record<Kernel, number> = { sigmoid: SIGMOID, tanh: TANH };

/** Runs the kernel on the floats of `count` bit patterns, the first `first`, then every `stride`-th. */
function runPatterns(kernel: Kernel, block: Block, first: number, stride: number, count: number) {
  const bits = new Int32Array(count);
  for (let at = 0; at < count; at++) bits[at] = first + at * stride;
  return run(kernel, block, bits);
}

/** The kernel's results for the floats of some bits, as a view of `block`. */
function run(kernel: Kernel, block: Block, numbers: Int32Array | Float32Array): Float32Array {
  const runtime = currentRuntime();
  runtime.write(block, 0, numbers);
  runtime.kernels.activate(ACTIVATION[kernel], block.pointer, numbers.length);
  return runtime.view(block).subarray(0, numbers.length);
}

interface Sweep {
  patterns: number;
  /** Largest error in ULP and the input it was found at; without sigmoids below the smallest normal float. */
  error: number;
  worst: number;
  /** Largest error of a sigmoid below the smallest normal float. */
  lost: number;
  /** Largest step in the wrong direction between an input and the next larger one, in ULP. */
  drop: number;
  least: number;
  most: number;
  nans: number;
}

/** All `ranges` of patterns [first, last, stride] of one sign of x. */
function sweep(kernel: Kernel, ranges: readonly (readonly [number, number, number])[]): Sweep {
  const truth = TRUTH[kernel];
  const result: Sweep = {
    patterns: 0,
    error: 0,
    worst: Number.NaN,
    lost: 0,
    drop: 0,
    least: Infinity,
    most: -Infinity,
    nans: 0,
  };
  const runtime = currentRuntime();
  const block = runtime.allocate(CHUNK * 4);
  try {
    for (const [begin, end, stride] of ranges) {
      let before = Number.NaN;
      // Patterns of negative numbers rise as the numbers fall.
      const direction = begin >= 0x80000000 ? -1 : 1;
      for (let first = begin; first <= end; first += CHUNK * stride) {
        const count = Math.min(CHUNK, Math.floor((end - first) / stride) + 1);
        const values = runPatterns(kernel, block, first, stride, count);
        for (let at = 0; at < count; at++) {
          const value = values[at]!;
          const x = fromBits(first + at * stride);
          const exact = truth(x);
          const ulp = ulpOf(exact);
          const error = Math.abs(value - exact);
          if (kernel === "sigmoid" && exact < SMALLEST_NORMAL) {
            result.lost = Math.max(result.lost, error);
          } else if (error / ulp > result.error) {
            result.error = error / ulp;
            result.worst = x;
          }
          const drop = (direction * (before - value)) / ulp;
          if (drop > result.drop) result.drop = drop;
          before = value;
          if (value < result.least) result.least = value;
          if (value > result.most) result.most = value;
          if (Number.isNaN(value)) result.nans++;
        }
        result.patterns += count;
      }
    }
  } finally {
    runtime.free(block);
  }
  return result;
}

/** Where the arithmetic changes, as |x|. */
const PLACES = [
  0,
  2 ** -126,
  2 ** -149 * 2 ** 22,
  ...Array.from({ length: 40 }, (_, k) => 2 ** (k - 32)),
  // n of 2^n changes at odd multiples of ln(2)/2 of the exponent, which is |x| or 2|x|.
  ...Array.from({ length: 151 }, (_, k) => (k + 0.5) * Math.LN2),
  ...Array.from({ length: 59 }, (_, k) => ((k + 0.5) * Math.LN2) / 2),
  9,
  9.0109,
  17,
  17.3287,
  20,
  87.3365,
  88,
  88.1,
  88.3762,
  88.7228,
  89,
  103.2789,
  103.9721,
  104,
];

const sparse = [[0, LARGEST_BITS, STRIDE]] as const;
const dense = PLACES.map((place) => {
  const centre = bitsOf(place);
  return [Math.max(0, centre - NEIGHBOURS), centre + NEIGHBOURS, 1] as const;
});
const positive = [...sparse, ...dense];
const negative = positive.map(
  ([begin, end, stride]) => [begin + 0x80000000, end + 0x80000000, stride] as const,
);

function apply(kernel: Kernel, inputs: readonly number[]): number[] {
  const runtime = currentRuntime();
  const block = runtime.allocate(Math.ceil(inputs.length / 4) * 16);
  try {
    return Array.from(run(kernel, block, Float32Array.from(inputs)));
  } finally {
    runtime.free(block);
  }
}

describe.each(["sigmoid", "tanh"] as const)("%s", (kernel) => {
  it.each([
    ["positive", positive],
    ["negative", negative],
  ])("keeps the stated error over all %s floats", (sign, ranges) => {
    const { patterns, error, lost, drop, least, most, nans, worst } = sweep(kernel, ranges);
    expect(patterns).toBeGreaterThan(2 ** 31 / STRIDE);
    expect(nans).toBe(0);
    expect(error, `at ${worst}`).toBeLessThanOrEqual(STATED_ULP);
    expect(error, "a sweep that finds no error at all has compared nothing").toBeGreaterThan(0);
    expect(lost).toBeLessThan(SMALLEST_NORMAL);
    expect(drop).toBeLessThanOrEqual(STATED_ULP);
    const bounds = {
      sigmoid: { positive: [0.5, 1], negative: [0, 0.5] },
      tanh: { positive: [0, 1], negative: [-1, 0] },
    }[kernel][sign as "positive" | "negative"] as [number, number];
    // The range of each half is reached at both ends and never left.
    expect([least, most]).toEqual(kernel === "tanh" && sign === "negative" ? [-1, -0] : bounds);
  });

  it("gives NaN for NaN of either sign, and only there", () => {
    const runtime = currentRuntime();
    const block = runtime.allocate(32);
    const bits = [0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff, 0x7fffffff, 0xff800001, 0, 0x80000000];
    const nans = Array.from(run(kernel, block, Int32Array.from(bits)), Number.isNaN);
    runtime.free(block);
    expect(nans).toEqual([true, true, true, true, true, true, false, false]);
  });
});

describe("special values", () => {
  it("saturates at the infinities", () => {
    expect(apply("tanh", [Infinity, -Infinity])).toEqual([1, -1]);
    expect(apply("sigmoid", [Infinity, -Infinity])).toEqual([1, 0]);
  });

  it("keeps the sign of zero and subnormal inputs in tanh, exactly", () => {
    const subnormals = [-0, 0, 2 ** -149, -(2 ** -149), 2 ** -127, -(2 ** -127)];
    expect(apply("tanh", subnormals)).toEqual(subnormals);
    expect(apply("sigmoid", [-0, 0])).toEqual([0.5, 0.5]);
  });

  it("is odd: tanh(-x) is -tanh(x) to the bit", () => {
    const runtime = currentRuntime();
    const block = runtime.allocate(CHUNK * 4);
    let different = 0;
    for (const [begin, end] of [[0, LARGEST_BITS], ...dense] as [number, number][]) {
      const stride = Math.max(1, Math.floor((end - begin) / CHUNK));
      const count = Math.min(CHUNK, Math.floor((end - begin) / stride) + 1);
      const above = runPatterns("tanh", block, begin, stride, count).slice();
      const below = runPatterns("tanh", block, begin + 0x80000000, stride, count);
      for (let at = 0; at < count; at++) if (!Object.is(above[at], -below[at]!)) different++;
    }
    runtime.free(block);
    expect(different).toBe(0);
  });
});
