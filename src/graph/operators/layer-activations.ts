/** The activations that recurrent modules can have, in double precision: names and constants are the modules' own. */

import type { LayerActivation, LayerActivationName } from "../../formats/layer-options.js";
import type { Activation } from "./activations.js";
import { erf, sigmoid } from "./elementwise.js";

const SELU = 1.0507009873554805;
const ALPHA_OF_SELU = 1.6732632423543772;

const softplus = (x: number): number => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
const within = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** x times what a base makes of it, whose limit is 0. */
const times = (x: number, base: number): number => (base === 0 ? 0 : x * base);

type Formula = (x: number, alpha: number, beta: number) => number;

/** A formula, and its alpha and beta where none are given. */
const KINDS: Readonly<
  Record<LayerActivationName, readonly [formula: Formula, alpha?: number, beta?: number]>
> = {
  tanh: [Math.tanh],
  sigmoid: [sigmoid],
  relu: [(x) => Math.max(x, 0)],
  linear: [(x) => x],
  hardSigmoid: [(x, alpha, beta) => within(alpha * x + beta, 0, 1)],
  softsign: [(x) => x / (1 + Math.abs(x))],
  softplus: [softplus],
  elu: [(x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)), 1],
  selu: [(x) => SELU * (x > 0 ? x : ALPHA_OF_SELU * Math.expm1(x))],
  celu: [(x, alpha) => (x > 0 ? x : alpha * Math.expm1(x / alpha)), 1],
  exponential: [Math.exp],
  gelu: [(x) => times(x, (1 + erf(x / Math.SQRT2)) / 2)],
  silu: [(x) => times(x, sigmoid(x))],
  mish: [(x) => times(x, Math.tanh(softplus(x)))],
  leakyRelu: [(x, alpha) => (x > 0 ? x : alpha * x), 0.01],
  relu6: [(x) => within(x, 0, 6)],
  hardSilu: [(x, alpha, beta) => times(x, within(alpha * x + beta, 0, 1)), 1 / 6, 0.5],
  logSigmoid: [(x) => -softplus(-x)],
  squareplus: [(x, alpha) => (x + Math.sqrt(x * x + alpha)) / 2, 4],
  hardTanh: [within, -1, 1],
  tanhShrink: [(x) => x - Math.tanh(x)],
  softShrink: [(x, alpha) => x - within(x, -alpha, alpha), 0.5],
  hardShrink: [(x, alpha) => (Math.abs(x) <= alpha ? 0 : x), 0.5],
  thresholdedRelu: [(x, alpha) => (x < alpha ? 0 : x), 1],
  scaledTanh: [(x, alpha, beta) => alpha * Math.tanh(beta * x), 1, 1],
  affine: [(x, alpha, beta) => alpha * x + beta, 1, 0],
};

/** The function of an activation; undefined for a name that is none. */
export function layerActivation(activation: LayerActivation): Activation | undefined {
  const { name, ...given }: { name: LayerActivationName; alpha?: number; beta?: number } =
    typeof activation === "string" ? { name: activation } : activation;
  if (!Object.hasOwn(KINDS, name)) return undefined;
  const [formula, alpha = 0, beta = 0] = KINDS[name];
  const [first, second] = [given.alpha ?? alpha, given.beta ?? beta];
  return (x) => formula(x, first, second);
}
