/** ONNX files as models that run. */

import { asBytes, type Bytes, FormatError, unsupported } from "../formats/bytes.js";
import { ExternalFiles } from "../formats/onnx/external.js";
import type { GruReading } from "../formats/onnx/pytorch-exporter.js";
import type { Declared, Graph } from "../graph/ir.js";
import { readOnnxGraph } from "../graph/onnx.js";
import type { Operand } from "../graph/operator.js";
import { checkOperators } from "../graph/run-host.js";
import { checkedList } from "../tensor/checked-list.js";
import { checkOptions, entriesOf, reading, wrongType, wrongValue } from "../tensor/checks.js";
import { copyShape, sizeOf } from "../tensor/like.js";
import { modelRuntimes } from "../wasm/current.js";
import type { ModelTable } from "./fold.js";
import { checkLoadOptions, countOperators, type LoadModelOptions, rewritesOf } from "./load-options.js";
import { Model } from "./model.js";
import type { ModelOperator } from "./operator.js";
import { ALL_OPERATORS } from "./operators/index.js";
import { Store } from "./store.js";
import { checkNames, type ModelInput, readInput } from "./values.js";

/** Options of `loadOnnx`. */
export interface LoadOnnxOptions extends LoadModelOptions {
  /** Shapes of inputs whose sizes the file leaves open: the model is then planned while it is loaded. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Numbers of inputs that never change: what depends on them alone is computed while it is loaded. */
  readonly constants?: Readonly<Record<string, ModelInput>> | undefined;
  /** How a GRU is run whose exporter left out `linear_before_reset = 1`, as for `readOnnx`. Default: `"file"`. */
  readonly gru?: "file" | "pytorch" | undefined;
  /** The files beside the model that hold its weights, by the names that the model has for them. */
  readonly externalData?: Readonly<Record<string, Bytes>> | undefined;
  /** @internal false: nodes run as they are in the file. */
  readonly fuse?: boolean | undefined;
}

const OPTIONS = ["shapes", "constants", "precision", "gru", "externalData", "onProgress", "fuse"];

/**
 * A model of an ONNX file.
 * @throws FormatError for a file that is broken, or that has what is not supported: all operators that are missing in one
 *   message; TypeError or RangeError for an option
 */
export function loadOnnx(bytes: Bytes, options?: LoadOnnxOptions): Model {
  return load(bytes, tableOf(ALL_OPERATORS), options);
}

/**
 * The same with these operators only, so that a bundle has no others: `loadOnnxWith(bytes, [Conv, LSTM])`. The command
 * `lstm-wasm inspect` prints those of a file.
 */
export function loadOnnxWith(
  bytes: Bytes,
  operators: readonly ModelOperator[],
  options?: LoadOnnxOptions,
): Model {
  const table = tableOf(checkedList(operators, "operators", "an array of operators", checkOperator));
  return load(bytes, table, options, "operators are not among those given to loadOnnxWith");
}

function checkOperator(value: unknown, name: string): ModelOperator {
  const operator = value as ModelOperator | undefined;
  const isOne = typeof reading(name, "an operator", () => operator?.operator?.name) === "string";
  if (!isOne) throw wrongType(name, "an operator of lstm-wasm/models", value);
  return operator!;
}

/** Operators by their names. */
export const tableOf = (operators: readonly ModelOperator[]): ModelTable =>
  new Map(operators.map((operator) => [operator.operator.name, operator]));

function load(bytes: Bytes, table: ModelTable, given: LoadOnnxOptions | undefined, missing?: string): Model {
  const options = checkOptions("options", given, OPTIONS);
  const { gru = "file", onProgress, fuse = true } = options;
  const precision = checkLoadOptions(options);
  if (gru !== "file" && gru !== "pytorch") throw wrongValue("options.gru", '"file" or "pytorch"', gru);
  const files = new ExternalFiles(options.externalData);
  const { graph, warnings } = read(asBytes(bytes, "bytes"), files, gru);
  checkOperators(graph, table, missing);
  const declared = declaredSizes(graph, options.shapes);
  return new Model({
    graph,
    warnings: Object.freeze([...warnings]),
    operators: countOperators(graph),
    declared,
    constants: constantInputs(graph, declared, options.constants),
    onProgress,
    store: (owner) =>
      new Store(graph, table, modelRuntimes(), owner, {
        precision,
        rewrites: fuse ? rewritesOf(table) : [],
      }),
  });
}

/** Of files of other kinds Keras' alone are named, by their first bytes: to name all takes 4 KB of a bundle. */
function read(file: Uint8Array, files: ExternalFiles, gru: GruReading): ReturnType<typeof readOnnxGraph> {
  try {
    return readOnnxGraph(file, files, gru);
  } catch (cause) {
    const isOther = (file[0] === 0x50 && file[1] === 0x4b) || (file[0] === 0x89 && file[1] === 0x48);
    if (!(cause instanceof FormatError) || !isOther) throw cause;
    throw unsupported("onnx: got a zip or an HDF5 file; loadKeras takes those of Keras");
  }
}

/** What inputs are declared to be, with the sizes that `shapes` has for them. */
function declaredSizes(graph: Graph, shapes: LoadOnnxOptions["shapes"] = {}): Map<string, Declared> {
  const declared = new Map<string, Declared>(graph.inputs.map((port) => [port.name, port]));
  const names = Array.from(declared.keys());
  for (const [name, given] of entriesOf("options.shapes", shapes)) {
    checkNames("options.shapes", [name], names);
    const shape = copyShape(given, `options.shapes.${name}`);
    sizeOf(shape, `options.shapes.${name}`);
    const { shape: own, dtype } = declared.get(name)!;
    const fits =
      own === undefined ||
      (own.length === shape.length &&
        own.every((size, axis) => typeof size === "string" || size < 0 || size === shape[axis]));
    if (!fits)
      throw wrongValue(
        `options.shapes.${name}`,
        `a shape like [${own?.join(", ")}]`,
        `[${shape.join(", ")}]`,
      );
    declared.set(name, { dtype, shape });
  }
  return declared;
}

function constantInputs(
  graph: Graph,
  declared: ReadonlyMap<string, Declared>,
  constants: LoadOnnxOptions["constants"] = {},
): Map<string, Operand> {
  const names = graph.inputs.map(({ name }) => name);
  const result = new Map<string, Operand>();
  for (const [name, value] of entriesOf("options.constants", constants)) {
    checkNames("options.constants", [name], names);
    const tensor = readInput(`options.constants.${name}`, declared.get(name)!, value);
    result.set(name, { ...tensor, data: tensor.data.slice() as typeof tensor.data });
  }
  return result;
}
