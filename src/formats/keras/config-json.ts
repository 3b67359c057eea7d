/** JSON as Python writes it: NaN and Infinity stand in it as words, which JSON does not have. */
import { parseJson } from "../json.js";

/** A string, which stays, or one of the words. */
const WORDS = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/** @throws FormatError as {@link parseJson} does. NaN becomes null: no field that is read here may be NaN. */
export function parseConfig(text: string, name: string): unknown {
  if (!/NaN|Infinity/.test(text)) return parseJson(text, name);
  const plain = text.replace(WORDS, (found) => {
    if (found.startsWith('"')) return found;
    return found.endsWith("y") ? found.replace("Infinity", "1e999") : "null";
  });
  return parseJson(plain, name);
}
