/** Numbers of one type as those of another. */

import type { FormatError } from "../../formats/bytes.js";
import { ARRAYS, type Dtype, type HostTensor, type Type } from "../ir.js";
import { DTYPE_NUMBERS } from "../onnx-tensor.js";
import { type Call, type GivingOperator, isFloat } from "../operator.js";
import { roundToBfloat, roundToHalf } from "../rounding.js";
import { elementsIn } from "../shapes.js";

/** The names that opset 6 has in the place of numbers. */
const NAMES: ReadonlyMap<string, Dtype> = new Map([
  ["FLOAT", "float32"],
  ["FLOAT16", "float16"],
  ["DOUBLE", "float64"],
  ["INT64", "int64"],
  ["INT32", "int32"],
  ["INT8", "int8"],
  ["UINT8", "uint8"],
  ["BOOL", "bool"],
]);

/** The type that an attribute names by its number in onnx.proto. */
export function dtypeNumbered(call: Call, name: string, number: number): Dtype {
  const dtype = DTYPE_NUMBERS.get(number);
  if (dtype === undefined) throw call.refused(`attribute ${name}: element type ${number} is not supported`);
  return dtype;
}

function target(call: Call): Dtype {
  const attribute = call.node.attributes.get("to");
  if (attribute?.kind === "string" && call.opset < 9) {
    const dtype = NAMES.get(attribute.value);
    if (dtype === undefined) throw call.refused(`attribute to: ${attribute.value} is not supported`);
    return dtype;
  }
  if (attribute?.kind !== "int") throw call.broken("attribute to is missing");
  return dtypeNumbered(call, "to", attribute.value);
}

/** Of a float that becomes an int64. */
export const outOfRange = (call: Call): FormatError =>
  call.refused("a number that an int64 within 2^53 does not hold");

/** Copies numbers; the array that they get into rounds and wraps what is left to it. */
export function convert(call: Call, { dtype: from, data }: HostTensor, to: Dtype): HostTensor["data"] {
  const out = new ARRAYS[to](data.length);
  let apply: ((x: number) => number) | undefined;
  if (to === "bool") apply = (x) => (x === 0 ? 0 : 1);
  // Whole numbers wrap, as in C; an int64 must stay exact.
  else if (to === "float16") apply = roundToHalf;
  else if (to === "bfloat16") apply = roundToBfloat;
  else if (to === "int64" && isFloat(from)) apply = Math.trunc;
  if (apply === undefined) out.set(data);
  else for (let at = 0; at < data.length; at++) out[at] = apply(data[at]!);
  if (to === "int64" && isFloat(from) && !out.every((x) => Number.isSafeInteger(x))) {
    throw outOfRange(call);
  }
  return out;
}

/** A number that is rounded to 16 bits takes as long as some products. */
const work = (call: Call): number => 64 * elementsIn(call.input(0).shape);

const converted = (call: Call, [type]: readonly Type[]): readonly HostTensor[] => [
  { ...type!, data: convert(call, call.data(0), type!.dtype) },
];

export const Cast: GivingOperator = {
  name: "Cast",
  attributes: { to: ["int", "string"], saturate: "int", round_mode: "string" },
  shape: (call) => [{ dtype: target(call), shape: call.input(0).shape }],
  work,
  give: converted,
};

export const CastLike: GivingOperator = {
  name: "CastLike",
  attributes: { saturate: "int", round_mode: "string" },
  shape: (call) => [{ dtype: call.input(1).dtype, shape: call.input(0).shape }],
  work,
  give: converted,
};
