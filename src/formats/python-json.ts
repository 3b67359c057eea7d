/** JSON as Python writes it: NaN and Infinity stand in it as words, which JSON does not have. */
import { parseJson } from "./json.js";

/** What stands for a word. No field that is read here may be NaN; a number so large is Infinity. */
const WORDS: readonly (readonly [word: string, json: string])[] = [
  ["NaN", "null"],
  ["Infinity", "1e999"],
];
const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** @throws FormatError as {@link parseJson} does. NaN becomes null. */
export function parsePythonJson(text: string, name: string): unknown {
  return parseJson(/NaN|Infinity/.test(text) ? withoutWords(text) : text, name);
}

/** A walk, since a pattern that matches strings takes quadratic time of strings without an end. */
function withoutWords(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) === BACKSLASH) at++;
      }
      continue;
    }
    const found =
      code === 0x4e || code === 0x49 ? WORDS.find(([word]) => text.startsWith(word, at)) : undefined;
    if (found === undefined) continue;
    parts.push(text.slice(from, at), found[1]);
    from = at + found[0].length;
    at = from - 1;
  }
  return parts.join("") + text.slice(from);
}
