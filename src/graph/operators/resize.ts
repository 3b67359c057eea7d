/** Resize: images of another size, by nearest numbers or by lines between them. */

import { type Call, type FillingOperator, NUMBERS } from "../operator.js";
import { roundEven } from "../rounding.js";
import { elementsIn, stridesOf } from "../shapes.js";

/**
 * Where a place of the output lies in the input. `output` is the output's length before it is rounded down, `whole` after
 * that. ONNX's cases ask for the one with align_corners, PyTorch's own meaning is the other.
 */
type Coordinate = (x: number, scale: number, output: number, input: number, whole: number) => number;

const COORDINATES: ReadonlyMap<string, Coordinate> = new Map<string, Coordinate>([
  ["half_pixel", (x, scale) => (x + 0.5) / scale - 0.5],
  ["pytorch_half_pixel", (x, scale, _, __, whole) => (whole > 1 ? (x + 0.5) / scale - 0.5 : 0)],
  ["asymmetric", (x, scale) => x / scale],
  ["align_corners", (x, _, output, input) => (output === 1 ? 0 : (x * (input - 1)) / (output - 1))],
]);

const NEAREST: ReadonlyMap<string, (x: number) => number> = new Map([
  ["round_prefer_floor", (x: number) => Math.ceil(x - 0.5)],
  ["round_prefer_ceil", (x: number) => Math.floor(x + 0.5)],
  ["floor", Math.floor],
  ["ceil", Math.ceil],
]);

export interface Axis {
  readonly scale: number;
  readonly size: number;
}

/** What becomes of every axis. */
export function axesOf(call: Call): Axis[] {
  const { shape } = call.input(0);
  const axes: Axis[] = shape.map((size) => ({ scale: 1, size }));
  const [scalesAt, sizesAt] = call.opset < 11 ? [1, 3] : [2, 3];
  const given = (at: number) => call.has(at) && elementsIn(call.input(at).shape) > 0;
  const stated =
    call.ints("axes")?.map((axis) => call.axis(axis, shape.length)) ?? shape.map((_, axis) => axis);
  const numbers = given(sizesAt) ? call.integers(sizesAt) : Array.from(call.data(scalesAt).data);
  if (numbers.length !== stated.length)
    throw call.broken(`${numbers.length} sizes for ${stated.length} axes`);
  for (const [at, axis] of stated.entries()) {
    const number = numbers[at]!;
    const size = shape[axis]!;
    if (!(number > 0)) throw call.broken(`a size or scale of ${number}`);
    axes[axis] = given(sizesAt)
      ? { scale: number / size, size: number }
      : { scale: number, size: Math.floor(size * number) };
  }
  return axes;
}

function refuse(call: Call): void {
  const mode = call.text("mode", "nearest");
  if (mode !== "nearest" && mode !== "linear") throw call.refused(`attribute mode: ${mode} is not supported`);
  const policy = call.text("keep_aspect_ratio_policy", "stretch");
  if (policy !== "stretch")
    throw call.refused(`attribute keep_aspect_ratio_policy: ${policy} is not supported`);
  if (call.flag("antialias", false)) throw call.refused("attribute antialias: 1 is not supported");
}

/** For each place along an axis, the numbers of the input that it is made of and their weights. */
export function taps(call: Call, axis: Axis, input: number): (readonly [at: number, weight: number])[][] {
  const named = call.text("coordinate_transformation_mode", call.opset < 11 ? "asymmetric" : "half_pixel");
  const coordinate = COORDINATES.get(named);
  if (coordinate === undefined) {
    throw call.refused(`attribute coordinate_transformation_mode: ${named} is not supported`);
  }
  const rounding = call.text("nearest_mode", call.opset < 11 ? "floor" : "round_prefer_floor");
  const nearest = NEAREST.get(rounding);
  if (nearest === undefined) throw call.refused(`attribute nearest_mode: ${rounding} is not supported`);
  const inside = (at: number) => Math.min(Math.max(at, 0), input - 1);
  return Array.from({ length: axis.size }, (_, x) => {
    if (axis.scale === 1 && axis.size === input) return [[x, 1]];
    const place = coordinate(x, axis.scale, axis.scale * input, input, axis.size);
    if (call.text("mode", "nearest") === "nearest") return [[inside(nearest(tidy(place))), 1]];
    const low = Math.floor(place);
    const part = place - low;
    return [
      [inside(low), 1 - part],
      [inside(low + 1), part],
    ];
  });
}

/** Without the last bits, in which a quotient that should be whole or half may be off. */
const tidy = (x: number): number => {
  const near = roundEven(2 * x) / 2;
  return Math.abs(x - near) < 1e-6 ? near : x;
};

export const Resize: FillingOperator = {
  name: "Resize",
  attributes: {
    mode: "string",
    antialias: "int",
    axes: "ints",
    coordinate_transformation_mode: "string",
    cubic_coeff_a: "float",
    exclude_outside: "int",
    extrapolation_value: "float",
    keep_aspect_ratio_policy: "string",
    nearest_mode: "string",
  },
  shape: (call) => {
    const { dtype } = call.expect(0, NUMBERS);
    refuse(call);
    return [{ dtype, shape: axesOf(call).map(({ size }) => size) }];
  },
  work: (call, [output]) => {
    const { shape } = call.input(0);
    const isLinear = call.text("mode", "nearest") === "linear";
    // Along an axis that keeps its size one number is taken, of others two.
    const axes = output!.shape.filter((size, axis) => size !== shape[axis]).length;
    return 32 * elementsIn(output!.shape) * shape.length * (isLinear ? 2 ** axes : 1);
  },
  run: (call, [output]) => {
    const { data, shape } = call.data(0);
    const strides = stridesOf(shape);
    const all = axesOf(call).map((axis, at) => taps(call, axis, shape[at]!));
    let to = 0;
    const sum = (axis: number, places: readonly number[], offset: number): number => {
      if (axis === all.length) return data[offset]!;
      let total = 0;
      for (const [at, weight] of all[axis]![places[axis]!]!) {
        if (weight !== 0) total += weight * sum(axis + 1, places, offset + at * strides[axis]!);
      }
      return total;
    };
    const places = shape.map(() => 0);
    const visit = (axis: number): void => {
      if (axis === all.length) {
        output!.data[to++] = sum(0, places, 0);
        return;
      }
      for (let x = 0; x < all[axis]!.length; x++) {
        places[axis] = x;
        visit(axis + 1);
      }
    };
    visit(0);
  },
};
