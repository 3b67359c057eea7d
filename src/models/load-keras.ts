/** Keras models that run. */

import { asBytes, type Bytes, isBytes } from "../formats/bytes.js";
import { type OpenedModel, openArchitecture, openKeras } from "../formats/keras/open.js";
import { readAs } from "../formats/recognise/index.js";
import { decodeUtf8 } from "../formats/utf8.js";
import { readKerasGraph } from "../graph/keras/index.js";
import { LAYERS } from "../graph/keras/layers/index.js";
import { checkOperators } from "../graph/run-host.js";
import { checkOptions, reading, wrongType, wrongValue } from "../tensor/checks.js";
import { modelRuntimes } from "../wasm/current.js";
import { streamOfLayers } from "./layer-stream.js";
import { tableOf } from "./load.js";
import { checkLoadOptions, countOperators, type LoadModelOptions, rewritesOf } from "./load-options.js";
import { Model } from "./model.js";
import { HostFunction } from "./operators/function.js";
import { kerasOperators } from "./operators/keras.js";
import { Store } from "./store.js";
import { type Busy, checkLayers, type SuppliedLayers, supplyOf } from "./supplied-layers.js";
import { readTexts } from "./texts.js";
import type { ModelInput } from "./values.js";

/** Options of the loaders of models of layers. */
export interface LoadLayersOptions extends LoadModelOptions {
  /**
   * Layers of the caller's, for `Lambda` and classes that the file does not hold: by the class (`"package>Name"` where it
   * is registered), or by the name of one layer. `(config, weights) => (inputs) => outputs`: the first function is called
   * once for each layer with its config and its own arrays; the second at every run, with Tensors in the order of the
   * call and the batch as axis 0. It gives a Tensor, or an array of them. To learn what it gives, it is called with zeros
   * too: twice while the model is loaded, with open sizes of 2 and of 3, and once for each new shape of its inputs. What
   * it gives then is what every run must give. Masks end at such a layer, and a stream is not possible.
   */
  readonly layers?: SuppliedLayers | undefined;
}

/** Options of `loadKeras`. */
export interface LoadKerasOptions extends LoadLayersOptions {
  /** Where `source` is an architecture's JSON: the `.h5` or `.weights.h5` that was saved of its weights. */
  readonly weights?: Bytes | undefined;
}

const OPTIONS = ["weights", "layers", "precision", "onProgress"];

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
    if (weights !== undefined) {
      throw wrongValue("options.weights", "none beside a file that is no architecture's JSON", weights);
    }
    const file = asBytes(source, "source");
    return modelOf(readAs("loadKeras", file, openKeras), given, { fileBytes: file.length });
  }
  if (weights === undefined) {
    throw wrongType("options.weights", "the bytes of the weights beside an architecture", weights);
  }
  return modelOf(openArchitecture(text, weights), given, { fileBytes: weights.length });
}

/** What `source` may be, as messages have it. */
const SOURCE = "the bytes of a Keras file, or an architecture's JSON";

/**
 * The JSON of an architecture, as text, parsed or in bytes; undefined for the bytes of another file. A path, and a promise
 * that nobody awaited, are told before the weights are missed.
 */
function architectureOf(source: unknown): string | undefined {
  if (typeof source === "string") {
    if (!/^\s*\{/.test(source)) throw wrongType("source", SOURCE, source);
    return source;
  }
  if (!isBytes(source)) {
    if (typeof source !== "object" || source === null || source instanceof Promise) {
      throw wrongType("source", SOURCE, source);
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
  options: LoadLayersOptions,
  { fileBytes, masksOfTfjs = false }: ReadingOptions,
): Model<string> {
  const precision = checkLoadOptions(options);
  const supplied = checkLayers(options.layers);
  const busy: Busy = { is: false };
  const table = tableOf([...kerasOperators(), HostFunction]);
  const { graph, ports, converts, states, timed, stateful, notStreamable, summary } = readKerasGraph(opened, {
    table: LAYERS,
    masksOfTfjs,
    fileBytes,
    ...(supplied.size === 0 ? {} : { supply: supplyOf(supplied, busy) }),
  });
  checkOperators(graph, table);
  const shapes = new Map(ports.map(({ name, shape }) => [name, shape]));
  const layers = {
    ports,
    texts: new Map(
      converts.map(({ name, from, convert }) => [
        name,
        (inputs: Readonly<Record<string, ModelInput>>) => {
          const { shape, dtype, data } = convert(readTexts(`inputs.${from}`, shapes.get(from), inputs[from]));
          return { shape, dtype, data };
        },
      ]),
    ),
    states: new Set(states.map(({ name }) => name)),
    timed: stateful ? new Set<string>() : timed,
    notStreamable,
    summary,
    busy,
  };
  return new Model<string>({
    graph,
    warnings: Object.freeze([...opened.list.warnings]),
    operators: countOperators(graph),
    declared: new Map(graph.inputs.map((port) => [port.name, port])),
    constants: new Map(),
    onProgress: options.onProgress,
    store: (owner) =>
      new Store(graph, table, modelRuntimes(), owner, { precision, rewrites: rewritesOf(table) }),
    layers: {
      ...layers,
      stream: (model, parts, given) => streamOfLayers(model, parts, layers, given),
    },
  });
}
