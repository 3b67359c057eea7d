/**
 * Writes a licence that nobody needs:
 *
 *   node main.js [--prompt "The licensee "] [--length 400] [--temperature 0.7]
 *
 * With --temperature 0 it is the same each time.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CharRnn } from "./char-rnn.js";

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

const model = new CharRnn(readFileSync(new URL("licence.pt", import.meta.url)));
process.stdout.write(values.prompt);
for (const sign of model.write(values.prompt, length, { temperature })) process.stdout.write(sign);
process.stdout.write("\n");
model.dispose();
