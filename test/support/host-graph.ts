/** Runs graphs that tests write by hand. */
import { ARRAYS, type Dtype, type HostTensor } from "../../src/graph/ir.js";
import { readOnnxGraph } from "../../src/graph/onnx.js";
import { runOnHost } from "../../src/graph/run-host.js";
import { elementsIn } from "../../src/graph/shapes.js";
import { GRAPH_OPERATORS } from "./graph-operators.js";
import { type func, type GraphOptions, graph, model } from "./onnx-writer.js";

export function floatsOf(shape: readonly number[], ...numbers: number[]): HostTensor {
  return { dtype: "float32", shape, data: Float32Array.from(numbers) };
}

export function scalarOf(dtype: Dtype, number: number): HostTensor {
  const data = dtype === "bool" ? Uint8Array.of(number) : Float64Array.of(number);
  return { dtype, shape: [], data };
}

/** The outputs of a model by name. */
export function runModel(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, HostTensor>> = {},
): Map<string, HostTensor> {
  const read = readOnnxGraph(bytes);
  return runOnHost(read.graph, GRAPH_OPERATORS, new Map(Object.entries(inputs)));
}

/** Runs a model on inputs of ones, of the sizes that it declares; open ones are 2. */
export function runDeclared(bytes: Uint8Array): void {
  const { graph } = readOnnxGraph(bytes);
  const inputs = graph.inputs.map(({ name, dtype = "float32", shape = [] }): [string, HostTensor] => {
    const sizes = shape.map((size) => (typeof size === "number" && size >= 0 && size < 64 ? size : 2));
    const data = new ARRAYS[dtype](elementsIn(sizes.slice(0, 6)));
    return [name, { dtype, shape: sizes.slice(0, 6), data: data.fill(1) }];
  });
  runOnHost(graph, GRAPH_OPERATORS, new Map(inputs));
}

/** The one output `y` of a graph. */
export function runGraph(
  main: GraphOptions,
  inputs: Readonly<Record<string, HostTensor>> = {},
  functions: readonly ReturnType<typeof func>[] = [],
  opset = 20,
): HostTensor {
  const names = Object.keys(inputs);
  return runModel(model({ inputs: names, outputs: ["y"], ...main }, functions, opset), inputs).get("y")!;
}

export { graph };
