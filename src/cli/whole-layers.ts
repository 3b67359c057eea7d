/** What `inspect` says of a Keras or TensorFlow.js file as a whole model: Keras' table, and the lines that run it. */

import { dirname, join } from "node:path";
import type { Model } from "lstm-wasm/models";
import { printableMessage, table } from "./terminal.js";
import { type LayersFile, loadLayers } from "./whole-file.js";
import { inputLines, sizesOf, type WholeModel } from "./whole-model.js";

/**
 * @throws FormatError for a model that cannot run: it names the layer
 */
export function describeLayers(file: LayersFile): WholeModel {
  const model = loadLayers(file);
  try {
    const rows = [
      ...model.inputs.map((value) => ["input", value.name, value.dtype ?? "?", sizesOf(value.shape)]),
      ...model.outputs.map((value) => ["output", value.name, value.dtype ?? "?", sizesOf(value.shape)]),
      ["stream", streamOf(model)],
    ];
    const facts = ["whole model", ...table(rows.slice(0, -1)), `  ${rows.at(-1)!.join("  ")}`];
    for (const warning of model.warnings) facts.push(`  note: ${printableMessage(warning)}`);
    facts.push("");
    for (const line of model.summary().split("\n")) facts.push(`  ${printableMessage(line)}`);
    return { facts, code: codeOf(file, model) };
  } finally {
    model.dispose();
  }
}

/** What a step of a stream takes, or why there is none. */
function streamOf(model: Model<string>): string {
  try {
    const stream = model.stream();
    const steps = stream.inputs.map(({ name, shape }) => `${name} ${sizesOf(shape)}`);
    stream.dispose();
    return printableMessage(`a step takes ${steps.join(", ")}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return printableMessage(error.message.replace(/^keras: a stream is not possible: /, "none: "));
  }
}

function codeOf({ kind, path, weights, shards = {} }: LayersFile, model: Model<string>): string[] {
  const read = (file: string) => `readFileSync(${JSON.stringify(file)})`;
  const lines = ['import { readFileSync } from "node:fs";'];
  if (kind === "tfjs") {
    lines.push('import { loadTfjs } from "lstm-wasm/models";', "");
    lines.push(`const description = JSON.parse(readFileSync(${JSON.stringify(path)}, "utf8"));`);
    const files = Object.keys(shards).map(
      (name) => `  [${JSON.stringify(name)}]: ${read(join(dirname(path), name))},`,
    );
    lines.push("const weights = {", ...files, "};", "const model = loadTfjs(description, weights);");
  } else {
    lines.push('import { loadKeras } from "lstm-wasm/models";', "");
    const options = weights === undefined ? "" : `, { weights: ${read(weights.path)} }`;
    lines.push(`const model = loadKeras(${read(path)}${options});`);
  }
  lines.push("const outputs = model.run({", ...model.inputs.flatMap((input) => inputLines(input)), "});");
  lines.push("console.log(outputs);");
  return lines;
}
