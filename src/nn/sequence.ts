/** The arguments of a recurrent call: shapes checked and read once, in the terms the stack works in. */
import {
  checkInteger,
  checkOptions,
  isArray,
  reading,
  showShape,
  unreadable,
  wrongShape,
  wrongType,
} from "../tensor/checks.js";
import { lengthIn, type TensorLike } from "../tensor/like.js";
import { asTensor } from "../tensor/tensor.js";
import { lengthOf } from "../tensor/typed-array.js";
import { checkMask, type Mask, type MaskedOutput, type MaskLike } from "./mask.js";

/** Options of `forward` and `trace`. */
export interface ForwardOptions {
  /**
   * The length of each batch row, in any order, from 1 to the input's steps. Gives what PyTorch's
   * `pack_padded_sequence(enforce_sorted=False)` and `pad_packed_sequence` give: output zero past a row's length,
   * final states at each row's own end. What lies in the padding does not matter.
   */
  lengths?: ArrayLike<number> | undefined;
  /**
   * Which steps count, in the input's layout without its last axis: (L, N), with batchFirst (N, L), or (L). Booleans or
   * numbers, of which 0 masks a step, nested or one after the other, or a tensor. A masked step leaves the state as it
   * was. Not together with lengths.
   */
  mask?: MaskLike | undefined;
  /**
   * The output rows of masked steps: `"repeat"`, the row's last one, zeros before its first, or `"zeros"`. `"repeat"`
   * when left out. Needs a mask.
   */
  maskedOutput?: MaskedOutput | undefined;
}

/** A checked input: `data` has steps * batch rows of inputSize numbers. */
export interface Sequence {
  /** What messages call it. */
  readonly name: string;
  readonly data: Float32Array;
  readonly steps: number;
  readonly batch: number;
  /** false for a 2-D input, one sequence without a batch dimension. */
  readonly batched: boolean;
  /** Whether data is (batch, steps, input) rather than (steps, batch, input). */
  readonly batchMajor: boolean;
  /** One length per row, or undefined when all rows run to the end. */
  readonly lengths: Int32Array | undefined;
  readonly mask: Mask | undefined;
}

/**
 * Checks a module's input, called `name` in messages: (L, N, I), with batchFirst (N, L, I), or (L, I).
 * @throws TypeError or RangeError naming what does not fit.
 */
export function checkSequence(
  input: TensorLike,
  inputSize: number,
  batchFirst: boolean,
  options: ForwardOptions | undefined,
  name = "input",
): Sequence {
  const { data, shape } = asTensor(input, name);
  const given =
    options === undefined ? {} : checkOptions("options", options, ["lengths", "mask", "maskedOutput"]);
  if (shape.length !== 2 && shape.length !== 3) {
    throw wrongShape(`${name}.shape`, "2 or 3 dimensions", showShape(shape));
  }
  const last = shape.length - 1;
  if (shape[last] !== inputSize)
    throw wrongShape(`${name}.shape[${last}]`, `inputSize ${inputSize}`, shape[last]);
  const batched = shape.length === 3;
  const batchMajor = batched && batchFirst;
  const timeAxis = batchMajor ? 1 : 0;
  const steps = shape[timeAxis]!;
  const batch = batched ? shape[1 - timeAxis]! : 1;
  if (steps === 0) throw wrongShape(`${name}.shape[${timeAxis}]`, "a sequence length of at least 1", 0);
  const lengths = checkLengths(given.lengths, steps, batch);
  const masked = given.mask !== undefined || given.maskedOutput !== undefined;
  const mask = masked ? checkMask(given, shape.slice(0, -1), batchMajor) : undefined;
  return { name, data, steps, batch, batched, batchMajor, lengths, mask };
}

/**
 * That an array of checked length still has its numbers: a getter of a later argument may have cut its buffer.
 * @throws RangeError naming it
 */
export function checkStill(name: string, data: Float32Array, count: number): void {
  const length = lengthOf(data);
  if (length < count) throw wrongShape(`${name}.data.length`, `${count}, as when it was checked`, length);
}

function checkLengths(lengths: unknown, steps: number, batch: number): Int32Array | undefined {
  if (lengths === undefined) return undefined;
  const expected = "an array of one integer per batch row";
  return reading("lengths", expected, () => {
    const length = lengthIn(lengths);
    if (length === undefined) throw wrongType("lengths", expected, lengths);
    const list = lengths as ArrayLike<unknown>;
    if (length !== batch) throw wrongShape("lengths.length", `batch ${batch}`, length);
    const checked = new Int32Array(batch);
    for (let row = 0; row < batch; row++) checked[row] = checkInteger(`lengths[${row}]`, list[row], 1, steps);
    return checked;
  });
}

/**
 * Checks one state: (rows, N, size), or (rows, size) for an input without a batch dimension.
 * @throws TypeError or RangeError naming the state.
 */
export function checkState(
  name: string,
  state: unknown,
  { rows, size }: { rows: number; size: number },
  { batch, batched }: Pick<Sequence, "batch" | "batched">,
): Float32Array {
  const { data, shape } = asTensor(state, name);
  const fits = batched
    ? shape.length === 3 && shape[0] === rows && shape[1] === batch && shape[2] === size
    : shape.length === 2 && shape[0] === rows && shape[1] === size;
  if (!fits) {
    const expected = batched ? [rows, batch, size] : [rows, size];
    const meaning = batched ? "(layers * directions, batch, size)" : "(layers * directions, size)";
    throw wrongShape(`${name}.shape`, `${showShape(expected)} ${meaning}`, showShape(shape));
  }
  return data;
}

/** The pair [h0, c0]. @throws TypeError for anything else; PyTorch takes both states or none. */
export function checkPair(state: unknown): readonly [unknown, unknown] {
  if (!isArray(state)) throw wrongType("state", "[h0, c0]", state);
  try {
    if (state.length !== 2) throw wrongType("state", "[h0, c0], both or none", state);
    return [state[0], state[1]];
  } catch (cause) {
    throw unreadable("state", "[h0, c0]", cause);
  }
}
