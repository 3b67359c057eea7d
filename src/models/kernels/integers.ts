/** Kernels of numbers that are no float32: arithmetic, comparisons and choices, one number at a time. */

import {
  BINARY_ADD,
  BINARY_DEQUANTISE,
  BINARY_DIV,
  BINARY_MAX,
  BINARY_MIN,
  BINARY_MOD,
  BINARY_MUL,
  BINARY_SUB,
  CAST_BFLOAT,
  CAST_BOOL,
  CAST_FLOAT,
  CAST_HALF,
  CAST_INT8,
  CAST_INT32,
  CAST_INT64,
  CAST_UINT8,
} from "../../../build/models-abi.js";
import type { FormatError } from "../../formats/bytes.js";
import { ARRAYS, type Dtype, INTEGERS, type Type } from "../../graph/ir.js";
import { type Call, isFloat } from "../../graph/operator.js";
import { elementsIn } from "../../graph/shapes.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling } from "../operator.js";
import { broadcastRecord, type Operand } from "./broadcast.js";

/** What the kernels of casts make of each type. */
export const NUMBER_TYPES = {
  float32: CAST_FLOAT,
  float64: CAST_FLOAT,
  float16: CAST_HALF,
  bfloat16: CAST_BFLOAT,
  int64: CAST_INT64,
  int32: CAST_INT32,
  uint8: CAST_UINT8,
  int8: CAST_INT8,
  bool: CAST_BOOL,
} satisfies Record<Dtype, number>;

/** How kernels take numbers of a type; undefined for floats that are no float32. */
export const numberType = (dtype: Dtype): number | undefined =>
  isFloat(dtype) && dtype !== "float32" ? undefined : NUMBER_TYPES[dtype];

export const isInteger = (dtype: Dtype): boolean => INTEGERS.includes(dtype);

/** The error of a result that is no int64 within 2^53. */
export const inexact = (call: Call): FormatError => call.refused("an int64 that is not within 2^53");

/** The kernel of an operator of arithmetic, of any numbers. */
export function arithmeticOf(operator: string): number | undefined {
  switch (operator) {
    case "Add":
    case "Sum":
      return BINARY_ADD;
    case "Sub":
      return BINARY_SUB;
    case "Mul":
      return BINARY_MUL;
    case "Div":
      return BINARY_DIV;
    case "Min":
      return BINARY_MIN;
    case "Max":
      return BINARY_MAX;
    default:
      return undefined;
  }
}

function kindOf(call: Call): number | undefined {
  const { operator } = call.node;
  if (operator === "Mod") return call.flag("fmod", false) ? undefined : BINARY_MOD;
  return arithmeticOf(operator);
}

/** An input, by the shape that it is broadcast by. */
export interface Taken {
  readonly at: number;
  readonly shape: readonly number[];
}

/** A kernel of two inputs of integers; undefined where there is none. */
export function compileIntegers(node: Compiling, inputs: readonly Taken[]): Compiled | undefined {
  const kind = kindOf(node.call);
  if (kind === undefined || !isInteger(node.types[0]!.dtype) || inputs.length !== 2) return undefined;
  return compileNumbers(node, kind, inputs);
}

/**
 * A kernel of two or three inputs of any types.
 * @param third  of what is no input: a number for it
 */
export function compileNumbers(
  node: Compiling,
  kind: number,
  inputs: readonly Taken[],
  third?: Type,
): Compiled | undefined {
  const { call, types, runtime } = node;
  const output = types[0]!;
  const dtypes = inputs.map(({ at }) => call.input(at).dtype);
  const kinds = [...dtypes, ...(third === undefined ? [] : [third.dtype])].map(numberType);
  const made = numberType(output.dtype);
  if (made === undefined || kinds.includes(undefined) || node.activation !== undefined) return undefined;
  if (elementsIn(output.shape) === 0) return { bind: () => () => {} };
  const [a, b, c = 0] = kinds as [number, number, number?];
  const packed = a | (b << 4) | (c << 8) | (made << 12);
  return {
    bind: (place) => {
      const operands = inputs.map(({ at, shape }, index): Operand => {
        return { address: place.input(at), shape, bytes: ARRAYS[dtypes[index]!].BYTES_PER_ELEMENT };
      });
      if (third !== undefined)
        operands.push({ address: place.record(new Int32Array(2)), shape: [], bytes: 8 });
      const target = { address: place.output(0), shape: output.shape };
      const record = broadcastRecord(place, kind, target, operands as [Operand, Operand, Operand?], packed);
      const { binary } = modelKernels(runtime);
      return () => {
        if (binary(record) !== 0) throw inexact(call);
      };
    },
  };
}

/** DequantizeLinear by one scale, or by one for each place along an axis. */
export function compileDequantize(node: Compiling): Compiled | undefined {
  const { call } = node;
  const { shape, dtype } = call.input(0);
  const scale = call.input(1);
  if (call.int("block_size", 0) !== 0) return undefined;
  if (call.has(2) && call.input(2).dtype !== dtype) return undefined;
  const isOne = elementsIn(scale.shape) === 1;
  const after = isOne ? 0 : shape.length - call.axis(call.int("axis", 1), shape.length) - 1;
  const own = isOne ? [] : [elementsIn(scale.shape), ...new Array<number>(after).fill(1)];
  const inputs = [
    { at: 0, shape },
    { at: 1, shape: own },
  ];
  if (call.has(2)) return compileNumbers(node, BINARY_DEQUANTISE, [...inputs, { at: 2, shape: own }]);
  return compileNumbers(node, BINARY_DEQUANTISE, inputs, { dtype, shape: [] });
}
