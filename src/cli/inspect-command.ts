/** `inspect`: what a weight file holds, and the code that loads it. */
import { parseArgs } from "node:util";
import type { StateDict } from "lstm-wasm";
import { dtypeOf } from "lstm-wasm/formats";
import { PATH_HELP, PATH_OPTION, WEIGHTS_HELP } from "./arguments.js";
import { explainBatchFirst } from "./batch-first.js";
import { blame, CliError, readBytes } from "./error.js";
import type { Command } from "./help.js";
import { codeOf } from "./inspect-code.js";
import { elements, FORMATS, type Layer, type Model } from "./model.js";
import { openModel } from "./open-model.js";
import { listed, print, printableMessage, printableName, printablePath, table } from "./terminal.js";
import { type LayersFile, layersFileOf, loadLayers } from "./whole-file.js";
import { describeLayers } from "./whole-layers.js";

/**
 * Integer tensors up to this size are counted, not listed: exporters leave many shapes and indices behind.
 */
const SMALL = 8;

/** Characters of a line of code: one with a longer name is of no use on a terminal. */
const MOST_CODE = 10_000;

export const inspect: Command = {
  usage: "inspect FILE [--code] [--fetch] [--path KEY]... [--weights W.h5]",
  purpose: "its tensors and layers, and the code that loads them",
  options: [
    ["--code", "print the code alone, as a module that runs in Node.js"],
    ["--fetch", "code whose bytes come from fetch, for pages and workers"],
    PATH_HELP,
    WEIGHTS_HELP,
  ],
  examples: [
    "lstm-wasm inspect model.pt",
    "lstm-wasm inspect model.pt --code > load.mjs",
    "lstm-wasm inspect checkpoint.pt --path model --path encoder",
  ],
  exitCodes: ["usage", "file cannot be read or written", "file not understood"],
  run(args: string[]): void {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        path: PATH_OPTION,
        weights: { type: "string" },
        code: { type: "boolean", default: false },
        fetch: { type: "boolean", default: false },
      },
    });
    const [path, ...more] = positionals;
    if (path === undefined || more.length > 0) {
      throw new CliError(
        "usage",
        `inspect: expected one file, got ${positionals.length}\nusage: lstm-wasm ${this.usage}`,
      );
    }
    const { code, fetch, weights } = values;
    if (weights !== undefined) {
      print(describeWholeAlone(architecture(path, weights), code));
      return;
    }
    let model: Model;
    try {
      model = openModel(path, values.path);
    } catch (error) {
      const whole = withoutWeights(path);
      if (whole === undefined) throw error;
      print(describeWholeAlone(whole, code));
      return;
    }
    if (code) print(`${codeOf(path, model, { fetch, isModule: true }).join("\n")}\n`);
    else print(describe(path, model, fetch));
  },
};

function describe(path: string, model: Model, fetch: boolean): string {
  const { format, bytes, tensors, layers, refused, warnings, batchFirst } = model;
  const lines = [`${printablePath(path)}: ${format}, ${size(bytes)}`, "", "tensors"];
  const large = [...tensors].filter(
    ([, { data }]) => data instanceof Float32Array || data instanceof Int8Array || data.length > SMALL,
  );
  for (const row of table(
    large.map(([name, tensor]) => [name, dtypeOf(tensor), `[${tensor.shape.join(", ")}]`]),
  )) {
    lines.push(row);
  }
  const small = tensors.size - large.length;
  if (small > 0) lines.push(`  and ${small} of up to ${SMALL} integers`);
  if (tensors.size === 0) lines.push("  none");
  const skipped = (tensors.skipped ?? []).map(({ name, reason }) => `${printableName(name)}: ${reason}`);
  if (skipped.length > 0) lines.push(listed(skipped, "\n  not read: ").slice(1));
  lines.push("", "layers");
  for (const row of table(
    model.rows ??
      layers.map(({ name, summary, parameters }) => [name || "(whole file)", summary, count(parameters)]),
  )) {
    lines.push(row);
  }
  if (refused.length > 0) lines.push(listed(refused, "\n  not supported: ").slice(1));
  const chained = layers.flatMap(({ source }) => {
    if (source.kind !== "onnx" || source.layer.follows === undefined) return [];
    const [name, follows] = [source.layer.name, source.layer.follows].map(printableName);
    return [
      `${name} takes the output of ${follows} through nodes that are not read: each is a part of a chain`,
    ];
  });
  const notes = [...chained, ...warnings];
  if (notes.length > 0) lines.push(listed(notes, "\n  note: ").slice(1));
  if (layers.length === 0 && refused.length === 0) lines.push("  none that lstm-wasm has");
  const numbers = weightElements(tensors);
  lines.push("", `${count(numbers)} parameters, ${size(numbers * 4)} as float32`);
  const isOpen = ({ source }: Layer) =>
    source.kind === "module" &&
    source.told?.options.batchFirst === undefined &&
    /^(LSTM|GRU|RNN)$/.test(source.info.kind);
  if (layers.some(isOpen)) lines.push(explainBatchFirst(batchFirst));
  lines.push("");
  for (const line of codeOf(path, model, { fetch, isModule: false })) {
    const isLong = line.length > MOST_CODE;
    lines.push(isLong ? `  // left out: a line of ${line.length} characters` : line && `  ${line}`);
  }
  lines.push(...wholeLines(model));
  return `${lines.join("\n")}\n`;
}

/** An architecture with the file of its weights. */
function architecture(path: string, weightsPath: string): LayersFile {
  return layersFileOf(path, readBytes(path), { path: weightsPath, bytes: readBytes(weightsPath) })!;
}

/** A model of layers that all have no weights, as pools and activations: none could be loaded one by one. */
function withoutWeights(path: string): LayersFile | undefined {
  try {
    const file = layersFileOf(path, readBytes(path));
    if (file !== undefined) loadLayers(file).dispose();
    return file;
  } catch {
    return undefined; // The error of openModel says more.
  }
}

/** A whole model that has no layers to load one by one. */
function describeWholeAlone(file: LayersFile, code: boolean): string {
  const { kind, path, bytes, weights } = file;
  const whole = () => describeLayers(file);
  if (code) return `${blame("file not understood", path, whole).code.join("\n")}\n`;
  const beside = weights === undefined ? "" : ` with ${printablePath(weights.path)}`;
  const title = `${printablePath(path)}${beside}: ${FORMATS[kind][0]}`;
  return `${title}, ${size(bytes.length + (weights?.bytes.length ?? 0))}\n${wholeLines({ whole }).join("\n")}\n`;
}

/** What a file is as a whole model, or why it is none. */
function wholeLines({ whole }: Pick<Model, "whole">): string[] {
  if (whole === undefined) return [];
  try {
    const { facts, code } = whole();
    return ["", ...facts, ...(code.length > 0 ? [""] : []), ...code.map((line) => line && `  ${line}`)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return ["", "whole model", `  not run: ${printableMessage(error.message)}`];
  }
}

/** How many floats and int8 weights there are. The scales of int8 weights do not count. */
function weightElements(dict: StateDict): number {
  const isScale = (name: string) =>
    name.endsWith("_scale") && dict.get(name.slice(0, -"_scale".length))?.data instanceof Int8Array;
  const isWeight = (data: unknown) => data instanceof Float32Array || data instanceof Int8Array;
  return elements(new Map([...dict].filter(([name, { data }]) => isWeight(data) && !isScale(name))));
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
