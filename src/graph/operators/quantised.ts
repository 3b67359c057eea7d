/** Numbers of eight bits, and what they stand for. */

import type { Dtype, HostTensor, Type } from "../ir.js";
import { DTYPE_NUMBERS } from "../onnx-tensor.js";
import { type Call, type FillingOperator, FLOATS } from "../operator.js";
import { roundEven } from "../rounding.js";
import { elementsIn, stridesOf } from "../shapes.js";

export const DynamicQuantizeLinear: FillingOperator = {
  name: "DynamicQuantizeLinear",
  attributes: {},
  shape: (call): readonly Type[] => {
    const { shape } = call.expect(0, ["float32"]);
    return [
      { dtype: "uint8", shape },
      { dtype: "float32", shape: [] },
      { dtype: "uint8", shape: [] },
    ];
  },
  run: (call, [output, scale, zero]) => {
    const { data } = call.data(0);
    let [least, most] = [0, 0];
    for (let at = 0; at < data.length; at++) {
      least = Math.min(least, data[at]!);
      most = Math.max(most, data[at]!);
    }
    scale!.data[0] = (most - least) / 255;
    // As float32, in which the definition computes.
    const step = scale!.data[0]! || 1;
    const point = roundEven(Math.min(Math.max(Math.fround(-least / step), 0), 255));
    zero!.data[0] = point;
    for (let at = 0; at < data.length; at++) {
      const rounded = roundEven(Math.fround(data[at]! / step)) + point;
      output!.data[at] = Math.min(Math.max(rounded, 0), 255);
    }
  },
};

const QUANTISED: readonly Dtype[] = ["int8", "uint8", "int32"];

/** Which scale each number has: its index along an axis, in blocks of that many numbers. */
function placesOf(call: Call): (index: number) => number {
  const { shape } = call.input(0);
  const scale = call.input(1).shape;
  if (elementsIn(scale) === 1) return () => 0;
  const axis = call.axis(call.int("axis", 1), shape.length);
  const block = call.int("block_size", 0);
  const inner = stridesOf(shape)[axis]!;
  const size = shape[axis]!;
  if (block === 0) {
    if (scale.length !== 1 || scale[0] !== size) {
      throw call.broken(`scales of shape [${scale.join(", ")}] for axis ${axis} of size ${size}`);
    }
    return (index) => Math.floor(index / inner) % size;
  }
  const blocks = Math.ceil(size / block);
  const expected = shape.map((own, at) => (at === axis ? blocks : own));
  if (!(block > 0) || scale.join() !== expected.join()) {
    throw call.broken(`scales of shape [${scale.join(", ")}]; expected [${expected.join(", ")}]`);
  }
  return (index) => {
    const row = Math.floor(index / inner);
    const outer = Math.floor(row / size);
    return (outer * blocks + Math.floor((row % size) / block)) * inner + (index % inner);
  };
}

export const DequantizeLinear: FillingOperator = {
  name: "DequantizeLinear",
  attributes: { axis: "int", block_size: "int", output_dtype: "int" },
  shape: (call) => {
    const { shape } = call.expect(0, QUANTISED);
    const { dtype } = call.expect(1, FLOATS);
    if (call.has(2) && elementsIn(call.input(2).shape) !== elementsIn(call.input(1).shape)) {
      throw call.broken("zero points that do not fit the scales");
    }
    const stated = call.int("output_dtype", 0);
    const given = stated === 0 ? dtype : DTYPE_NUMBERS.get(stated);
    if (given === undefined || !FLOATS.includes(given)) {
      throw call.refused(`attribute output_dtype: ${stated} is not supported`);
    }
    placesOf(call);
    return [{ dtype: given, shape }];
  },
  run: (call, [output]) => {
    const { data } = call.data(0);
    const scale = call.data(1).data;
    const zero: HostTensor["data"] | undefined = call.has(2) ? call.data(2).data : undefined;
    const place = placesOf(call);
    for (let at = 0; at < data.length; at++) {
      const which = place(at);
      output!.data[at] = (data[at]! - (zero?.[which] ?? 0)) * scale[which]!;
    }
  },
};
