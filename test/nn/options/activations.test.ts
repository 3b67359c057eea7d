/**
 * The activations that layers can have besides PyTorch's, over all magnitudes of float32, beside float64. Their errors
 * are those that assembly/shaped.ts states.
 */
import { expect, it } from "vitest";
import { ACTIVATION_BYTES } from "../../../build/abi.js";
import { type Activation, writeActivation } from "../../../src/nn/activations.js";
import { currentRuntime } from "../../../src/wasm/runtime.js";
import { activate } from "../../support/reference-network.js";

/** Of an error: relative to the truth, or to |x| and 1, where two numbers of that size cancel. */
interface Bound {
  readonly relative: number;
  readonly ofInput?: number;
}

const EXACT: Bound = { relative: 0 };
const ROUNDED: Bound = { relative: 1e-7 };
const TWO_OF_INPUT: Bound = { relative: 0, ofInput: 2e-7 };

const CASES: readonly (readonly [Activation, Bound])[] = [
  ["tanh", { relative: 3e-7 }],
  ["sigmoid", { relative: 3e-7 }],
  ["relu", EXACT],
  ["linear", EXACT],
  [{ name: "hardSigmoid", alpha: 0.2, beta: 0.5 }, TWO_OF_INPUT],
  [{ name: "hardSigmoid", alpha: 1 / 6, beta: 0.5 }, TWO_OF_INPUT],
  ["softsign", { relative: 2e-7 }],
  ["softplus", { relative: 3e-7 }],
  ["elu", { relative: 3e-7 }],
  [{ name: "elu", alpha: 0.3 }, { relative: 3e-7 }],
  ["selu", { relative: 3e-7 }],
  ["celu", { relative: 3e-7 }],
  [{ name: "celu", alpha: 2.5 }, { relative: 3e-7 }],
  ["exponential", { relative: 3e-7 }],
  ["gelu", { relative: 0, ofInput: 1e-7 }],
  ["silu", { relative: 4e-7 }],
  ["mish", { relative: 4e-7 }],
  ["leakyRelu", ROUNDED],
  [{ name: "leakyRelu", alpha: 0.2 }, ROUNDED],
  ["relu6", EXACT],
  ["hardSilu", TWO_OF_INPUT],
  ["logSigmoid", { relative: 3e-7 }],
  ["squareplus", { relative: 3e-7 }],
  [{ name: "squareplus", alpha: 0.01 }, { relative: 3e-7 }],
  ["hardTanh", EXACT],
  ["tanhShrink", TWO_OF_INPUT],
  ["softShrink", TWO_OF_INPUT],
  ["hardShrink", EXACT],
  ["thresholdedRelu", EXACT],
  [{ name: "thresholdedRelu", alpha: -2 }, EXACT],
  [{ name: "scaledTanh", alpha: 1.5, beta: 0.7 }, { relative: 5e-7 }],
  [{ name: "affine", alpha: 0.5, beta: 0.1 }, TWO_OF_INPUT],
];

/** Results below the smallest normal float, or that times x, may be lost. */
const SMALLEST_NORMAL = 2 ** -126;

/** From here on e^x is Infinity, 0.3 before float32 ends. */
const MOST_EXPONENT = 88.37;

/** Every 65,537th bit pattern, which spans both signs and all exponents, and 40,000 numbers from -40 to 40. */
const INPUTS = (() => {
  const bits = Array.from({ length: 65_535 }, (_, at) => at * 65_537);
  const sweep = new Float32Array(Uint32Array.from(bits).buffer).filter(Number.isFinite);
  const usual = Float32Array.from({ length: 40_000 }, (_, at) => (at - 20_000) / 500);
  return Float32Array.of(...sweep, ...usual, 0, -0);
})();

function shaped(activation: Activation, numbers: Float32Array): Float32Array {
  const runtime = currentRuntime();
  const record = runtime.allocate(ACTIVATION_BYTES);
  const block = runtime.allocate((numbers.length + 3) * 4);
  try {
    const words = new Int32Array(ACTIVATION_BYTES / 4);
    writeActivation(words, new Float32Array(words.buffer), 0, activation);
    runtime.write(record, 0, words);
    runtime.write(block, 0, numbers);
    runtime.kernels.shape(record.pointer, block.pointer, numbers.length);
    return runtime.view(block).slice(0, numbers.length);
  } finally {
    runtime.free(record);
    runtime.free(block);
  }
}

const label = (activation: Activation) =>
  typeof activation === "string" ? activation : JSON.stringify(activation);

it.each(CASES.map(([activation, bound]) => [label(activation), activation, bound] as const))(
  "%s is within its bound of float64",
  (_, activation, { relative, ofInput = 0 }) => {
    const results = shaped(activation, INPUTS);
    let [worst, place] = [0, Number.NaN];
    for (const [at, x] of INPUTS.entries()) {
      const truth = activate(activation, x);
      const got = results[at]!;
      if (Math.fround(truth) === got || (activation === "exponential" && x > MOST_EXPONENT)) continue;
      const allowed = Math.abs(truth) * relative + Math.max(Math.abs(x), 1) * (ofInput + SMALLEST_NORMAL);
      // NaN or an infinity that the truth is not.
      const share = Math.abs(got - truth) / allowed;
      if (!(share <= worst)) [worst, place] = [share, x];
    }
    expect(worst, `at ${place}`).toBeLessThanOrEqual(1);
  },
);

it.each(CASES.map(([activation]) => [label(activation), activation] as const))(
  "%s of NaN is NaN, and of an infinity its limit",
  (_, activation) => {
    const [nan, high, low] = shaped(activation, Float32Array.of(Number.NaN, Infinity, -Infinity));
    expect(nan).toBeNaN();
    expect([high, low]).toEqual([activate(activation, 1e30), activate(activation, -1e30)].map(limitOf));
  },
);

/** What a float64 result far out stands for. */
function limitOf(value: number): number {
  if (Math.abs(value) > 1e20) return value > 0 ? Infinity : -Infinity;
  return Math.abs(value) < 1e-20 ? expect.closeTo(0, 20) : Math.fround(value);
}
