/** Models that hostile graphs are made of. */
import {
  type AttributeValue,
  floats,
  type func,
  type GraphOptions,
  graph,
  func as makeFunction,
  model,
  type node,
  opsetImport,
  tensor,
} from "../onnx-writer.js";

export type Bytes = ReturnType<typeof node>;

export interface HostileGraph {
  readonly name: string;
  /** @param given whether the constants that all have are inputs */
  readonly make: (given?: boolean) => Uint8Array;
  /** Whether it asks for much work, which a kernel may do. */
  readonly isHeavy?: true;
  /** What the message has in it. */
  readonly message: RegExp;
}

const OPSET = 20;
export const own = { domain: "own" };

/**
 * A model whose output is `y`, with a number `one`, a truth `yes` and a matrix `m`. They are constants, or inputs of these
 * shapes, so that nothing is known of what is computed but its shapes.
 */
export function file(
  given: boolean | undefined,
  main: GraphOptions,
  functions: readonly ReturnType<typeof func>[] = [],
): Uint8Array {
  const constants = [
    floats("one", [1], [1]),
    tensor("yes", { type: 9, dims: [], raw: Uint8Array.of(1) }),
    floats("m", [2, 2], [1, 2, 3, 4]),
  ];
  const initializers = [...(given === true ? [] : constants), ...(main.initializers ?? [])];
  const inputs = given === true ? INPUTS : [];
  return model({ inputs, outputs: ["y"], ...main, initializers }, functions, OPSET);
}

const INPUTS = [
  { name: "one", shape: [1] },
  { name: "yes", type: 9, shape: [] },
  { name: "m", shape: [2, 2] },
];

export const inner = (
  nodes: readonly Bytes[],
  inputs: readonly string[] = [],
  outputs = ["o"],
): AttributeValue => ({
  graph: graph({ nodes, inputs, outputs }),
});
export const body = (name: string, nodes: readonly Bytes[]) =>
  makeFunction("own", name, { inputs: ["a"], outputs: ["z"], nodes }, opsetImport(9, OPSET));
