/**
 * Resize, axis by axis: rows taken from places by nearest numbers, rows between two rows by linear ones. Where nearest
 * places are regular along every axis, one copy does it.
 */

import { BLEND_BYTES, BLEND_TAP_BYTES } from "../../../build/models-abi.js";
import * as Blend from "../../../build/records/blend.js";
import * as BlendTap from "../../../build/records/blendtap.js";
import { ARRAYS, type Type } from "../../graph/ir.js";
import type { Call } from "../../graph/operator.js";
import { axesOf, taps } from "../../graph/operators/resize.js";
import { around, elementsIn, stridesOf } from "../../graph/shapes.js";
import { align } from "../../wasm/block.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place, View } from "../operator.js";
import { copying, nothing } from "./copy.js";
import { rowRecord } from "./rows.js";
import { offsetOf } from "./strided.js";

/** Of each place along an axis, the numbers that it is made of. */
type Taps = ReturnType<typeof taps>;

const isNearest = (call: Call): boolean => call.text("mode", "nearest") === "nearest";

function allTaps(call: Call): Taps[] {
  const { shape } = call.input(0);
  return axesOf(call).map((axis, at) => taps(call, axis, shape[at]!));
}

const isWhole = (places: Taps, size: number): boolean =>
  places.length === size && places.every((all, at) => all.length === 1 && all[0]![0] === at);

interface Regular {
  readonly count: number;
  readonly repeat: number;
  readonly start: number;
  readonly step: number;
}

/** Places that go by a step, each repeated as often as the others; undefined if they do not. */
function regular(places: Taps): Regular | undefined {
  if (places.some((all) => all.length !== 1)) return undefined;
  const numbers = places.map(([tap]) => tap![0]);
  const start = numbers[0] ?? 0;
  const other = numbers.findIndex((at) => at !== start);
  const repeat = other < 0 ? Math.max(1, numbers.length) : other;
  const step = other < 0 ? 0 : numbers[other]! - start;
  if (numbers.length % repeat !== 0) return undefined;
  const fits = numbers.every((at, index) => at === start + Math.floor(index / repeat) * step);
  return fits ? { count: numbers.length / repeat, repeat, start, step } : undefined;
}

/** How input 0 is read where that is regular along all axes. */
function reading(shape: readonly number[], all: readonly Taps[]) {
  const strides = stridesOf(shape);
  const axes = all.map(regular);
  // Numbers that are repeated one beside the other are not copied in rows: by places they are made 1.5 times as fast.
  if (!axes.every((axis) => axis !== undefined) || (axes.at(-1)?.repeat ?? 1) > 1) return undefined;
  return {
    start: axes.reduce((sum, { start }, axis) => sum + start * strides[axis]!, 0),
    shape: axes.flatMap(({ count, repeat }) => [count, repeat]),
    steps: axes.flatMap(({ step }, axis) => [step * strides[axis]!, 0]),
  };
}

/** An axis that is made anew, of a tensor of which others have been made before. */
interface Pass {
  readonly places: Taps;
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  readonly elements: number;
}

/** Axes that shrink come first, then inner ones, whose rows are short. */
function passesOf(shape: readonly number[], all: readonly Taps[]): Pass[] {
  const current = shape.slice();
  const growth = (axis: number) => all[axis]!.length / shape[axis]!;
  const axes = shape.map((_, axis) => axis).filter((axis) => !isWhole(all[axis]!, shape[axis]!));
  axes.sort((a, b) => growth(a) - growth(b) || b - a);
  return axes.map((axis) => {
    const sizes = around(current, axis);
    current[axis] = all[axis]!.length;
    return { ...sizes, places: all[axis]!, elements: elementsIn(current) };
  });
}

/** A call that makes one axis. */
function bindPass(
  { runtime, call, types }: Compiling,
  place: Place,
  { places, outer, size, inner }: Pass,
  [source, target]: readonly [number, number],
): () => void {
  const bytes = ARRAYS[types[0]!.dtype].BYTES_PER_ELEMENT;
  const row = inner * bytes;
  const { blendRows, takeRows } = modelKernels(runtime);
  const list = { source, target, count: places.length, times: outer, step: size * row };
  if (isNearest(call)) {
    const table = place.record(Int32Array.from(places, ([tap]) => tap![0] * row));
    const record = rowRecord(place, { ...list, table, width: row });
    return () => takeRows(record);
  }
  const words = new Int32Array(BLEND_BYTES / 4);
  words[Blend.source] = list.source;
  words[Blend.target] = list.target;
  words[Blend.taps] = place.record(tapWords(places, row));
  words[Blend.count] = list.count;
  words[Blend.width] = inner;
  words[Blend.times] = list.times;
  words[Blend.step] = list.step;
  const record = place.record(words);
  return () => blendRows(record);
}

function tapWords(places: Taps, row: number): Int32Array {
  const size = BLEND_TAP_BYTES / 4;
  const words = new Int32Array(places.length * size);
  const floats = new Float32Array(words.buffer);
  for (const [index, all] of places.entries()) {
    // A number of no weight counts for nothing, though it be infinite. So the other one is taken twice.
    const some = all.filter(([, weight]) => weight !== 0);
    const [low, high] = some.length === 2 ? [some[0]!, some[1]!] : [some[0]!, some[0]!];
    const share = some.length === 2 ? 1 : 0.5;
    words[index * size + BlendTap.low] = low[0] * row;
    words[index * size + BlendTap.high] = high[0] * row;
    floats[index * size + BlendTap.lowWeight] = low[1] * share;
    floats[index * size + BlendTap.highWeight] = high[1] * share;
  }
  return words;
}

export function compileResized(node: Compiling): Compiled | undefined {
  const { call, types, runtime } = node;
  const { dtype, shape } = call.input(0);
  if (elementsIn(types[0]!.shape) === 0) return { bind: () => nothing };
  if (elementsIn(shape) === 0) return undefined;
  const all = allTaps(call);
  const bytes = ARRAYS[dtype].BYTES_PER_ELEMENT;
  const whole = reading(shape, all);
  if (whole !== undefined) {
    return {
      bind: (place) =>
        copying(runtime, place, [
          {
            shape: whole.shape,
            source: place.input(0) + whole.start * bytes,
            sourceSteps: whole.steps.map((step) => step * bytes),
            target: place.output(0),
            targetSteps: stridesOf(whole.shape).map((step) => step * bytes),
            size: bytes,
          },
        ]) ?? nothing,
    };
  }
  // Of other types the host rounds what is between numbers.
  if (!isNearest(call) && dtype !== "float32" && dtype !== "float64") return undefined;
  const passes = passesOf(shape, all);
  // What is made on the way goes to one room, then to the other.
  const room = align(Math.max(0, ...passes.slice(0, -1).map(({ elements }) => elements * bytes)));
  return {
    scratchBytes: passes.length > 2 ? 2 * room : room,
    bind: (place) => {
      let source = place.input(0);
      const calls = passes.map((pass, at) => {
        const target = at === passes.length - 1 ? place.output(0) : place.scratch + (at % 2) * room;
        const run = bindPass(node, place, pass, [source, target]);
        source = target;
        return run;
      });
      return () => {
        for (const run of calls) run();
      };
    },
  };
}

/** The input, where no axis gets another size. */
export function viewResized(call: Call, [type]: readonly Type[]): View | undefined {
  const { shape } = call.input(0);
  if (elementsIn(shape) === 0 || shape.some((size, axis) => size !== type!.shape[axis])) return undefined;
  const whole = reading(shape, allTaps(call));
  return whole !== undefined && offsetOf(whole) === 0 ? { outputs: [0] } : undefined;
}
