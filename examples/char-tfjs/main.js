/**
 * Writes on from a text, by a next-character model of TensorFlow.js:
 *
 *   node main.js model.json [--text "the will to"] [--length 400] [--temperature 0.5]
 *
 * The model's files of numbers lie beside model.json. With --temperature 0 it writes the same each time.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { loadTfjs } from "lstm-wasm/models";
import { SOURCE } from "./source.js";
import { write } from "./writer.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    text: { type: "string", default: "the slowly ascending ranks and classes, " },
    length: { type: "string", default: "400" },
    temperature: { type: "string", default: "0.5" },
  },
});
const [path] = positionals;
if (path === undefined || !existsSync(path)) {
  if (path !== undefined) console.error(`${path}: no such file`);
  console.error(`usage: node main.js model.json [--text TEXT]\n\n${SOURCE.project}: ${SOURCE.address}`);
  for (const [name, sha256] of SOURCE.files) console.error(`  ${name}  sha256 ${sha256}`);
  process.exit(2);
}
const [length, temperature] = [Number(values.length), Number(values.temperature)];
if (!(length >= 0) || !(temperature >= 0))
  throw new RangeError("--length and --temperature: expected numbers from 0");

const description = JSON.parse(readFileSync(path, "utf8"));
const names = description.weightsManifest.flatMap(({ paths }) => paths);
const weights = Object.fromEntries(names.map((name) => [name, readFileSync(join(dirname(path), name))]));
const model = loadTfjs(description, weights);

process.stdout.write(values.text);
const letters = write(model, values.text, { temperature });
for (let written = 0; written < length; written++) process.stdout.write(letters.next().value);
process.stdout.write("\n");
model.dispose();
