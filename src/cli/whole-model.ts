/** What `inspect` says of an ONNX file as a whole model: inputs, outputs, operators, and the lines that run it. */

import * as models from "lstm-wasm/models";
import { ExternalFiles } from "../formats/onnx/external.js";
import type { Declared, Graph, Port } from "../graph/ir.js";
import { readOnnxGraph } from "../graph/onnx.js";
import { comment } from "./code-lines.js";
import { besideOf } from "./shards.js";
import { ones, type Sizes, sizesThatRun } from "./sizes-that-run.js";
import { listed, printableMessage, table } from "./terminal.js";

/** Names of exports by the names that operators have in files: `com.microsoft.DynamicQuantizeLSTM`. */
const EXPORTS: ReadonlyMap<string, string> = new Map(
  Object.entries(models).flatMap(([name, value]) =>
    typeof value === "object" && "operator" in value
      ? [[(value.operator as { name: string }).name, name]]
      : [],
  ),
);

/** Graphs in branches of graphs that are looked into, and nodes of all of them. */
const MOST_GRAPHS = 10_000;

interface Count {
  readonly operator: string;
  readonly opset: number;
  count: number;
}

/** Lines of the listing: facts, then code. */
export interface WholeModel {
  readonly facts: readonly string[];
  readonly code: readonly string[];
}

/**
 * @param externalData the files that hold its weights, by name
 * @throws FormatError for what is no graph
 */
export function describeWhole(
  path: string,
  bytes: Uint8Array,
  externalData: Readonly<Record<string, Uint8Array>>,
): WholeModel {
  const { graph, warnings } = readOnnxGraph(bytes, new ExternalFiles(externalData));
  const counts = countOperators(graph);
  const missing = counts.filter(({ operator }) => !EXPORTS.has(operator));
  const facts = ["whole model"];
  for (const row of table([
    ...graph.inputs.map((port) => ["input", port.name, ...declared(port)]),
    ...graph.outputs.map((port) => ["output", port.name, ...declared(port)]),
    ...counts.map(({ operator, opset, count }) => [
      operator,
      `opset ${opset}`,
      `${count}x${EXPORTS.has(operator) ? "" : ", missing"}`,
    ]),
  ])) {
    facts.push(row);
  }
  for (const warning of warnings) facts.push(`  note: ${printableMessage(warning)}`);
  if (missing.length > 0) {
    const names = missing.map(({ operator, opset }) => `${operator} (opset ${opset})`);
    facts.push(listed([`not run, for operators that are missing: ${names.join(", ")}`], "\n  ").slice(1));
    return { facts, code: [] };
  }
  const sizes = sizesThatRun(bytes, graph, externalData);
  const inputs = graph.inputs.flatMap((port) => inputLines(port, sizes));
  return { facts, code: codeOf(path, inputs, counts, Object.keys(externalData)) };
}

/** The type and the sizes of an input or output. */
function declared({ dtype, shape }: Port): [string, string] {
  return [dtype ?? "?", sizesOf(shape)];
}

/** Sizes as they are declared, for people. */
export function sizesOf(shape: Declared["shape"]): string {
  return shape === undefined ? "?" : `[${shape.map(sizeOf).join(", ")}]`;
}

const sizeOf = (size: number | string): string => (size === -1 || size === "" ? "?" : String(size));

/** The operators, those of branches and loops among them, by name. A branch that cannot be read is left out. */
function countOperators(whole: Graph): Count[] {
  const counts = new Map<string, Count>();
  const graphs = [whole];
  for (let at = 0; at < graphs.length && at < MOST_GRAPHS; at++) {
    for (const { operator, opset, attributes } of graphs[at]!.nodes) {
      const count = counts.get(operator);
      if (count === undefined) counts.set(operator, { operator, opset, count: 1 });
      else count.count++;
      for (const attribute of attributes.values()) {
        if (attribute.kind !== "graph") continue;
        try {
          graphs.push(attribute.value());
        } catch {
          // In real files a branch that is never taken may be wrong.
        }
      }
    }
  }
  return [...counts.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1));
}

/** What is declared of an input, which may be one of texts. */
type Input = Pick<Declared, "shape"> & { readonly dtype?: Declared["dtype"] | "string" };

/** An input of zeros or of empty texts. */
function zeros({ dtype = "float32", shape = [] }: Input, sizesOfOpen: Sizes): string {
  const sizes = sizesOfOpen(shape);
  const count = sizes.reduce((product, size) => product * size, 1);
  if (dtype === "string") return `{ data: Array(${count}).fill(""), shape: [${sizes.join(", ")}] }`;
  if (sizes.length === 0) return "0";
  const array = { int64: "BigInt64Array", int32: "Int32Array", int8: "Int8Array", uint8: "Uint8Array" }[
    dtype as string
  ];
  const numbers = `new ${array ?? (dtype === "bool" ? "Uint8Array" : "Float32Array")}(${count})`;
  return `{ data: ${numbers}, shape: [${sizes.join(", ")}] }`;
}

function codeOf(
  path: string,
  inputs: readonly string[],
  counts: readonly Count[],
  externalNames: readonly string[],
): string[] {
  const names = counts.map(({ operator }) => EXPORTS.get(operator)!).sort();
  const lines = ['import { readFileSync } from "node:fs";'];
  lines.push(`import { ${[...names, "loadOnnxWith"].join(", ")} } from "lstm-wasm/models";`, "");
  lines.push(`const bytes = readFileSync(${JSON.stringify(path)});`);
  if (externalNames.length > 0) {
    const read = externalNames.map(
      (name) => `${JSON.stringify(name)}: readFileSync(${JSON.stringify(besideOf(path, name))})`,
    );
    lines.push(`const externalData = { ${read.join(", ")} }; // beside the model`);
  }
  const options = externalNames.length > 0 ? ", { externalData }" : "";
  lines.push(`const model = loadOnnxWith(bytes, [${names.join(", ")}]${options});`);
  lines.push("const outputs = model.run({");
  lines.push(...inputs, "});", "console.log(outputs);");
  return lines;
}

/** The line that gives an input zeros. */
export function inputLines(
  { name, dtype, shape }: Input & { readonly name: string },
  sizes = ones,
): string[] {
  const isOpen = shape === undefined || shape.some((size) => typeof size === "string" || size < 0);
  const note = isOpen ? ` ${comment(shape === undefined ? "[?]" : sizesOf(shape))}` : "";
  return [`  [${JSON.stringify(name)}]: ${zeros({ dtype, shape }, sizes)},${note}`];
}
