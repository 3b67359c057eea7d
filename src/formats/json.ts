/**
 * JSON from a file that may be hostile. JSON.parse keeps the last of two equal keys, deep nesting may exhaust
 * its stack, and two bytes of text may become fifty. One pass over the text refuses all three before JSON.parse
 * runs.
 */

import { isArray, show } from "../tensor/checks.js";
import { FormatError } from "./bytes.js";

/** No weight file nests deeper: a batch of nested weight matrices needs 8. */
const MOST_DEPTH = 64;

/** Of all objects together. A safetensors header has four keys for each tensor. */
const MOST_KEYS = 250_000;

/** What V8 takes to parse a value, in bytes: the value with its slot, and while it parses, a handle to it. */
const COST = { item: 24, fraction: 16, array: 56, object: 64, string: 40, key: 100, character: 2 };

/**
 * Bytes that the values may take, and how many more for each character. Numbers as files print them cost 2 to 4
 * bytes for each character, and 8 million of one digit fit without any.
 */
const ALLOWED_BYTES = 128 * 2 ** 20;
const ALLOWED_PER_CHARACTER = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * @param name what messages begin with
 * @throws FormatError for text that is not JSON, nests too deep, repeats a key, has too many keys or makes values
 *   that take more memory than text of its length may
 */
export function parseJson(text: string, name: string): unknown {
  checkText(text, name);
  try {
    // Editors on Windows begin a file with a BOM, which JSON.parse refuses.
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new FormatError(`${name}: not valid JSON: ${(error as Error).message}`);
  }
}

/** Text that is not JSON may pass here. JSON.parse then says what is wrong with it. */
function checkText(text: string, name: string): void {
  /** The keys of each open object, undefined until the first one, and for each open array. */
  const open: (Set<string> | undefined)[] = [];
  const allowed = ALLOWED_BYTES + ALLOWED_PER_CHARACTER * text.length;
  let count = 0;
  let cost = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x2c) cost += COST.item;
    // A point or an exponent: the number is no small integer, and has an object of its own while V8 parses.
    else if (code === 0x2e || code === 0x65 || code === 0x45) cost += COST.fraction;
    else if (code === 0x7b || code === 0x5b) {
      cost += COST.item + (code === 0x7b ? COST.object : COST.array);
      if (open.push(undefined) > MOST_DEPTH)
        throw new FormatError(`${name}: nests deeper than ${MOST_DEPTH}`);
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
    } else if (code === QUOTE) {
      const start = at;
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) {
        if (text.charCodeAt(at) === BACKSLASH) at++;
      }
      cost += COST.string + COST.character * (at - start);
      // In valid JSON a colon follows a key, and nothing else.
      if (open.length > 0 && followedByColon(text, at + 1)) {
        const last = open.length - 1;
        open[last] ??= new Set();
        const keys = open[last];
        const key = unquote(text.slice(start, at + 1));
        if (keys.has(key)) throw new FormatError(`${name}: key ${show(key)} occurs twice`);
        keys.add(key);
        cost += COST.key;
        if (++count > MOST_KEYS) throw new FormatError(`${name}: more than ${MOST_KEYS} keys`);
      }
    }
    if (cost > allowed) throw new FormatError(`${name}: its values take more than ${allowed} bytes`);
  }
}

function followedByColon(text: string, at: number): boolean {
  let code = text.charCodeAt(at);
  while (code === 0x20 || (code >= 0x09 && code <= 0x0d)) code = text.charCodeAt(++at);
  return code === 0x3a;
}

/** The text of a quoted string, without its quotes and escapes. */
function unquote(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

/** Whether a value is a JSON object: not null and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !isArray(value);
}
