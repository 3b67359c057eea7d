/** What the gates of an LSTM did, gathered from the rows that the kernel writes when it is asked to. */
import { TRACE_C, TRACE_F, TRACE_G, TRACE_I, TRACE_O, TRACE_ROWS } from "../../build/abi.js";
import { allocateFloats } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import type { Sequence } from "./sequence.js";
import type { LayerChunk, Observer, Stack } from "./stack.js";

/** The gates of one layer and direction; each (L, N, hiddenSize) in the input's layout, h with the output's size. */
export interface LayerTrace {
  readonly layer: number;
  readonly direction: "forward" | "reverse";
  readonly i: Tensor;
  readonly f: Tensor;
  readonly g: Tensor;
  readonly o: Tensor;
  readonly c: Tensor;
  readonly h: Tensor;
}

/** `forward`'s results and the gates of every layer and direction, in the order of hN's rows. */
export interface LstmTrace {
  readonly output: Tensor;
  readonly state: [Tensor, Tensor];
  readonly layers: readonly LayerTrace[];
}

/** Where the kernel puts what. */
const ROWS = { i: TRACE_I, f: TRACE_F, g: TRACE_G, o: TRACE_O, c: TRACE_C } as const;
const NAMES = ["i", "f", "g", "o", "c"] as const;

type Gathered = Record<keyof typeof ROWS | "h", Float32Array>;

/** Gathers the rows of a call's trace. */
export class TraceRecorder implements Observer {
  readonly traced = true;
  readonly #stack: Stack;
  readonly #sequence: Sequence;
  readonly #gathered: Gathered[];

  constructor(stack: Stack, sequence: Sequence) {
    this.#stack = stack;
    this.#sequence = sequence;
    const rows = sequence.steps * sequence.batch;
    const gate = () => allocateFloats(rows * stack.shape.hiddenSize, "trace");
    this.#gathered = stack.layers.map(({ shape }) => ({
      i: gate(),
      f: gate(),
      g: gate(),
      o: gate(),
      c: gate(),
      h: allocateFloats(rows * shape.outputSize, "trace"),
    }));
  }

  see({ layer, start, steps, output, trace }: LayerChunk): void {
    const { batch, batchMajor, lengths, mask } = this.#sequence;
    const { hiddenSize, directions } = this.#stack.shape;
    const { shape, cRow } = this.#stack.layers[layer]!;
    const { outputSize } = shape;
    const gathered = this.#gathered[layer]!;
    for (let at = 0; at < steps * batch; at++) {
      const step = start + Math.floor(at / batch);
      const row = at % batch;
      if (lengths !== undefined && step >= lengths[row]!) continue;
      if (mask?.steps[step * batch + row] === 0) continue;
      const target = batchMajor ? row * this.#sequence.steps + step : step * batch + row;
      for (const name of NAMES) {
        const from = (at * TRACE_ROWS + ROWS[name]) * (cRow / 4);
        gathered[name].set(trace.subarray(from, from + hiddenSize), target * hiddenSize);
      }
      const h = at * this.#stack.outputSize + (layer % directions) * outputSize;
      gathered.h.set(output.subarray(h, h + outputSize), target * outputSize);
    }
  }

  layers(): LayerTrace[] {
    const { steps, batch, batched, batchMajor } = this.#sequence;
    const { directions, hiddenSize } = this.#stack.shape;
    return this.#gathered.map(({ h, ...gates }, index) => {
      const tensor = (data: Float32Array, size: number) => {
        if (!batched) return new Tensor(data, [steps, size]);
        return new Tensor(data, batchMajor ? [batch, steps, size] : [steps, batch, size]);
      };
      return {
        layer: Math.floor(index / directions),
        direction: index % directions === 0 ? "forward" : "reverse",
        i: tensor(gates.i, hiddenSize),
        f: tensor(gates.f, hiddenSize),
        g: tensor(gates.g, hiddenSize),
        o: tensor(gates.o, hiddenSize),
        c: tensor(gates.c, hiddenSize),
        h: tensor(h, this.#stack.layers[index]!.shape.outputSize),
      };
    });
  }
}
