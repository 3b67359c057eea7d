/**
 * What the graph of a program of torch.export says of its recurrent layers, which weights do not tell: whether the batch
 * comes first, and an RNN's nonlinearity. The graph is JSON, in the entry `models/NAME.json`, or before PyTorch 2.8 in
 * `serialized_exported_program.json`:
 *
 *     { "graph_module": {
 *       "graph": { "nodes": [{ "target": "torch.ops.aten.lstm.input", "inputs": [
 *         { "name": "params", "arg": { "as_tensors": [{ "name": "p_lstm_weight_ih_l0" }, ...] } },
 *         { "name": "batch_first", "arg": { "as_bool": true } }, ...] }, ...] },
 *       "signature": { "input_specs": [
 *         { "parameter": { "arg": { "name": "p_lstm_weight_ih_l0" }, "parameter_name": "lstm.weight_ih_l0" } }, ...] } } }
 */

import type { ModuleMetadata } from "../../tensor/metadata.js";
import { FormatError } from "../bytes.js";
import { isObject, parseJson } from "../json.js";
import { decodeUtf8 } from "../utf8.js";

const NAME = "torch: graph";
const TARGET = /^torch\.ops\.aten\.(lstm|gru|rnn_tanh|rnn_relu)(_cell)?\.(?:input|default)$/;
const ANY_TARGET = /"torch\.ops\.aten\.(?:lstm|gru|rnn_tanh|rnn_relu)/;

/**
 * The layers of a program by their prefixes, with the options that its graph tells. One that is called in several ways
 * is left out. A graph that cannot be read tells nothing: the weights do without it.
 */
export function layersOfGraph(json: Uint8Array): ReadonlyMap<string, ModuleMetadata> {
  try {
    const text = decodeUtf8(json, NAME);
    // Of most programs: spares them the parsing.
    if (!ANY_TARGET.test(text)) return new Map();
    return layersOf(field(parseJson(text, NAME), "graph_module"));
  } catch (error) {
    if (error instanceof FormatError) return new Map();
    throw error;
  }
}

function layersOf(module: unknown): ReadonlyMap<string, ModuleMetadata> {
  const names = parameterNames(module);
  const found = new Map<string, ModuleMetadata | undefined>();
  for (const node of listOf(field(field(module, "graph"), "nodes"))) {
    const target = field(node, "target");
    const [, operator, cell] = (typeof target === "string" && TARGET.exec(target)) || [];
    if (operator === undefined) continue;
    const inputs = new Map(
      listOf(field(node, "inputs")).map((input) => [field(input, "name"), field(input, "arg")]),
    );
    const first = cell
      ? field(inputs.get("w_ih"), "as_tensor")
      : listOf(field(inputs.get("params"), "as_tensors"))[0];
    const name = names.get(field(first, "name"));
    const end = cell ? "weight_ih" : "weight_ih_l0";
    const batchFirst = field(inputs.get("batch_first"), "as_bool");
    if (name?.endsWith(end) !== true || (!cell && typeof batchFirst !== "boolean")) continue;
    const [kind, nonlinearity] = operator.split("_") as [string, string?];
    const told = {
      kind: `${kind.toUpperCase()}${cell ? "Cell" : ""}`,
      options: { ...(cell ? {} : { batchFirst }), ...(nonlinearity === undefined ? {} : { nonlinearity }) },
    };
    const prefix = name.slice(0, -end.length);
    const isOther = found.has(prefix) && JSON.stringify(found.get(prefix)) !== JSON.stringify(told);
    found.set(prefix, isOther ? undefined : told);
  }
  const layers = new Map<string, ModuleMetadata>();
  for (const [prefix, told] of found) if (told !== undefined) layers.set(prefix, told);
  return layers;
}

/** The parameters' names in the state dict, by those in the graph. */
function parameterNames(module: unknown): ReadonlyMap<unknown, string> {
  const names = new Map<unknown, string>();
  for (const spec of listOf(field(field(module, "signature"), "input_specs"))) {
    const parameter = field(spec, "parameter");
    const name = field(parameter, "parameter_name");
    if (typeof name === "string") names.set(field(field(parameter, "arg"), "name"), name);
  }
  return names;
}

function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
