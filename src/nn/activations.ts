/**
 * The activations that recurrent layers can have, by name: the base of assembly/shaped.ts that makes each, and its
 * constants. Names and formulas are those of Keras and of ONNX's recurrent operators.
 */
import {
  BEYOND,
  CLIP,
  EXPONENTIAL,
  EXPONENTIAL_LINEAR,
  FROM,
  LEAKY,
  LESS,
  NORMAL,
  PLAIN,
  RELU,
  SCALED_TANH,
  SIGMOID,
  SOFTPLUS,
  SOFTSIGN,
  SQUARE_PLUS,
  TANH,
  TANH_SOFTPLUS,
  TIMES,
} from "../../build/abi.js";
import * as ActivationRecord from "../../build/records/activation.js";
import { checkOptions, wrongType, wrongValue } from "../tensor/checks.js";
import type { Option } from "./options.js";

/** Constants of an activation. */
interface Constants {
  readonly alpha: number;
  readonly beta: number;
}

/** The record of an activation without `use`: base, alpha, beta, low, high. */
type Base = readonly [base: number, alpha?: number, beta?: number, low?: number, high?: number];

interface Kind {
  /** What the constants are when they are left out; undefined where they have to be given. None where this is left out. */
  readonly defaults?: Readonly<Partial<Record<keyof Constants, number | undefined>>>;
  /** What is made of the base; PLAIN when left out. */
  readonly use?: number;
  readonly base: Base | ((constants: Constants) => Base);
}

const clip = (alpha: number, beta: number, low: number, high: number): Base => [CLIP, alpha, beta, low, high];
const SELU = 1.0507009873554805;
const ALPHA_OF_SELU = 1.6732632423543772;

/** The table of activations, a line for each. */
const KINDS = {
  /** tanh(x) */
  tanh: { base: [TANH] },
  /** 1 / (1 + e^-x) */
  sigmoid: { base: [SIGMOID] },
  /** max(x, 0) */
  relu: { base: [RELU] },
  /** x */
  linear: { base: clip(1, 0, -Infinity, Infinity) },
  /** clip(alpha x + beta, 0, 1); frameworks differ in alpha. */
  hardSigmoid: {
    defaults: { alpha: undefined, beta: undefined },
    base: ({ alpha, beta }) => clip(alpha, beta, 0, 1),
  },
  /** x / (1 + |x|) */
  softsign: { base: [SOFTSIGN] },
  /** ln(1 + e^x) */
  softplus: { base: [SOFTPLUS, 1] },
  /** x above 0, else alpha (e^x - 1) */
  elu: { defaults: { alpha: 1 }, base: ({ alpha }) => [EXPONENTIAL_LINEAR, 1, alpha, 1] },
  /** 1.0507 times elu of alpha 1.6733 */
  selu: { base: [EXPONENTIAL_LINEAR, SELU, SELU * ALPHA_OF_SELU, 1] },
  /** x above 0, else alpha (e^(x / alpha) - 1) */
  celu: { defaults: { alpha: 1 }, base: ({ alpha }) => [EXPONENTIAL_LINEAR, 1, alpha, 1 / alpha] },
  /** e^x */
  exponential: { base: [EXPONENTIAL] },
  /** x times the normal distribution's function of x, the form with erf */
  gelu: { use: TIMES, base: [NORMAL] },
  /** x sigmoid(x) */
  silu: { use: TIMES, base: [SIGMOID] },
  /** x tanh(ln(1 + e^x)) */
  mish: { use: TIMES, base: [TANH_SOFTPLUS] },
  /** x above 0, else alpha x */
  leakyRelu: { defaults: { alpha: 0.01 }, base: ({ alpha }) => [LEAKY, alpha] },
  /** min(max(x, 0), 6) */
  relu6: { base: clip(1, 0, 0, 6) },
  /** x clip(alpha x + beta, 0, 1) */
  hardSilu: {
    defaults: { alpha: 1 / 6, beta: 0.5 },
    use: TIMES,
    base: ({ alpha, beta }) => clip(alpha, beta, 0, 1),
  },
  /** -ln(1 + e^-x) */
  logSigmoid: { base: [SOFTPLUS, -1] },
  /** (x + sqrt(x^2 + alpha)) / 2 */
  squareplus: { defaults: { alpha: 4 }, base: ({ alpha }) => [SQUARE_PLUS, alpha] },
  /** clip(x, alpha, beta) */
  hardTanh: { defaults: { alpha: -1, beta: 1 }, base: ({ alpha, beta }) => clip(1, 0, alpha, beta) },
  /** x - tanh(x) */
  tanhShrink: { use: LESS, base: [TANH] },
  /** x - clip(x, -alpha, alpha) */
  softShrink: { defaults: { alpha: 0.5 }, use: LESS, base: ({ alpha }) => clip(1, 0, -alpha, alpha) },
  /** x, but 0 from -alpha to alpha */
  hardShrink: { defaults: { alpha: 0.5 }, use: TIMES, base: ({ alpha }) => [BEYOND, alpha] },
  /** x from alpha on, else 0 */
  thresholdedRelu: { defaults: { alpha: 1 }, use: TIMES, base: ({ alpha }) => [FROM, alpha] },
  /** alpha tanh(beta x) */
  scaledTanh: { defaults: { alpha: 1, beta: 1 }, base: ({ alpha, beta }) => [SCALED_TANH, alpha, beta] },
  /** alpha x + beta */
  affine: {
    defaults: { alpha: 1, beta: 0 },
    base: ({ alpha, beta }) => clip(alpha, beta, -Infinity, Infinity),
  },
} as const satisfies Record<string, Kind>;

export type ActivationName = keyof typeof KINDS;

/** An activation by its name, or with the constants of its formula. */
export type Activation =
  | ActivationName
  | {
      readonly name: ActivationName;
      readonly alpha?: number | undefined;
      readonly beta?: number | undefined;
    };

/** Lower bounds of alpha, beyond which a formula is none: 1 / alpha of celu is a float. */
const LEAST_ALPHA: { readonly [Name in ActivationName]?: number } = {
  celu: 2 ** -126,
  squareplus: 0,
  softShrink: 0,
  hardShrink: 0,
};

/** An option that is an activation: a name, or a frozen object where constants are given. */
export function activation(fallback: ActivationName): Option<Activation> {
  return { fallback, check: checkActivation, print: printActivation };
}

function printActivation(value: Activation): string {
  if (typeof value === "string") return value;
  const constants = Object.entries(value).slice(1);
  return `${value.name}(${constants.map((pair) => pair.join("=")).join(", ")})`;
}

/** @throws TypeError or RangeError naming the option, its name or its constant. */
export function checkActivation(option: string, value: unknown): Activation {
  if (typeof value === "string") {
    constantsOf(option, value);
    return value as ActivationName;
  }
  if (typeof value !== "object" || value === null) {
    throw wrongType(option, "a name or { name, alpha, beta }", value);
  }
  const given = checkOptions(option, value as { name?: unknown; alpha?: unknown; beta?: unknown }, [
    "name",
    "alpha",
    "beta",
  ]);
  const constants = constantsOf(option, given.name, given);
  if (given.alpha === undefined && given.beta === undefined) return given.name as ActivationName;
  return Object.freeze({ name: given.name as ActivationName, ...constants });
}

/** The constants of a named activation: those that are given, and the others' defaults. */
function constantsOf(
  option: string,
  name: unknown,
  given: Readonly<Partial<Record<keyof Constants, unknown>>> = {},
): Partial<Constants> {
  const names = Object.keys(KINDS).join(", ");
  if (typeof name !== "string") throw wrongType(`${option}.name`, `one of ${names}`, name);
  if (!Object.hasOwn(KINDS, name)) throw wrongValue(option, `one of ${names}`, name);
  const { defaults = {} }: Kind = KINDS[name as ActivationName];
  const constants: { alpha?: number; beta?: number } = {};
  for (const constant of ["alpha", "beta"] as const) {
    const place = `${option}.${constant}`;
    const value = given[constant] ?? defaults[constant];
    if (!(constant in defaults)) {
      if (given[constant] !== undefined) throw wrongValue(place, `none for ${name}`, given[constant]);
      continue;
    }
    if (value === undefined) {
      throw wrongValue(
        option,
        `{ name: "${name}", alpha, beta }: 0.2 and 0.5 of Keras 1 and 2, TF.js and ONNX, 1/6 and 0.5 of Keras 3 and PyTorch`,
        `no ${constant}`,
      );
    }
    if (typeof value !== "number" || !Number.isFinite(value))
      throw wrongType(place, "a finite number", value);
    const least = constant === "alpha" ? LEAST_ALPHA[name as ActivationName] : undefined;
    if (value < (least ?? value)) throw wrongValue(place, `a number of at least ${least}`, value);
    constants[constant] = value;
  }
  return constants;
}

/** Writes an activation's record into `words` and `floats`, two views of one buffer, from place `at` on. */
export function writeActivation(
  words: Int32Array,
  floats: Float32Array,
  at: number,
  value: Activation,
): void {
  const { name, ...given } = typeof value === "string" ? { name: value } : value;
  const { base, defaults, use = PLAIN }: Kind = KINDS[name];
  const made = typeof base === "function" ? base({ ...defaults, ...given } as Constants) : base;
  const [kind, alpha = 0, beta = 0, low = 0, high = 0] = made;
  words[at + ActivationRecord.base] = kind;
  words[at + ActivationRecord.use] = use;
  floats[at + ActivationRecord.alpha] = alpha;
  floats[at + ActivationRecord.beta] = beta;
  floats[at + ActivationRecord.low] = low;
  floats[at + ActivationRecord.high] = high;
}
