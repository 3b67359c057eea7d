/** What the gates of an LSTM did, gathered from the rows that the kernel writes when it is asked to. */

import { allocateFloats } from "../tensor/like.js";
import { Tensor } from "../tensor/tensor.js";
import type { Sequence } from "./sequence.js";
import type { Stack, TraceSink } from "./stack.js";

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

const GATES = ["i", "f", "g", "o", "c"] as const;

type Record = { [gate in (typeof GATES)[number] | "h"]: Float32Array };

export class TraceRecorder {
  readonly #stack: Stack;
  readonly #sequence: Sequence;
  readonly #records: Record[];

  constructor(stack: Stack, sequence: Sequence) {
    this.#stack = stack;
    this.#sequence = sequence;
    const rows = sequence.steps * sequence.batch;
    const { hiddenSize } = stack.sizes;
    this.#records = stack.layers.map((layer) => {
      const row = () => allocateFloats(rows * hiddenSize, "trace");
      return {
        i: row(),
        f: row(),
        g: row(),
        o: row(),
        c: row(),
        h: allocateFloats(rows * layer.outputSize, "trace"),
      };
    });
  }

  readonly sink: TraceSink = (layer, step, row, trace, _, h) => {
    const { batch, steps, batchMajor } = this.#sequence;
    const { hiddenSize } = this.#stack.sizes;
    const { floats } = this.#stack.region.runtime;
    const { outputSize, cellRow } = this.#stack.layers[layer]!;
    const record = this.#records[layer]!;
    const target = batchMajor ? row * steps + step : step * batch + row;
    for (const [gate, name] of GATES.entries()) {
      const from = trace + gate * (cellRow / 4);
      record[name].set(floats.subarray(from, from + hiddenSize), target * hiddenSize);
    }
    record.h.set(floats.subarray(h, h + outputSize), target * outputSize);
  };

  layers(): LayerTrace[] {
    const { steps, batch, batched, batchMajor } = this.#sequence;
    const { directions } = this.#stack.sizes;
    return this.#records.map((record, index) => {
      const tensor = (data: Float32Array, size: number) => {
        if (!batched) return new Tensor(data, [steps, size]);
        return new Tensor(data, batchMajor ? [batch, steps, size] : [steps, batch, size]);
      };
      const { hiddenSize } = this.#stack.sizes;
      return {
        layer: Math.floor(index / directions),
        direction: index % directions === 0 ? "forward" : "reverse",
        i: tensor(record.i, hiddenSize),
        f: tensor(record.f, hiddenSize),
        g: tensor(record.g, hiddenSize),
        o: tensor(record.o, hiddenSize),
        c: tensor(record.c, hiddenSize),
        h: tensor(record.h, this.#stack.layers[index]!.outputSize),
      };
    });
  }
}
