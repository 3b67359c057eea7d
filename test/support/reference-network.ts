/**
 * LSTM, GRU and RNN with every option in float64, written down from the definitions of ONNX and Keras: slow, plain, and
 * apart from the kernels. Arrays are nested: a sequence is [steps][batch][size], a state [layers * directions][batch][size].
 */
import type { Activation } from "../../src/index.js";
import type { Tensor } from "../../src/tensor/tensor.js";
import { rowsOf } from "./reference.js";

type Sequence = number[][][];

/** Everything that a network can be; what is left out is PyTorch's. */
export interface ReferenceOptions {
  readonly kind: "LSTM" | "GRU" | "RNN";
  readonly hiddenSize: number;
  readonly numLayers?: number;
  readonly bidirectional?: boolean;
  readonly activation?: Activation;
  readonly recurrentActivation?: Activation;
  readonly cellActivation?: Activation;
  readonly inputForget?: boolean;
  readonly clip?: number;
  readonly cellClip?: number;
  readonly peepholes?: boolean;
  readonly resetAfter?: boolean;
  readonly reverse?: boolean;
  readonly goBackwards?: boolean;
}

/** [steps][batch], false where a step is masked. */
export interface ReferenceMask {
  readonly steps: readonly (readonly boolean[])[];
  readonly output: "repeat" | "zeros";
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** By its series, or far from 0 by its continued fraction. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 3) {
    let [sum, term] = [size, size];
    for (let n = 1; n < 100; n++) {
      term *= -(size * size) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 100; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

/** An activation in float64. */
export function activate(activation: Activation, x: number): number {
  const { name, alpha, beta } = typeof activation === "string" ? { name: activation } : { ...activation };
  const a = (fallback: number) => Math.fround(alpha ?? fallback);
  const b = (fallback: number) => Math.fround(beta ?? fallback);
  switch (name) {
    case "tanh":
      return Math.tanh(x);
    case "sigmoid":
      return sigmoid(x);
    case "relu":
      return Math.max(x, 0);
    case "linear":
      return x;
    case "hardSigmoid":
      return clip(a(Number.NaN) * x + b(Number.NaN), 0, 1);
    case "softsign":
      return x / (1 + Math.abs(x));
    case "softplus":
      return softplus(x);
    case "elu":
      return x > 0 ? x : a(1) * Math.expm1(x);
    case "selu":
      return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x));
    case "celu":
      return Math.max(0, x) + Math.min(0, a(1) * Math.expm1(x / a(1)));
    case "exponential":
      return Math.exp(x);
    case "gelu":
      return (x / 2) * (1 + erf(x / Math.SQRT2));
    case "silu":
      return x * sigmoid(x);
    case "mish":
      return x * Math.tanh(softplus(x));
    case "leakyRelu":
      return x > 0 ? x : a(0.01) * x;
    case "relu6":
      return clip(x, 0, 6);
    case "hardSilu":
      return x * clip(a(1 / 6) * x + b(0.5), 0, 1);
    case "logSigmoid":
      return -softplus(-x);
    case "squareplus":
      // Of a negative x the difference would lose all digits.
      return x < 0 ? a(4) / 2 / (Math.sqrt(x * x + a(4)) - x) : (x + Math.sqrt(x * x + a(4))) / 2;
    case "hardTanh":
      return clip(x, a(-1), b(1));
    case "tanhShrink":
      return x - Math.tanh(x);
    case "softShrink":
      return Math.sign(x) * Math.max(Math.abs(x) - a(0.5), 0);
    case "hardShrink":
      return Math.abs(x) > a(0.5) ? x : 0;
    case "thresholdedRelu":
      return x >= a(1) ? x : 0;
    case "scaledTanh":
      return a(1) * Math.tanh(b(1) * x);
    case "affine":
      return a(1) * x + b(0);
  }
}

const dot = (row: readonly number[], x: readonly number[]) =>
  row.reduce((sum, weight, at) => sum + weight * x[at]!, 0);

/** A layer and direction: states of one batch row from one step to the next. */
class ReferenceLayer {
  readonly #options: ReferenceOptions;
  readonly #dict: ReadonlyMap<string, Tensor>;
  readonly #suffix: string;

  constructor(options: ReferenceOptions, dict: ReadonlyMap<string, Tensor>, suffix: string) {
    this.#options = options;
    this.#dict = dict;
    this.#suffix = suffix;
  }

  #vector(name: string): number[] | undefined {
    const tensor = this.#dict.get(name + this.#suffix);
    return tensor && Array.from(tensor.data);
  }

  /** W x + b of all gates. */
  #product(name: "ih" | "hh", x: readonly number[]): number[] {
    const bias = this.#vector(`bias_${name}`);
    const weight = rowsOf(this.#dict.get(`weight_${name}${this.#suffix}`)!);
    return weight.map((row, at) => dot(row, x) + (bias?.[at] ?? 0));
  }

  step(x: readonly number[], h: readonly number[], c: readonly number[]): [number[], number[]] {
    const { kind, hiddenSize: size, activation = "tanh", recurrentActivation = "sigmoid" } = this.#options;
    const { clip: bound = Infinity, cellClip = Infinity, cellActivation = activation } = this.#options;
    const act = (kind: Activation, value: number) => activate(kind, clip(value, -bound, bound));
    const ax = this.#product("ih", x);
    const ah = this.#product("hh", h);
    const sum = (gate: number, unit: number) => ax[gate * size + unit]! + ah[gate * size + unit]!;
    const units = Array.from({ length: size }, (_, unit) => unit);
    if (kind === "RNN") return [units.map((unit) => act(activation, sum(0, unit))), []];
    if (kind === "GRU") {
      const r = units.map((unit) => act(recurrentActivation, sum(0, unit)));
      const z = units.map((unit) => act(recurrentActivation, sum(1, unit)));
      const after = this.#options.resetAfter ?? true;
      const before = this.#product(
        "hh",
        h.map((value, unit) => r[unit]! * value),
      );
      const n = units.map((unit) => {
        const ofH = after ? r[unit]! * ah[2 * size + unit]! : before[2 * size + unit]!;
        return act(activation, ax[2 * size + unit]! + ofH);
      });
      return [units.map((unit) => (1 - z[unit]!) * n[unit]! + z[unit]! * h[unit]!), []];
    }
    const [pi, pf, po] = ["weight_ci", "weight_cf", "weight_co"].map((name) => this.#vector(name));
    const peep = (weights: number[] | undefined, unit: number, cell: number) => (weights?.[unit] ?? 0) * cell;
    const next: number[] = [];
    const out = units.map((unit) => {
      const i = act(recurrentActivation, sum(0, unit) + peep(pi, unit, c[unit]!));
      const f = this.#options.inputForget
        ? 1 - i
        : act(recurrentActivation, sum(1, unit) + peep(pf, unit, c[unit]!));
      const cell = clip(f * c[unit]! + i * act(activation, sum(2, unit)), -cellClip, cellClip);
      next.push(cell);
      const o = act(recurrentActivation, sum(3, unit) + peep(po, unit, cell));
      return o * activate(cellActivation, cell);
    });
    const projection = this.#dict.get(`weight_hr${this.#suffix}`);
    return [projection ? rowsOf(projection).map((row) => dot(row, out)) : out, next];
  }

  /** A sequence from a state, which is changed; rows in the order of `order`, which lists the steps. */
  run(input: Sequence, order: readonly number[], state: number[][][], mask?: ReferenceMask): Sequence {
    const [h, c] = state as [number[][], number[][]];
    const output: Sequence = [];
    const last: (number[] | undefined)[] = h.map(() => undefined);
    for (const step of order) {
      output[step] = h.map((_, row) => {
        const real = mask === undefined || mask.steps[step]![row]!;
        if (real) {
          [h[row], c[row]] = this.step(input[step]![row]!, h[row]!, c[row] ?? []);
          last[row] = h[row];
          return h[row]!;
        }
        return (mask!.output === "repeat" ? last[row] : undefined) ?? h[row]!.map(() => 0);
      });
    }
    return output;
  }
}

/** What forward gives: the output and the states, from `states`, h and an LSTM's c. */
export function referenceForward(
  options: ReferenceOptions,
  dict: ReadonlyMap<string, Tensor>,
  input: Sequence,
  states: readonly number[][][][],
  mask?: ReferenceMask,
): { output: Sequence; states: number[][][][] } {
  const { numLayers = 1, bidirectional = false, reverse = false, goBackwards = false } = options;
  const final: number[][][][] = states.map(() => []);
  let [sequence, masks] = [input, mask];
  for (let layer = 0; layer < numLayers; layer++) {
    const outputs = (bidirectional ? ["", "_reverse"] : [""]).map((end, direction, ends) => {
      const reference = new ReferenceLayer(options, dict, `_l${layer}${end}`);
      const place = layer * ends.length + direction;
      const state = states.map((which) => which[place]!.map((row) => [...row]));
      if (state.length === 1) state.push(state[0]!.map(() => []));
      const order = sequence.map((_, step) => step);
      if (reverse || goBackwards || direction === 1) order.reverse();
      const output = reference.run(sequence, order, state, masks);
      for (const [which, rows] of final.entries()) rows.push(state[which]!);
      return output;
    });
    sequence = outputs[0]!.map((rows, step) =>
      rows.map((row, at) => [...row, ...(outputs[1]?.[step]?.[at] ?? [])]),
    );
    // Rows in the order of computing: the next layer takes them so, and their mask.
    if (goBackwards) {
      sequence.reverse();
      masks = masks && { ...masks, steps: [...masks.steps].reverse() };
    }
  }
  return { output: sequence, states: final };
}
