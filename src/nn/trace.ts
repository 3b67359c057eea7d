/** What the gates of an LSTM did, gathered from the rows that the kernel writes when it is asked to. */
import { allocateFloats, Tensor } from "../tensor.js";
import type { Sequence } from "./sequence.js";
import type { Stack, TraceSink } from "./stack.js";
import type { Workspace } from "./workspace.js";

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
  readonly #workspace: Workspace;
  readonly #sequence: Sequence;
  readonly #records: Record[];

  constructor(stack: Stack, workspace: Workspace, sequence: Sequence) {
    this.#stack = stack;
    this.#workspace = workspace;
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

  /** Takes what one kernel call wrote: [steps, N, 5, hiddenSize rounded up to four], and its outputs. */
  readonly sink: TraceSink = (layer, direction, trace, begin, by, count) => {
    const { batch, steps, batchMajor, lengths } = this.#sequence;
    const { directions, hiddenSize } = this.#stack.sizes;
    const { floats } = this.#stack.region.runtime;
    const index = layer * directions + direction;
    const { outputSize } = this.#stack.layers[index]!;
    const record = this.#records[index]!;
    const cellFloats = this.#workspace.layers[index]!.cellRow / 4;
    const start = Math.min(begin, begin + by * (count - 1));
    const chunkStart = directions === 2 ? 0 : start;
    for (let at = 0; at < count; at++) {
      const step = begin + by * at;
      for (let row = 0; row < batch; row++) {
        if (lengths !== undefined && step >= lengths[row]!) continue;
        const target = batchMajor ? row * steps + step : step * batch + row;
        const gates = trace / 4 + (at * batch + row) * 5 * cellFloats;
        for (const [gate, name] of GATES.entries()) {
          const from = gates + gate * cellFloats;
          record[name].set(floats.subarray(from, from + hiddenSize), target * hiddenSize);
        }
        const output =
          this.#workspace.outputs[layer & 1]! / 4 +
          ((step - chunkStart) * batch + row) * this.#stack.outputSize +
          direction * outputSize;
        record.h.set(floats.subarray(output, output + outputSize), target * outputSize);
      }
    }
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
