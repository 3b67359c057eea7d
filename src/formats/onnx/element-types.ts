/** Element types as onnx.proto numbers them. */

import { type Dtype, TORCH_NAMES } from "../dtype.js";

/** Element types by their number in onnx.proto, without those that no weight has. */
export const TYPES: ReadonlyMap<number, Dtype> = new Map([
  [1, "F32"],
  [2, "U8"],
  [3, "I8"],
  [4, "U16"],
  [5, "I16"],
  [6, "I32"],
  [7, "I64"],
  [9, "BOOL"],
  [10, "F16"],
  [11, "F64"],
  [12, "U32"],
  [13, "U64"],
  [16, "BF16"],
]);

const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0, "undefined"],
  [8, "string"],
  [14, "complex64"],
  [15, "complex128"],
  [17, "float8e4m3fn"],
  [18, "float8e4m3fnuz"],
  [19, "float8e5m2"],
  [20, "float8e5m2fnuz"],
  [21, "uint4"],
  [22, "int4"],
  [23, "float4e2m1"],
]);

/** The name of an element type that is told by its number. */
export function typeName(number: number): string {
  const known = TYPES.get(number);
  return known ? TORCH_NAMES[known] : (OTHER_TYPES.get(number) ?? String(number));
}

/** The number of the field that lists the numbers of each type, if they are not raw. */
export const LIST_FIELDS: Record<Dtype, number> = {
  F32: 4,
  F64: 10,
  I64: 7,
  U32: 11,
  U64: 11,
  I32: 5,
  I16: 5,
  U16: 5,
  I8: 5,
  U8: 5,
  BOOL: 5,
  F16: 5,
  BF16: 5,
};
