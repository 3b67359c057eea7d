/** Kernels of functions of two numbers, with broadcasting: arithmetic, comparisons, logic and Where. */

import {
  BINARY_AND,
  BINARY_EQUAL,
  BINARY_LESS,
  BINARY_LESS_OR_EQUAL,
  BINARY_MUL,
  BINARY_OR,
  BINARY_PRELU,
  BINARY_SELECT,
  BINARY_XOR,
  UNARY_RECIPROCAL,
  UNARY_SQRT,
} from "../../../build/models-abi.js";
import type { Call } from "../../graph/operator.js";
import { placed } from "../../graph/operators/binary.js";
import { elementsIn } from "../../graph/shapes.js";
import { sameShape } from "../../tensor/checks.js";
import { modelKernels } from "../../wasm/models.js";
import type { Compiled, Compiling, Place } from "../operator.js";
import { broadcastRecord, type Operand } from "./broadcast.js";
import { arithmeticOf, compileIntegers, compileNumbers, isInteger } from "./integers.js";
import { applyActivation, bindUnary, isActivation, linear } from "./unary.js";

/** The kernel of an operator of float32 numbers. */
const floatArithmeticOf = (operator: string): number | undefined =>
  operator === "PRelu" ? BINARY_PRELU : arithmeticOf(operator);

/** That of one which gives bytes, and whether its operands change places. */
function comparisonOf(operator: string): readonly [kind: number, swapped: boolean] | undefined {
  switch (operator) {
    case "Equal":
      return [BINARY_EQUAL, false];
    case "Less":
      return [BINARY_LESS, false];
    case "LessOrEqual":
      return [BINARY_LESS_OR_EQUAL, false];
    case "Greater":
      return [BINARY_LESS, true];
    case "GreaterOrEqual":
      return [BINARY_LESS_OR_EQUAL, true];
    default:
      return undefined;
  }
}

function logicOf(operator: string): number | undefined {
  switch (operator) {
    case "And":
      return BINARY_AND;
    case "Or":
      return BINARY_OR;
    case "Xor":
      return BINARY_XOR;
    default:
      return undefined;
  }
}

const doNothing = (): void => {};

/** The shape by which an input is broadcast. */
function shapeOf({ call }: Compiling, at: number): readonly number[] {
  const input = call.input(at);
  return at === 1 && isPlaced(call) ? placed(call, call.input(0), input).shape : input.shape;
}

/** Whether the second input may be placed by an axis, as opset 6 has it. */
function isPlaced({ inputs, opset }: Call): boolean {
  return opset < 7 && inputs.length === 2;
}

/** The first of some inputs that the output may take the room of: one of its shape, which is not constant. */
function roomOf({ call, types }: Compiling, inputs: readonly number[]): number | undefined {
  return inputs.find((at) => {
    const { shape, data } = call.input(at);
    return data === undefined && sameShape(shape, types[0]!.shape);
  });
}

function compiledAs(inPlace: number | undefined, bind: (place: Place) => () => void): Compiled {
  return inPlace === undefined ? { bind } : { inPlace, bind };
}

function bindRecord({ runtime }: Compiling, record: number): () => void {
  const kernels = modelKernels(runtime);
  return () => kernels.binary(record);
}

/** One call of the kernel, of inputs in the order given. */
function bindRows(
  node: Compiling,
  place: Place,
  kind: number,
  inputs: readonly number[],
  bytes: readonly number[],
): () => void {
  const { shape } = node.types[0]!;
  if (elementsIn(shape) === 0) return doNothing;
  const [a, b, c] = inputs.map(
    (at, index): Operand => ({
      address: place.input(at),
      shape: shapeOf(node, at),
      bytes: bytes[index]!,
    }),
  );
  return bindRecord(node, broadcastRecord(place, kind, { address: place.output(0), shape }, [a!, b!, c]));
}

/** Then the node's activation, if it has one. */
function finished(node: Compiling, place: Place, run: () => void): () => void {
  const finish = applyActivation(node, place.output(0), elementsIn(node.types[0]!.shape));
  if (finish === undefined) return run;
  return () => {
    run();
    finish();
  };
}

/** All inputs, by the shapes by which they are broadcast. */
const takenBy = (node: Compiling) => node.call.inputs.map((_, at) => ({ at, shape: shapeOf(node, at) }));

/** Add, Sub, Mul, Div, Min, Max, Sum and PRelu of float32 numbers; of two of integers, and Mod. */
export function compileArithmetic(node: Compiling): Compiled | undefined {
  const { call, types, activation, runtime } = node;
  if (isInteger(types[0]!.dtype)) return compileIntegers(node, takenBy(node));
  const kind = floatArithmeticOf(call.node.operator);
  if (kind === undefined || types[0]!.dtype !== "float32") return undefined;
  if (activation !== undefined && !isActivation(activation.name)) return undefined;
  const { shape } = types[0]!;
  const count = elementsIn(shape);
  if (call.inputs.length === 1) {
    return compiledAs(undefined, (place) =>
      finished(node, place, bindUnary(runtime, linear(1, 0), place.input(0), place.output(0), count)),
    );
  }
  // More than two are taken one after the other, so that the output is written while inputs are still read.
  const inPlace = call.inputs.length === 2 ? roomOf(node, [0, 1]) : undefined;
  return compiledAs(inPlace, (place) => {
    const runs = [bindRows(node, place, kind, [0, 1], [4, 4])];
    for (let at = 2; at < call.inputs.length; at++) {
      const output = place.output(0);
      if (count === 0) continue;
      const record = broadcastRecord(place, kind, { address: output, shape }, [
        { address: output, shape, bytes: 4 },
        { address: place.input(at), shape: call.input(at).shape, bytes: 4 },
      ]);
      runs.push(bindRecord(node, record));
    }
    if (runs.length === 1) return finished(node, place, runs[0]!);
    return finished(node, place, () => {
      for (const run of runs) run();
    });
  });
}

/** Equal, Less, Greater and their like. */
export function compileComparison(node: Compiling): Compiled | undefined {
  const found = comparisonOf(node.call.node.operator);
  if (found === undefined || node.activation !== undefined) return undefined;
  const [kind, swapped] = found;
  if (node.call.input(0).dtype !== "float32") {
    const inputs = takenBy(node);
    return compileNumbers(node, kind, swapped ? inputs.reverse() : inputs);
  }
  return compiledAs(undefined, (place) => bindRows(node, place, kind, swapped ? [1, 0] : [0, 1], [4, 4]));
}

/** And, Or and Xor. */
export function compileLogic(node: Compiling): Compiled | undefined {
  const kind = logicOf(node.call.node.operator);
  if (kind === undefined || node.activation !== undefined) return undefined;
  return compiledAs(roomOf(node, [0, 1]), (place) => bindRows(node, place, kind, [0, 1], [1, 1]));
}

/** Not, as an exclusive or with 1. */
export function compileNot(node: Compiling): Compiled | undefined {
  const { shape } = node.types[0]!;
  if (node.activation !== undefined) return undefined;
  if (elementsIn(shape) === 0) return compiledAs(undefined, () => doNothing);
  return compiledAs(0, (place) => {
    const record = broadcastRecord(place, BINARY_XOR, { address: place.output(0), shape }, [
      { address: place.input(0), shape, bytes: 1 },
      { address: place.record(Int32Array.of(1)), shape: [], bytes: 1 },
    ]);
    return bindRecord(node, record);
  });
}

/** Where. */
export function compileWhere(node: Compiling): Compiled | undefined {
  const { dtype } = node.types[0]!;
  if (node.activation !== undefined) return undefined;
  if (dtype !== "float32" && dtype !== "int32") {
    const [condition, a, b] = takenBy(node);
    return compileNumbers(node, BINARY_SELECT, [a!, b!, condition!]);
  }
  return compiledAs(roomOf(node, [1, 2]), (place) =>
    bindRows(node, place, BINARY_SELECT, [1, 2, 0], [4, 4, 1]),
  );
}

/** Pow of float32 numbers by a constant exponent: 2, 3, 1, 1/2 or -1. */
export function compilePow(node: Compiling): Compiled | undefined {
  const { call, types, runtime } = node;
  const { dtype, shape } = types[0]!;
  const { data } = call.input(1);
  if (dtype !== "float32" || data?.length !== 1 || node.activation !== undefined) return undefined;
  if (!sameShape(call.input(0).shape, shape)) return undefined;
  const exponent = data[0]!;
  const count = elementsIn(shape);
  if (exponent === 2) return compiledAs(0, (place) => bindRows(node, place, BINARY_MUL, [0, 0], [4, 4]));
  if (exponent === 3) {
    return compiledAs(undefined, (place) => {
      const square = bindRows(node, place, BINARY_MUL, [0, 0], [4, 4]);
      if (count === 0) return doNothing;
      const output = { address: place.output(0), shape, bytes: 4 };
      const input = { ...output, address: place.input(0) };
      const cube = bindRecord(node, broadcastRecord(place, BINARY_MUL, output, [output, input]));
      return () => {
        square();
        cube();
      };
    });
  }
  const simple =
    exponent === 1
      ? linear(1, 0)
      : exponent === 0.5
        ? { kind: UNARY_SQRT, alpha: 0, beta: 0 }
        : exponent === -1
          ? { kind: UNARY_RECIPROCAL, alpha: 0, beta: 0 }
          : undefined;
  if (simple === undefined) return undefined;
  return compiledAs(0, (place) => bindUnary(runtime, simple, place.input(0), place.output(0), count));
}
