/**
 * Pad, by copies: along each axis the places that an output takes its numbers from go up, go down, or stay, piece by
 * piece. What comes from nowhere is one number, copied again and again.
 */

import { ARRAYS, type Dtype, type Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { padding, SOURCES } from "../../graph/operators/index-of.js";
import { roundingOf } from "../../graph/rounding.js";
import { elementsIn, stridesOf } from "../../graph/shapes.js";
import type { Compiled, Compiling, Place, View } from "../operator.js";
import { copying, nothing, type Transfer } from "./copy.js";

/** Places of the output that follow one another. */
interface Piece {
  readonly at: number;
  readonly count: number;
  /** The first one's place in the input; -1 where all are filled. */
  readonly source: number;
  readonly step: number;
}

/** Copies of one node. Where pads of several axes take more than this the host is no slower. */
const MOST_COPIES = 500;

/** A list of places, -1 for none, as few pieces. */
export function piecesOf(sources: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < sources.length; ) {
    const source = sources[at]!;
    const next = sources[at + 1] ?? -1;
    const step = source < 0 || next < 0 ? 0 : next - source;
    let end = at + 1;
    // Pieces of none and of some are told apart by the first.
    while (
      end < sources.length &&
      sources[end]! < 0 === source < 0 &&
      sources[end] === sources[end - 1]! + step
    )
      end++;
    pieces.push({ at, count: end - at, source, step });
    at = end;
  }
  return pieces;
}

interface Dimensions {
  readonly shape: readonly number[];
  readonly sourceSteps: readonly number[];
  readonly targetSteps: readonly number[];
}

/** The copies that make an output of the pieces of each axis; sources and targets count from the tensors' beginnings. */
function transfersOf(
  pieces: readonly (readonly Piece[])[],
  { input, output, size }: { input: readonly number[]; output: readonly number[]; size: number },
): { fills: Transfer[]; copies: Transfer[] } | undefined {
  const own = stridesOf(input).map((stride) => stride * size);
  const others = stridesOf(output).map((stride) => stride * size);
  const fills: Transfer[] = [];
  const copies: Transfer[] = [];
  const visit = (axis: number, done: Dimensions, source: number, target: number): boolean => {
    if (fills.length + copies.length > MOST_COPIES) return false;
    if (axis === pieces.length) {
      copies.push({ ...done, source, target, size });
      return true;
    }
    return pieces[axis]!.every((piece) => {
      const to = target + piece.at * others[axis]!;
      if (piece.source < 0) {
        fills.push({
          shape: [...done.shape, (piece.count * others[axis]!) / size],
          sourceSteps: [...done.shape.map(() => 0), 0],
          targetSteps: [...done.targetSteps, size],
          source: 0,
          target: to,
          size,
        });
        return true;
      }
      const next = {
        shape: [...done.shape, piece.count],
        sourceSteps: [...done.sourceSteps, piece.step * own[axis]!],
        targetSteps: [...done.targetSteps, others[axis]!],
      };
      return visit(axis + 1, next, source + piece.source * own[axis]!, to);
    });
  };
  const isWhole = visit(0, { shape: [], sourceSteps: [], targetSteps: [] }, 0, 0);
  return isWhole ? { fills, copies } : undefined;
}

/** The address of the number that fills. */
function valueAt(call: Call, dtype: Dtype, place: Place): number {
  if (call.has(2)) return place.input(2);
  const value = call.float("value", 0);
  const words = new Int32Array(2);
  new ARRAYS[dtype](words.buffer, 0, 1)[0] = roundingOf(dtype)?.(value) ?? value;
  return place.record(words);
}

/** What Pad's host evaluation refuses is undefined. */
function plan(call: Call, type: Type): ReturnType<typeof transfersOf> {
  const { shape, dtype } = call.input(0);
  const mode = call.text("mode", "constant");
  const source = SOURCES.get(mode);
  if (source === undefined) return undefined;
  if (mode !== "constant" && elementsIn(shape) === 0 && elementsIn(type.shape) > 0) return undefined;
  if (mode === "constant" && call.has(2) && elementsIn(call.input(2).shape) !== 1) return undefined;
  const { before } = padding(call);
  const pieces = type.shape.map((size, axis) =>
    piecesOf(Array.from({ length: size }, (_, at) => source(at - before[axis]!, shape[axis]!))),
  );
  return transfersOf(pieces, { input: shape, output: type.shape, size: ARRAYS[dtype].BYTES_PER_ELEMENT });
}

export function compilePadded({ call, types, runtime }: Compiling): Compiled | undefined {
  const [type] = types;
  const planned = plan(call, type!);
  if (planned === undefined) return undefined;
  const { fills, copies } = planned;
  return {
    bind: (place) => {
      const input = place.input(0);
      const output = place.output(0);
      const value = fills.length > 0 ? valueAt(call, type!.dtype, place) : 0;
      const transfers = [
        ...fills.map((fill) => ({ ...fill, source: value, target: output + fill.target })),
        ...copies.map((copy) => ({ ...copy, source: input + copy.source, target: output + copy.target })),
      ];
      // An input that has been made in the output stays there.
      const moved = transfers.filter(({ source, target }) => source !== target);
      return copying(runtime, place, moved) ?? nothing;
    },
  };
}

/** An input is made in the output where constants come before and after it; that a whole one is the output. */
export function viewPadded(call: Call, types: readonly Type[]): View | undefined {
  const { shape } = call.input(0);
  const { before, after } = padding(call);
  if (before.every((pad, axis) => pad === 0 && after[axis] === 0)) return { outputs: [0] };
  const first = shape.findIndex((size, axis) => size !== 1 || before[axis] !== 0 || after[axis] !== 0);
  const isOuter = before.every((pad, axis) => axis === first || (pad === 0 && after[axis] === 0));
  const isMore = before[first]! >= 0 && after[first]! >= 0;
  const isKnown = !call.has(2) || call.input(2).data !== undefined;
  if (call.text("mode", "constant") !== "constant" || !isOuter || !isMore || !isKnown) return undefined;
  if (elementsIn(types[0]!.shape) === 0) return undefined;
  return { inputs: [before[first]! * stridesOf(shape)[first]!] };
}
