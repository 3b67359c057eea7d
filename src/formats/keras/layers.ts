/** The layers of a Keras model: its config walked beside the arrays of the file. */
import { show } from "../../tensor/checks.js";
import type { SkippedTensor } from "../../tensor/skipped.js";
import type { StateDict } from "../../tensor/tensor.js";
import { FormatError, unsupported } from "../bytes.js";
import type { Entry } from "./cell.js";
import {
  bad,
  DEEPEST,
  innerLayers,
  type KerasConfig,
  type LayerConfig,
  layerOf,
  wrappedLayer,
} from "./config.js";
import { isRecurrent, type KerasPart, type KerasRecurrent, recurrentOf } from "./recurrent.js";
import type { Source } from "./source.js";
import type { KerasVersion } from "./version.js";

/** A layer of a Keras model. */
export interface KerasLayer {
  /** As the config has it, and `outer/inner` in a nested model. */
  readonly name: string;
  /** As Keras calls it: "LSTM", "Bidirectional", "Dense". */
  readonly className: string;
  /** As the file has it; empty where the file has no config. */
  readonly config: KerasConfig;
  /** In the file's order, by the last part of each name: `kernel`. Those of several cells begin with the cell's name. */
  readonly weights: StateDict;
  /** Of a recurrent layer that is one module. */
  readonly recurrent?: KerasRecurrent;
  /** Of a Bidirectional whose halves differ, and of an RNN of several cells. */
  readonly parts?: readonly KerasPart[];
}

/** What a reader of Keras' models returns. */
export interface KerasModel {
  /** As the file has it: "3.15.1". Undefined for files of Keras 1 and of weights alone, which may have none. */
  readonly kerasVersion: string | undefined;
  /** In the order of the config. */
  readonly layers: readonly KerasLayer[];
  /** What the file leaves open, and what was decided. */
  readonly warnings: readonly string[];
  /** Layers that have no equal here, and why. */
  readonly skipped: readonly SkippedTensor[];
}

/** The bytes that a file's layers may take: a nested model that is used often has its numbers each time. */
export type Spend = (bytes: number) => void;

export class LayerList {
  readonly layers: KerasLayer[] = [];
  readonly skipped: SkippedTensor[] = [];
  readonly warnings: string[] = [];
  readonly #version: KerasVersion;
  readonly #spend: Spend;

  constructor(version: KerasVersion, spend: Spend) {
    this.#version = version;
    this.#spend = spend;
  }

  /** @param model  the config of the whole model */
  addModel(model: LayerConfig, source: Source, depth = 0): void {
    const inner = innerLayers(model);
    if (inner === undefined) {
      throw unsupported(`keras: ${withoutLayers(model)}`);
    }
    if (depth > DEEPEST) throw bad(`model ${show(model.name)}`, `nests deeper than ${DEEPEST}`);
    const start = depth === 0 ? "" : `${model.name}/`;
    const layers = inner.map((value, at) => {
      const layer = layerOf(value, `layer ${at} of ${show(model.name)}`);
      return { ...layer, name: `${start}${layer.name}` };
    });
    for (const [at, below] of source.layers(model, layers).entries()) this.#add(layers[at]!, below, depth);
  }

  #add(layer: LayerConfig, source: Source, depth: number): void {
    const { name, ownName } = layer;
    if (source.label !== undefined && source.label !== ownName) {
      this.warnings.push(`layer ${show(name)}: the file calls its arrays those of ${show(source.label)}`);
    }
    if (innerLayers(layer) !== undefined) {
      this.addModel(layer, source, depth + 1);
      return;
    }
    const wrapped = layer.className === "TimeDistributed" ? wrappedLayer(layer, "layer") : undefined;
    if (layer.className === "TimeDistributed" && wrapped === undefined)
      throw bad(`layer ${show(name)}`, "layer: missing in the config of a TimeDistributed");
    if (wrapped !== undefined && innerLayers(wrapped) !== undefined) {
      this.addModel({ ...wrapped, name: `${name}/${wrapped.name}` }, source.wrapped(), depth + 1);
      return;
    }
    const entries = source.entries(layer);
    const plain = this.#plain(layer, entries);
    const reason = refusalOf(layer);
    if (reason !== undefined) this.skipped.push({ name, reason });
    else if (isRecurrent(layer)) {
      try {
        this.layers.push({ ...plain, ...this.#recurrent(layer, entries) });
        return;
      } catch (error) {
        if (!(error instanceof FormatError) || error.code !== "LSTM_WASM_UNSUPPORTED") throw error;
        this.skipped.push({ name, reason: error.message.replace(/^keras: layer [^:]*: /, "") });
      }
    }
    this.layers.push(plain);
  }

  /** Says which arrays of a file that lists them by path are those of no layer. */
  warnOfOthers(entries: readonly Entry[]): void {
    const used = new Set(this.layers.flatMap(({ weights }) => [...weights.values()]));
    const others = entries.filter(({ tensor }) => !used.has(tensor)).map(({ path }) => show(path));
    if (others.length === 0) return;
    const more = others.length > 4 ? ` and ${others.length - 4} more` : "";
    this.warnings.push(`arrays of no layer of the config: ${others.slice(0, 4).join(", ")}${more}`);
  }

  /** A layer of a file without config. */
  addWeights(layer: LayerConfig, entries: readonly Entry[]): void {
    this.layers.push(this.#plain(layer, entries));
  }

  #plain({ name, className, config }: LayerConfig, entries: readonly Entry[]): KerasLayer {
    this.#spend(entries.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0));
    return { name, className, config, weights: weightsOf(entries) };
  }

  #recurrent(layer: LayerConfig, entries: readonly Entry[]) {
    if (entries.length === 0) {
      throw unsupported(
        `keras: layer ${show(layer.name)}: the file has no arrays for it; build the model, then save it`,
      );
    }
    return recurrentOf(layer, entries, this.#version);
  }
}

/** Why a model's layers cannot be told. */
export function withoutLayers({ className, name }: LayerConfig): string {
  const what = `${className} ${show(name)}: its config has no layers, as that of a subclass of Model`;
  return `${what}; save it as a functional model, or give the arrays to fromKeras`;
}

/** Why a layer has no meaning here; undefined for layers that are Keras' own. */
function refusalOf({ className, registeredName, config }: LayerConfig): string | undefined {
  if (className === "Lambda") return "Lambda: its Python code is not run";
  if (/^(TF|Slicing)OpLambda$/.test(className))
    return `${className}: an operator of TensorFlow, which is not run`;
  if (registeredName !== undefined) return `${registeredName}: code that the file does not hold`;
  const policy = JSON.stringify(config.dtype ?? "");
  const mode = /"(int8|int4|float8|gptq|awq)[^"]*"/.exec(policy)?.[1];
  if (mode !== undefined) return `its weights are quantised (${mode}); save the model before quantize()`;
  return undefined;
}

/**
 * Arrays by the last part of their names. Where one occurs twice it follows the cell's name, `gru_cell_1/kernel`, or
 * that of the cell's layer, `forward_lstm/kernel`.
 */
function weightsOf(entries: readonly Entry[]): StateDict {
  const parts = entries.map(({ path }) => path.replace(/:\d+$/, "").split("/"));
  const ways: readonly ((part: readonly string[]) => string)[] = [
    (part) => part.at(-1)!,
    (part) => part.slice(-2).join("/"),
    (part) => `${part.at(-3) ?? part[0]}/${part.at(-1)}`,
    (part) => part.join("/"),
  ];
  const names = ways.map((way) => parts.map(way));
  const unique = names.find((some) => new Set(some).size === some.length) ?? names.at(-1)!;
  return new Map(entries.map(({ tensor }, at) => [unique[at]!, tensor]));
}
