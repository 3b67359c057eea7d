/** Recurrent layers among TensorFlow's variables, told by the names that its cells give them. */
import type { StateDict } from "lstm-wasm";
import { fromTensorFlow, type TensorFlowLayer, type TensorFlowParts } from "lstm-wasm/formats";
import { type CellSource, elements, type Layer } from "./model.js";
import { recurrentSummary } from "./summary.js";

/** The last names of cells' scopes by the kinds of fromTensorFlow. */
const CELLS: readonly (readonly [kind: CellSource["cell"], scope: RegExp])[] = [
  ["BasicLSTM", /(^|\/)(layer_norm_)?basic_lstm_cell(_\d+)?$/],
  ["LSTM", /(^|\/)lstm(_cell|_block_cell|_block_wrapper)?(_\d+)?$/],
  ["GRU", /(^|\/)gru(_block)?_cell(_v2)?(_\d+)?$/],
  ["BasicRNN", /(^|\/)basic_rnn_cell(_\d+)?$/],
];

/** Modules that a file may have: each is found by a pass over all names. */
const MOST_CELLS = 100;

/** The layers, and why cells are none. */
export function cellsIn(variables: StateDict): { readonly layers: Layer[]; readonly refused: string[] } {
  const scopes = new Map<string, CellSource["cell"]>();
  for (const name of variables.keys()) {
    const [, scope = ""] = /^(?:(.*?)\/)?(?:gates\/)?(?:kernel|weights)(?::0)?$/.exec(name) ?? [];
    const kind = CELLS.find(([, last]) => last.test(scope))?.[0];
    if (kind !== undefined && scopes.size < MOST_CELLS) scopes.set(scope, kind);
  }
  const modules = new Map<string, string[]>();
  for (const scope of scopes.keys()) {
    const module = moduleOf(scope);
    modules.set(module, [...(modules.get(module) ?? []), scope]);
  }
  const layers: Layer[] = [];
  const refused: string[] = [];
  for (const [module, cells] of modules) {
    const whole = layerAt(variables, scopes.get(cells[0]!)!, module);
    // Cells that are no stack are a layer each.
    const found =
      typeof whole === "string"
        ? cells.map((scope) => layerAt(variables, scopes.get(scope)!, scope))
        : [whole];
    for (const layer of found) {
      if (typeof layer === "string") refused.push(layer);
      else layers.push(layer);
    }
  }
  return { layers, refused };
}

/** The scope of all cells that are one module: without the cell's own name, its number and its direction. */
function moduleOf(scope: string): string {
  return scope
    .replace(/(^|\/)[^/]*$/, "")
    .replace(/(^|\/)cell_\d+$/, "")
    .replace(/(^|\/)multi_rnn_cell$/, "")
    .replace(/(^|\/)[fb]w$/, "");
}

/** @returns why there is none, otherwise */
function layerAt(variables: StateDict, cell: CellSource["cell"], scope: string): Layer | string {
  let layer: TensorFlowLayer | TensorFlowParts;
  try {
    layer = fromTensorFlow(variables, cell, { prefix: scope });
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return error.message;
    throw error;
  }
  if (layer.parts !== undefined) return `${JSON.stringify(scope)}: the cells differ in size`;
  const { kind, options, stateDict } = layer;
  return {
    name: scope,
    summary: `${recurrentSummary({ kind, ...options })}${options.bidirectional ? ", bidirectional" : ""}`,
    parameters: elements(stateDict),
    source: { kind: "cell", cell, scope, layer },
  };
}
