/** Keras and TF.js models as graphs. */

import { unsupported } from "../../formats/bytes.js";
import { isObject } from "../../formats/json.js";
import type { KerasConfig } from "../../formats/keras/config.js";
import { bad, field } from "../../formats/keras/config.js";
import type { OpenedModel } from "../../formats/keras/open.js";
import { show } from "../../tensor/checks.js";
import type { Graph, Port } from "../ir.js";
import { GraphBuilder } from "./builder.js";
import { MOST_NAME } from "./functional.js";
import type { LayerTable, LayerWeights } from "./layer-call.js";
import { summaryOf } from "./summary.js";
import type { Supply } from "./supplied.js";
import type { ConvertedPort, StatePort } from "./tensor.js";
import { TfjsMasks } from "./tfjs-masks.js";
import { Topology } from "./topology.js";

/** An input, which may be strings. */
export interface TextPort extends Omit<Port, "dtype"> {
  readonly dtype?: Port["dtype"] | "string";
}

export interface KerasGraph {
  /** Its states are inputs and outputs after those of the model. */
  readonly graph: Graph;
  /** The model's inputs as its users give them: strings are no inputs of the graph. */
  readonly ports: readonly TextPort[];
  /** What is made of strings: inputs of the graph. */
  readonly converts: readonly ConvertedPort[];
  readonly states: readonly StatePort[];
  /** Inputs whose axis 1 is time. */
  readonly timed: ReadonlySet<string>;
  /** Whether a step of a stream is a call of Keras, and not a step of time. */
  readonly stateful: boolean;
  /** Which layer cannot be computed step by step, and why. */
  readonly notStreamable: string | undefined;
  /** The table that Keras prints of its layers. */
  readonly summary: () => string;
}

export interface KerasGraphOptions {
  readonly table: LayerTable;
  /** Layers that the caller supplies. */
  readonly supply?: Supply | undefined;
  /** Whether masks are as TensorFlow.js has them. */
  readonly masksOfTfjs: boolean;
  /** The size of the files: what a graph may compute grows with it. */
  readonly fileBytes: number;
}

/** What ports call the size of the batch. */
const BATCH = "batch";

/**
 * The graph of a model that was opened.
 * @throws FormatError that names the layer, for what is wrong in the config and what is not supported
 */
export function readKerasGraph(opened: OpenedModel, options: KerasGraphOptions): KerasGraph {
  const { root, list, version } = opened;
  if (root === undefined) {
    const reason = list.skipped.at(-1)?.reason;
    throw unsupported(
      `keras: ${reason ?? "the file has no config of layers; give it as weights beside the architecture's JSON"}`,
    );
  }
  const long = list.layers.find(({ name }) => name.length > MOST_NAME);
  if (long !== undefined) throw bad(`layer ${show(long.name)}`, `a name of more than ${MOST_NAME} letters`);
  const files = new Map<string, LayerWeights>(list.layers.map((layer) => [layer.name, layer]));
  for (const { name, reason } of list.skipped) {
    files.set(name, { weights: new Map(), ...files.get(name), problem: reason });
  }
  for (const [name, vocabulary] of opened.vocabularies ?? []) {
    files.set(name, { weights: new Map(), ...files.get(name), vocabulary });
  }
  const builder = new GraphBuilder(
    list.layers.some(({ config }) => isStateful(config)),
    options.fileBytes,
  );
  const tfjs = options.masksOfTfjs ? new TfjsMasks() : undefined;
  const topology = new Topology({ ...options, builder, version, files, tfjs });
  const outputs = topology.whole(root);
  for (const { name, tensor } of outputs) {
    if (tensor.texts !== undefined) throw bad(`output ${show(name)}`, "strings are not supported");
  }
  const { inputs, states, stateful, converts } = builder;
  const graph: Graph = {
    name: root.name,
    inputs: [
      ...inputs
        .filter(({ isTexts }) => !isTexts)
        .map(({ name, value, shape, dtype }) => port(name, value, shape, dtype)),
      ...converts.map(({ name, value, shape, dtype }) => port(name, value, shape, dtype)),
      ...states.map(({ name, input, shape }) => statePort(name, input, shape)),
    ],
    outputs: [
      ...outputs.map(({ name, tensor: { value, shape, dtype } }) => port(name, value, shape, dtype)),
      ...states.map(({ name, output, shape }) => statePort(name, output, shape)),
    ],
    nodes: builder.needed([
      ...outputs.map(({ tensor }) => tensor.value),
      ...states.map(({ output }) => output),
    ]),
    fileBytes: options.fileBytes,
  };
  const summary = () => summaryOf(root, topology.rows, files);
  const timed = new Set(inputs.filter(({ time }) => time).map(({ name }) => name));
  const ports = inputs.map(({ name, value, shape, dtype, isTexts }) => ({
    ...port(name, value, shape, dtype),
    ...(isTexts ? { dtype: "string" as const } : {}),
  }));
  return { graph, ports, converts, states, timed, stateful, notStreamable: builder.notStreamable, summary };
}

/** A port; null as axis 0 is the batch, elsewhere a size without a name. */
function port(name: string, value: Port["value"], shape: StatePort["shape"], dtype: Port["dtype"]): Port {
  return { name, value, dtype, shape: shape.map((size, axis) => size ?? (axis === 0 ? BATCH : -1)) };
}

/** Of a state null is the batch on every axis. */
function statePort(name: string, value: Port["value"], shape: StatePort["shape"]): Port {
  return { name, value, dtype: "float32", shape: shape.map((size) => size ?? BATCH) };
}

/** Whether a layer, or one that it wraps, keeps its states from call to call. */
function isStateful(config: KerasConfig): boolean {
  if (field(config, "stateful") === true) return true;
  return ["layer", "backward_layer"].some((key) => {
    const inner = field(config, key);
    const own = isObject(inner) ? field(inner, "config") : undefined;
    return isObject(own) && isStateful(own);
  });
}
