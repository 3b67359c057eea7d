/** Runs a recurrent layer that a reader of Keras' files gives, as Keras runs the layer: which rows, halves and states. */
import type { KerasLayer, KerasPart, KerasRecurrent, MergeMode } from "../../src/formats/index.js";
import { GRU, LSTM, RNN, type StateDict, Tensor } from "../../src/index.js";
import { concat, range, take } from "./tensors.js";

/** States in the module's shape: (1 or 2, N, H) each. */
type State = Tensor | readonly [Tensor, Tensor];
interface Module {
  forward(input: Tensor, state?: State, options?: object): [Tensor, State];
  loadStateDict(dict: StateDict): unknown;
  readonly batchFirst: boolean;
  readonly goBackwards: boolean;
}

const MODULES = { LSTM, GRU, RNN };
const TIME = 1;

/** The module of a state dict. @throws Error unless the options make the same one. */
export function moduleOf({ kind, stateDict, options }: KerasRecurrent): Module {
  const made = MODULES[kind].fromStateDict(stateDict) as unknown as Module;
  const twin = new MODULES[kind](options as never) as unknown as Module;
  twin.loadStateDict(stateDict);
  const told = [made, twin].map((each) => `${each} ${each.batchFirst} ${each.goBackwards}`);
  if (told[0] !== told[1]) throw new Error(`the options make ${told[1]}, the state dict ${told[0]}`);
  return made;
}

/** A layer and the states that it keeps between calls. */
export class LayerRunner {
  readonly #layer: KerasLayer;
  readonly #modules = new Map<KerasRecurrent, Module>();
  readonly #states = new Map<KerasRecurrent, State>();

  constructor(layer: KerasLayer) {
    this.#layer = layer;
  }

  /** The outputs of Keras' layer: one or two, then the states that it gives. */
  run(input: Tensor, mask: Tensor | undefined): Tensor[] {
    const { recurrent, parts, name } = this.#layer;
    if (recurrent !== undefined) return this.#one(recurrent, input, mask);
    if (parts === undefined) throw new Error(`${name} is not recurrent`);
    const { mergeMode, returnSequences } = parts[0]!.recurrent;
    if (mergeMode === undefined) return this.#oneByOne(parts, input, mask);
    // A half of several cells has each of them as a part, after its own name.
    const start = (part: KerasPart) => part.name.split("/")[0];
    const [forward, backward] = [true, false].map((isFirst) => {
      const half = parts.filter((part) => (start(part) === start(parts[0]!)) === isFirst);
      return this.#oneByOne(half, input, mask)[0]!;
    });
    return merge(forward!, returnSequences ? turn(backward!) : backward!, mergeMode);
  }

  #oneByOne(parts: readonly KerasPart[], input: Tensor, mask: Tensor | undefined): Tensor[] {
    let outputs = [input];
    for (const part of parts) outputs = this.#one(part.recurrent, outputs[0]!, mask);
    return outputs;
  }

  #one(recurrent: KerasRecurrent, input: Tensor, mask: Tensor | undefined): Tensor[] {
    const { kind, stateDict, options, stateful, maskedOutput } = recurrent;
    const made =
      this.#modules.get(recurrent) ?? (MODULES[kind].fromStateDict(stateDict) as unknown as Module);
    this.#modules.set(recurrent, made);
    const before = stateful ? this.#states.get(recurrent) : undefined;
    const [rows, state] = made.forward(input, before, mask && { mask, maskedOutput });
    this.#states.set(recurrent, state);
    const outputs = options.bidirectional ? bothHalves(rows, recurrent) : [choose(rows, recurrent, false)];
    return recurrent.returnState ? [...outputs, ...statesOf(state)] : outputs;
  }
}

function bothHalves(rows: Tensor, recurrent: KerasRecurrent): Tensor[] {
  const width = rows.shape.at(-1)! / 2;
  const [forward, backward] = [0, width].map((from) => take(rows, 2, range(from, from + width)));
  const last = choose(forward!, recurrent, false);
  return merge(last, choose(backward!, recurrent, true), recurrent.mergeMode ?? null);
}

/** All rows, or the one that is computed last. */
function choose(rows: Tensor, { returnSequences }: KerasRecurrent, fromEnd: boolean): Tensor {
  if (returnSequences) return rows;
  const [batch, steps, width] = rows.shape as [number, number, number];
  return new Tensor(take(rows, TIME, [fromEnd ? 0 : steps - 1]).data, [batch, width]);
}

/** The forward direction's, then the backward one's. */
function statesOf(state: State): Tensor[] {
  const states = state instanceof Tensor ? [state] : state;
  const directions = range(0, states[0]!.shape[0]!);
  return directions.flatMap((at) =>
    states.map((value) => new Tensor(take(value, 0, [at]).data, value.shape.slice(1))),
  );
}

function turn(rows: Tensor): Tensor {
  return take(rows, TIME, range(0, rows.shape[TIME]!).reverse());
}

function merge(a: Tensor, b: Tensor, mode: MergeMode): Tensor[] {
  if (mode === null) return [a, b];
  if (mode === "concat") return [concat([a, b], a.shape.length - 1)];
  const joined = {
    sum: (x: number, y: number) => x + y,
    mul: (x: number, y: number) => x * y,
    ave: (x: number, y: number) => (x + y) / 2,
  }[mode];
  return [new Tensor(a.data.map((x, at) => joined(x, b.data[at]!)) as Float32Array, a.shape)];
}
