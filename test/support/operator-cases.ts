/** Operators run on the host: what they give, and what they refuse, as tables. */
import { expect, it } from "vitest";
import { ARRAYS, type Dtype, type HostTensor } from "../../src/graph/ir.js";
import { runGraph } from "./host-graph.js";
import { type AttributeValue, node } from "./onnx-writer.js";

export type Attributes = Record<string, AttributeValue>;
export type Inputs = readonly (HostTensor | undefined)[];

export const of = (dtype: Dtype, shape: readonly number[], ...numbers: number[]): HostTensor => ({
  dtype,
  shape,
  data: ARRAYS[dtype].from(numbers),
});
export const floats = (shape: readonly number[], ...numbers: number[]) => of("float32", shape, ...numbers);
/** A list of int64 numbers. */
export const ints = (...numbers: number[]) => of("int64", [numbers.length], ...numbers);
export const row = (...numbers: number[]) => floats([numbers.length], ...numbers);
/** One channel of one axis. */
export const signal = (...numbers: number[]) => floats([1, 1, numbers.length], ...numbers);
export const ones = (...shape: number[]) =>
  floats(shape, ...new Array<number>(shape.reduce((product, size) => product * size, 1)).fill(1));

export function run(operator: string, inputs: Inputs, attributes: Attributes = {}, opset = 20): HostTensor {
  const names = inputs.map((input, at) => (input === undefined ? "" : `i${at}`));
  const given = Object.fromEntries(
    inputs.flatMap((input, at) => (input === undefined ? [] : [[`i${at}`, input]])),
  );
  return runGraph({ nodes: [node(operator, names, ["y"], { attributes })] }, given, [], opset);
}

export type Result = [
  what: string,
  operator: string,
  Inputs,
  Attributes,
  opset: number,
  shape: number[],
  number[],
];

export function itGives(cases: readonly Result[]): void {
  it.each(cases)("gives %s (%s)", (_, operator, inputs, attributes, opset, shape, numbers) => {
    const result = run(operator, inputs, attributes, opset);
    expect(result.shape).toEqual(shape);
    expect(result.data.length).toBe(numbers.length);
    for (const [at, number] of numbers.entries()) expect(result.data[at]).toBeCloseTo(number, 4);
  });
}

export type Refusal = [operator: string, Inputs, Attributes, opset: number, message: string];

export function itRefuses(cases: readonly Refusal[]): void {
  it.each(cases)("refuses a %s", (operator, inputs, attributes, opset, message) => {
    expect(() => run(operator, inputs, attributes, opset)).toThrow(
      `onnx: node "${operator}_0" (${operator}, opset ${opset}): ${message}`,
    );
  });
}
