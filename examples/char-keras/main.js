/**
 * Writes a licence that nobody needs:
 *
 *   node main.js [--prompt "The licensee "] [--length 400] [--temperature 0.7]
 *
 * With --temperature 0 it is the same each time.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Sampler } from "./sampler.js";

const { values } = parseArgs({
  options: {
    prompt: { type: "string", default: "The licensee " },
    length: { type: "string", default: "400" },
    temperature: { type: "string", default: "0.7" },
  },
});
const [length, temperature] = [Number(values.length), Number(values.temperature)];
if (!(length >= 0) || !(temperature >= 0))
  throw new RangeError("--length and --temperature: expected numbers from 0");

const read = (name) => readFileSync(new URL(name, import.meta.url));
const sampler = new Sampler(read("licence.keras"), JSON.parse(read("licence.json")).characters);
process.stdout.write(values.prompt);
const letters = sampler.write(values.prompt, { temperature });
for (let written = 0; written < length; written++) process.stdout.write(letters.next().value);
process.stdout.write("\n");
sampler.dispose();
