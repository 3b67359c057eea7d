/** The mask of a recurrent call: read once, and turned to one integer for each step and row, steps outermost. */
import {
  isArray,
  reading,
  sameShape,
  showShape,
  wrongShape,
  wrongType,
  wrongValue,
} from "../tensor/checks.js";
import { copyShape, lengthIn } from "../tensor/like.js";

type Flag = boolean | number | bigint;

/** What `mask` may be. */
export type MaskLike =
  | ArrayLike<Flag>
  | ArrayLike<ArrayLike<Flag>>
  | { readonly data: ArrayLike<Flag>; readonly shape: readonly number[] };

export type MaskedOutput = "repeat" | "zeros";

/** A checked mask: one integer for each step and row, steps outermost, 0 where the step is masked. */
export interface Mask {
  readonly steps: Int32Array;
  readonly output: MaskedOutput;
}

const EXPECTED = "booleans or numbers, or a Tensor of them";

/**
 * @param shape  of the mask: the input's without its last axis
 * @param batchMajor  whether it is (N, L) rather than (L, N) or (L)
 * @throws TypeError or RangeError naming what does not fit; for maskedOutput without a mask
 */
export function checkMask(
  { lengths, mask, maskedOutput }: { lengths?: unknown; mask?: unknown; maskedOutput?: unknown },
  shape: readonly number[],
  batchMajor: boolean,
): Mask {
  if (mask === undefined) throw wrongValue("maskedOutput", "none without a mask", maskedOutput);
  if (lengths !== undefined) throw wrongValue("mask", "none beside lengths", "both");
  const output = maskedOutput ?? "repeat";
  if (output !== "repeat" && output !== "zeros") {
    throw wrongValue("maskedOutput", '"repeat" or "zeros"', maskedOutput);
  }
  const flags = reading("mask", EXPECTED, () => flagsOf(mask, shape));
  if (!batchMajor) return { steps: flags, output };
  const [batch, steps] = shape as [number, number];
  const turned = new Int32Array(flags.length);
  for (let row = 0; row < batch; row++) {
    for (let step = 0; step < steps; step++) turned[step * batch + row] = flags[row * steps + step]!;
  }
  return { steps: turned, output };
}

/** The flags in the mask's own order. */
function flagsOf(mask: unknown, shape: readonly number[]): Int32Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const flags = new Int32Array(size);
  if (typeof mask !== "object" || mask === null) throw wrongType("mask", EXPECTED, mask);
  if (lengthIn(mask) === undefined) {
    const { data, shape: own } = mask as { data?: unknown; shape?: unknown };
    if (lengthIn(data) === undefined) throw wrongType("mask", EXPECTED, mask);
    const given = copyShape(own, "mask.shape");
    if (!sameShape(given, shape)) throw wrongShape("mask.shape", showShape(shape), showShape(given));
    fill(flags, "mask.data", data, 0, size);
    return flags;
  }
  const nested = shape.length === 2 && isArray(mask) && (isArray(mask[0]) || lengthIn(mask[0]) !== undefined);
  if (!nested) {
    fill(flags, "mask", mask, 0, size);
    return flags;
  }
  const [outer, inner] = shape as [number, number];
  if (mask.length !== outer) throw wrongShape("mask.length", String(outer), mask.length);
  for (let at = 0; at < outer; at++) fill(flags, `mask[${at}]`, mask[at], at * inner, inner);
  return flags;
}

/** `count` flags of `list` to `flags`, from place `from` on. */
function fill(flags: Int32Array, name: string, list: unknown, from: number, count: number): void {
  const length = lengthIn(list);
  if (length === undefined) throw wrongType(name, EXPECTED, list);
  if (length !== count) throw wrongShape(`${name}.length`, String(count), length);
  for (let at = 0; at < count; at++) {
    const flag = (list as ArrayLike<unknown>)[at];
    if (typeof flag !== "boolean" && typeof flag !== "number" && typeof flag !== "bigint") {
      throw wrongType(`${name}[${at}]`, "true, false or a number", flag);
    }
    // NaN is not 0, as in PyTorch's and NumPy's conversion to booleans.
    flags[from + at] = flag === false || flag === 0 || flag === 0n ? 0 : 1;
  }
}
