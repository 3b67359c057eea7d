/** Keras models that run. */

import { asBytes, type Bytes, isBytes } from "../formats/bytes.js";
import { type OpenedModel, openArchitecture, openKeras } from "../formats/keras/open.js";
import { readAs } from "../formats/recognise/index.js";
import { decodeUtf8 } from "../formats/utf8.js";
import { readKerasGraph } from "../graph/keras/index.js";
import { LAYERS } from "../graph/keras/layers/index.js";
import { checkOperators } from "../graph/run-host.js";
import { checkOptions, reading, wrongType } from "../tensor/checks.js";
import { currentRuntime } from "../wasm/runtime.js";
import { streamOfLayers } from "./layer-stream.js";
import { tableOf } from "./load.js";
import { checkLoadOptions, countOperators, type LoadOptions, rewritesOf } from "./load-options.js";
import { Model } from "./model.js";
import { kerasOperators } from "./operators/keras.js";
import { Store } from "./store.js";

/** Options of `loadKeras`. */
export interface LoadKerasOptions extends LoadOptions {
  /** Where `source` is an architecture's JSON: the `.h5` or `.weights.h5` that was saved of its weights. */
  readonly weights?: Bytes | undefined;
}

const OPTIONS = ["weights", "precision", "onProgress"];

/**
 * A model of a Keras file.
 * @param source the bytes of an `.h5` or `.keras` file, or the JSON of an architecture with `weights` in the options
 * @throws FormatError for a file that is broken, and for layers that are not supported: they are named; TypeError or
 *   RangeError for an argument
 */
export function loadKeras(source: Bytes | string | object, options?: LoadKerasOptions): Model<string> {
  const given = checkOptions("options", options, OPTIONS);
  const weights = given.weights === undefined ? undefined : asBytes(given.weights, "options.weights");
  const text = architectureOf(source);
  if (text === undefined) {
    const file = asBytes(source, "source");
    return modelOf(readAs("readKeras", file, openKeras), given, { fileBytes: file.length });
  }
  if (weights === undefined) {
    throw wrongType("options.weights", "the bytes of the weights beside an architecture", weights);
  }
  return modelOf(openArchitecture(text, weights), given, { fileBytes: weights.length });
}

/** The JSON of an architecture, as text, parsed or in bytes; undefined for the bytes of another file. */
function architectureOf(source: unknown): string | undefined {
  if (typeof source === "string") return source;
  if (!isBytes(source)) {
    if (typeof source !== "object" || source === null) {
      throw wrongType("source", "the bytes of a Keras file, or an architecture's JSON", source);
    }
    return reading("source", "an architecture's JSON", () => JSON.stringify(source));
  }
  const file = asBytes(source, "source");
  return file[0] === 0x7b ? decodeUtf8(file, "keras: architecture") : undefined;
}

/** How a model is read. */
export interface ReadingOptions {
  readonly fileBytes: number;
  readonly masksOfTfjs?: boolean;
}

/** @internal A model that was opened, as one that runs. */
export function modelOf(
  opened: OpenedModel,
  options: LoadOptions,
  { fileBytes, masksOfTfjs = false }: ReadingOptions,
): Model<string> {
  const precision = checkLoadOptions(options);
  const table = tableOf(kerasOperators());
  const { graph, states, timed, stateful, notStreamable, summary } = readKerasGraph(opened, {
    table: LAYERS,
    masksOfTfjs,
    fileBytes,
  });

  checkOperators(graph, table);
  const layers = {
    states: new Set(states.map(({ name }) => name)),
    timed: stateful ? new Set<string>() : timed,
    notStreamable,
    summary,
  };
  return new Model<string>({
    graph,
    warnings: Object.freeze([...opened.list.warnings]),
    operators: countOperators(graph),
    declared: new Map(graph.inputs.map((port) => [port.name, port])),
    constants: new Map(),
    onProgress: options.onProgress,
    store: (owner) =>
      new Store(graph, table, currentRuntime(), owner, { precision, rewrites: rewritesOf(table) }),
    layers: {
      ...layers,
      stream: (model, parts, given) => streamOfLayers(model, parts, layers, given),
    },
  });
}
