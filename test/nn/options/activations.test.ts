/**
 * Every activation beside its formula in float64, over the bit patterns of float32: every 32,771st (odd, so that all low
 * bits vary), and all around the places where the arithmetic changes.
 */
import { describe, expect, it } from "vitest";
import { ACTIVATION_BYTES } from "../../../build/abi.js";
import type { Activation, ActivationName } from "../../../src/index.js";
import { writeActivation } from "../../../src/nn/activations.js";
import { currentRuntime } from "../../../src/wasm/current.js";
import { activate } from "../../support/reference-network.js";

const STRIDE = 32_771;
const NEIGHBOURS = 256;
/** Below this, the smallest normal float, results may be 0. */
const SMALLEST_NORMAL = 2 ** -126;
const LARGEST = 3.4028234663852886e38;

const PLACES = [
  0,
  SMALLEST_NORMAL,
  ...Array.from({ length: 48 }, (_, power) => 2 ** (power - 32)),
  ...Array.from({ length: 151 }, (_, n) => (n + 0.5) * Math.LN2),
  2.5,
  3,
  6,
  13.2,
  1.8446744e19,
];

/** Of either sign, finite. */
const INPUTS = (() => {
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  const patterns: number[] = [];
  for (let pattern = 0; pattern <= 0x7f7fffff; pattern += STRIDE) patterns.push(pattern);
  for (const place of PLACES) {
    float[0] = place;
    const centre = bits[0]!;
    for (let at = Math.max(0, centre - NEIGHBOURS); at < centre + NEIGHBOURS; at++) patterns.push(at);
  }
  patterns.push(0x7f7fffff);
  return new Float32Array(
    Int32Array.from(patterns.flatMap((pattern) => [pattern, pattern | 0x80000000])).buffer,
  );
})();

/** The kernel's results. */
function apply(activation: Activation, inputs: Float32Array): Float32Array {
  const runtime = currentRuntime();
  const record = runtime.allocate(ACTIVATION_BYTES);
  const block = runtime.allocate(Math.ceil(inputs.length / 4) * 16);
  try {
    const words = new Int32Array(ACTIVATION_BYTES / 4);
    writeActivation(words, new Float32Array(words.buffer), 0, activation);
    runtime.write(record, 0, words);
    runtime.write(block, 0, inputs);
    runtime.kernels.shape(record.pointer, block.pointer, inputs.length);
    return runtime.view(block).slice(0, inputs.length);
  } finally {
    runtime.free(block);
    runtime.free(record);
  }
}

/** Formulas in float64 whose own form loses digits far from 0. */
function truthOf(activation: Activation, x: number): number {
  const { name, alpha } =
    typeof activation === "string" ? { name: activation, alpha: undefined } : activation;
  if (name === "mish") {
    const e = Math.exp(-Math.abs(x));
    const [n, two] = x > 0 ? [1 + 2 * e, 2 * e * e] : [e * (e + 2), 2];
    return (x * n) / (n + two);
  }
  if (name === "squareplus" && x < 0) {
    const constant = alpha ?? 4;
    return constant / 2 / (Math.sqrt(x * x + constant) - x);
  }
  return activate(activation, x);
}

type Bound = (x: number, truth: number) => number;
const relative =
  (error: number): Bound =>
  (_, truth) =>
    error * Math.abs(truth);
/** Of a difference, which loses what its parts have in common. */
const ofInput =
  (error: number): Bound =>
  (x) =>
    error * Math.abs(x);
const exact: Bound = () => 0;
/** A product and a sum, rounded each: half a unit of the product and of the sum. */
const line =
  (alpha: number, beta: number): Bound =>
  (x) =>
    2 ** -23 * (Math.abs(alpha * x) + Math.abs(beta));

/** The errors that assembly/shaped.ts states. */
const BOUNDS: readonly (readonly [activation: Activation, bound: Bound])[] = [
  ["tanh", relative(4e-7)],
  ["sigmoid", relative(4e-7)],
  ["relu", exact],
  ["linear", exact],
  [{ name: "hardSigmoid", alpha: 0.2, beta: 0.5 }, line(0.2, 0.5)],
  [{ name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 }, line(1 / 6, 0.5)],
  ["softsign", relative(2e-7)],
  ["softplus", relative(3e-7)],
  ["elu", relative(4e-7)],
  [{ name: "elu", alpha: 0.3 }, relative(4e-7)],
  ["selu", relative(4e-7)],
  ["celu", relative(4e-7)],
  [{ name: "celu", alpha: 2 }, relative(4e-7)],
  [{ name: "celu", alpha: 0.5 }, relative(4e-7)],
  ["exponential", relative(4e-7)],
  ["gelu", ofInput(3e-7)],
  ["silu", relative(4e-7)],
  ["mish", relative(3e-7)],
  ["leakyRelu", relative(1e-7)],
  [{ name: "leakyRelu", alpha: -0.5 }, relative(1e-7)],
  ["relu6", exact],
  ["hardSilu", (x) => Math.abs(x) * line(1 / 6, 0.5)(x, 0)],
  ["logSigmoid", relative(3e-7)],
  ["squareplus", relative(2e-7)],
  [{ name: "squareplus", alpha: 0 }, relative(2e-7)],
  [{ name: "squareplus", alpha: 0.5 }, relative(2e-7)],
  ["hardTanh", exact],
  [{ name: "hardTanh", alpha: 0, beta: 0.75 }, exact],
  ["tanhShrink", ofInput(4e-7)],
  ["softShrink", relative(1e-7)],
  [{ name: "softShrink", alpha: 2 }, relative(1e-7)],
  ["hardShrink", exact],
  [{ name: "hardShrink", alpha: 2 }, exact],
  ["thresholdedRelu", exact],
  [{ name: "thresholdedRelu", alpha: -1 }, exact],
  [{ name: "scaledTanh", alpha: 1.5, beta: 0.75 }, relative(5e-7)],
  ["affine", exact],
  [{ name: "affine", alpha: 0.5, beta: -0.25 }, line(0.5, 0.25)],
];

const named = (activation: Activation) =>
  typeof activation === "string"
    ? activation
    : `${activation.name}(${activation.alpha ?? ""}, ${activation.beta ?? ""})`;
const CASES = BOUNDS.map(([activation, bound]) => [named(activation), activation, bound] as const);

describe.each(CASES)("%s", (_, activation, bound) => {
  it("keeps its stated error over all finite floats", () => {
    const results = apply(activation, INPUTS);
    let [most, worst] = [0, 0];
    for (let at = 0; at < INPUTS.length; at++) {
      const x = INPUTS[at]!;
      const truth = truthOf(activation, x);
      const value = results[at]!;
      // Where the result is no float, and for e^x a third of a power before, Infinity is right.
      const largest = activation === "exponential" ? Math.exp(88.376) : LARGEST;
      if (Math.abs(truth) > largest && value === Math.sign(truth) * Infinity) continue;
      // Where e^x is subnormal it may be 0: x times it loses as much times x.
      const lost = SMALLEST_NORMAL * Math.max(4, Math.abs(Math.max(x, -128)));
      const excess = Math.abs(value - truth) - (bound === exact ? 0 : lost);
      const error = excess <= 0 ? 0 : excess / bound(x, truth);
      if (error > most || Number.isNaN(error)) [most, worst] = [error, x];
    }
    expect(most, `at ${worst}`).toBeLessThanOrEqual(1);
  });

  it("gives NaN for NaN of either sign", () => {
    const nans = Int32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0xff800001, 0x7fffffff);
    expect(Array.from(apply(activation, new Float32Array(nans.buffer)))).toEqual(Array(5).fill(Number.NaN));
  });
});

/** At 0, -Infinity and Infinity. */
const LIMITS: { readonly [Name in ActivationName]: readonly [number, number, number] } = {
  tanh: [0, -1, 1],
  sigmoid: [0.5, 0, 1],
  relu: [0, 0, Infinity],
  linear: [0, -Infinity, Infinity],
  hardSigmoid: [0.5, 0, 1],
  // Infinity / Infinity, as in PyTorch.
  softsign: [0, Number.NaN, Number.NaN],
  softplus: [Math.fround(Math.LN2), 0, Infinity],
  elu: [0, -1, Infinity],
  selu: [0, Math.fround(-1.7580993408473766), Infinity],
  celu: [0, -1, Infinity],
  exponential: [1, 0, Infinity],
  gelu: [0, 0, Infinity],
  silu: [0, 0, Infinity],
  mish: [0, 0, Infinity],
  leakyRelu: [0, -Infinity, Infinity],
  relu6: [0, 0, 6],
  hardSilu: [0, 0, Infinity],
  logSigmoid: [-Math.fround(Math.LN2), -Infinity, 0],
  squareplus: [1, 0, Infinity],
  hardTanh: [0, -1, 1],
  tanhShrink: [0, -Infinity, Infinity],
  softShrink: [0, -Infinity, Infinity],
  hardShrink: [0, -Infinity, Infinity],
  thresholdedRelu: [0, 0, Infinity],
  scaledTanh: [0, -1, 1],
  affine: [0, -Infinity, Infinity],
};

it.each(Object.entries(LIMITS))("%s has its limits at zeros and infinities", (name, limits) => {
  const activation: Activation =
    name === "hardSigmoid" ? { name, alpha: 0.2, beta: 0.5 } : (name as ActivationName);
  const results = apply(activation, Float32Array.of(0, -0, -Infinity, Infinity));
  const [zero, least, most] = limits;
  // The sign of a zero is no part of a formula: adding 0 drops it.
  expect(Array.from(results, (value) => value + 0)).toEqual([zero, zero, least, most]);
});

it("rounds in the same way in every lane", () => {
  const inputs = INPUTS.slice(0, 4099);
  const all = apply("mish", inputs);
  const one = Float32Array.from(inputs.slice(0, 64), (x) => apply("mish", Float32Array.of(x))[0]!);
  expect(one).toEqual(all.slice(0, 64));
});
