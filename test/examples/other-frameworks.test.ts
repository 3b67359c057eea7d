/**
 * The rows of docs/from-other-frameworks.md. A layer of random weights in the framework's own layout is computed by the
 * framework's own formula in float64, and by the module that the page's snippet makes of the weights.
 */
import { describe, expect, it } from "vitest";
import * as formats from "../../src/formats/index.js";
import * as library from "../../src/index.js";
import { readPage } from "../support/pages.js";
import { randomRows, rowsOf } from "../support/reference.js";

const [INPUTS, UNITS, STEPS] = [3, 4, 7];
const PAGE = "docs/from-other-frameworks.md";

type Vector = readonly number[];
type Matrix = readonly Vector[];
type Step = (x: Vector, state: readonly Vector[]) => readonly Vector[];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const add = (...vectors: readonly Vector[]): number[] =>
  vectors[0]!.map((_, at) => vectors.reduce((sum, vector) => sum + vector[at]!, 0));
/** x W, for a W of (inputs, outputs). */
const times = (x: Vector, w: Matrix): number[] =>
  w[0]!.map((_, column) => x.reduce((sum, value, row) => sum + value * w[row]![column]!, 0));
/** W x, for a W of (outputs, inputs). */
const apply = (w: Matrix, x: Vector): number[] =>
  w.map((row) => row.reduce((sum, value, at) => sum + value * x[at]!, 0));
/** As many parts as asked for; none asks for more than it takes. */
const split = (x: Vector, parts: number) =>
  Array.from({ length: parts }, (_, at) =>
    x.slice((at * x.length) / parts, ((at + 1) * x.length) / parts),
  ) as readonly Vector[] as readonly [Vector, Vector, Vector, Vector, ...Vector[]];
const product = (a: Vector, b: Vector) => a.map((value, at) => value * b[at]!);
const each = (change: (value: number) => number, x: Vector) => x.map(change);

/** What every LSTM does, of its gates before their activations. */
function lstm(i: Vector, f: Vector, g: Vector, o: Vector, c: Vector): readonly Vector[] {
  const next = add(product(each(sigmoid, f), c), product(each(sigmoid, i), each(Math.tanh, g)));
  return [product(each(sigmoid, o), each(Math.tanh, next)), next];
}
/** (1 - z) n + z h */
const mix = (z: Vector, n: Vector, h: Vector) => z.map((gate, at) => (1 - gate) * n[at]! + gate * h[at]!);

/** An array by its name: random, and exact in float32. */
const arrays = new Map<string, library.Tensor>();
let seed = 0;
function vector(name: string, size: number): Vector {
  const rows = randomRows(1, size, ++seed);
  arrays.set(name, library.Tensor.from(rows).reshape([size]));
  return rows[0]!;
}
function matrix(name: string, rows: number, columns: number): Matrix {
  const numbers = randomRows(rows, columns, ++seed);
  arrays.set(name, library.Tensor.from(numbers));
  return numbers;
}
/** The same with dimensions of size 1 before it, as ONNX has them. */
function stacked(name: string, rows: number, columns: number): Matrix {
  const numbers = matrix(name, rows, columns);
  arrays.set(name, arrays.get(name)!.reshape(columns === 1 ? [1, rows] : [1, rows, columns]));
  return numbers;
}

const [I, H] = [INPUTS, UNITS];

function keras(gates: number, bias: "none" | "one" | "two" | "cudnn" = "one") {
  const kernel = matrix("kernel", I, gates * H);
  const recurrent = matrix("recurrent_kernel", H, gates * H);
  const shape = { none: 0, one: gates * H, two: 2 * gates * H, cudnn: 2 * gates * H }[bias];
  const numbers = vector("bias", shape);
  if (bias === "two") arrays.set("bias", arrays.get("bias")!.reshape([2, gates * H]));
  return { kernel, recurrent, bias: numbers };
}

/** A gate's block of a cuDNN kernel: its columns' numbers, row by row, are a matrix (H, in). */
function block(kernel: Matrix, gate: number): Matrix {
  const numbers = kernel.flatMap((row) => row.slice(gate * H, (gate + 1) * H));
  return split(numbers, H);
}

/** The framework's step for each row of the page's table. The snippet is the one that reads the file's name. */
const ROWS: Readonly<
  Record<string, { readonly file: string; readonly as?: string; readonly make: () => Step }>
> = {
  "Keras, TF.js: LSTM": {
    file: "keras-lstm",
    make: () => {
      const { kernel, recurrent, bias } = keras(4);
      return (x, [h, c]) => {
        const [i, f, g, o] = split(add(times(x, kernel), times(h!, recurrent), bias), 4);
        return lstm(i, f, g, o, c!);
      };
    },
  },
  "Keras, TF.js: GRU, `reset_after`": {
    file: "keras-lstm",
    as: "GRU",
    make: () => {
      const { kernel, recurrent, bias } = keras(3, "two");
      const [input, hidden] = split(bias, 2);
      return (x, [h]) => {
        const [xz, xr, xh] = split(add(times(x, kernel), input), 3);
        const [hz, hr, hh] = split(add(times(h!, recurrent), hidden), 3);
        const r = each(sigmoid, add(xr, hr));
        return [mix(each(sigmoid, add(xz, hz)), each(Math.tanh, add(xh, product(r, hh))), h!)];
      };
    },
  },
  "Keras, TF.js: GRU without it": {
    file: "keras-lstm",
    as: "GRU",
    make: () => {
      const { kernel, recurrent, bias } = keras(3);
      return (x, [h]) => {
        const [xz, xr, xh] = split(add(times(x, kernel), bias), 3);
        const [hz, hr] = split(times(h!, recurrent), 3);
        const r = each(sigmoid, add(xr, hr));
        const hh = split(times(product(r, h!), recurrent), 3)[2]!;
        return [mix(each(sigmoid, add(xz, hz)), each(Math.tanh, add(xh, hh)), h!)];
      };
    },
  },
  "Keras, TF.js: SimpleRNN": {
    file: "keras-lstm",
    as: "RNN",
    make: () => {
      const { kernel, recurrent, bias } = keras(1);
      return (x, [h]) => [each(Math.tanh, add(times(x, kernel), times(h!, recurrent), bias))];
    },
  },
  "Keras: CuDNNLSTM": {
    file: "keras-lstm",
    make: () => {
      const { kernel, recurrent, bias } = keras(4, "cudnn");
      const biases = split(bias, 8);
      return (x, [h, c]) => {
        const [i, f, g, o] = [0, 1, 2, 3].map((gate) =>
          add(
            apply(block(kernel, gate), x),
            apply(block(recurrent, gate), h!),
            biases[gate]!,
            biases[4 + gate]!,
          ),
        );
        return lstm(i!, f!, g!, o!, c!);
      };
    },
  },
  "Keras: CuDNNGRU": {
    file: "keras-lstm",
    as: "GRU",
    make: () => {
      const { kernel, recurrent, bias } = keras(3, "cudnn");
      const biases = split(bias, 6);
      return (x, [h]) => {
        const of = (gate: number) =>
          [
            add(apply(block(kernel, gate), x), biases[gate]!),
            add(apply(block(recurrent, gate), h!), biases[3 + gate]!),
          ] as const;
        const z = each(sigmoid, add(...of(0)));
        const r = each(sigmoid, add(...of(1)));
        const [xh, hh] = of(2);
        return [mix(z, each(Math.tanh, add(xh, product(r, hh))), h!)];
      };
    },
  },
  "TensorFlow 1: BasicLSTMCell, LSTMCell": {
    file: "tensorflow-gru",
    as: "BasicLSTM",
    make: () => {
      const kernel = matrix("rnn/basic_lstm_cell/kernel", I + H, 4 * H);
      const bias = vector("rnn/basic_lstm_cell/bias", 4 * H);
      return (x, [h, c]) => {
        const [i, j, f, o] = split(add(times([...x, ...h!], kernel), bias), 4);
        return lstm(
          i,
          each((value) => value + 1, f),
          j,
          o,
          c!,
        );
      };
    },
  },
  "TensorFlow 1: GRUCell": {
    file: "tensorflow-gru",
    make: () => {
      const [gates, gatesBias] = [
        matrix("rnn/gru_cell/gates/kernel", I + H, 2 * H),
        vector("rnn/gru_cell/gates/bias", 2 * H),
      ];
      const kernel = matrix("rnn/gru_cell/candidate/kernel", I + H, H);
      const bias = vector("rnn/gru_cell/candidate/bias", H);
      return (x, [h]) => {
        const [r, u] = split(each(sigmoid, add(times([...x, ...h!], gates), gatesBias)), 2);
        const n = each(Math.tanh, add(times([...x, ...product(r, h!)], kernel), bias));
        return [
          add(
            product(u, h!),
            product(
              each((value) => 1 - value, u),
              n,
            ),
          ),
        ];
      };
    },
  },
  "ONNX: LSTM": {
    file: "onnx-lstm",
    make: () => {
      const [W, R] = [stacked("W", 4 * H, I), stacked("R", 4 * H, H)];
      const [wb, rb] = split(stacked("B", 8 * H, 1).flat(), 2);
      return (x, [h, c]) => {
        const [i, o, f, g] = split(add(apply(W, x), apply(R, h!), wb, rb), 4);
        return lstm(i, f, g, o, c!);
      };
    },
  },
  "ONNX: GRU": {
    file: "onnx-gru",
    make: () => {
      const [W, R] = [stacked("W", 3 * H, I), stacked("R", 3 * H, H)];
      const [wb, rb] = split(stacked("B", 6 * H, 1).flat(), 2);
      return (x, [h]) => {
        const [xz, xr, xh] = split(add(apply(W, x), wb), 3);
        const [hz, hr] = split(add(apply(R, h!), rb), 3);
        const r = each(sigmoid, add(xr, hr));
        const hh = split(add(apply(R, product(r, h!)), rb), 3)[2]!;
        return [mix(each(sigmoid, add(xz, hz)), each(Math.tanh, add(xh, hh)), h!)];
      };
    },
  },
  "DyNet: VanillaLSTMBuilder": {
    file: "dynet-lstm",
    make: () => {
      const [Wx, Wh, b] = [matrix("Wx", 4 * H, I), matrix("Wh", 4 * H, H), vector("b", 4 * H)];
      return (x, [h, c]) => {
        const [i, f, o, g] = split(add(apply(Wx, x), apply(Wh, h!), b), 4);
        return lstm(
          i,
          each((value) => value + 1, f),
          g,
          o,
          c!,
        );
      };
    },
  },
  "madmom: GRULayer": {
    file: "madmom-gru",
    make: () => {
      const [reset, update, cell] = ["reset_gate", "update_gate", "cell"].map((gate) => ({
        weights: matrix(`${gate}.weights`, I, H),
        recurrent: matrix(`${gate}.recurrent_weights`, H, H),
        bias: vector(`${gate}.bias`, H),
      })) as [MadmomGate, MadmomGate, MadmomGate];
      return (x, [h]) => {
        const gate = (of: MadmomGate) =>
          each(sigmoid, add(times(x, of.weights), of.bias, times(h!, of.recurrent)));
        const candidate = add(
          times(x, cell.weights),
          cell.bias,
          product(gate(reset), times(h!, cell.recurrent)),
        );
        return [mix(gate(update), h!, each(Math.tanh, candidate))];
      };
    },
  },
  "Flax: LSTMCell, OptimizedLSTMCell": {
    file: "flax-lstm",
    make: () => {
      const of = (gate: string) => {
        const [input, hidden] = [matrix(`i${gate}.kernel`, I, H), matrix(`h${gate}.kernel`, H, H)];
        const bias = vector(`h${gate}.bias`, H);
        return (x: Vector, h: Vector) => add(times(x, input), times(h, hidden), bias);
      };
      const [i, f, g, o] = [of("i"), of("f"), of("g"), of("o")];
      return (x, [h, c]) => lstm(i(x, h!), f(x, h!), g(x, h!), o(x, h!), c!);
    },
  },
  "Flax: GRUCell": {
    file: "flax-gru",
    make: () => {
      const of = (gate: string) => {
        const [input, bias, hidden] = [
          matrix(`i${gate}.kernel`, I, H),
          vector(`i${gate}.bias`, H),
          matrix(`h${gate}.kernel`, H, H),
        ];
        return (x: Vector, h: Vector) => [add(times(x, input), bias), times(h, hidden)] as const;
      };
      const [r, z, n] = [of("r"), of("z"), of("n")];
      const own = vector("hn.bias", H);
      return (x, [h]) => {
        const [xn, hn] = n(x, h!);
        const reset = each(sigmoid, add(...r(x, h!)));
        const candidate = each(Math.tanh, add(xn, product(reset, add(hn, own))));
        return [mix(each(sigmoid, add(...z(x, h!))), candidate, h!)];
      };
    },
  },
  "Flax nnx: OptimizedLSTMCell, GRUCell": {
    file: "nnx-gru",
    make: () => {
      const [input, hidden] = [matrix("dense_i.kernel", I, 3 * H), matrix("dense_h.kernel", H, 3 * H)];
      const bias = vector("dense_i.bias", 3 * H);
      return (x, [h]) => {
        const [xr, xz, xn] = split(add(times(x, input), bias), 3);
        const [hr, hz, hn] = split(times(h!, hidden), 3);
        const n = each(Math.tanh, add(xn, product(each(sigmoid, add(xr, hr)), hn)));
        return [mix(each(sigmoid, add(xz, hz)), n, h!)];
      };
    },
  },
  "Haiku: LSTM": {
    file: "haiku-lstm",
    make: () => {
      const [w, b] = [matrix("w", I + H, 4 * H), vector("b", 4 * H)];
      return (x, [h, c]) => {
        const [i, g, f, o] = split(add(times([...x, ...h!], w), b), 4);
        return lstm(
          i,
          each((value) => value + 1, f),
          g,
          o,
          c!,
        );
      };
    },
  },
  "Haiku: GRU": {
    file: "haiku-gru",
    make: () => {
      const [input, hidden, b] = [matrix("w_i", I, 3 * H), matrix("w_h", H, 3 * H), vector("b", 3 * H)];
      return (x, [h]) => {
        const [xz, xr, xa] = split(add(times(x, input), b), 3);
        const [hz, hr] = split(times(h!, hidden), 3);
        const r = each(sigmoid, add(xr, hr));
        const ha = split(times(product(r, h!), hidden), 3)[2]!;
        return [mix(each(sigmoid, add(xz, hz)), h!, each(Math.tanh, add(xa, ha)))];
      };
    },
  },
};

interface MadmomGate {
  readonly weights: Matrix;
  readonly recurrent: Matrix;
  readonly bias: Vector;
}

const page = readPage(PAGE);
const [shared, ...snippets] = [...page.matchAll(/```js\n(.*?)```/gs)].map((match) => match[1]!) as [
  string,
  ...string[],
];

/** The module that the page's snippet makes of `arrays`. */
async function moduleOf(file: string, as: string | undefined): Promise<library.LSTM> {
  const snippet = snippets.find((code) => code.includes(`"${file}.safetensors"`))!;
  const kinds = /\b(LSTM|GRU)\b/.exec(snippet)!;
  const kind = as === "BasicLSTM" ? "LSTM" : as;
  const turned =
    as === undefined
      ? snippet
      : snippet.replaceAll(`"${kinds[0]}"`, `"${as}"`).replaceAll(`${kinds[0]}.from`, `${kind}.from`);
  const body = `${shared}\n${turned}`.replace(/^import .*$/gm, "");
  const names = { ...library, ...formats, readFile: async () => formats.writeSafetensors(arrays) };
  const AsyncFunction = (async () => {}).constructor as new (
    ...code: string[]
  ) => (...values: unknown[]) => Promise<library.LSTM>;
  return new AsyncFunction(...Object.keys(names), `${body}\nreturn module;`)(...Object.values(names));
}

describe(PAGE, () => {
  it("has a row for each that is tested, and a test for each snippet", () => {
    const rows = [...page.matchAll(/^\| ([^|]*?) \|/gm)].map((match) => match[1]!).slice(2);
    expect(rows).toEqual(Object.keys(ROWS));
    const files = [...page.matchAll(/readFile\("(.*?)\.safetensors"\)/g)].map((match) => match[1]!);
    expect(new Set(Object.values(ROWS).map(({ file }) => file))).toEqual(new Set(files));
  });

  it.each(Object.entries(ROWS))("%s", async (_, { file, as, make }) => {
    arrays.clear();
    const step = make();
    const module = await moduleOf(file, as);
    const xs = randomRows(STEPS, INPUTS, ++seed);
    const shape = module.batchFirst ? [1, STEPS, INPUTS] : [STEPS, 1, INPUTS];
    const [output] = module.forward(library.Tensor.from(xs).reshape(shape));
    let state: readonly Vector[] = [0, 1].map(() => Array(UNITS).fill(0));
    const got = rowsOf(output.reshape([STEPS, UNITS]));
    for (const [at, x] of xs.entries()) {
      state = step(x, state);
      for (const [unit, value] of state[0]!.entries()) {
        expect(Math.abs(got[at]![unit]! - value), `step ${at}, unit ${unit}`).toBeLessThan(2e-6);
      }
    }
  });
});
